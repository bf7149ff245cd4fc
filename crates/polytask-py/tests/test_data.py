"""Tables of every kind become the same model."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

import polytask
from polytask._data import to_frame

TASKS = ["height", "weight", "tall"]


def weights(run: polytask.Run) -> bytes:
    return run.to_bytes()["model.safetensors"]


@pytest.fixture(scope="module")
def plain(people):
    return polytask.Experiment(tasks=TASKS, model={"trunk": [8]}, train={"epochs": 2}).fit(people)


def fit(data, labels=None, **more):
    return polytask.Experiment(tasks=TASKS, model={"trunk": [8]}, train={"epochs": 2}, **more).fit(data, labels)


def test_pandas_is_the_same(people, plain):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(people)
    assert weights(fit(table)) == weights(plain)
    # What rows are called is not data.
    shuffled = table.set_index(pd.Index(range(1000, 1000 + len(table)), name="id"))
    assert weights(fit(shuffled)) == weights(plain)


def test_polars_and_pyarrow_are_the_same(people, plain):
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({**people, "age": pl.Series(people["age"], nan_to_null=True)})
    assert weights(fit(table)) == weights(plain)
    assert weights(fit(table.with_columns(pl.col("town").cast(pl.Categorical)))) == weights(plain)
    pa = pytest.importorskip("pyarrow")
    assert weights(fit(pa.table(table))) == weights(plain)
    chunks = pa.concat_tables([pa.table(table[:150]), pa.table(table[150:])])
    assert weights(fit(chunks)) == weights(plain)


def test_labels_may_be_apart(people, plain):
    inputs = {name: people[name] for name in ("age", "sex", "town")}
    labels = {name: people[name] for name in TASKS}
    assert weights(fit(inputs, labels)) == weights(plain)
    pd = pytest.importorskip("pandas")
    assert weights(fit(inputs, pd.DataFrame(labels))) == weights(plain)


def test_tasks_are_the_labels_where_nobody_names_them(people):
    run = polytask.Experiment(model={"family": "trees"}).fit({"age": people["age"]}, {"height": people["height"]})
    assert run.tasks == {"height": "regression"}


def test_numpy_without_names(network):
    x = np.random.default_rng(0).normal(size=(200, 3))
    run = polytask.Experiment(**network).fit(x, x @ np.ones((3, 2)))
    assert run.inputs == ["x0", "x1", "x2"]
    assert list(run.tasks) == ["y0", "y1"]
    assert len(run.predict(x[:7])["y1"]) == 7


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4", "<i4", ">i8", "u1", "<u8", "f2"])
def test_numbers_of_every_kind(dtype):
    values = np.arange(24).astype(dtype)[::2]
    frame = to_frame({"a": values, "b": list(range(12))})
    assert (frame.rows, frame.names) == (12, ["a", "b"])


def test_bits_of_a_column_do_not_depend_on_its_memory(people, plain):
    odd = {**people, "age": np.stack([people["age"], people["age"]], axis=1)[:, 0].astype(">f8")}
    assert weights(fit(odd)) == weights(plain)
    reversed_twice = {**people, "height": people["height"][::-1].copy()[::-1]}
    assert weights(fit(reversed_twice)) == weights(plain)


def test_missing_in_every_spelling(people, plain):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(people)
    table["age"] = table["age"].astype("Float64")
    table["tall"] = table["tall"].astype("string")
    table.loc[table["tall"].isna(), "tall"] = pd.NA
    assert weights(fit(table)) == weights(plain)
    as_objects = {**people, "age": [None if np.isnan(v) else v for v in people["age"]]}
    assert weights(fit(as_objects)) == weights(plain)


def test_categories_with_unused_levels(people, plain):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(people)
    table["town"] = pd.Categorical(table["town"], categories=["Rom", "Ulm", "Kiel", "Bonn", "Oslo"])
    assert weights(fit(table)) == weights(plain)


def test_times_with_a_zone_are_read_in_utc(network):
    pd = pytest.importorskip("pandas")
    times = pd.date_range("2024-01-01", periods=200, freq="7h", tz="Europe/Berlin")
    naive = times.tz_convert("UTC").tz_localize(None)
    y = {"y": np.arange(200.0)}
    one = polytask.Experiment(**network).fit(pd.DataFrame({"t": times}), y)
    other = polytask.Experiment(**network).fit({"t": naive.to_numpy()}, y)
    zone = datetime.timezone.utc
    third = polytask.Experiment(**network).fit({"t": [t.to_pydatetime().replace(tzinfo=zone) for t in naive]}, y)
    assert weights(one) == weights(other) == weights(third)


def test_texts_and_lists_of_tokens():
    random = np.random.default_rng(0)
    words = ["red", "green", "blue", "cold", "warm", "rain"]
    texts = [" ".join(random.choice(words, 6)) for _ in range(120)]
    kind = ["wet" if "rain" in text else "dry" for text in texts]
    config = dict(model={"trunk": [8]}, train={"epochs": 2})
    run = polytask.Experiment(inputs={"text": "text"}, tasks={"kind": "category"}, **config).fit({"text": texts, "kind": kind})
    assert set(run.predict({"text": ["rain rain", "red green"]})["kind"].values) <= {"wet", "dry"}
    assert set(run.predict(["rain rain"])["kind"].values) <= {"wet", "dry"}


def test_sparse_matrices():
    sparse = pytest.importorskip("scipy.sparse")
    x = sparse.random(100, 5, density=0.5, random_state=0, format="csr")
    run = polytask.Experiment(model={"family": "trees"}).fit(x, {"y": np.asarray(x.sum(axis=1)).ravel()})
    assert len(run.predict(x)["y"]) == 100


def test_pictures_in_memory(tmp_path):
    random = np.random.default_rng(3)
    pictures = random.integers(0, 256, (60, 6, 5, 3), dtype=np.uint8)
    # What is to be seen: whether the picture is red.
    pictures[::2, :, :, 0] = 250
    labels = np.arange(60) % 2
    data = {"image": list(pictures), "red": labels}
    experiment = polytask.Experiment(inputs={"image": "image"}, tasks={"red": "binary"}, model={"trunk": [{"conv": 4}, 8]}, train={"epochs": 3})
    run = experiment.fit(data, progress=False)
    whole = run.predict({"image": pictures})["red"].probabilities
    np.testing.assert_array_equal(whole, run.predict({"image": list(pictures)})["red"].probabilities)
    grey = run.predict({"image": [pictures[0][:, :, 0], None]})
    assert len(grey["red"].values) == 2
    with pytest.raises(polytask.DataError):
        run.predict({"image": [pictures[0].astype(float)]})
