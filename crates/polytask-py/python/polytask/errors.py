"""What can go wrong, in the words of the command line, with what would be right on a line below."""

from __future__ import annotations


class PolytaskError(Exception):
    """Any error of polytask.

    Attributes
    ----------
    message : str
        What is wrong, and where.
    hint : str or None
        What would be right, where that can be said.
    """

    message: str
    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\nhint: {hint}")
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[PolytaskError], tuple[str, str | None]]:
        return type(self), (self.message, self.hint)


class ConfigError(PolytaskError, ValueError):
    """The call or the config is wrong."""


class DataError(PolytaskError, ValueError):
    """Data or a model directory cannot be read, or do not fit."""


class TrainError(PolytaskError, RuntimeError):
    """Training, or a question that needs it, failed."""
