"""Experiments, runs and models: the library as the command line has it."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import _config, _polytask
from ._arguments import Folder, built as of_extension, check_range, check_threads, place
from ._data import to_frame
from ._progress import Progress
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
    prediction,
)
from ._serve import serve
from .errors import ConfigError, DataError

log = logging.getLogger("polytask")

#: A function that is told of every round, and ends the training where it answers true.
Callback = Callable[[dict[str, Any]], object]


def _said(notes: list[str]) -> list[str]:
    for note in notes:
        log.info("%s", note)
    return notes


def _scores(text: str, measured: str, notes: list[str]) -> Scores:
    tasks = {}
    for said in json.loads(text):
        metrics = said["metrics"]
        tasks[said["task"]] = TaskScores(
            said["kind"],
            said["rows"],
            said["primary"],
            {m["name"]: m["value"] for m in metrics},
            {m["name"]: m["constant"] for m in metrics if m["constant"] is not None},
            {m["name"]: m["better"] for m in metrics},
        )
    return Scores(tasks, measured, notes)


class Experiment:
    """What is to be learnt, from which rows, and how.

    Parameters
    ----------
    config : str, path or dict, optional
        A TOML file, TOML itself, or its keys and values.
    data, inputs, tasks, model, loss, train, tune : dict, optional
        The sections of the config. `tasks` and `inputs` may be lists of names, whose kinds are inferred, or say a kind
        by name: ``tasks={"height": "regression"}``. `data` may be a path.
    seed : int, optional
        ``train.seed``. Default 0.
    set : dict, optional
        Keys to override, such as ``{"train.epochs": 50}``.
    threads : int, optional
        Threads to use; the result does not depend on it. Default: all cores.

    Raises
    ------
    ConfigError
        A key that is not known, or a value that is not right.

    Examples
    --------
    >>> import numpy as np, polytask
    >>> x = np.linspace(-3, 3, 300)
    >>> table = {"x": x, "line": 2 * x + 1, "parabola": x**2}
    >>> experiment = polytask.Experiment(tasks=["line", "parabola"], model={"family": "trees"})
    >>> run = experiment.fit(table)
    >>> run.scores["line"]["r2"] > 0.95
    True
    >>> sorted(run.predict({"x": [0.0, 1.0]}))
    ['line', 'parabola']
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        *,
        data: Any = None,
        inputs: Any = None,
        tasks: Any = None,
        model: Mapping[str, Any] | None = None,
        loss: Mapping[str, Any] | None = None,
        train: Mapping[str, Any] | None = None,
        tune: Mapping[str, Any] | None = None,
        seed: int | None = None,
        set: Mapping[str, Any] | None = None,
        threads: int | None = None,
    ) -> None:
        given = dict(data=data, inputs=inputs, tasks=tasks, model=model, loss=loss, train=train, tune=tune)
        self._sections = _config.sections(config, given)
        overrides = dict(set or {})
        if seed is not None:
            overrides["train.seed"] = seed
        self._overrides = [_config.override(key, value) for key, value in overrides.items()]
        self._threads = check_threads(threads)
        self._built: _polytask.Experiment | None = None
        if not isinstance(self._sections, dict) or self._sections.get("tasks"):
            self._built = _config.build(self._sections, self._overrides)

    def __repr__(self) -> str:
        tasks = ", ".join(self._built.tasks()) if self._built else "tasks as the labels say"
        return f"<polytask.Experiment: {tasks}>"

    def to_toml(self) -> str:
        """The config as TOML, with the defaults filled in."""
        return self._with_tasks(None).to_toml()

    def _with_tasks(self, labels: _polytask.Frame | None) -> _polytask.Experiment:
        """The config, whose tasks are the labels where it names none."""
        if self._built is not None:
            return self._built
        if labels is None or not isinstance(self._sections, dict):
            raise ConfigError("there is nothing to predict", 'for example tasks=["height", "weight"]')
        return _config.build({**self._sections, "tasks": {name: {} for name in labels.names}}, self._overrides)

    def _ready(self, data: Any, labels: Any) -> tuple[_polytask.Experiment, _polytask.Frame | None]:
        """The config and the rows."""
        if data is None:
            if labels is not None:
                raise DataError("labels were given, and no data")
            built = self._with_tasks(None)
            if isinstance(self._sections, dict) and "path" not in self._sections.get("data", {}):
                raise ConfigError("there are no rows", 'give them to the call, or their path as data="people.csv"')
            return built, None
        if isinstance(data, (str, os.PathLike)):
            if labels is not None:
                raise DataError("labels were given beside a file", "they may be columns of the file")
            self._with_tasks(None)
            path = _config.override("data.path", os.path.abspath(data))
            return _config.build(self._sections, [*self._overrides, path]), None
        frame = to_frame(data)
        apart = None
        if labels is not None:
            known = self._built.tasks() if self._built else None
            apart = to_frame(labels, names=known, prefix="y", what="labels")
            frame = frame.beside(apart)
        return self._with_tasks(apart), frame

    def fit(
        self,
        data: Any = None,
        labels: Any = None,
        *,
        callback: Callback | None = None,
        scores: bool = False,
        progress: bool | None = None,
    ) -> Run:
        """Trains a model of all tasks and scores it.

        Ctrl-C ends the training after the step at hand and keeps the best model so far; `Run.stop_reason` is
        ``"stopped"`` then.

        Parameters
        ----------
        data : table, optional
            The rows: anything with ``__arrow_c_stream__`` (polars, pyarrow, DuckDB), pandas, NumPy, a dictionary of
            columns, or the path of a file. None, NaN and NA are missing. Left out, the config's `data.path` is read.
        labels : table, optional
            The columns to predict, where they are apart from the data.
        callback : function, optional
            Called after every round with a dictionary (`epoch`, `step`, `loss`, `train`, `valid`, `scores`, `best`, ...);
            one that returns true ends the training, and what it raises is raised here.
        scores : bool
            Whether the callback is told the metrics on the validation rows, which cost time.
        progress : bool, optional
            Whether to show a line on standard error. Default: in terminals and notebooks.

        Returns
        -------
        Run

        Raises
        ------
        ConfigError, DataError, TrainError
            What is wrong with the config, the data, or the training.
        """
        built, frame = self._ready(data, labels)
        show = Progress(sys.stderr.isatty() or "ipykernel" in sys.modules if progress is None else progress)

        def told(text: str) -> object:
            round_ = json.loads(text)
            log.debug("epoch %s: loss %s", round_["epoch"], round_["loss"])
            show.round(round_)
            return bool(callback(round_)) if callback is not None else False

        try:
            run = Run(built.fit(frame, self._threads, told, scores), self._threads)
        finally:
            show.end()
        _said(run.notes)
        if run.stop_reason == "diverged":
            log.warning("training broke off; the best model before that is kept: %s", run._run.stop_reason()[1])
        return run

    def compare(
        self,
        data: Any = None,
        labels: Any = None,
        *,
        seeds: int = 5,
        shares: Sequence[float] = (),
        groups: Sequence[Sequence[str]] = (),
        favour: bool = False,
    ) -> Comparison:
        """Trains the joint model and one model a task, and says whether sharing helped.

        Parameters
        ----------
        data, labels
            As in :meth:`fit`.
        seeds : int
            Seeds to train all ways, from ``train.seed`` on.
        shares : list of float
            Shares of the labels, above 0 and at most 1, for learning curves.
        groups : list of list of str
            Groups of tasks, each to be trained as one model as well.
        favour : bool
            Whether to train joint models in favour of each task, too.
        """
        built, frame = self._ready(data, labels)
        check_range("seeds", seeds, 1, 1000)
        for share in shares:
            if not 0 < share <= 1:
                raise ConfigError(f"shares has {share}", "a share is above 0 and at most 1")
        places = [[place(built.tasks(), task) for task in group] for group in groups]
        answer = json.loads(_polytask.compare(built, frame, self._threads, seeds, list(shares), places, favour))
        return Comparison(answer["tasks"], answer["delta_m"], answer)

    def select(
        self,
        data: Any = None,
        labels: Any = None,
        *,
        out: str | os.PathLike[str] | None = None,
        signal: str = "affinity",
        rows: str = "same",
        max_groups: int | None = None,
        max_parameters: int | None = None,
        max_multiply_adds: int | None = None,
        overlap: bool = False,
        overhead: float = 0.4,
        verify: bool = False,
        seeds: int = 3,
        resume: bool = False,
    ) -> Selection:
        """Finds which tasks should learn together, from one joint run.

        Parameters
        ----------
        data, labels
            As in :meth:`fit`.
        out : path, optional
            The folder of ``selection.json``, configs and pictures. Default: none is kept.
        signal : str
            What groups are judged by: ``"affinity"``, ``"cosine"``, ``"linear"``, ``"pairs"`` or ``"exhaustive"``.
        rows : str
            ``"same"`` or ``"other"``: the rows that a step's effect is measured on.
        max_groups, max_parameters, max_multiply_adds : int, optional
            Limits of what is recommended.
        overlap, overhead, verify, seeds, resume
            As ``polytask select --help`` has them.
        """
        built, frame = self._ready(data, labels)
        if rows not in ("same", "other"):
            raise ConfigError(f"rows is {rows!r}, which is not known", 'it is one of "same", "other"')
        with Folder(out) as folder:
            text = _polytask.select(
                built,
                frame,
                self._threads,
                folder,
                signal,
                rows == "other",
                max_groups,
                max_parameters,
                max_multiply_adds,
                overlap,
                overhead,
                verify,
                seeds,
                resume,
            )
        answer = json.loads(text)
        return Selection(answer["groups"], answer["reason"], answer["summary"], answer["affinity"], answer)

    def tune(
        self,
        data: Any = None,
        labels: Any = None,
        *,
        trials: int,
        out: str | os.PathLike[str] = "tune",
        sampler: str = "tpe",
        seed: int = 0,
        round: int = 4,
        resume: bool = False,
    ) -> Tuning:
        """Tries settings within the ranges of the section `tune`, and writes the best config.

        Parameters
        ----------
        data, labels
            As in :meth:`fit`.
        trials : int
            How many settings to try, besides those of the config as it stands.
        out : path
            The folder of ``trials.jsonl`` and ``best.toml``.
        sampler : str
            ``"tpe"``, ``"random"`` or ``"halving"``.
        seed, round, resume
            As ``polytask tune --help`` has them.
        """
        built, frame = self._ready(data, labels)
        check_range("trials", trials, 1, 100_000)
        check_range("round", round, 1, 1024)
        text, notes = _polytask.tune(built, frame, self._threads, os.fspath(out), trials, sampler, seed, round, resume)
        answer = json.loads(text)
        return Tuning(answer["best"], answer["base"], answer["trials"], answer["config"], answer, _said(notes))


