"""Multi-task learning: joint models of several related tasks, and whether learning together helped.

Two faces: :class:`Experiment` mirrors the command line and its config, and :class:`MultiTaskRegressor`,
:class:`MultiTaskClassifier` and :class:`MultiTaskEstimator` are scikit-learn's. :mod:`polytask.balance` has the balancing
methods alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import balance
from ._experiment import Experiment
from ._model import Model, Run, load
from ._polytask import __version__
from ._results import (
    Comparison,
    Drift,
    Explanation,
    Explanations,
    History,
    Importance,
    Prediction,
    Predictions,
    Scores,
    Selection,
    TaskScores,
    Tuning,
)
from ._serve import serve
from .errors import ConfigError, DataError, PolytaskError, TrainError

if TYPE_CHECKING:
    from ._estimators import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor

_ESTIMATORS = ("MultiTaskClassifier", "MultiTaskEstimator", "MultiTaskRegressor")


def __getattr__(name: str) -> Any:
    # scikit-learn takes a second to import: only who asks for an estimator waits for it.
    if name in _ESTIMATORS:
        from . import _estimators

        return getattr(_estimators, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Comparison",
    "ConfigError",
    "DataError",
    "Drift",
    "Experiment",
    "Explanation",
    "Explanations",
    "History",
    "Importance",
    "Model",
    "MultiTaskClassifier",
    "MultiTaskEstimator",
    "MultiTaskRegressor",
    "PolytaskError",
    "Prediction",
    "Predictions",
    "Run",
    "Scores",
    "Selection",
    "TaskScores",
    "TrainError",
    "Tuning",
    "__version__",
    "balance",
    "load",
    "serve",
]
