"""How training is shown."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """A line on standard error."""

    def __init__(self, wanted: bool) -> None:
        self._wanted, self._width = wanted, 0

    def round(self, round_: dict[str, Any]) -> None:
        if not self._wanted:
            return
        what = round_.get("candidate") or f"epoch {round_['epoch']}"
        line = f"{what}, {round_['seconds']:.1f} s, loss {round_['loss']:.4g}{', best' if round_['best'] else ''}"
        print(f"\r{line.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def end(self) -> None:
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
