"""Writes the labels of Omniglot's small background sets as a table with a column an alphabet, for config.toml.

    python3 make_labels.py FOLDER/omniglot_small OUT

A row an image, in the order of images-28x28-idx3-ubyte.gz: under its alphabet the character, under the others nothing, and
the part. Of the twenty drawings of every character ten are for training, four for validation and six for testing (as Yang
and Hospedales, ICLR 2017), drawn with a seed. Greek and Latin stand in both sets: the same drawing is in the same part.
"""

import csv
import os
import random
import sys

folder, out = sys.argv[1:]
with open(os.path.join(folder, "labels.csv")) as file:
    rows = list(csv.DictReader(file))
alphabets = sorted({row["alphabet"] for row in rows})
name = {alphabet: alphabet.split("_(")[0].lower() for alphabet in alphabets}

parts = {}
for alphabet, character in sorted({(row["alphabet"], row["character"]) for row in rows}):
    own = ["train"] * 10 + ["valid"] * 4 + ["test"] * 6
    random.Random(f"{alphabet} {character}").shuffle(own)
    parts.update({(alphabet, character, str(drawer + 1)): part for drawer, part in enumerate(own)})

os.makedirs(out, exist_ok=True)
with open(os.path.join(out, "labels.csv"), "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow([name[alphabet] for alphabet in alphabets] + ["part"])
    for row in rows:
        own = ["c" + row["character"] if alphabet == row["alphabet"] else "" for alphabet in alphabets]
        writer.writerow(own + [parts[row["alphabet"], row["character"], row["drawer"]]])
