"""Writes the digits of the Python package scikit-learn as IDX files, with what they are and whether they are odd.

    pip install scikit-learn
    python make.py
"""

import gzip
import pathlib

import sklearn
from sklearn.datasets import load_digits

FOLDER = pathlib.Path(__file__).parent


def write(name, dims, values):
    """An IDX file of unsigned bytes; without a time in its header, so that it is the same every time."""
    header = bytes([0, 0, 8, len(dims)]) + b"".join(size.to_bytes(4, "big") for size in dims)
    path = FOLDER / f"digits-{name}-ubyte.gz"
    path.write_bytes(gzip.compress(header + bytes(values), mtime=0))


digits = load_digits()
count = len(digits.target)
# Each pixel counts the dark ones among 4 x 4 of the scan, 0 to 16; here they are 0 to 255.
pixels = (digits.images * 255 / 16).round().astype("uint8")
write("images-idx3", [count, 8, 8], pixels.tobytes())
write("digit-idx1", [count], digits.target.tolist())
write("odd-idx1", [count], (digits.target % 2).tolist())
print(f"{count} digits of scikit-learn {sklearn.__version__}")
