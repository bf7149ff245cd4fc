"""Answers as dataclasses that show themselves as tables."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Cell = Any
Rows = list[dict[str, Cell]]


def _shown(value: Cell) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.4g}"
        case list() | tuple():
            return " ".join(map(str, value))
        case _:
            return str(value)


class Result:
    """An answer with rows: a table in notebooks, on the terminal and in data frames."""

    def rows(self) -> Rows:
        """The answer as a dictionary a row."""
        raise NotImplementedError

    def to_pandas(self) -> Any:
        """The answer as a pandas DataFrame, which needs pandas."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def to_polars(self) -> Any:
        """The answer as a polars DataFrame, which needs polars."""
        import polars as pl

        return pl.DataFrame(self.rows(), strict=False, infer_schema_length=None)

    def _repr_html_(self) -> str:
        rows = self.rows()
        header = list(dict.fromkeys(key for row in rows for key in row))
        head = "".join(f"<th>{html.escape(str(name))}</th>" for name in header)
        lines = ("".join(f"<td>{html.escape(_shown(row.get(name)))}</td>" for name in header) for row in rows)
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __str__(self) -> str:
        rows = self.rows()
        header = list(dict.fromkeys(key for row in rows for key in row))
        lines = [header] + [[_shown(row.get(name)) for name in header] for row in rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
        text = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
        return "\n".join(text)


@dataclass(frozen=True)
class TaskScores:
    """The scores of one task.

    Attributes
    ----------
    kind : str
        The kind of the task, such as ``"regression"``.
    rows : int
        Rows with a label.
    primary : str
        The metric that stands for the task.
    metrics : dict of str to float
        By name; one that is not defined on the rows is absent.
    constant : dict of str to float
        The same of the best constant prediction.
    better : dict of str to str
        ``"higher"`` or ``"lower"``.
    """

    kind: str
    rows: int
    primary: str
    metrics: dict[str, float]
    constant: dict[str, float]
    better: dict[str, str]

    def __getitem__(self, metric: str) -> float:
        return self.metrics[metric]


@dataclass(frozen=True, repr=False)
class Scores(Result, Mapping[str, TaskScores]):
    """The scores of every task, by its name.

    Attributes
    ----------
    tasks : dict of str to TaskScores
        In the model's order.
    measured : str
        Which rows they are of.
    notes : list of str
        What is to be said of the rows.
    """

    tasks: dict[str, TaskScores]
    measured: str = "given"
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, task: str) -> TaskScores:
        return self.tasks[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)

    def rows(self) -> Rows:
        return [
            {"task": name, "metric": metric, "model": value, "constant": score.constant.get(metric), "rows": score.rows}
            for name, score in self.tasks.items()
            for metric, value in score.metrics.items()
        ]

    __repr__ = Result.__str__


@dataclass(frozen=True, repr=False)
class History(Result):
    """The rounds of a training: epochs of a network, candidates of an ensemble."""

    rounds: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rounds)

    def __getitem__(self, at: int) -> dict[str, Any]:
        return self.rounds[at]

    def rows(self) -> Rows:
        flat: Rows = []
        for round_ in self.rounds:
            row: dict[str, Cell] = {}
            for key, value in round_.items():
                if isinstance(value, dict) and key in ("train", "valid", "weights"):
                    row.update({f"{key} {task}": number for task, number in value.items()})
                elif not isinstance(value, dict):
                    row[key] = value
            flat.append(row)
        return flat

    __repr__ = Result.__str__


