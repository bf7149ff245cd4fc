"""Eight tasks, missing labels, a verdict on sharing and an export, from Python: `python health.py` in the folder of the repository."""

import pandas as pd

import polytask

people = pd.read_csv("data/health/people.csv")
tasks = ["waist", "trunk_fat", "body_fat", "hdl", "cholesterol", "hba1c", "systolic", "diastolic"]
experiment = polytask.Experiment(
    data={"split": {"test_every": 5, "valid": 0.1}},
    tasks=tasks,
    train={"epochs": 30, "learning_rate": 0.003, "schedule": "cosine"},
)

run = experiment.fit(people)
print(run.scores.to_pandas())
print(experiment.compare(people, seeds=3).verdicts())
print(run.predict(people.head(3)).to_pandas())
run.export("health-onnx", format="onnx")
