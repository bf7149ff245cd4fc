"""Whether the ONNX export of a model with a pretrained encoder predicts what `polytask predict` does: the texts go through the
`tokenizer.json` that was written beside it.

    python check_texts.py DATA.jsonl PREDICTIONS.jsonl FOLDER

Prints the largest difference relative to the larger of 1 and the value. Exit status 1: one is above 1e-4. Exit status 77: a
package is not there.
"""

import json
import pathlib
import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
    from tokenizers import Tokenizer
except ImportError as error:
    print(error)
    sys.exit(77)

TOLERANCE = 1e-4


def padded(rows, fill, kind):
    length = max(1, max(len(row) for row in rows))
    return np.array([row + [fill] * (length - len(row)) for row in rows], kind)


def feeds(spec, rows, folder):
    fed, names = {}, {one["name"] for one in spec["inputs"]}
    for name in sorted(names):
        kind, _, column = name.partition(".")
        if kind == "context":
            own = folder / f"tokenizer.{column}.json"
            tokenizer = Tokenizer.from_file(str(own if own.exists() else folder / "tokenizer.json"))
            texts = [row[column] for row in rows]
            split = isinstance(texts[0], list)
            read = [tokenizer.encode(text, is_pretokenized=split) for text in texts]
            fed[name] = padded([one.ids for one in read], 0, "int64")
            fed[f"mask.context.{column}"] = padded([[True] * len(one.ids) for one in read], False, "bool")
            words = [[-1 if word is None else word for word in one.word_ids] for one in read]
            if f"words.{column}" in names:
                fed[f"words.{column}"] = padded(words, -1, "int64")
            if f"places.{column}" in names:
                places = [[own.index(i) if i in own else 0 for i in range(len(text))] for own, text in zip(words, texts)]
                fed[f"places.{column}"] = padded(places, 0, "int64")[:, :, None]
            if f"mask.{column}" in names:
                fed[f"mask.{column}"] = padded([[True] * len(text) for text in texts], False, "bool")
        elif name not in fed and "." not in name:
            fed[name] = np.array([row[name] for row in rows], "float64")
    assert set(fed) == names, (set(fed), names)
    return fed


def main(data, predictions, folder):
    folder = pathlib.Path(folder)
    spec = json.loads((folder / "model.json").read_text())
    rows = [json.loads(line) for line in open(data)]
    said = [json.loads(line) for line in open(predictions)]
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    worst, where = 0.0, ""
    # A batch of all rows, and one of a single row.
    for these in [range(len(rows)), range(1)]:
        found = dict(zip(names, session.run(names, feeds(spec, [rows[i] for i in these], folder))))
        for name, values in found.items():
            task, _, part = name.partition(".")
            for i, value in zip(these, values):
                if part == "probabilities":
                    wanted = said[i][f"{task} probabilities"].values()
                    wrong = max(abs(float(got) - expected) for got, expected in zip(value, wanted))
                elif isinstance(said[i][task], list):
                    assert list(value[: len(said[i][task])]) == said[i][task], (name, value, said[i][task])
                    continue
                elif isinstance(said[i][task], (int, float)) and not isinstance(value, str):
                    wrong = abs(float(value) - said[i][task]) / max(1.0, abs(said[i][task]))
                else:
                    assert str(value) == str(said[i][task]), (name, value, said[i][task])
                    continue
                worst, where = max((worst, where), (wrong, name))
    print(f"{folder.name}: {worst:.2e} of {where}")
    return 1 if worst > TOLERANCE else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
