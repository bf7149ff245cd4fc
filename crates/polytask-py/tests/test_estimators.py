"""Estimators among scikit-learn's."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from polytask import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor  # noqa: E402

#: Rows are drawn for validation and for folds by their place: a row of weight 2 is not the row twice.
WEIGHTS = "a row of weight 2 is one row of the validation rows or of a fold, the row twice may be in both"
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
}


# An ensemble takes each of a hundred fits some seconds; the estimators around it are the same.
@parametrize_with_checks(
    [kind(family="trees", threads=1) for kind in (MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator)],
    expected_failed_checks=lambda _: EXPECTED,
)
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def table(people):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(people)


X, Y = ["age", "sex", "town"], ["height", "weight"]


def test_a_frame_with_missing_labels(table):
    model = MultiTaskRegressor(trunk=[16], epochs=30, learning_rate=0.01).fit(table[X], table[Y])
    predicted = model.predict(table[X])
    assert list(predicted.columns) == Y and len(predicted) == len(table)
    assert list(model.feature_names_in_) == X
    assert model.score(table[X], table[Y]) > 0.5
    assert model.tasks_ == Y
    with pytest.raises(ValueError, match="feature"):
        model.predict(table[X[::-1]])


def test_pipelines_searches_clones_and_pickles(table):
    ages = make_pipeline(
        ColumnTransformer([("n", StandardScaler(), ["age"]), ("c", OneHotEncoder(sparse_output=False), ["sex", "town"])]),
        MultiTaskRegressor(family="trees"),
    )
    rows, labels = table.dropna(subset=["age"])[X], table.dropna(subset=["age"])[Y].ffill().bfill()
    assert np.mean(cross_val_score(ages, rows, labels, cv=3)) > 0.3
    ages.set_output(transform="pandas")
    assert ages.fit(rows, labels).score(rows, labels) > 0.5
    search = GridSearchCV(MultiTaskRegressor(epochs=3), {"trunk": [[8], [16]]}, cv=2).fit(rows, labels)
    assert search.best_params_["trunk"] in ([8], [16])
    model = clone(ages).fit(rows, labels)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))


def test_classes_keep_their_type(table):
    age = table[["age"]].fillna(0).to_numpy()
    for labels in (np.where(age[:, 0] > 40, 3, -1), np.where(age[:, 0] > 40, "old", "young"), age[:, 0] > 40):
        model = MultiTaskClassifier(family="trees").fit(age, labels)
        assert model.predict(age).dtype.kind == labels.dtype.kind
        assert model.score(age, labels) > 0.95
        assert list(model.classes_) == sorted(set(labels.tolist()))
        chosen = model.classes_[model.predict_proba(age).argmax(axis=1)]
        np.testing.assert_array_equal(chosen, model.predict(age))


def test_several_classes_with_labels_missing(table):
    both = table[["tall", "town"]]
    model = MultiTaskClassifier(family="trees").fit(table[["age", "sex", "height"]], both)
    assert [len(classes) for classes in model.classes_] == [2, 3]
    first, second = model.predict_proba(table[["age", "sex", "height"]])
    assert first.shape == (400, 2) and second.shape == (400, 3)
    assert model.score(table[["age", "sex", "height"]], both) > 0.5


def test_mixed_kinds(table):
    labels = table[["height", "tall"]]
    model = MultiTaskEstimator(tasks={"tall": "binary"}, family="trees").fit(table[X], labels)
    assert model.model_.tasks == {"height": "regression", "tall": "binary"}
    assert set(model.probabilities(table[X])) == {"tall"}
    assert model.score(table[X], labels) > 0.5
    with pytest.raises(ValueError, match="`short`"):
        MultiTaskEstimator(tasks={"short": "binary"}).fit(table[X], labels)


def test_sample_weights_count(table):
    x = np.zeros((200, 1))
    y = np.r_[np.zeros(100), np.ones(100)]
    weight = np.r_[np.ones(100), 9 * np.ones(100)]
    model = MultiTaskRegressor(family="trees").fit(x, y, sample_weight=weight)
    assert abs(model.predict(x[:1])[0] - 0.9) < 0.1


def test_seeds(table):
    x, y = table[["age"]].fillna(0), table["height"]
    fit = lambda seed: MultiTaskRegressor(epochs=2, random_state=seed).fit(x, y).predict(x)  # noqa: E731
    np.testing.assert_array_equal(fit(1), fit(1))
    assert not np.array_equal(fit(1), fit(2))
    assert fit(np.random.RandomState(0)).shape == (400,)
