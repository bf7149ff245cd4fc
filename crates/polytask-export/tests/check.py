"""Whether exports of a model predict what `polytask predict` does.

    python check.py DATA PREDICTIONS FOLDER

DATA is a CSV file, one of JSON lines, or IDX images; PREDICTIONS what `polytask predict --format jsonl --probabilities` said of
it; FOLDER has exports in folders called `onnx`, `pytorch` and `keras`. Prints the largest difference of each, relative to
the larger of 1 and the value. Exit status 1: one is above 1e-5. Exit status 77: a package is not there.
"""

import gzip
import importlib.util
import json
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
try:
    import keras  # noqa: F401
    import numpy as np
    import onnx
    import onnxruntime
    import safetensors  # noqa: F401
    import torch

    torch.set_num_threads(1)
except ImportError as error:
    print(error)
    sys.exit(77)

TOLERANCE = 1e-5


def script(folder):
    """The file that builds a network, as a module."""
    spec = importlib.util.spec_from_file_location(f"network_{folder.name}", folder / "network.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(path, module):
    """The columns of a file."""
    if "ubyte" not in path:
        return module.read(path)
    data = gzip.open(path).read() if path.endswith(".gz") else pathlib.Path(path).read_bytes()
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return {"image": list(np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(*shape, 1))}


def feeds(table, module, spec):
    """What an ONNX model is fed: columns as they are, but tokens as their indices."""
    by_name, fed = {column["column"]: column for column in spec["columns"]}, {}
    for one in spec["inputs"]:
        name, column = one["name"], by_name.get(one["name"])
        if column is None:
            kind, _, text = name.partition(".")
            fed[name] = module.texts(table, text)[["tokens", "mask"].index(kind)]
        elif column["kind"] == "image":
            fed[name] = np.stack([module.image(column, value) for value in table[name]]).astype(np.uint8)
        elif one["type"] == "str":
            fed[name] = np.array([value or "" for value in table[name]], dtype=object)
        else:
            read = module.boolean if column["kind"] == "boolean" else module.number
            fed[name] = np.array([read(value) for value in table[name]], dtype=one["type"])
    return fed


def onnx_predictions(folder, table, module):
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    spec = json.loads((folder / "model.json").read_text())
    fed = feeds(table, module, spec)
    names = [output["name"] for output in spec["outputs"]]
    assert names == [output.name for output in session.get_outputs()], names
    assert {one["name"] for one in spec["inputs"]} == {one.name for one in session.get_inputs()}
    everything = dict(zip(names, session.run(None, fed)))
    # Any number of rows: the first alone gives the same.
    alone = dict(zip(names, session.run(None, {name: value[:1] for name, value in fed.items()})))
    for name in names:
        if everything[name].dtype.kind == "f" and len(everything[name]) > 0:
            assert np.allclose(alone[name], everything[name][:1], rtol=1e-5, atol=1e-5), name
    return everything


def spans(tags, words):
    """Spans of tags, as (label, words without blanks)."""
    found = []
    for tag, word in zip(tags, words):
        if tag.startswith("B-"):
            found.append([tag[2:], ""])
        if tag != "O":
            found[-1][1] += word
    return [tuple(span) for span in found]


def difference(task, said, got, i, words):
    """How far a prediction of one row is from what was said, and whether it may be another class."""
    name, kind = task["name"], task["kind"]
    if kind == "survival":
        own = np.asarray(got[name + ".probabilities"][i], dtype=float)
        far = np.abs(own - list(said[f"{name} probabilities"].values())).max()
        return max(float(far), abs(float(got[name][i]) - said[name]) / max(1, abs(said[name])))
    if kind in ("regression", "count"):
        return abs(float(got[name][i]) - said[name]) / max(1, abs(said[name]))
    if kind in ("binary", "category", "ordinal", "multilabel"):
        own = np.asarray(got[name + ".probabilities"][i], dtype=float)
        expected = np.array([said[f"{name} probabilities"][label] for label in task["labels"]])
        far = float(np.abs(own - expected).max())
        if kind == "multilabel":
            labels = [label for label, there in zip(task["labels"], got[name][i]) if there]
            same, tied = labels == said[name], np.abs(expected - 0.5).min() < TOLERANCE
        else:
            same = got[name][i] == str(said[name])
            tied = kind == "ordinal" and np.abs(np.cumsum(expected) - 0.5).min() < TOLERANCE
            tied = tied or kind != "ordinal" and np.sort(expected)[-2] > expected.max() - TOLERANCE
        return far if same or tied else np.inf
    if kind == "pixel_regression":
        far = np.abs(np.asarray(got[name][i], dtype=float) - said[name])
        # Numbers are right to so many of their deviations.
        return float((far / np.maximum(max(1, task["deviation"]), np.abs(said[name]))).max())
    if kind == "segmentation":
        best = np.sort(np.asarray(got[name + ".probabilities"][i], dtype=float), axis=-1)
        tied = best[..., -2] > best[..., -1] - TOLERANCE
        return 0.0 if ((got[name][i] == np.array(said[name]).astype(str)) | tied).all() else np.inf
    tags = [tag for tag in got[name][i] if tag != ""]
    if kind == "token_category":
        return 0.0 if list(tags) == said[name] else np.inf
    wanted = [(span["label"], "".join(span["text"].split())) for span in said[name]]
    return 0.0 if spans(tags, words) == wanted else np.inf


def main(data, predictions, folder):
    folder = pathlib.Path(folder)
    said = [json.loads(line) for line in open(predictions, encoding="utf-8") if line.strip()]
    module = script(folder / "pytorch")
    tasks = module.MODEL["tasks"]
    columns = table(data, module)
    columns = {name: values[: len(said)] for name, values in columns.items()}
    everything = {
        "onnx": onnx_predictions(folder / "onnx", columns, module),
        "pytorch": module.predict(columns),
        "keras": script(folder / "keras").predict(columns),
    }
    text = next((column for column in module.MODEL["columns"] if column["kind"] == "text"), None)
    words = [module.tokens_of(text, value) for value in columns[text["column"]]] if text else [None] * len(said)
    worst = {}
    for format, got in everything.items():
        far = [difference(task, row, got, i, words[i]) for i, row in enumerate(said) for task in tasks]
        # What is no number is no small difference either, which Python's own `max` would pass over.
        worst[format] = float(np.max(far, initial=0.0))
    print(json.dumps(worst))
    return 0 if all(far <= TOLERANCE for far in worst.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
