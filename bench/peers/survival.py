"""Times until an event: polytask beside scikit-survival's Cox model, forest and gradient boosting.

    python bench/peers/survival.py --seeds 3 [--binary target/release/polytask]

needs scikit-survival, which brings the data (gbsg2, whas500, veterans, flchain). The test rows are those whose index divides by 5. All models
have their default settings; categories are one-hot for scikit-survival, and what is missing there is the median. Prints Harrell's
concordance on the test rows, its mean and standard deviation over the seeds.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import pandas as pd
from sksurv import datasets
from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = {
    "gbsg2": datasets.load_gbsg2,
    "whas500": datasets.load_whas500,
    "veterans": datasets.load_veterans_lung_cancer,
    "flchain": datasets.load_flchain,
}


def ours(binary, folder, table, seed):
    """Polytask's concordance with a config that names the columns and nothing else."""
    table.to_csv(folder / "t.csv", index=False)
    kind = lambda name: "number" if pd.api.types.is_numeric_dtype(table[name]) else "category"
    names = [name for name in table.columns if name not in ("time", "event")]
    inputs = "".join(f"{json.dumps(name)} = {json.dumps(kind(name))}\n" for name in names)
    (folder / "c.toml").write_text(
        f'[data]\npath = "t.csv"\nsplit = {{ test_every = 5, valid = 0.1 }}\n[inputs]\n{inputs}'
        '[tasks.life]\nkind = "survival"\ncolumns = ["time", "event"]\n'
    )
    run = [binary, "train", folder / "c.toml", "--out", folder / f"m{seed}", "--seed", str(seed)]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    said = json.loads((folder / f"m{seed}" / "metrics.json").read_text())
    return said["tasks"]["life"]["concordance"]


def peers(table, seed):
    x = pd.get_dummies(table.drop(columns=["time", "event"]), drop_first=True).astype(float)
    test = np.arange(len(table)) % 5 == 0
    x = x.fillna(x[~test].median())
    seen = np.array(list(zip(table["event"].astype(bool), table["time"].astype(float))), dtype=[("e", bool), ("t", float)])
    found = {}
    for name, model in (
        ("Cox", CoxPHSurvivalAnalysis(alpha=0.1)),
        ("forest", RandomSurvivalForest(n_estimators=300, random_state=seed, n_jobs=2)),
        ("boosting", GradientBoostingSurvivalAnalysis(random_state=seed)),
    ):
        risk = model.fit(x[~test], seen[~test]).predict(x[test])
        found[name] = concordance_index_censored(seen["e"][test], seen["t"][test], risk)[0]
    return found


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--sets", default=",".join(SETS))
    arguments.add_argument("--binary", default=ROOT / "target/release/polytask")
    arguments = arguments.parse_args()
    for name in arguments.sets.split(","):
        x, y = SETS[name]()
        event, when = y.dtype.names
        table = x.assign(time=y[when], event=y[event].astype(int)).sample(frac=1, random_state=0).reset_index(drop=True)
        scores = {}
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as folder:
                scores.setdefault("polytask", []).append(ours(arguments.binary, pathlib.Path(folder), table, seed))
            for peer, value in peers(table, seed).items():
                scores.setdefault(peer, []).append(value)
        shown = "  ".join(f"{peer} {np.mean(v):.3f} ± {np.std(v):.3f}" for peer, v in scores.items())
        print(f"{name} ({len(table)} rows, {int(table['event'].sum())} events)  {shown}", flush=True)


main()
