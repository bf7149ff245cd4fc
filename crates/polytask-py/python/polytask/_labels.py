"""Labels as estimators take them, and what predictions of them score."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._data import _is_missing
from .errors import DataError

try:
    from sklearn.utils.multiclass import check_classification_targets
except ImportError:
    from ._without_sklearn import check_classification_targets


def numbers(name: str, values: Any) -> NDArray[np.float64]:
    try:
        return np.asarray([math.nan if _is_missing(v) else float(v) for v in np.asarray(values).tolist()], dtype=np.float64)
    except (TypeError, ValueError) as error:
        message = f"labels: column `{name}` holds {next(v for v in values if isinstance(v, (str, bytes)))!r}, which is no number"
        raise DataError(message, "MultiTaskClassifier predicts classes") from error
    except StopIteration:
        raise DataError(f"labels: column `{name}` does not hold numbers") from None


def r2(truth: NDArray[Any], predicted: NDArray[Any], weight: NDArray[Any] | None) -> float:
    truth, predicted = truth.astype(float), predicted.astype(float)
    weight = np.ones(len(truth)) if weight is None else weight
    mean = np.average(truth, weights=weight)
    residual, total = np.sum(weight * (truth - predicted) ** 2), np.sum(weight * (truth - mean) ** 2)
    return 1.0 - residual / total if total > 0 else (1.0 if residual == 0 else 0.0)


def accuracy(truth: NDArray[Any], predicted: NDArray[Any], weight: NDArray[Any] | None) -> float:
    return float(np.average(truth == predicted, weights=weight))


class Classes:
    """The classes of a task as the model knows them: texts that no reading changes."""

    def __init__(self, name: str, values: Any) -> None:
        array = np.asarray(values)
        items = array.tolist()
        known = np.asarray([not _is_missing(value) for value in items], dtype=bool)
        if array.dtype == object:
            kinds = {type(value) for value, there in zip(items, known) if there}
            if len(kinds) > 1 and not all(issubclass(kind, (int, float, np.number)) for kind in kinds):
                names = ", ".join(sorted(kind.__name__ for kind in kinds))
                raise DataError(f"labels: column `{name}` holds values of several types: {names}")
        there = array[known]
        if there.dtype.kind == "f" and np.all(there == np.floor(there)) and array.dtype.kind == "f" and not known.all():
            there = there.astype(np.int64)
        if array.dtype == object and len(there) and not isinstance(there[0], str):
            there = np.asarray(there.tolist())
        check_classification_targets(there)
        self.classes: NDArray[Any] = np.unique(there)
        self.names = self._names()
        codes = np.searchsorted(self.classes, there)
        labels: list[str | None] = [None] * len(items)
        for row, code in zip(np.flatnonzero(known), codes):
            labels[row] = self.names[code]
        self.labels = labels
        if len(self.classes) < 2:
            found = "no class" if len(self.classes) == 0 else f"one class, {self.classes[0]!r}"
            raise DataError(f"labels: column `{name}` has {found}; a classifier needs two classes or more")

    def _names(self) -> list[str]:
        def number(text: str) -> bool:
            try:
                float(text)
            except ValueError:
                return False
            return True

        names = [str(value) for value in self.classes.tolist()]
        whole = self.classes.dtype.kind in "iu"
        if whole or self.classes.dtype.kind in "UO" and not any(number(name) or name != name.strip() or not name for name in names):
            return names
        return [f"class {i}" for i in range(len(names))]

    @property
    def kind(self) -> str:
        return "binary" if len(self.classes) == 2 else "category"

    def order(self, names: list[str]) -> NDArray[np.int64]:
        """For each class of the model its place among these classes."""
        place = {name: i for i, name in enumerate(self.names)}
        return np.asarray([place[name] for name in names], dtype=np.int64)
