"""Boosted trees for several targets in CatBoost (MultiRMSE), XGBoost (vector leaves) and LightGBM (a model a target)."""

import argparse

import protocol

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--peer", choices=["catboost", "xgboost", "lightgbm"], required=True)
for option in ["rows", "inputs", "trees", "depth"]:
    parser.add_argument("--" + option, type=int, required=True)
options = parser.parse_args()
library = protocol.need(options.peer)
np = protocol.np


def data(tasks):
    x = protocol.normal(0, (options.rows, options.inputs))
    mixture = protocol.normal(2, (options.inputs, tasks))
    z = x.astype(np.float64) @ mixture.astype(np.float64) / options.inputs**0.5
    columns = np.arange(tasks)
    a, b = x[:, columns % options.inputs], x[:, (columns + 1) % options.inputs]
    return x, z + np.sin(2 * a.astype(np.float64)) * b


def catboost(x, y):
    model = library.CatBoostRegressor(
        loss_function="MultiRMSE" if y.shape[1] > 1 else "RMSE",
        iterations=options.trees,
        depth=options.depth,
        learning_rate=0.1,
        l2_leaf_reg=1,
        border_count=254,
        bootstrap_type="No",
        boosting_type="Plain",
        thread_count=options.threads,
        verbose=0,
        allow_writing_files=False,
    )
    model.fit(x, y)
    return lambda: model.predict(x, thread_count=options.threads).reshape(len(x), -1)


def xgboost(x, y):
    model = library.XGBRegressor(
        multi_strategy="multi_output_tree",
        tree_method="hist",
        n_estimators=options.trees,
        max_depth=options.depth,
        learning_rate=0.1,
        reg_lambda=1,
        max_bin=255,
        n_jobs=options.threads,
    )
    model.fit(x, y)
    return lambda: model.predict(x).reshape(len(x), -1)


def lightgbm(x, y):
    parameters = {
        "objective": "l2",
        "num_leaves": 2**options.depth,
        "max_depth": options.depth,
        "learning_rate": 0.1,
        "lambda_l2": 1,
        "max_bin": 255,
        "min_data_in_leaf": 20,
        "num_threads": options.threads,
        "verbose": -1,
    }
    models = []
    rows = None
    for task in range(y.shape[1]):
        # The bins are made once.
        rows = library.Dataset(x, y[:, task], free_raw_data=False) if rows is None else rows.set_label(y[:, task])
        models.append(library.train(parameters, rows, options.trees))
    return lambda: np.stack([model.predict(x, num_threads=options.threads) for model in models], axis=1)


class Case:
    def __init__(self):
        self.fit = {"catboost": catboost, "xgboost": xgboost, "lightgbm": lightgbm}[options.peer]
        self.step = lambda: None

    def turn_to(self, what, tasks):
        x, y = data(tasks)
        predict = self.fit(x, y)
        rest = ((y - predict()) ** 2).sum(0)
        r2 = float(np.mean(1 - rest / ((y - y.mean(0)) ** 2).sum(0)))
        self.step = predict if what == "predict" else lambda: self.fit(x, y)
        return [[r2]]


case = Case()


def step():
    case.step()


protocol.serve(step, case.turn_to)
