"""Pictures in memory as the bytes of PNG files, which the extension reads as any image."""

from __future__ import annotations

import struct
import zlib
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

#: Of PNG, by the number of channels: grey, grey with alpha, colour, colour with alpha.
COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}


def is_image(value: Any) -> TypeGuard[NDArray[np.uint8]]:
    """Whether a value is ``height x width`` or ``height x width x channels`` of ``uint8``."""
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or 0 in value.shape:
        return False
    return value.ndim == 2 or value.ndim == 3 and value.shape[2] in COLOURS


def png(image: NDArray[np.uint8]) -> bytes:
    """The file of a picture."""
    height, width = image.shape[:2]
    lines = np.ascontiguousarray(image).reshape(height, -1)
    # Each line begins with its filter, of which there is none.
    raw = np.hstack([np.zeros((height, 1), np.uint8), lines]).tobytes()
    colour = COLOURS[image.shape[2] if image.ndim == 3 else 1]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b"")
