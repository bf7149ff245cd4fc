"""What is wrong is said: what, where, and what would be right."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import polytask
from polytask import ConfigError, DataError, Experiment, TrainError


def fit(data, labels=None, **more):
    return Experiment(tasks=["y"], model={"family": "trees"}, **more).fit(data, labels)


Y = [float(row) for row in range(20)]


def test_errors_are_of_python_too():
    assert issubclass(ConfigError, ValueError) and issubclass(DataError, ValueError) and issubclass(TrainError, RuntimeError)
    error = pickle.loads(pickle.dumps(ConfigError("a", "b")))
    assert (str(error), error.message, error.hint) == ("a\nhint: b", "a", "b")


def test_a_key_that_is_not_known():
    with pytest.raises(ConfigError, match="epoch") as caught:
        Experiment(tasks=["y"], train={"epoch": 3})
    assert "epochs" in str(caught.value)


def test_a_value_that_is_not_right():
    with pytest.raises(ConfigError, match="learning_rate"):
        Experiment(tasks=["y"], train={"learning_rate": -1})
    with pytest.raises(ConfigError, match="no config holds"):
        Experiment(tasks=["y"], train={"epochs": object()})
    with pytest.raises(ConfigError, match="threads"):
        Experiment(tasks=["y"], threads=0)


def test_a_column_that_is_not_there():
    with pytest.raises((ConfigError, DataError), match="`hight`|hight"):
        Experiment(tasks=["hight"]).fit({"x": Y, "height": Y})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"x": [1, "two", *Y[2:]], "y": Y}, "`x` holds numbers and text: row 1 is 1, row 2 is 'two'"),
        ({"x": [1, 2, 3], "y": Y}, "`y` has 20 rows, the columns before it have 3"),
        ({"x": np.array(Y) * 1j, "y": Y}, "Complex"),
        ({"x": [object()] * 20, "y": Y}, "values of type object"),
        ({"x": np.zeros((20, 2)), "y": Y}, "2 dimensions"),
        ({"x": 3, "y": Y}, "which has no rows"),
        ({}, "no column"),
        ({"x": [], "y": []}, "no rows"),
        (None, "no rows"),
        ((row for row in [1, 2]), "can be read only once"),
        ({"x": (v for v in Y), "y": Y}, "can be read only once"),
        (np.zeros((2, 2, 2)), "3 dimensions"),
        (object(), "no table"),
        ({"x": [np.inf, *Y[1:]], "y": Y}, "not a finite number"),
    ],
)
def test_tables_that_are_none(data, words):
    with pytest.raises((ConfigError, DataError), match=words.replace("(", r"\(")):
        fit(data)


def test_frames_of_pandas():
    pd = pytest.importorskip("pandas")
    twice = pd.DataFrame([[1, 2, 3]] * 20, columns=["x", "x", "y"])
    with pytest.raises(DataError, match=r"two columns are called `x` \(numbers 1 and 2\)"):
        fit(twice)
    levels = pd.DataFrame(np.zeros((20, 2)), columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    with pytest.raises(DataError, match="MultiIndex of 2 levels") as caught:
        fit(levels)
    assert "data.columns" in caught.value.hint
    with pytest.raises(DataError, match="no rows"):
        fit(pd.DataFrame({"x": [], "y": []}))
    mixed = pd.DataFrame({"x": pd.Series([1, "a", None, 2.5] * 5, dtype=object), "y": Y})
    with pytest.raises(DataError, match="numbers and text"):
        fit(mixed)


def test_arrow_types_that_no_table_has():
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match="`x`"):
        fit(pa.table({"x": pa.array([{"a": 1}] * 20), "y": Y}), inputs=["x"])
    with pytest.raises(DataError, match="two columns are called `x`"):
        fit(pa.Table.from_arrays([pa.array(Y), pa.array(Y)], names=["x", "x"]))


def test_labels():
    with pytest.raises(DataError, match="20 rows and the labels 3"):
        fit({"x": Y}, {"y": Y[:3]})
    with pytest.raises(DataError, match="`y` is among the data and among the labels"):
        fit({"x": Y, "y": Y}, {"y": Y})
    with pytest.raises(DataError):
        fit({"x": list(range(50))}, {"y": [None] * 50})


def test_rows_in_memory_and_files_do_not_mix():
    split = {"valid": 0.1, "test": "test.csv"}
    with pytest.raises(ConfigError, match="names a file"):
        Experiment(tasks=["y"], data={"split": split}).fit({"x": Y, "y": Y})
    with pytest.raises(ConfigError, match="there are no rows"):
        Experiment(tasks=["y"]).fit()
    with pytest.raises(ConfigError, match="nothing to predict"):
        Experiment().fit({"x": Y})


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="nowhere.csv"):
        Experiment(data=tmp_path / "nowhere.csv", tasks=["y"]).fit()
    with pytest.raises(ConfigError, match="nowhere.toml"):
        Experiment(tmp_path / "nowhere.toml")


def test_predict_says_what_is_missing(people):
    run = Experiment(tasks=["height"], model={"family": "trees"}).fit({k: people[k] for k in ("age", "sex", "height")})
    with pytest.raises(DataError, match="`sex`"):
        run.predict({"age": [3.0]})
    with pytest.raises(DataError, match="`age`"):
        run.predict({"age": ["old"], "sex": ["f"]})


def test_models_of_another_version(people, tmp_path):
    run = Experiment(tasks=["height"], model={"family": "trees"}).fit({k: people[k] for k in ("age", "height")})
    run.save(tmp_path / "model")
    file = tmp_path / "model" / "model.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, "format": 99}))
    with pytest.raises(DataError, match="format 99") as caught:
        polytask.load(tmp_path / "model")
    assert "train the model again" in caught.value.hint
    file.write_text(file.read_text()[:100])
    with pytest.raises(DataError, match="damaged"):
        polytask.load(tmp_path / "model")
    with pytest.raises(DataError, match="no model directory"):
        polytask.load(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        run.save(tmp_path / "full")


def test_words_that_are_not_known(people):
    with pytest.raises(ConfigError, match="sampler"):
        Experiment(tasks=["height"], tune={"train.seed": [1, 2]}).tune(people, trials=1, sampler="guess")
    with pytest.raises(ConfigError, match="signal"):
        Experiment(tasks=["height", "weight"]).select(people, signal="guess")
    with pytest.raises(ConfigError, match="`old`"):
        Experiment(tasks=["height", "weight"]).compare(people, groups=[["old"]])
    run = Experiment(tasks=["height"], model={"family": "trees"}).fit({k: people[k] for k in ("age", "height")})
    with pytest.raises(ConfigError, match="format"):
        run.export("out", format="pdf")
    with pytest.raises(ConfigError, match="takes networks"):
        run.export("out", format="pytorch")


def test_serve_refuses_an_open_address(people, tmp_path):
    if not hasattr(polytask._polytask, "serve"):
        pytest.skip("this build has no server")
    run = Experiment(tasks=["height"], model={"family": "trees"}).fit({k: people[k] for k in ("age", "height")})
    with pytest.raises(ConfigError, match="token"):
        run.serve(host="0.0.0.0", port=0)
    with pytest.raises(ConfigError, match="no address"):
        run.serve(host="here")
