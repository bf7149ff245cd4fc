"""Makes initial.safetensors: Glorot-uniform weights [in, out] and small non-zero biases, from a fixed seed."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(1)


def weight(rows, columns):
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns)).astype(np.float32)


def bias(columns):
    return rng.uniform(-0.1, 0.1, columns).astype(np.float32)


parameters = {"trunk.0.weight": weight(2, 5), "trunk.0.bias": bias(5)}
for task in ("height", "weight"):
    parameters[f"heads.{task}.0.weight"] = weight(5, 1)
    parameters[f"heads.{task}.0.bias"] = bias(1)
save_file(parameters, Path(__file__).with_name("initial.safetensors"))
