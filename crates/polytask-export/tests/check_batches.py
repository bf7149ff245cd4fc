"""Whether ONNX Runtime says the same of a row alone and among others, for many exported models.

    python check_batches.py FOLDER

FOLDER has a folder a model, with `onnx/`, the rows in `data.jsonl`, and `pytorch/` or the tokeniser of a pretrained encoder.
Prints how many models there were. Exit status 1: one said something else. Exit status 77: a package is not there.
"""

import json
import pathlib
import sys

import check
import check_texts
import numpy as np
import onnxruntime

TOLERANCE = 1e-5


def fed(folder, rows):
    """By input, an array for some of the rows."""
    spec = json.loads((folder / "onnx/model.json").read_text())
    if (folder / "onnx/tokenizer.json").exists():
        return check_texts.feeds(spec, rows, folder / "onnx")
    module = check.script(folder / "pytorch")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return check.feeds(columns, module, spec)


def agree(alone, among):
    """Whether a row's outputs are the same; among longer texts they are filled up."""
    if alone.ndim > 0 and alone.shape != among.shape:
        among = among[tuple(slice(0, length) for length in alone.shape)]
    if alone.dtype.kind == "f":
        return np.allclose(alone, among, rtol=TOLERANCE, atol=TOLERANCE)
    return (alone == among).all()


def main(folder):
    folders = sorted(pathlib.Path(folder).iterdir(), key=lambda path: int(path.name))
    wrong = []
    for folder in folders:
        rows = [json.loads(line) for line in open(folder / "data.jsonl")]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), options)
        names = [output.name for output in session.get_outputs()]
        everything = session.run(names, fed(folder, rows))
        for i, row in enumerate(rows):
            for name, alone, among in zip(names, session.run(names, fed(folder, [row])), everything):
                if not agree(np.asarray(alone)[0], np.asarray(among)[i]):
                    wrong.append(f"{(folder / 'label.txt').read_text()}{name} of row {i + 1}: {alone[0]}, {among[i]}")
    print("\n\n".join(wrong[:5]) or f"{len(folders)} models")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
