"""Estimators in scikit-learn's conventions. They work without it too, though nothing of it works with them then."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._data import _is_missing, to_frame
from ._experiment import Callback, Experiment
from ._labels import Classes, accuracy, numbers, r2
from ._model import Model
from ._polytask import Frame
from .errors import ConfigError, DataError

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError:
    from ._without_sklearn import (
        BaseEstimator,
        ClassifierMixin,
        RegressorMixin,
        _check_sample_weight,
        check_is_fitted,
        validate_data,
    )

#: The column of the rows' weights.
WEIGHT = "(sample weight)"

PARAMETERS = """
    Parameters
    ----------
    family : str
        ``"auto"`` (an ensemble on tables), ``"ensemble"``, ``"trees"`` or ``"network"``.
    preset, time : str, optional
        How much an ensemble tries, and how long it may take, such as ``"90s"``.
    sharing : str or dict, optional
        What the tasks share in a network: ``"hard"``, ``"mmoe"``, ``"linear"``, ... (``model.sharing``). Given, the model is
        a network, as it is with `trunk`, `balance`, `epochs`, `batch` or `learning_rate`.
    trunk : list of int, optional
        The layers that all tasks share (``model.trunk``).
    balance : str or dict, optional
        How the tasks' losses are balanced: ``"upgrad"``, ``"uncertainty"``, ... (``loss.balance``).
    epochs, batch : int, optional
        Passes over the rows, and rows a step.
    learning_rate : float, optional
        The step size.
    valid : float
        The share of the rows that chooses the best model instead of training it.
    config : dict, optional
        Any other keys, as in a config: ``{"train": {"optimizer": "sgd"}}``.
    random_state : int, RandomState or None
        The seed; None is 0: the same call gives the same model.
    threads : int, optional
        Threads to use; the result does not depend on it. Default: all cores.
    callback : function, optional
        As in :meth:`polytask.Experiment.fit`.

    Attributes
    ----------
    model_ : polytask.Model
        The trained model: it predicts tables, evaluates, exports and tells what inputs are worth.
    tasks_ : list of str
        The tasks' names: the columns of `y`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where `X` had names.
