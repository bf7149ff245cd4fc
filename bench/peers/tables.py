"""Default predictions on tables: polytask beside what an analyst would use instead.

    python bench/peers/tables.py --sets enb,slump --models polytask,forest,catboost --seeds 3

needs numpy, pandas and scikit-learn; a peer whose package is missing is left out with a word about it. Data are looked for in
$POLYTASK_DATA, else in ../shared/data. The test rows are those whose index divides by 5 (census: the publisher's file); a tenth of the
others is for early stopping, drawn by the seed. Every model has its default settings. The table gives the mean over the tasks of
R2 (quantities) or ROC AUC (two classes), its standard deviation over the seeds, and the seconds of a fit.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

DATA = pathlib.Path(os.environ.get("POLYTASK_DATA", "../shared/data"))
ROOT = pathlib.Path(__file__).resolve().parents[2]
RIVERS = [f"{station}_48H__0" for station in "CHSI2 NASI2 EADM7 SCLM7 CLKM7 VALI2 NAPM7 DLDI4".split()]

# name: file, tasks (a name, or a pair of a name and the class that counts), columns that are no inputs
SETS = {
    "enb": ("mulan_enb/enb.csv.gz", ["Y1", "Y2"], []),
    "slump": ("mulan_slump/slump.csv.gz", ["SLUMP_cm", "FLOW_cm", "Compressive_Strength_Mpa"], []),
    "sf1": ("mulan_sf1/sf1.csv.gz", ["c-class", "m-class", "x-class"], []),
    "sf2": ("mulan_sf2/sf2.csv.gz", ["c-class", "m-class", "x-class"], []),
    "rf1": ("mulan_rf1/rf1.csv.gz", RIVERS, []),
    "oes97": ("mulan_oes97/oes97.csv.gz", None, []),
    "air_quality": ("air_quality/air_quality.csv.gz", None, []),
    "parkinsons": ("parkinsons_telemonitoring/parkinsons_updrs.csv", ["motor_UPDRS", "total_UPDRS"], ["subject#"]),
    "student": ("student_performance/student-por.csv", ["G1", "G2", "G3"], []),
    "gas_turbine": ("gas_turbine/gas_turbine.csv.gz", ["CO", "NOX", "TEY"], []),
    "howell1": ("howell1/Howell1.csv", ["height", "weight"], []),
    "linnerud": ("linnerud/linnerud.csv", ["Weight", "Waist", "Pulse"], []),
    "clintox": ("clintox/clintox_morgan.csv.gz", [("FDA_APPROVED", 1), ("CT_TOX", 1)], []),
    "census": (
        "census_income_kdd/train.parquet",
        [("income", "50000+."), ("marital_status", "Never married")],
        ["instance_weight"],
    ),
    "growth": ("@data/growth/people.csv", ["height", "weight", "waist", "systolic", ("diabetes", "yes")], []),
    "body": ("@data/body/people.csv", "after weight", []),
}


class Set:
    """A table: inputs, labels (NaN where missing; 1 for the class that counts, else 0), and which rows are for testing."""

    def __init__(self, name):
        path, tasks, left_out = SETS[name]
        self.name = name
        path = ROOT / path[1:] if path.startswith("@") else DATA / path
        read = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv
        table = read(path)
        if name == "census":
            rest = pd.read_parquet(path.with_name("test.parquet"))
            test = np.arange(len(table) + len(rest)) >= len(table)
            table = pd.concat([table, rest], ignore_index=True)
        else:
            test = np.arange(len(table)) % 5 == 0
        if name == "clintox":
            bits = [np.unpackbits(np.frombuffer(bytes.fromhex(h), np.uint8)) for h in table.pop("morgan2_1024_hex")]
            table = table.drop(columns=["smiles", "mol_ok"])
            table = pd.concat([table, pd.DataFrame(np.array(bits), columns=[f"b{i}" for i in range(1024)])], axis=1)
        if tasks is None:
            catalogue = {entry["path"]: entry for entry in json.loads((DATA / "CATALOG.json").read_text())}
            tasks = list(catalogue[path.parent.name]["tasks"])
        elif tasks == "after weight":
            tasks = list(table.columns[list(table.columns).index("weight") + 1 :])
        self.positive = {t[0]: t[1] for t in tasks if isinstance(t, tuple)}
        self.tasks = [t[0] if isinstance(t, tuple) else t for t in tasks]
        self.table = table.drop(columns=left_out)
        self.test = test
        self.inputs = self.table.drop(columns=self.tasks)
        for column in self.inputs.columns:
            kind = self.inputs[column].dtype
            if not pd.api.types.is_numeric_dtype(kind):
                self.inputs[column] = self.inputs[column].astype("string").fillna("?").astype("category")
        labels = []
        for task in self.tasks:
            values = self.table[task]
            if task in self.positive:
                values = (values == self.positive[task]).astype(float).where(values.notna())
            labels.append(pd.to_numeric(values).to_numpy(float))
        self.labels = np.array(labels).T

    def binary(self, task):
        return self.tasks[task] in self.positive

    def split(self, seed):
        rows = np.flatnonzero(~self.test)
        drawn = np.random.default_rng(seed).permutation(rows)
        return np.sort(drawn[len(rows) // 10 :]), np.sort(drawn[: len(rows) // 10])

    def plain(self):
        """Numbers with medians for gaps, categories one-hot."""
        table = self.inputs.copy()
        numbers = [c for c in table.columns if pd.api.types.is_numeric_dtype(table[c].dtype)]
        table[numbers] = table[numbers].fillna(table[numbers].median())
        table = pd.get_dummies(table, dtype=float)
        return table.to_numpy(float)


def score(truth, predicted, binary):
    known = ~np.isnan(truth)
    truth, predicted = truth[known], predicted[known]
    if binary:
        from sklearn.metrics import roc_auc_score

        return roc_auc_score(truth, predicted)
    return 1 - np.sum((truth - predicted) ** 2) / np.sum((truth - truth.mean()) ** 2)


def each(data, seed, fit):
    """A model a task, of the rows that have its label: `fit(task, train, valid, test)` predicts the test rows."""
    train, valid = data.split(seed)
    test = np.flatnonzero(data.test)
    scores = []
    for task in range(len(data.tasks)):
        has = lambda rows: rows[~np.isnan(data.labels[rows, task])]
        predicted = fit(task, has(train), has(valid), test)
        scores.append(score(data.labels[test, task], predicted, data.binary(task)))
    return float(np.mean(scores))


def ridge(data, seed):
    from sklearn.linear_model import LogisticRegressionCV, RidgeCV
    from sklearn.preprocessing import StandardScaler

    x = data.plain()
    x = StandardScaler().fit(x[~data.test]).transform(x)

    def fit(task, train, valid, test):
        rows = np.concatenate([train, valid])
        y = data.labels[rows, task]
        if data.binary(task):
            return LogisticRegressionCV(Cs=8, max_iter=300).fit(x[rows], y).decision_function(x[test])
        return RidgeCV(np.logspace(-3, 5, 30)).fit(x[rows], y).predict(x[test])

    return each(data, seed, fit)


def bagged(regressor, classifier):
    def run(data, seed):
        x = data.plain()

        def fit(task, train, valid, test):
            rows = np.concatenate([train, valid])
            binary = data.binary(task)
            model = (classifier if binary else regressor)(n_estimators=300, random_state=seed, n_jobs=2)
            model.fit(x[rows], data.labels[rows, task])
            return model.predict_proba(x[test])[:, 1] if binary else model.predict(x[test])

        return each(data, seed, fit)

    return run


def forest(data, seed):
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    return bagged(RandomForestRegressor, RandomForestClassifier)(data, seed)


def extra(data, seed):
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    return bagged(ExtraTreesRegressor, ExtraTreesClassifier)(data, seed)


def catboost_alone(data, seed):
    from catboost import CatBoostClassifier, CatBoostRegressor

    x = data.inputs
    categories = list(x.select_dtypes("category").columns)

    def fit(task, train, valid, test):
        kind = CatBoostClassifier if data.binary(task) else CatBoostRegressor
        model = kind(random_seed=seed, thread_count=2, verbose=0, cat_features=categories, allow_writing_files=False)
        y = data.labels[:, task]
        model.fit(x.iloc[train], y[train], eval_set=(x.iloc[valid], y[valid]), early_stopping_rounds=50)
        return model.predict_proba(x.iloc[test])[:, 1] if data.binary(task) else model.predict(x.iloc[test])

    return each(data, seed, fit)


def catboost(data, seed):
    """One model for all targets; where that cannot be (labels missing, classes among them), none."""
    from catboost import CatBoostRegressor

    if data.positive or np.isnan(data.labels).any():
        return None
    x = data.inputs
    categories = list(x.select_dtypes("category").columns)
    train, valid = data.split(seed)
    center, spread = data.labels[train].mean(0), data.labels[train].std(0)
    y = (data.labels - center) / spread
    model = CatBoostRegressor(
        loss_function="MultiRMSE",
        random_seed=seed,
        thread_count=2,
        verbose=0,
        cat_features=categories,
        allow_writing_files=False,
    )
    model.fit(x.iloc[train], y[train], eval_set=(x.iloc[valid], y[valid]), early_stopping_rounds=50)
    predicted = model.predict(x[data.test]) * spread + center
    truth = data.labels[data.test]
    return float(np.mean([score(truth[:, t], predicted[:, t], False) for t in range(len(data.tasks))]))


def lightgbm(data, seed):
    import lightgbm

    x = data.inputs.rename(columns=lambda c: "".join(l if l.isalnum() else "_" for l in c))

    def fit(task, train, valid, test):
        kind = lightgbm.LGBMClassifier if data.binary(task) else lightgbm.LGBMRegressor
        model = kind(n_estimators=2000, learning_rate=0.05, random_state=seed, n_jobs=2, verbose=-1)
        y = data.labels[:, task]
        stop = lightgbm.early_stopping(50, verbose=False)
        model.fit(x.iloc[train], y[train], eval_set=[(x.iloc[valid], y[valid])], callbacks=[stop])
        return model.predict_proba(x.iloc[test])[:, 1] if data.binary(task) else model.predict(x.iloc[test])

    return each(data, seed, fit)


def xgboost(data, seed):
    import xgboost

    x = data.inputs

    def fit(task, train, valid, test):
        kind = xgboost.XGBClassifier if data.binary(task) else xgboost.XGBRegressor
        model = kind(
            n_estimators=2000,
            learning_rate=0.05,
            random_state=seed,
            n_jobs=2,
            enable_categorical=True,
            early_stopping_rounds=50,
        )
        y = data.labels[:, task]
        model.fit(x.iloc[train], y[train], eval_set=[(x.iloc[valid], y[valid])], verbose=False)
        return model.predict_proba(x.iloc[test])[:, 1] if data.binary(task) else model.predict(x.iloc[test])

    return each(data, seed, fit)


def realmlp(data, seed):
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    x = data.inputs

    def fit(task, train, valid, test):
        kind = RealMLP_TD_Classifier if data.binary(task) else RealMLP_TD_Regressor
        model = kind(random_state=seed, device="cpu", n_threads=2)
        y = data.labels[:, task]
        model.fit(x.iloc[train], y[train], x.iloc[valid], y[valid])
        return model.predict_proba(x.iloc[test])[:, 1] if data.binary(task) else model.predict(x.iloc[test])

    return each(data, seed, fit)


def polytask(keys=""):
    def run(data, seed):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            data.table[~data.test].to_csv(folder / "rest.csv", index=False)
            data.table[data.test].to_csv(folder / "test.csv", index=False)
            quoted = json.dumps
            split = f'{{ test = "test.csv", valid = 0.1, seed = {seed} }}'
            text = f'[data]\npath = "rest.csv"\nsplit = {split}\n'
            for task in data.tasks:
                text += f"[tasks.{quoted(task)}]\n"
                if task in data.positive:
                    text += f'kind = "binary"\npositive = {quoted(str(data.positive[task]))}\n'
                else:
                    text += 'kind = "regression"\n'
            text += f"[train]\nseed = {seed}\n{keys}"
            (folder / "config.toml").write_text(text)
            program = os.environ.get("POLYTASK", str(ROOT / "target/release/polytask"))
            call = [program, "train", str(folder / "config.toml"), "--out", str(folder / "model"), "--threads", "2"]
            done = subprocess.run(call, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr[-600:])
            scores = json.loads((folder / "model/metrics.json").read_text())["tasks"]
            of = lambda t: scores[t]["auc" if t in data.positive else "r2"]
            return float(np.mean([of(task) for task in data.tasks]))

    return run


MODELS = {
    "polytask": polytask(),
    "trees joint": polytask('[model]\nfamily = "trees"\n'),
    "trees independent": polytask('[model]\nfamily = "trees"\ntrees = { sharing = "none" }\n'),
    "ridge": ridge,
    "forest": forest,
    "extra": extra,
    "catboost": catboost,
    "catboost alone": catboost_alone,
    "lightgbm": lightgbm,
    "xgboost": xgboost,
    "realmlp": realmlp,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", help="the raw scores and seconds")
    arguments = parser.parse_args()
    models = arguments.models.split(",")
    print("| set (rows, inputs, tasks) | " + " | ".join(models) + " |")
    print("| --- |" + " ---: |" * len(models), flush=True)
    raw = []
    for name in arguments.sets.split(","):
        try:
            data = Set(name)
        except FileNotFoundError as missing:
            print(f"{name} is skipped: {missing}", file=sys.stderr)
            continue
        cells = {}
        for model in models:
            scores, seconds = [], []
            for seed in range(arguments.seeds):
                began = time.time()
                try:
                    value = MODELS[model](data, seed)
                except ImportError as missing:
                    print(f"{model} is left out: {missing}", file=sys.stderr)
                    value = None
                if value is None:
                    break
                scores.append(value)
                seconds.append(time.time() - began)
                raw.append({"set": name, "model": model, "seed": seed, "score": value, "seconds": seconds[-1]})
                print(f"{name} {model} {seed}: {value:.4f} {seconds[-1]:.1f} s", file=sys.stderr, flush=True)
            cells[model] = (
                f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1) if len(scores) > 1 else 0:.3f}, {np.mean(seconds):.0f} s"
                if scores
                else "–"
            )
        shape = f"{name} ({len(data.table):,}, {data.inputs.shape[1]}, {len(data.tasks)})"
        print(f"| {shape} | " + " | ".join(cells[model] for model in models) + " |", flush=True)
        if arguments.json:
            pathlib.Path(arguments.json).write_text(json.dumps(raw, indent=1))


if __name__ == "__main__":
    main()
