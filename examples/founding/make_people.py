"""Makes people.csv: age, sex as 0 and 1, height and weight out of data/body/people.csv."""

from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent

people = pd.read_csv(HERE / "../../data/body/people.csv")
people["male"] = (people["sex"] == "male").astype(int)
people[["age", "male", "height", "weight"]].to_csv(HERE / "people.csv", index=False)