"""


class _Base(BaseEstimator):  # type: ignore[misc]
    """What the estimators share."""

    def __init__(
        self,
        *,
        family: str = "auto",
        preset: str | None = None,
        time: str | None = None,
        sharing: Any = None,
        trunk: Sequence[int] | None = None,
        balance: Any = None,
        epochs: int | None = None,
        batch: int | None = None,
        learning_rate: float | None = None,
        valid: float = 0.1,
        config: Mapping[str, Any] | None = None,
        random_state: Any = None,
        threads: int | None = None,
        callback: Callback | None = None,
    ) -> None:
        self.family = family
        self.preset = preset
        self.time = time
        self.sharing = sharing
        self.trunk = trunk
        self.balance = balance
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.valid = valid
        self.config = config
        self.random_state = random_state
        self.threads = threads
        self.callback = callback

    # Tags of scikit-learn.
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def _targets(self, y: Any) -> list[tuple[str, Any, dict[str, Any]]]:
        """The name of every task, its labels, and its table in the config."""
        raise NotImplementedError

    def _check_weights(self, weights: NDArray[np.float64]) -> None:
        """Refuses weights that leave too little of the labels."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Trains a joint model of all columns of `y`.

        Parameters
        ----------
        X : table of shape (rows, features)
            An array, or a data frame with numbers, texts, categories, booleans and times. NaN is missing.
        y : array or data frame of shape (rows,) or (rows, tasks)
            The labels; NaN and None where a row has none.
        sample_weight : array of shape (rows,), optional
            What rows weigh in every loss.

        Returns
        -------
        self
        """
        if y is None:
            name = type(self).__name__
            raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
        frame = self._read(X, reset=True)
        names = set(frame.names)
        y = self._form(y)
        columns: dict[str, Any] = {}
        tasks: dict[str, dict[str, Any]] = {}
        for name, labels, table in self._targets(y):
            if len(labels) != frame.rows:
                raise ValueError(
                    f"Found input variables with inconsistent numbers of samples: [{frame.rows}, {len(labels)}]"
                )
            column = f"label of {name}"
            while column in names:
                column += "'"
            columns[column] = labels
            tasks[name] = {"column": column, **table}
        data: dict[str, Any] = {"split": {"valid": self.valid, "test": 0.0, "seed": self._seed()}}
        if sample_weight is not None:
            blank = np.empty((frame.rows, 1))
            columns[WEIGHT] = _check_sample_weight(sample_weight, blank, dtype=np.float64)
            data["sample_weight"] = WEIGHT
            self._check_weights(columns[WEIGHT])
        frame = frame.beside(to_frame(columns, what="labels"))
        self._train(frame, {**self._sections(), "tasks": tasks, "data": data})
        self.tasks_ = list(tasks)
        self._finish()
        return self

    def _train(self, frame: Frame, sections: dict[str, Any]) -> None:
        ended = []

        def told(round_: dict[str, Any]) -> bool:
            if self.callback is not None and self.callback(round_):
                ended.append(True)
                return True
            return False

        began = clock.perf_counter()
        run = Experiment(_merged(sections, self.config or {}), threads=self.threads).fit(
            frame, callback=told, scores=self.callback is not None, progress=False
        )
        self.model_ = Model(run._inner, self.threads)
        self.history_ = run.history
        self.fit_time_ = clock.perf_counter() - began
        self._interrupted = run.stop_reason == "stopped" and not ended

    def _finish(self) -> None:
        """Ctrl-C ends a search over several fits as well; what was reached is kept."""
        if self.__dict__.pop("_interrupted", False):
            raise KeyboardInterrupt

    def _seed(self) -> int:
        state = self.random_state
        if state is None:
            return 0
        if hasattr(state, "randint"):
            return int(state.randint(2**31 - 1))
        if hasattr(state, "integers"):
            return int(state.integers(2**31 - 1))
        return int(state)

    def _sections(self) -> dict[str, Any]:
        family = None if self.family == "auto" else self.family
        model = dict(family=family, preset=self.preset, time=self.time, sharing=self.sharing, trunk=self.trunk)
        train = dict(epochs=self.epochs, batch=self.batch, learning_rate=self.learning_rate, seed=self._seed())
        balance = {"method": self.balance} if isinstance(self.balance, str) else self.balance
        loss = None if balance is None else {"balance": balance}
        model = _given(model)
        if family is None and any(v is not None for v in (self.balance, self.epochs, self.batch, self.learning_rate)):
            model.setdefault("family", "network")
        return {"model": model, "train": _given(train), **({"loss": loss} if loss else {})}

    def _read(self, X: Any, *, reset: bool) -> Frame:
        """The rows, checked as scikit-learn checks them."""
        mapping = isinstance(X, Mapping) and not hasattr(X, "tocsr")
        if mapping or _is_table(X) and not _all_numbers(X):
            if mapping:
                named = {str(name): values for name, values in X.items()}
                frame = to_frame(named, what="X")
            else:
                validate_data(self, X, skip_check_array=True, reset=reset)
                frame = to_frame(X, what="X")
            if reset:
                self.n_features_in_ = len(frame.names)
                self.feature_names_in_ = np.asarray(frame.names, dtype=object)
            return frame
        minimum = 2 if reset else 1
        checked = validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype="numeric",
            ensure_all_finite="allow-nan",
            ensure_min_samples=minimum,
        )
        if hasattr(checked, "toarray"):
            checked = checked.toarray()
        known = getattr(self, "feature_names_in_", None)
        names = [str(name) for name in known] if known is not None else None
        return to_frame(checked, names=names, what="X")

    def _form(self, y: Any) -> Any:
        """`y` as a dictionary of columns, remembered in the form that predictions are to have."""
        if isinstance(y, Mapping):
            self._y_form, self._y_class = "mapping", None
            return {str(name): values for name, values in y.items()}
        if hasattr(y, "columns") and not callable(y.columns):
            self._y_form, self._y_class = "frame", type(y).__module__.partition(".")[0]
            return {str(name): y[name] for name in y.columns}
        if isinstance(y, (list, tuple)) and any(value is None or isinstance(value, str) for value in y):
            array = np.asarray(y, dtype=object)
        else:
            array = np.asarray(y)
        if array.ndim not in (1, 2):
            raise ValueError(f"y should be a 1d or 2d array, got an array of shape {array.shape} instead.")
        if array.dtype.kind == "c":
            raise ValueError("Complex data not supported")
        name = getattr(y, "name", None)
        if array.ndim == 1:
            self._y_form, self._y_class = "vector", None
            return {str(name) if name else "y": array}
        self._y_form, self._y_class = "matrix", None
        return {f"y{i}": array[:, i] for i in range(array.shape[1])}

    def _formed(self, columns: dict[str, Any]) -> Any:
        """Predictions in the form of `y`."""
        arrays = list(columns.values())
        match self._y_form:
            case "vector":
                return arrays[0]
            case "matrix":
                return np.column_stack(arrays)
            case "mapping":
                return columns
        if self._y_class == "polars":
            import polars as pl

            return pl.DataFrame({name: list(values) for name, values in columns.items()})
        import pandas as pd

        return pd.DataFrame(columns)

    def _predicted(self, X: Any) -> Any:
        check_is_fitted(self)
        return self.model_.predict(self._read(X, reset=False))

    def _mean_score(self, X: Any, y: Any, sample_weight: Any, one: Any) -> float:
        """The mean over the tasks of a score on the rows that have a label."""
        before = (self._y_form, self._y_class)
        truths = self._form(y)
        self._y_form, self._y_class = before
        predicted = dict(zip(self.tasks_, self._columns(X).values()))
        if len(truths) != len(self.tasks_):
            raise ValueError(f"y has {len(truths)} columns, the model {len(self.tasks_)} tasks")
        scores = []
        for task, truth in zip(self.tasks_, truths.values()):
            truth = np.asarray(truth)
            known = np.asarray([not _is_missing(value) for value in truth.tolist()])
            weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)[known]
            if known.any():
                scores.append(one(task, truth[known], np.asarray(predicted[task])[known], weight))
        return float(np.mean(scores)) if scores else math.nan

    def _columns(self, X: Any) -> dict[str, Any]:
        """Predictions by task."""
        return {name: said.values for name, said in self._predicted(X).items()}

    def predict(self, X: Any) -> Any:
        """Predictions of every task, in the form of the `y` that the model was trained with.

        Parameters
        ----------
        X : table of shape (rows, features)

        Returns
        -------
        y : array of shape (rows,) or (rows, tasks), data frame or dictionary
        """
        columns = self._columns(X)
        return self._formed(columns)


def _given(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _is_table(X: Any) -> bool:
    return hasattr(X, "columns") or hasattr(X, "__arrow_c_stream__")


def _all_numbers(X: Any) -> bool:
    """Whether a pandas or polars frame holds numbers of NumPy alone, which scikit-learn checks best."""
    dtypes = getattr(X, "dtypes", None)
    if dtypes is None or type(X).__module__.partition(".")[0] != "pandas":
        return False
    return all(isinstance(dtype, np.dtype) and dtype.kind in "iufc" for dtype in dtypes)


def _merged(base: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Two configs, one over the other."""
    out = dict(base)
    for key, value in more.items():
        out[key] = _merged(out[key], value) if isinstance(value, Mapping) and isinstance(out.get(key), dict) else value
    return out


