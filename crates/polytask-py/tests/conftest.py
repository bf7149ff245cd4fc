"""What the tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def people() -> dict[str, object]:
    """Two quantities and a class by age, sex and town; some labels and inputs are missing."""
    random = np.random.default_rng(7)
    n = 400
    age = random.uniform(1, 80, n).round(2)
    sex = random.choice(["f", "m"], n)
    town = random.choice(["Ulm", "Bonn", "Kiel"], n)
    height = 170 - 110 * np.exp(-age / 7) + 6 * (sex == "m") + random.normal(0, 2, n)
    weight = 65 - 58 * np.exp(-age / 10) + 8 * (sex == "m") + random.normal(0, 3, n)
    tall = np.where(height > 165, "yes", "no").astype(object)
    weight[::3] = np.nan
    tall[::5] = None
    age[::50] = np.nan
    return {"age": age, "sex": list(sex), "town": list(town), "height": height, "weight": weight, "tall": list(tall)}


@pytest.fixture(scope="session")
def program() -> str:
    """The program of the command line."""
    places = [os.environ.get("POLYTASK_BIN"), ROOT / "target/debug/polytask", ROOT / "target/release/polytask"]
    found = next((str(place) for place in places if place and Path(place).exists()), None) or shutil.which("polytask")
    if found is None:
        pytest.skip("there is no polytask program: `cargo build`, or set POLYTASK_BIN")
    return found


@pytest.fixture
def network() -> dict[str, object]:
    """Keywords of an experiment that is trained in a moment."""
    return {"model": {"family": "network", "trunk": [16]}, "train": {"epochs": 4}}
