"""Trains a config by every method and seed, one run after the other, and prints the test scores as a table.

    python3 methods.py examples/multimnist/config.toml OUT [--seeds 3] [--polytask polytask] [--methods equal,mgda,...]

A run is a model directory OUT/METHOD-SEED; those that are there already are not trained again, so that a table may grow.
`none` trains a network of its own for every task, for as many steps.
"""

import argparse
import json
import os
import statistics
import subprocess

METHODS = "equal,uncertainty,mgda,pcgrad,cagrad,upgrad,nash,none"

parser = argparse.ArgumentParser()
parser.add_argument("config")
parser.add_argument("out")
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--polytask", default="polytask")
parser.add_argument("--threads", default="1")
parser.add_argument("--methods", default=METHODS)
options = parser.parse_args()
methods = options.methods.split(",")

for seed in range(options.seeds):
    for method in methods:
        model = os.path.join(options.out, f"{method}-{seed}")
        if os.path.exists(os.path.join(model, "metrics.json")):
            continue
        setting = "model.sharing=none" if method == "none" else f"loss.balance={method}"
        command = [options.polytask, "train", options.config, "--out", model, "--threads", options.threads]
        subprocess.run([*command, "--seed", str(seed), "--set", setting], check=True, stdout=subprocess.DEVNULL)

rows, names = {}, []
for method in methods:
    for seed in range(options.seeds):
        model = os.path.join(options.out, f"{method}-{seed}")
        with open(os.path.join(model, "metrics.json")) as file:
            tasks = json.load(file)["tasks"]
        with open(os.path.join(model, "history.jsonl")) as file:
            seconds = json.loads(file.readlines()[-1])["seconds"]
        names = list(tasks)
        rows.setdefault(method, []).append([100 * tasks[name]["accuracy"] for name in names] + [seconds])

print("| method | " + " | ".join(names) + " | seconds |\n| --- |" + " ---: |" * (len(names) + 1))
for method, runs in rows.items():
    cells = []
    for column in list(zip(*runs))[:-1]:
        spread = f" ± {statistics.stdev(column):.2f}" if len(column) > 1 else ""
        cells.append(f"{statistics.mean(column):.2f}{spread}")
    print(f"| `{method}` | " + " | ".join(cells) + f" | {statistics.mean(run[-1] for run in runs):.0f} |")
