"""Configs as Python says them: a path, a text, or keys and values."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import _polytask
from .errors import ConfigError

#: What stands for the path of rows in memory.
IN_MEMORY = "(a table in memory)"


def plain(value: Any, place: str = "the config") -> Any:
    """A value as JSON has it: NumPy's numbers become Python's, what is None is left out of tables."""
    match value:
        case bool() | int() | float() | str():
            return value
        case os.PathLike():
            return os.fspath(value)
        case Mapping():
            return {str(k): plain(v, f"{place}.{k}") for k, v in value.items() if v is not None}
        case list() | tuple():
            return [plain(item, f"{place}[{i}]") for i, item in enumerate(value)]
        case _ if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
            return plain(value.item(), place)
        case _ if hasattr(value, "tolist"):
            return plain(value.tolist(), place)
    raise ConfigError(
        f"{place} is a {type(value).__name__}, which no config holds",
        "values are numbers, text, true or false, lists and dictionaries",
    )


def sections(config: Any, given: Mapping[str, Any]) -> dict[str, Any] | str | Path:
    """The keys of a config; of a file or a text the path or the text itself."""
    given = {name: value for name, value in given.items() if value is not None}
    if config is None or isinstance(config, Mapping):
        merged: dict[str, Any] = plain(config or {})
        for name, value in given.items():
            merged[name] = _section(name, value, merged.get(name))
        return merged
    if isinstance(config, (str, os.PathLike)):
        if given:
            raise ConfigError(
                f"`{next(iter(given))}` is given beside a config that is written in TOML",
                'use set={"train.epochs": 50} to override its keys',
            )
        written = isinstance(config, str) and ("\n" in config or "=" in config and not os.path.exists(config))
        return str(config) if written else Path(config)
    raise ConfigError(f"the config is a {type(config).__name__}", "give a path, TOML, or a dictionary")


def _section(name: str, value: Any, before: Any) -> Any:
    if name == "tasks" and isinstance(value, str):
        value = [value]
    if name in ("tasks", "inputs") and not isinstance(value, Mapping):
        if not isinstance(value, Iterable):
            raise ConfigError(f"`{name}` is a {type(value).__name__}", f'for example {name}=["height", "weight"]')
        # A task is a table, an input may be left to be inferred likewise.
        value = {column: {} for column in value}
    if name == "data" and not isinstance(value, Mapping):
        value = {"path": value}
    if not isinstance(value, Mapping):
        raise ConfigError(f"`{name}` is a {type(value).__name__}", f"for example {name}={{...}}, as in the config")
    value = plain(value, name)
    if name == "tasks":
        value = {task: {"kind": said} if isinstance(said, str) else said for task, said in value.items()}
    return {**before, **value} if isinstance(before, dict) else value


def override(key: str, value: Any) -> str:
    """``KEY=VALUE`` in TOML."""
    return f"{key}={_toml(plain(value, key))}"


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value)
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"


def build(config: dict[str, Any] | str | Path, overrides: list[str]) -> _polytask.Experiment:
    """The config, read and checked."""
    match config:
        case dict():
            whole = {**config, "data": {"path": IN_MEMORY, **config.get("data", {})}}
            return _polytask.Experiment(json=json.dumps(whole), overrides=overrides)
        case str():
            return _polytask.Experiment(text=config, overrides=overrides)
    return _polytask.Experiment(file=config, overrides=overrides)