class MultiTaskRegressor(RegressorMixin, _Base):  # type: ignore[misc]
    __doc__ = f"""A joint model of several quantities, labels missing anywhere.
{PARAMETERS}
    Examples
    --------
    >>> import numpy as np
    >>> from polytask import MultiTaskRegressor
    >>> x = np.linspace(-3, 3, 200).reshape(-1, 1)
    >>> y = np.column_stack([2 * x[:, 0] + 1, x[:, 0] ** 2])
    >>> y[::3, 1] = np.nan
    >>> model = MultiTaskRegressor(family="trees").fit(x, y)
    >>> model.predict(x[:2]).shape
    (2, 2)
    >>> model.score(x, y) > 0.9
    True
    """

    def _targets(self, y: Any) -> list[tuple[str, Any, dict[str, Any]]]:
        return [(name, numbers(name, values), {"kind": "regression"}) for name, values in y.items()]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean over the tasks of R² on the rows that have a label."""
        return self._mean_score(X, y, sample_weight, lambda _, *rest: r2(*rest))


class MultiTaskClassifier(ClassifierMixin, _Base):  # type: ignore[misc]
    __doc__ = f"""A joint model of several classes, labels missing anywhere.
{PARAMETERS}
    classes_ : ndarray, or list of ndarray
        The classes of the task, or of each.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import MultiTaskClassifier
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = np.column_stack([x[:, 0] > 0, x[:, 1] > x[:, 2]]).astype(int)
    >>> model = MultiTaskClassifier(family="trees").fit(x, y)
    >>> [p.shape for p in model.predict_proba(x[:4])]
    [(4, 2), (4, 2)]
    """

    def _targets(self, y: Any) -> list[tuple[str, Any, dict[str, Any]]]:
        self._classes = {name: Classes(name, values) for name, values in y.items()}
        return [(name, known.labels, {"kind": known.kind}) for name, known in self._classes.items()]

    def _check_weights(self, weights: NDArray[np.float64]) -> None:
        for name, known in self._classes.items():
            left = {label for label, weight in zip(known.labels, weights) if weight > 0 and label is not None}
            if len(left) < 2:
                message = f"labels: column `{name}` has {len(left)} class in the rows whose weight is above 0"
                raise DataError(message, "a classifier needs two classes or more")

    def _finish(self) -> None:
        for known in self._classes.values():
            known.labels = []
        classes = [known.classes for known in self._classes.values()]
        self.classes_ = classes[0] if self._y_form == "vector" else classes
        super()._finish()

    def _probabilities(self, X: Any) -> dict[str, NDArray[np.float64]]:
        said = self._predicted(X)
        columns = {}
        for name, known in self._classes.items():
            own = said[name].probabilities
            spread = np.zeros((len(own), len(known.classes)))
            spread[:, known.order(said[name].classes)] = own
            columns[name] = spread
        return columns

    def _columns(self, X: Any) -> dict[str, Any]:
        best = self._probabilities(X)
        return {name: known.classes[best[name].argmax(axis=1)] for name, known in self._classes.items()}

    def predict_proba(self, X: Any) -> Any:
        """The probability of every class, an array of shape (rows, classes); of several tasks a list of them."""
        columns = list(self._probabilities(X).values())
        return columns[0] if self._y_form == "vector" else columns

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithms of :meth:`predict_proba`."""
        said = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(said) if isinstance(said, np.ndarray) else [np.log(one) for one in said]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean over the tasks of the accuracy on the rows that have a label."""
        return self._mean_score(X, y, sample_weight, lambda _, *rest: accuracy(*rest))


class MultiTaskEstimator(_Base):
    __doc__ = f"""A joint model of tasks of several kinds: quantities, classes, counts, several labels, labels missing anywhere.

    Parameters
    ----------
    tasks : dict of str to str or dict, optional
        By column of `y` its kind (``"regression"``, ``"binary"``, ``"category"``, ``"count"``, ``"multilabel"``), or its
        table of the config. Those left out are inferred.
{PARAMETERS.replace("    Parameters" + chr(10) + "    ----------" + chr(10), "")}
    Examples
    --------
    >>> import numpy as np
    >>> from polytask import MultiTaskEstimator
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = {{"sum": x.sum(axis=1), "sign": np.where(x[:, 0] > 0, "up", "down")}}
    >>> model = MultiTaskEstimator(family="trees").fit(x, y)
    >>> sorted(model.predict(x[:2]))
    ['sign', 'sum']
    """

    def __init__(
        self,
        *,
        tasks: Mapping[str, Any] | None = None,
        family: str = "auto",
        preset: str | None = None,
        time: str | None = None,
        sharing: Any = None,
        trunk: Sequence[int] | None = None,
        balance: Any = None,
        epochs: int | None = None,
        batch: int | None = None,
        learning_rate: float | None = None,
        valid: float = 0.1,
        config: Mapping[str, Any] | None = None,
        random_state: Any = None,
        threads: int | None = None,
        callback: Callback | None = None,
    ) -> None:
        super().__init__(
            family=family,
            preset=preset,
            time=time,
            sharing=sharing,
            trunk=trunk,
            balance=balance,
            epochs=epochs,
            batch=batch,
            learning_rate=learning_rate,
            valid=valid,
            config=config,
            random_state=random_state,
            threads=threads,
            callback=callback,
        )
        self.tasks = tasks

    def _targets(self, y: Any) -> list[tuple[str, Any, dict[str, Any]]]:
        tasks = dict(self.tasks or {})
        unknown = [name for name in tasks if name not in y]
        if unknown:
            raise ConfigError(f"tasks names `{unknown[0]}`, which y has not", f"the columns of y are {', '.join(y)}")
        tables = {name: {"kind": said} if isinstance(said, str) else dict(said) for name, said in tasks.items()}
        return [(name, values, tables.get(name, {})) for name, values in y.items()]

    def probabilities(self, X: Any) -> dict[str, NDArray[np.float64]]:
        """By task of classes or labels their probabilities, in the order of ``model_.predict(X)[task].classes``."""
        said = self._predicted(X)
        return {name: one.probabilities for name, one in said.items() if one.probabilities is not None}

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean over the tasks of R² of quantities and accuracy of classes, on the rows that have a label."""
        kinds = self.model_.tasks

        def one(task: str, truth: NDArray[Any], predicted: NDArray[Any], weight: NDArray[Any] | None) -> float:
            if kinds[task] in ("regression", "count"):
                return r2(truth, predicted, weight)
            return accuracy(truth.astype(str), predicted.astype(str), weight)

        return self._mean_score(X, y, sample_weight, one)


__all__ = ["MultiTaskClassifier", "MultiTaskEstimator", "MultiTaskRegressor"]
