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


def found(name, rows):
    """Indices for what tasks find for each other, and for words where no script reads them: any will do, the same for a row
    whatever stands beside it."""
    lengths, predicates = [len(row["tokens"]) for row in rows], [max(1, len(row.get("frames", []))) for row in rows]
    longest, most = max(lengths), max(predicates)
    part, _, of = name.partition(".")
    if name == "mask.predicates":
        return np.arange(most) < np.array(predicates)[:, None]
    if part == "mask":
        return np.arange(longest) < np.array(lengths)[:, None]
    if part == "predicates":
        return np.array([[(3 * i + 1) % n for i in range(most)] for n in lengths])[:, :, None]
    if part == "pairs":
        rows = [[[abs(3 * i + 1 - t) % 7 for t in range(longest)] for i in range(most)] for _ in lengths]
        return np.array(rows)[:, :, :, None]
    if part == "arcs":
        return np.array([[(5 * t + 2) % n for t in range(longest)] for n in lengths])[:, :, None]
    assert part == "tokens", name
    seeds = [sum(map(ord, "".join(row["tokens"]))) for row in rows]
    return np.array([[[(seed + 7 * t + 3 * c) % 4 for c in range(6)] for t in range(longest)] for seed in seeds])


def fed(folder, rows):
    """By input, an array for some of the rows."""
    spec = json.loads((folder / "onnx/model.json").read_text())
    if (folder / "pytorch").exists():
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return check.feeds(columns, check.script(folder / "pytorch"), spec)
    kinds = {column["column"]: column["kind"] for column in spec["columns"]}
    read = (folder / "onnx/tokenizer.json").exists()
    made = ("predicates", "pairs", "arcs", "tokens")
    known = [one for one in spec["inputs"] if one["name"].split(".")[0] not in made and one["name"] != "mask.predicates"]
    fed = check_texts.feeds({**spec, "inputs": known}, rows, folder / "onnx") if read else {}
    for one in spec["inputs"]:
        name = one["name"]
        if name in fed:
            continue
        if name in kinds:
            fed[name] = np.array([row[name] for row in rows], object if one["type"] == "str" else one["type"])
            continue
        values = found(name, rows)
        width = one["shape"][-1]
        fed[name] = values[..., : int(width)].astype(one["type"]) if width.isdigit() else values
    return fed


def agree(alone, among):
    """Whether a row's outputs are the same; among longer texts they are filled up."""
    if alone.shape != among.shape:
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
                if not agree(np.asarray(alone), np.asarray(among)[i : i + 1]):
                    wrong.append(f"{(folder / 'label.txt').read_text()}{name} of row {i + 1}: {alone[0]}, {among[i]}")
    print("\n\n".join(wrong[:5]) or f"{len(folders)} models")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
