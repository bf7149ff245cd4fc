"""Experiments: the library as the command line has it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import _config, _polytask
from ._arguments import Folder, check_range, check_threads, place
from ._data import to_frame
from ._model import Run, log, noted
from ._progress import Progress
from ._results import Comparison, Selection, Tuning
from .errors import ConfigError, DataError

#: A function that is told of every round, and ends the training where it answers true.
Callback = Callable[[dict[str, Any]], object]


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
        noted(run.notes)
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
        return Tuning(answer["best"], answer["base"], answer["trials"], answer["config"], answer, noted(notes))
