"""The little of scikit-learn that the estimators need where it is not installed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from .errors import DataError


class BaseEstimator:
    """Parameters that can be asked for and set."""

    @classmethod
    def _names(cls) -> list[str]:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return sorted(p.name for p in parameters if p.name != "self" and p.kind is p.KEYWORD_ONLY)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Any:
        """Sets parameters."""
        for name, value in params.items():
            if name not in self._names():
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {self._names()!r}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        default = {p.name: p.default for p in inspect.signature(type(self).__init__).parameters.values()}
        set_ = {name: value for name, value in self.get_params().items() if value is not default[name] and value != default[name]}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in set_.items())})"


class ClassifierMixin:
    """A classifier."""

    _estimator_type = "classifier"


class RegressorMixin:
    """A regressor."""

    _estimator_type = "regressor"


def check_classification_targets(y: Any) -> None:
    """Refuses numbers that are no classes."""
    y = np.asarray(y)
    if y.dtype.kind == "f" and np.any(y != np.floor(y)):
        raise ValueError("Unknown label type: continuous. Maybe you are trying to fit a classifier on a quantity.")


def check_is_fitted(estimator: Any) -> None:
    """Refuses an estimator that was not fitted."""
    if not hasattr(estimator, "model_"):
        raise ValueError(f"This {type(estimator).__name__} instance is not fitted yet. Call 'fit' first.")


def _check_sample_weight(sample_weight: Any, X: Any, dtype: Any = np.float64) -> Any:
    weights = np.asarray(sample_weight, dtype=dtype)
    if weights.shape != (len(X),):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(len(X),)}!")
    return weights


def validate_data(estimator: Any, X: Any, *, reset: bool, skip_check_array: bool = False, **_: Any) -> Any:
    """An array of numbers with as many columns as before."""
    if skip_check_array:
        return X
    array = np.asarray(X, dtype=np.float64)
    if array.ndim != 2:
        raise DataError(f"X is an array of {array.ndim} dimensions", "rows and columns are needed: X.reshape(-1, 1)")
    if reset:
        estimator.n_features_in_ = array.shape[1]
    elif array.shape[1] != estimator.n_features_in_:
        name = type(estimator).__name__
        raise ValueError(f"X has {array.shape[1]} features, but {name} is expecting {estimator.n_features_in_} features as input.")
    return array
