"""Asks a running server for predictions, with Python's standard library alone: `python3 client.py [URL]`."""

import json
import sys
import urllib.error
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"


def ask(rows):
    """The predictions of rows, or what the server says is wrong with them."""
    body = json.dumps({"rows": rows}).encode()
    request = urllib.request.Request(URL + "/v1/predict", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        return json.load(error)


print(ask([{"age": 34.5, "sex": "female"}, {"age": 7, "sex": "male"}]))
print(ask([{"age": "old", "sex": "female"}])["detail"])