class Model:
    """A trained model: all that prediction needs. :func:`load` reads one; it may be pickled."""

    _inner: _polytask.Model
    _threads: int | None
    _folder: Path | None

    def __init__(self, inner: _polytask.Model, threads: int | None = None, folder: Path | None = None) -> None:
        self._inner, self._threads, self._folder = inner, threads, folder

    def __repr__(self) -> str:
        tasks = ", ".join(f"{name} ({kind})" for name, kind in self.tasks.items())
        return f"<polytask.{type(self).__name__}: {self.family} of {tasks}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.to_bytes(), self._threads)

    def to_bytes(self) -> dict[str, bytes]:
        """The files of the model directory that prediction needs."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            self._inner.save(path)
            return {file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()}

    @property
    def tasks(self) -> dict[str, str]:
        """The kind of every task."""
        return {name: kind for name, kind, _ in self._inner.tasks()}

    @property
    def inputs(self) -> list[str]:
        """The columns that are read."""
        return self._inner.inputs()

    @property
    def family(self) -> str:
        """``"network"``, ``"trees"`` or ``"ensemble"``."""
        return self._inner.family()

    def describe(self) -> str:
        """What the model is made of, in words: layers of a network, members of an ensemble."""
        return self._inner.text()

    def predict(self, data: Any) -> Predictions:
        """Predictions of every task for the rows of a table; label columns need not be there.

        Parameters
        ----------
        data : table
            As in :meth:`Experiment.fit`.

        Raises
        ------
        DataError
            A column that is not there or does not fit.
        """
        said, notes = self._inner.predict(self._frame(data), self._threads)
        return Predictions({name: prediction(task) for name, task in said.items()}, _said(notes))

    def evaluate(self, data: Any, labels: Any = None) -> Scores:
        """The metrics of every task whose labels are there.

        Parameters
        ----------
        data : table
            As in :meth:`Experiment.fit`.
        labels : table, optional
            The labels, where they are apart from the data.
        """
        text, notes = self._inner.evaluate(self._frame(data, labels), self._threads)
        return _scores(text, "given", _said(notes))

    def importance(
        self, data: Any, labels: Any = None, *, repeats: int = 5, rows: int = 5000, seed: int = 0
    ) -> Importance:
        """How much worse each task gets when an input is permuted between rows.

        Parameters
        ----------
        data, labels : table
            Best of rows that the model was not trained on.
        repeats : int
            Times that the values of each input are permuted.
        rows : int
            Rows at most; a sample of more is drawn.
        seed : int
            Of both.
        """
        check_range("repeats", repeats, 1, 1000)
        check_range("rows", rows, 2, 2**32 - 1)
        text = self._inner.importance(self._frame(data, labels), self._threads, repeats, rows, seed)
        answer = json.loads(text)
        return Importance(answer["tasks"], answer["rows"], answer["repeats"], answer["left_out"])

    def explain(self, data: Any) -> Explanations:
        """What each input adds to each prediction, in the units of the prediction: a row's parts and the base add up to it.

        Exact Shapley values for trees (TreeSHAP) and linear models, sampled ones for networks, their weighted sum for
        ensembles.

        Parameters
        ----------
        data : table
            As in :meth:`predict`.

        Raises
        ------
        DataError
            A model of texts or images, or one that was saved without the rows that explanations compare with.
        """
        with self._directory() as folder:
            inputs, tasks = _polytask.explain(os.fspath(folder), self._frame(data), self._threads)
        return Explanations(inputs, {name: Explanation(**task) for name, task in tasks.items()})

    def check(
        self, data: Any, *, psi: float = 0.25, missing: float = 0.1, outside: float = 0.05, unseen: float = 0.05
    ) -> Drift:
        """Whether the inputs of a table look like those that the model learnt from.

        Parameters
        ----------
        data : table
            As in :meth:`predict`.
        psi, missing, outside, unseen : float
            From which on an input has drifted: its population stability index, the difference in the share of missing
            values, the share of numbers out of the training rows' range, and of words that training never saw.
        """
        limits = (psi, missing, outside, unseen)
        for name, limit in zip(("psi", "missing", "outside", "unseen"), limits):
            if not limit >= 0:
                raise ConfigError(f"{name} is {limit!r}", "it is a number of 0 or above")
        with self._directory() as folder:
            answer = json.loads(_polytask.check(os.fspath(folder), self._frame(data), self._threads, limits))
        return Drift(answer["inputs"], answer["rows"], answer["training_rows"])

    @contextmanager
    def _directory(self) -> Iterator[Path]:
        """The model directory; one of its own for a model that was not read from any."""
        if self._folder is not None:
            yield self._folder
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            self.save(path)
            yield path

    def _frame(self, data: Any, labels: Any = None) -> _polytask.Frame:
        inputs = self.inputs
        named = inputs if getattr(data, "ndim", 0) == 2 and data.shape[1] == len(inputs) else None
        one = inputs if len(inputs) == 1 else None
        frame = to_frame(data, names=named or one)
        if labels is None:
            return frame
        return frame.beside(to_frame(labels, names=list(self.tasks), prefix="y", what="labels"))

    def export(self, out: str | os.PathLike[str], format: str = "onnx") -> list[str]:
        """Takes the model elsewhere: writes a folder and says which files it has.

        Parameters
        ----------
        out : path
            The folder to write.
        format : str
            ``"onnx"``, ``"pytorch"``, ``"keras"`` or ``"safetensors"``.
        """
        return of_extension("export")(self._inner, format, os.fspath(out))  # type: ignore[no-any-return]

    def save(self, out: str | os.PathLike[str]) -> None:
        """Writes the model directory; an older model there is replaced."""
        self._inner.save(os.fspath(out))

    def report(
        self, out: str | os.PathLike[str] = "report.html", data: str | os.PathLike[str] | None = None, *, importance: bool = True
    ) -> str:
        """Writes what became of the model as one HTML file, and gives its path.

        Parameters
        ----------
        out : path
            The file to write.
        data : path, optional
            A file of rows to measure, instead of the test rows of the config.
        importance : bool
            Whether to measure what the inputs are worth to each task.
        """
        with self._measured(data) as (folder, rows):
            page = of_extension("report")(folder, rows, importance, self._threads)
        return _written(Path(out), page)

    def card(
        self, out: str | os.PathLike[str] = "card.md", data: str | os.PathLike[str] | None = None
    ) -> dict[str, Any]:
        """Writes the model card in Markdown, and beside it the same as JSON; gives the latter.

        Parameters
        ----------
        out : path
            The Markdown file.
        data : path, optional
            A file of rows to measure, instead of the test rows of the config.
        """
        with self._measured(data) as (folder, rows):
            markdown, text = of_extension("card")(folder, rows, self._threads)
        _written(Path(out), markdown)
        _written(Path(out).with_suffix(".json"), text)
        return json.loads(text)  # type: ignore[no-any-return]

    @contextmanager
    def _measured(self, data: str | os.PathLike[str] | None) -> Iterator[tuple[str, str | None]]:
        """The model directory, and the rows to measure."""
        with self._directory() as folder:
            yield os.fspath(folder), None if data is None else os.fspath(data)

    def serve(self, host: str = "127.0.0.1", port: int = 8080, *, name: str = "model", token: str | None = None) -> None:
        """Answers requests for predictions over HTTP until Ctrl-C; see :func:`serve`."""
        with self._directory() as folder:
            return serve({name: folder}, host, port, token=token, threads=self._threads)


class Run(Model):
    """A finished training: the model, how it came about, and what it scores.

    Attributes
    ----------
    scores : Scores
        On the test rows, or the best there are: see `Scores.measured`.
    history : History
        Every round.
    stop_reason : str
        ``"complete"``, ``"early_stopping"``, ``"stopped"``, ``"time_over"`` or ``"diverged"``.
    best_epoch : int or None
        The round that the model is of.
    steps : int
        Optimiser steps taken.
    seconds : float
        Of training.
    notes : list of str
        What is to be said of the data.
    """

    def __init__(self, inner: _polytask.Run, threads: int | None) -> None:
        super().__init__(inner.model(), threads)
        self._run = inner
        self._scores: Scores | None = None
        self.history = History(json.loads(inner.history()))
        self.stop_reason: str = inner.stop_reason()[0]
        self.best_epoch, self.steps, self.seconds = inner.spent()
        self.notes: list[str] = inner.notes()

    @property
    def scores(self) -> Scores:
        if self._scores is None:
            text, what, _ = self._run.scores()
            self._scores = _scores(text, what, [])
        return self._scores

    def split(self) -> dict[str, list[int]]:
        """The rows of each part, from 0: ``"train"``, ``"valid"``, ``"test"``."""
        return dict(zip(("train", "valid", "test"), self._run.rows()))

    def gates(self) -> list[dict[str, Any]]:
        """What the gates weigh each expert by, on average over the validation rows."""
        answer: list[dict[str, Any]] = json.loads(self._run.gates())
        return answer

    def to_toml(self) -> str:
        """The config as it was run."""
        return self._run.to_toml()

    def save(self, out: str | os.PathLike[str]) -> None:
        """Writes the model directory with scores, history and config, as ``polytask train`` does."""
        self._run.save(os.fspath(out))

    @contextmanager
    def _measured(self, data: str | os.PathLike[str] | None) -> Iterator[tuple[str, str | None]]:
        with super()._measured(data) as (folder, given), tempfile.TemporaryDirectory() as beside:
            if given is None and self._run.in_memory():
                given = os.path.join(beside, "test.arrow")
                self._run.write_measured(given)
            yield folder, given


def _written(path: Path, text: str) -> str:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return str(path)


def _restored(files: dict[str, bytes], threads: int | None) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        return Model(_polytask.Model.load(folder), threads)


def load(folder: str | os.PathLike[str], *, threads: int | None = None) -> Model:
    """Reads a model directory, written by :meth:`Run.save` or by ``polytask train``.

    Raises
    ------
    DataError
        No model there, one of another version, or a damaged one.
    """
    return Model(_polytask.Model.load(os.fspath(folder)), check_threads(threads), Path(folder))


__all__ = ["Experiment", "Model", "Prediction", "Run", "load", "serve"]
