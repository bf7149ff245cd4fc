"""Trains a config by every method and seed, one run after the other, and prints the test scores as a table.

    python3 examples/methods.py examples/snips/config.toml OUT [--seeds 3] [--polytask polytask] [--methods equal,mgda,...]
                                [--scores intent.accuracy,slots.f1]

A run is a model directory OUT/METHOD-SEED; those that are there already are not trained again, so that a table may grow.
`none` trains a network of its own for every task, for as many steps. A cell is the mean over the seeds and the standard
deviation, in hundredths; `valid` is the mean of the same scores on the validation rows at the best epoch, by which a
method may be chosen.
"""

import argparse
import json
import os
import statistics
import subprocess

METHODS = "none,equal,uncertainty,mgda,pcgrad,cagrad,upgrad,nash"

parser = argparse.ArgumentParser()
parser.add_argument("config")
parser.add_argument("out")
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--polytask", default="polytask")
parser.add_argument("--threads", default="1")
parser.add_argument("--methods", default=METHODS)
parser.add_argument("--scores", help="TASK.SCORE,...; the first score of every task if not given")
options = parser.parse_args()
methods = options.methods.split(",")


def train(method, seed):
    model = os.path.join(options.out, f"{method}-{seed}")
    if not os.path.exists(os.path.join(model, "metrics.json")):
        setting = "model.sharing=none" if method == "none" else f"loss.balance={method}"
        command = [options.polytask, "train", options.config, "--out", model, "--threads", options.threads]
        subprocess.run([*command, "--seed", str(seed), "--set", setting], check=True, stdout=subprocess.DEVNULL)
    return model


def read(model):
    with open(os.path.join(model, "metrics.json")) as file:
        test = json.load(file)["tasks"]
    with open(os.path.join(model, "history.jsonl")) as file:
        epochs = [json.loads(line) for line in file]
    best = [epoch for epoch in epochs if epoch.get("best")]
    return test, best[-1].get("scores", {}) if best else {}, epochs[-1]["seconds"]


runs = {}
for seed in range(options.seeds):
    for method in methods:
        runs.setdefault(method, []).append(read(train(method, seed)))

tasks = runs[methods[0]][0][0]
if options.scores:
    scores = [tuple(score.rsplit(".", 1)) for score in options.scores.split(",")]
else:
    scores = [(task, next(iter(values))) for task, values in tasks.items()]


def cell(values):
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.2f}{spread}"


print("| method | " + " | ".join(f"{task} {score}" for task, score in scores) + " | valid | seconds |")
print("| --- |" + " ---: |" * (len(scores) + 2))
for method, found in runs.items():
    cells = [cell([test[task][score] for test, _, _ in found]) for task, score in scores]
    valid = [statistics.mean(known[task][score] for task, score in scores) for _, known, _ in found if known]
    cells.append(f"{100 * statistics.mean(valid):.2f}" if valid else "")
    print(f"| `{method}` | " + " | ".join(cells) + f" | {statistics.mean(seconds for _, _, seconds in found):.0f} |")
