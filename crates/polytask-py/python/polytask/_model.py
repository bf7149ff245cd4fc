"""Trained models and finished runs, and what can be asked of them."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import _polytask
from ._arguments import built as of_extension, check_range, check_threads
from ._data import to_frame
from ._results import (
    Drift,
    Explanation,
    Explanations,
    History,
    Importance,
    Predictions,
    Scores,
    TaskScores,
    prediction,
)
from ._serve import serve
from .errors import ConfigError

log = logging.getLogger("polytask")


def noted(notes: list[str]) -> list[str]:
    """Logs what is to be said of the data, and gives it back."""
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
        return Predictions({name: prediction(task) for name, task in said.items()}, noted(notes))

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
        return _scores(text, "given", noted(notes))

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


__all__ = ["Model", "Run", "load"]
