"""What arguments may be, and where results go."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from . import _polytask
from .errors import ConfigError


def built(name: str) -> Any:
    """A part of the extension that a slim build lacks."""
    part = getattr(_polytask, name, None)
    if part is None:
        raise ConfigError(f"this build of polytask lacks `{name}`", f"build the package with its feature `{name}`")
    return part


class Folder:
    """A folder to write to: the caller's, or one that is thrown away."""

    def __init__(self, out: str | os.PathLike[str] | None) -> None:
        self._out = out
        self._own = None if out is not None else tempfile.TemporaryDirectory()

    def __enter__(self) -> str:
        return os.fspath(self._out) if self._own is None else os.path.join(self._own.name, "out")  # type: ignore[arg-type]

    def __exit__(self, *_: object) -> None:
        if self._own is not None:
            self._own.cleanup()


def check_threads(threads: int | None) -> int | None:
    if threads is not None:
        check_range("threads", threads, 1, 1024)
    return threads


def check_range(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name} is {value!r}", f"it is a whole number from {low} to {high}")


def place(tasks: list[str], task: str) -> int:
    if task not in tasks:
        raise ConfigError(f"groups names the task `{task}`, which does not exist", f"the tasks are {', '.join(tasks)}")
    return tasks.index(task)