@dataclass(frozen=True, repr=False)
class Comparison(Result):
    """Whether sharing helped.

    Attributes
    ----------
    tasks : dict of str to dict
        By task: the scores both ways, their spread over seeds, `difference`, `margin`, `p` and `verdict`.
    delta_m : float
        Mean change over tasks by sharing, in percent; positive where it helped (Maninis et al. 2019).
    raw : dict
        All that ``polytask compare --format json`` says.
    """

    tasks: dict[str, dict[str, Any]]
    delta_m: float
    raw: dict[str, Any]

    def verdicts(self) -> dict[str, str]:
        """``"helped"``, ``"hurt"``, ``"no_difference"`` or ``"unknown"``, by task."""
        return {name: str(task["verdict"]) for name, task in self.tasks.items()}

    def rows(self) -> Rows:
        def row(name: str, task: dict[str, Any]) -> dict[str, Cell]:
            metric = task["metric"]

            def of(part: str) -> Cell:
                return (task.get(part) or {}).get(metric)

            return {
                "task": name,
                "metric": metric,
                "constant": of("baseline"),
                "linear": of("linear"),
                "alone": of("single"),
                "joint": of("joint"),
                "joint better by": task["difference"],
                "margin": task["margin"],
                "p": task.get("p_holm", task.get("p")),
                "sharing": task["verdict"],
            }

        return [row(name, task) for name, task in self.tasks.items()]

    __repr__ = Result.__str__


@dataclass(frozen=True, repr=False)
class Selection(Result):
    """Which tasks should learn together.

    Attributes
    ----------
    groups : list of list of str
        The tasks of each model.
    reason, summary : str
        Why these groups; who helps whom, in plain words.
    affinity : dict of str to dict
        The part of a task's loss that a step for another takes off, from and to.
    raw : dict
        All of ``selection.json``.
    """

    groups: list[list[str]]
    reason: str
    summary: str
    affinity: dict[str, dict[str, float | None]]
    raw: dict[str, Any]

    def rows(self) -> Rows:
        return [{"group": i, "tasks": group, "helpers": self.raw["helpers"][i]} for i, group in enumerate(self.groups, 1)]

    __repr__ = Result.__str__


@dataclass(frozen=True, repr=False)
class Tuning(Result):
    """Settings that were tried.

    Attributes
    ----------
    best, base : dict
        The best trial, and the config as it stands: `values`, `score`, `tasks`.
    trials : list of dict
        All of them, the best first.
    config : str
        Where the best config stands, TOML.
    raw : dict
        All that ``polytask tune --format json`` says.
    """

    best: dict[str, Any]
    base: dict[str, Any]
    trials: list[dict[str, Any]]
    config: str
    raw: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def rows(self) -> Rows:
        trials = [*self.trials, self.base]
        return [{"trial": t["trial"], "score": t["score"], **t["values"], "seconds": t["seconds"]} for t in trials]

    __repr__ = Result.__str__


@dataclass(frozen=True, repr=False)
class Importance(Result):
    """How much worse each task gets when an input is permuted between rows (Breiman 2001).

    Attributes
    ----------
    tasks : dict of str to dict
        By task: `metric`, `score`, and `inputs` with `mean` and `std` of the drop, the most important first.
    measured : int
        Rows it was measured on.
    """

    tasks: dict[str, dict[str, Any]]
    measured: int
    repeats: int
    left_out: list[str]

    def rows(self) -> Rows:
        return [
            {"task": name, "metric": task["metric"], "input": column, "worth": drop["mean"], "std": drop["std"]}
            for name, task in self.tasks.items()
            for column, drop in task["inputs"].items()
        ]

    __repr__ = Result.__str__


@dataclass(frozen=True)
class Explanation:
    """What each input adds to the predictions of one task.

    Attributes
    ----------
    outputs : list of str or None
        What is explained: None for a quantity or count, else the classes or labels; of two classes the positive one.
    base : array, ``(outputs,)``
        What is predicted where no input is known.
    values : array, ``(rows, inputs, outputs)``
        What each input adds; with the base they add up to the prediction.
    """

    outputs: list[str | None]
    base: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Explanations(Result, Mapping[str, Explanation]):
    """What each input adds to each prediction; by task an :class:`Explanation`."""

    inputs: list[str]
    tasks: dict[str, Explanation]

    def __getitem__(self, task: str) -> Explanation:
        return self.tasks[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)

    def rows(self) -> Rows:
        return [
            {"row": row, "task": name, "output": output, "input": column, "adds": float(own.values[row, i, o])}
            for name, own in self.tasks.items()
            for row in range(len(own.values))
            for o, output in enumerate(own.outputs)
            for i, column in enumerate(self.inputs)
        ]

    __repr__ = Result.__str__


