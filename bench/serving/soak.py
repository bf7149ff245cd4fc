"""Asks a server for minutes, with good, bad, slow and broken requests and reloads between them, and reports its memory.

python soak.py --polytask PATH [--minutes 3] [--clients 16]

Fails if an answer is wrong, or if memory after the run is more than --allowed MB above that after the first half minute.
"""
import argparse
import http.client
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
PORT = 9311
GOOD = {"rows": [{"age": 34.5, "sex": "female"}]}


def ask(connection, body, kind="application/json", path="/v1/predict"):
    connection.request("POST", path, body, {"content-type": kind})
    response = connection.getresponse()
    return response.status, response.read()


def client(seed, end, counts, wrong, expected):
    pick, connection = random.Random(seed), http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    while time.time() < end:
        what = pick.choices(["good", "csv", "many", "bad", "unfit", "large", "gone", "half", "fresh"], [40, 10, 4, 8, 8, 2, 4, 2, 6])[0]
        try:
            if what == "good":
                status, body = ask(connection, json.dumps(GOOD))
                if status != 200 or json.loads(body)["predictions"] != expected:
                    wrong.append((what, status, body))
            elif what == "csv":
                status, body = ask(connection, "age,sex\n34.5,female\n", "text/csv")
                if status != 200:
                    wrong.append((what, status, body))
            elif what == "many":
                rows = [{"age": pick.uniform(1, 80), "sex": pick.choice(["male", "female"])} for _ in range(pick.randrange(1, 3000))]
                status, body = ask(connection, json.dumps(rows))
                if status != 200 or len(json.loads(body)["predictions"]) != len(rows):
                    wrong.append((what, status, body[:200]))
            elif what == "bad":
                status, body = ask(connection, json.dumps(GOOD)[: pick.randrange(1, 40)])
                if status != 400:
                    wrong.append((what, status, body))
            elif what == "unfit":
                status, body = ask(connection, json.dumps([{"age": "old", "sex": "female", "x": 1}]))
                if status != 422:
                    wrong.append((what, status, body))
            else:
                status = 0
                raw = socket.create_connection(("127.0.0.1", PORT), timeout=20)
                if what == "large":
                    raw.sendall(b"POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n")
                    status = int(raw.recv(64).split()[1])
                    if status != 413:
                        wrong.append((what, status, b""))
                elif what == "gone":
                    raw.sendall(b"POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\n" + b"[" * pick.randrange(0, 50))
                elif what == "half":
                    raw.sendall(b"POST /v1/predict HTTP/1.1\r\nhost:")
                    time.sleep(0.2)
                raw.close()
                connection.close()
            counts[what, status] += 1
        except (OSError, http.client.HTTPException) as error:
            wrong.append((what, 0, repr(error)))
            connection.close()


def memory(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--polytask", required=True)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--allowed", type=float, default=16)
    args = parser.parse_args()
    model = Path(tempfile.mkdtemp()) / "growth"
    config = HERE.parent.parent / "examples/growth/config.toml"
    subprocess.run([args.polytask, "train", config, "--out", model], check=True, stderr=subprocess.DEVNULL)
    server = subprocess.Popen([args.polytask, "serve", model, "--port", str(PORT), "--timeout", "5"], stderr=subprocess.PIPE, text=True)
    said = []
    threading.Thread(target=lambda: said.extend(server.stderr), daemon=True).start()
    time.sleep(1)
    expected = json.loads(ask(http.client.HTTPConnection("127.0.0.1", PORT), json.dumps(GOOD))[1])["predictions"]
    counts, wrong = Counter(), []
    end = time.time() + 60 * args.minutes
    start = memory(server.pid)
    clients = [threading.Thread(target=client, args=(i, end, counts, wrong, expected)) for i in range(args.clients)]
    [one.start() for one in clients]
    begun, warm, next_reload = time.time(), None, time.time() + 5
    while time.time() < end:
        time.sleep(1)
        if time.time() > next_reload:
            server.send_signal(signal.SIGHUP)
            next_reload += 5
        if warm is None and time.time() > begun + min(30, 15 * args.minutes):
            warm = memory(server.pid)
            print(f"{time.time() - begun:4.0f} s: {warm:.1f} MB", flush=True)
    [one.join() for one in clients]
    last = memory(server.pid)
    server.send_signal(signal.SIGTERM)
    status = server.wait(20)
    print(f"at the start {start:.1f} MB, warm {warm:.1f} MB, after {args.minutes:g} minutes {last:.1f} MB; exit status {status}")
    print("answers by status: " + ", ".join(f"{what} {status}: {count}" for (what, status), count in sorted(counts.items())))
    print(f"reloads: {sum('loaded anew' in line for line in said)}; wrong: {len(wrong)} {wrong[:3]}")
    panics = [line for line in said if "panicked" in line]
    if wrong or panics or status != 0 or last > warm + args.allowed:
        sys.exit(f"FAILED {panics[:1]}")


main()
