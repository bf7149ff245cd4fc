"""What the two scripts share: the data, the constants, the initial weights and how a curve is written."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

HERE = Path(__file__).parent
STEPS = 1000
LEARNING_RATE = 0.001
L2 = 0.001


def data():
    """Age and sex [507, 2], height and weight [507, 2]; each column standardised over all rows (population deviation)."""
    people = pd.read_csv(HERE / "../../data/body/people.csv")
    people["sex"] = (people["sex"] == "male").astype(float)

    def standardised(columns):
        values = people[columns].to_numpy(np.float64)
        return ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)

    return standardised(["age", "sex"]), standardised(["height", "weight"])


def initial():
    """The parameters by name; weights are [in, out]."""
    return load_file(HERE / "initial.safetensors")


def write_curve(engine, version, losses):
    """The loss before each step and one after the last, each in the fewest digits that give back the same f32."""
    values = ",\n    ".join(str(np.float32(loss)) for loss in losses)
    text = f'{{\n  "engine": "{engine} {version}",\n  "losses": [\n    {values}\n  ]\n}}\n'
    assert len(json.loads(text)["losses"]) == STEPS + 1
    (HERE / f"curve_{engine}.json").write_text(text)
    print(f"{engine} {version}: {losses[0]:.7f} -> {losses[-1]:.7f}")
