"""Draws scenes of discs and squares, with what every pixel belongs to and how far away it is, as IDX files.

    python make.py
"""

import gzip
import pathlib
import random

FOLDER = pathlib.Path(__file__).parent
COUNT, SIDE = 500, 24
FAR = 255


def write(name, dims, values):
    """An IDX file of unsigned bytes; without a time in its header, so that it is the same every time."""
    header = bytes([0, 0, 8, len(dims)]) + b"".join(size.to_bytes(4, "big") for size in dims)
    path = FOLDER / f"shapes-{name}-ubyte.gz"
    path.write_bytes(gzip.compress(header + bytes(values), mtime=0))


def scene(draw):
    """Pixels, parts and depths of one scene: near shapes are large and bright, and hide far ones."""
    parts, depths = [0] * SIDE**2, [FAR] * SIDE**2
    shapes = sorted(((draw.uniform(0, 1), draw.choice([1, 2])) for _ in range(draw.randint(1, 3))), reverse=True)
    for distance, part in shapes:
        reach = 6 - 3.5 * distance
        row, column = draw.uniform(3, SIDE - 4), draw.uniform(3, SIDE - 4)
        for at in range(SIDE**2):
            down, right = at // SIDE - row, at % SIDE - column
            inside = down**2 + right**2 < reach**2 if part == 1 else max(abs(down), abs(right)) < reach
            if inside:
                parts[at], depths[at] = part, round(60 + 140 * distance)
    pixels = [min(255, max(0, FAR - depth + 16 * draw.randint(0, 4))) for depth in depths]
    return pixels, parts, depths


draw = random.Random(7)
scenes = [scene(draw) for _ in range(COUNT)]
for name, which in [("images", 0), ("parts", 1), ("depth", 2)]:
    write(f"{name}-idx3", [COUNT, SIDE, SIDE], [value for one in scenes for value in one[which]])
