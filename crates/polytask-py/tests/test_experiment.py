"""Experiments: the same bits as the command line, callbacks, and what can be asked of a run."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import polytask

TASKS = ["height", "weight", "tall"]


@pytest.fixture(scope="module")
def run(people):
    return polytask.Experiment(tasks=TASKS, model={"trunk": [16, 8]}, train={"epochs": 40, "learning_rate": 0.01}, seed=3).fit(people)


def test_the_same_bits_as_the_command_line(people, program, tmp_path):
    pd = pytest.importorskip("pandas")
    pd.DataFrame(people).to_csv(tmp_path / "people.csv", index=False)
    tasks = "".join(f"[tasks.{name}]\n" for name in TASKS)
    for name, model, train in [
        ("network", {"trunk": [16], "sharing": "mmoe"}, {"epochs": 3}),
        ("trees", {"family": "trees"}, {}),
        ("ensemble", {"family": "ensemble", "preset": "fast"}, {}),
    ]:
        config = tmp_path / f"{name}.toml"
        line = lambda table: "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())  # noqa: E731
        config.write_text(f'[data]\npath = "people.csv"\n{tasks}[model]\n{line(model)}[train]\n{line(train)}')
        command = [program, "train", str(config), "--out", str(tmp_path / name), "--seed", "5"]
        subprocess.run(command, check=True, capture_output=True)
        wanted = (tmp_path / name / "model.safetensors").read_bytes()
        memory = polytask.Experiment(tasks=TASKS, model=model, train=train, seed=5).fit(pd.DataFrame(people))
        memory.save(tmp_path / "python")
        assert (tmp_path / "python" / "model.safetensors").read_bytes() == wanted, name
        file = polytask.Experiment(config, seed=5, threads=1).fit()
        assert file.to_bytes()["model.safetensors"] == wanted, name
        path = polytask.Experiment(tasks=TASKS, model=model, train=train, seed=5).fit(tmp_path / "people.csv")
        assert path.to_bytes()["model.safetensors"] == wanted, name
        scores = json.loads((tmp_path / name / "metrics.json").read_text())["tasks"]
        assert np.isfinite(path.evaluate(tmp_path / "people.csv")["height"]["r2"])
        for task in TASKS:
            assert memory.scores[task].metrics == {k: v for k, v in scores[task].items() if k != "n"}
        # Either reads what the other wrote.
        loaded = polytask.load(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict(people)["height"].values, memory.predict(people)["height"].values)
        read = subprocess.run(
            [program, "evaluate", str(tmp_path / "python"), "--data", str(tmp_path / "people.csv"), "--format", "json"],
            check=True,
            capture_output=True,
        )
        assert json.loads(read.stdout)["tasks"]["height"]["r2"] > 0


def test_scores_and_history(run):
    assert run.scores.measured == "test"
    assert run.scores["height"]["r2"] > 0.5
    assert run.scores["tall"].primary in run.scores["tall"].metrics
    assert run.stop_reason in ("complete", "early_stopping")
    assert run.history[0]["epoch"] == 1
    assert run.best_epoch is not None and run.steps > 0 and run.seconds > 0
    assert sum(map(len, run.split().values())) == 400
    assert "<table>" in run.scores._repr_html_()
    assert "height" in str(run.scores)
    pytest.importorskip("pandas")
    assert list(run.scores.to_pandas()["task"].unique()) == TASKS
    assert len(run.history.to_pandas()) == len(run.history)


def test_predictions(run, people):
    said = run.predict(people)
    assert said["height"].values.dtype == np.float64
    assert set(said["tall"].values) == {"yes", "no"}
    np.testing.assert_allclose(said["tall"].probabilities.sum(axis=1), 1, atol=1e-6)
    assert said["tall"].classes == ["no", "yes"]
    pytest.importorskip("pandas")
    table = said.to_pandas(probabilities=True)
    assert list(table.columns) == ["height", "weight", "tall", "tall=no", "tall=yes"]
    pl = pytest.importorskip("polars")
    assert said.to_polars().schema["height"] == pl.Float64


def test_evaluate_and_importance(run, people):
    scores = run.evaluate({name: people[name] for name in ("age", "sex", "town", "height")})
    assert list(scores) == ["height"]
    worth = run.importance(people, repeats=2)
    assert next(iter(worth.tasks["height"]["inputs"])) == "age"
    assert "worth" in worth.rows()[0]


def test_explanations_add_up(run, people, tmp_path):
    some = {name: values[:20] for name, values in people.items()}
    explained, said = run.explain(some), run.predict(some)
    assert set(explained) == set(said) and explained.inputs == run.inputs
    for task, own in explained.items():
        assert own.values.shape == (20, len(run.inputs), len(own.outputs)) and own.base.shape == (len(own.outputs),)
        sums = own.base + own.values.sum(axis=1)
        if own.outputs == [None]:
            np.testing.assert_allclose(sums[:, 0], said[task].values, rtol=1e-4, atol=1e-4)
    run.save(tmp_path / "model")
    again = polytask.load(tmp_path / "model").explain(some)
    np.testing.assert_array_equal(again["weight"].values, explained["weight"].values)
    assert {"row", "task", "input", "adds"} <= set(explained.rows()[0])
    bare = pickle.loads(pickle.dumps(run))
    with pytest.raises(polytask.DataError):
        bare.check(some)


def test_drift_is_told(run, people):
    assert run.check(people).drifted == []
    older = dict(people, age=[value + 1000 for value in people["age"]])
    told = run.check(older)
    assert told.drifted == ["age"] and told.measured == len(people["age"])
    assert run.check(older, psi=1e9, outside=1).drifted == []
    with pytest.raises(polytask.ConfigError, match="psi"):
        run.check(people, psi=float("nan"))


def test_the_card(run, tmp_path):
    card = run.card(tmp_path / "card.md")
    assert "height" in (tmp_path / "card.md").read_text(encoding="utf-8")
    assert card == json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))


def test_save_load_pickle(run, people, tmp_path):
    run.save(tmp_path / "model")
    assert {file.name for file in (tmp_path / "model").iterdir()} >= {"model.json", "metrics.json", "config.toml"}
    wanted = run.predict(people)["weight"].values
    for model in (polytask.load(tmp_path / "model"), pickle.loads(pickle.dumps(run))):
        np.testing.assert_array_equal(model.predict(people)["weight"].values, wanted)
        assert model.tasks == run.tasks


def test_export_and_report(run, tmp_path):
    assert "model.onnx" in run.export(tmp_path / "onnx")
    assert (tmp_path / "onnx" / "model.onnx").stat().st_size > 0
    page = Path(run.report(tmp_path / "report.html", importance=False)).read_text(encoding="utf-8")
    assert "height" in page and "test.arrow" in page


def test_compare_select_tune(people, tmp_path, network):
    experiment = polytask.Experiment(tasks=["height", "weight"], **network)
    compared = experiment.compare(people, seeds=2)
    assert set(compared.verdicts()) == {"height", "weight"}
    assert compared.rows()[0]["metric"] == "r2"
    selected = experiment.select(people, seeds=1)
    assert sorted(sum(selected.groups, [])) == ["height", "weight"]
    assert selected.summary
    tune = {"train.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}
    tuned = polytask.Experiment(tasks=["height"], tune=tune, **network).tune(people, trials=2, out=tmp_path / "tune")
    assert len(tuned.trials) == 2
    assert (tmp_path / "tune" / "best.toml").exists()


def test_a_callback_is_told_and_may_end(people):
    rounds = []

    def callback(round_):
        rounds.append(round_)
        return len(rounds) == 3

    run = polytask.Experiment(tasks=TASKS, model={"trunk": [8]}).fit(people, callback=callback, scores=True)
    assert [round_["epoch"] for round_ in rounds] == [1, 2, 3]
    assert "r2" in rounds[0]["scores"]["height"]
    assert (run.stop_reason, len(run.history)) == ("stopped", 3)


def test_what_a_callback_raises_is_raised(people):
    class Own(Exception):
        pass

    def callback(round_):
        raise Own("enough")

    with pytest.raises(Own, match="enough"):
        polytask.Experiment(tasks=TASKS, model={"trunk": [8]}).fit(people, callback=callback)


def test_ctrl_c_keeps_the_best_model(people):
    experiment = polytask.Experiment(tasks=TASKS, model={"trunk": [8]}, train={"epochs": 10**6, "patience": 0})
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    run = experiment.fit(people)
    assert run.stop_reason == "stopped"
    assert len(run.predict(people)["height"]) == 400


def test_the_interpreter_is_free(people):
    experiment = polytask.Experiment(tasks=TASKS, model={"trunk": [8]}, train={"epochs": 20})
    runs = []
    threads = [threading.Thread(target=lambda: runs.append(experiment.fit(people))) for _ in range(2)]
    ticks = 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        ticks += 1
        time.sleep(0.001)
    assert ticks > 3
    assert runs[0].to_bytes() == runs[1].to_bytes()


def test_a_fork_may_train(people):
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    polytask.Experiment(tasks=["height"], model={"family": "trees"}).fit(people)
    child = os.fork()
    if child == 0:
        try:
            polytask.Experiment(tasks=["height"], model={"family": "trees"}).fit(people)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_import_is_quick():
    # The time of the processor: others may keep it busy.
    code = "import time, numpy; t = time.process_time(); import polytask; print(time.process_time() - t)"
    took = min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) for _ in range(3))
    assert took < 0.1


def test_import_needs_numpy_alone():
    hidden = ["pandas", "polars", "pyarrow", "sklearn", "torch"]
    code = f"""
import sys
for name in {hidden!r}: sys.modules[name] = None
import numpy as np, polytask
x = np.arange(100.0).reshape(-1, 1)
model = polytask.MultiTaskRegressor(family="trees").fit(x, np.hstack([x, -x]))
assert model.predict(x).shape == (100, 2) and model.get_params()["family"] == "trees"
print(model.score(x, np.hstack([x, -x])))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert float(said.stdout) > 0.8


def test_configs_in_every_form(tmp_path):
    keys = {"data": {"path": "people.csv"}, "tasks": {"b": {}, "a": {"kind": "count"}}, "train": {"epochs": 7}}
    toml = polytask.Experiment(keys).to_toml()
    (tmp_path / "people.toml").write_text(toml)
    assert polytask.Experiment(toml).to_toml() == toml
    assert polytask.Experiment(tmp_path / "people.toml").to_toml() == toml
    words = polytask.Experiment(data="people.csv", tasks={"b": {}, "a": "count"}, train={"epochs": np.int64(7)})
    assert words.to_toml() == toml
    assert toml.index("[tasks.b]") < toml.index("[tasks.a]")
    assert "epochs = 9" in polytask.Experiment(toml, set={"train.epochs": 9}).to_toml()
