"""Models over HTTP."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from ._arguments import built, check_threads

log = logging.getLogger("polytask")


def serve(
    models: Mapping[str, str | os.PathLike[str]],
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    token: str | None = None,
    threads: int | None = None,
) -> None:
    """Answers requests for predictions over HTTP until Ctrl-C or SIGTERM.

    Parameters
    ----------
    models : dict of str to path
        Model directories by name.
    host : str
        The address to listen at; one that other machines reach needs a `token`.
    port : int
        0 takes a free one, which is logged.
    token : str, optional
        The bearer token that clients must send.
    """
    start = built("serve")
    names = ", ".join(models)

    def ready(address: str) -> None:
        log.warning("serving %s at http://%s", names, address)

    try:
        start([(name, os.fspath(path)) for name, path in models.items()], host, port, token, check_threads(threads), ready)
    except KeyboardInterrupt:
        log.info("stopped")
