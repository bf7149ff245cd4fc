"""Whether the ONNX export of a model of a table predicts what `polytask predict` does.

    python check_table.py DATA.csv PREDICTIONS.jsonl FOLDER

Prints the largest difference relative to the larger of 1 and the value. Exit status 1: one is above 1e-5. Exit status 77: a
package is not there.
"""

import csv
import json
import pathlib
import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(error)
    sys.exit(77)

TOLERANCE = 1e-5


def number(text):
    words = {"": float("nan"), "true": 1.0, "false": 0.0}
    return words[text] if text in words else float(text)


def main(data, predictions, folder):
    folder = pathlib.Path(folder)
    spec = json.loads((folder / "model.json").read_text())
    rows = list(csv.DictReader(open(data, newline="")))
    said = [json.loads(line) for line in open(predictions)]
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    fed = {}
    for one in spec["inputs"]:
        values = [row[one["name"]] for row in rows]
        is_text = one["type"] == "str"
        fed[one["name"]] = np.array(values, object) if is_text else np.array([number(v) for v in values])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, fed)))
    worst, where = 0.0, ""
    for name, values in found.items():
        for row, value in zip(said, values):
            task, _, part = name.partition(".")
            if part != "probabilities":
                expected = row[task]
                if isinstance(expected, (int, float)):
                    difference = abs(float(value) - expected) / max(1.0, abs(expected))
                    worst, where = max((worst, where), (difference, name))
                elif isinstance(expected, str):
                    assert value == expected, (name, value, expected)
            else:
                for got, expected in zip(value, row[f"{task} probabilities"].values()):
                    worst, where = max((worst, where), (abs(float(got) - expected), name))
    print(f"{folder.name}: {worst:.2e} of {where}")
    return 1 if worst > TOLERANCE else 0


sys.exit(main(*sys.argv[1:]))