@dataclass(frozen=True, repr=False)
class Drift(Result):
    """How the inputs of a table differ from those of the training rows.

    Attributes
    ----------
    inputs : list of dict
        By input: `psi` (population stability index), the shares of `missing` values then and now, of numbers `outside` the
        range of the training rows, and of words `unseen` there; `beyond` says in which of them it has drifted.
    measured, training_rows : int
        Rows of the table, and of training.
    """

    inputs: list[dict[str, Any]]
    measured: int
    training_rows: int

    @property
    def drifted(self) -> list[str]:
        """The inputs that have drifted."""
        return [own["column"] for own in self.inputs if own["beyond"]]

    def rows(self) -> Rows:
        return [{**own, "beyond": ", ".join(own["beyond"])} for own in self.inputs]

    __repr__ = Result.__str__


@dataclass(frozen=True)
class Prediction:
    """The predictions of one task.

    Attributes
    ----------
    kind : str
        ``"numbers"``, ``"classes"``, ``"labels"``, ``"spans"``, ``"tokens"``, ``"frames"``, ``"arcs"``,
        ``"pixel_classes"`` or ``"pixel_numbers"``.
    values : ndarray or list
        One a row: a number, a class (a number where all classes are whole numbers), the labels of a row, or
        ``(label, first token, last token)`` of its spans.
    classes : list of str
        The classes or labels, in the order of the columns of `probabilities`.
    probabilities : ndarray of shape (rows, classes) or None
        Of classes and labels alone.
    """

    kind: str
    values: Any
    classes: list[str] = field(default_factory=list)
    probabilities: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.values, dtype=dtype)


def prediction(said: dict[str, Any]) -> Prediction:
    """What the extension says of a task."""
    kind = said["kind"]
    classes = list(said.get("labels", []))
    if kind == "classes":
        named = np.asarray(_numbers(classes) or classes, dtype=None if _numbers(classes) else object)
        return Prediction(kind, named[said["codes"]], classes, said["probabilities"])
    if kind == "labels":
        rows = [[classes[i] for i in np.flatnonzero(row >= 0.5)] for row in said["probabilities"]]
        return Prediction(kind, rows, classes, said["probabilities"])
    if kind == "survival":
        return Prediction(kind, said["values"], list(said["times"]), said["probabilities"])
    return Prediction(kind, said["values"], classes)


def _numbers(classes: list[str]) -> list[int] | None:
    """Classes that are all whole numbers, as such."""
    try:
        whole = [int(name) for name in classes]
    except ValueError:
        return None
    return whole if [str(number) for number in whole] == classes else None


@dataclass(frozen=True, repr=False)
class Predictions(Result, Mapping[str, Prediction]):
    """The predictions of every task, by its name.

    Attributes
    ----------
    tasks : dict of str to Prediction
        In the model's order.
    notes : list of str
        What is to be said of the rows.
    """

    tasks: dict[str, Prediction]
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, task: str) -> Prediction:
        return self.tasks[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)

    def columns(self, probabilities: bool = False) -> dict[str, Any]:
        """A column a task; with `probabilities` a column ``TASK=CLASS`` behind it for each of its classes."""
        columns: dict[str, Any] = {}
        for name, said in self.tasks.items():
            columns[name] = list(said.values) if said.kind.startswith("pixel") else said.values
            if probabilities and said.probabilities is not None:
                columns.update({f"{name}={c}": said.probabilities[:, i] for i, c in enumerate(said.classes)})
        return columns

    def rows(self) -> Rows:
        columns = self.columns()
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def to_pandas(self, probabilities: bool = False) -> Any:
        """A pandas DataFrame with a column a task; with `probabilities` one for each class too."""
        import pandas as pd

        return pd.DataFrame(self.columns(probabilities))

    def to_polars(self, probabilities: bool = False) -> Any:
        """A polars DataFrame with a column a task; with `probabilities` one for each class too."""
        import polars as pl

        return pl.DataFrame({name: list(values) for name, values in self.columns(probabilities).items()})

    __repr__ = Result.__str__
