"""The peer: the same model in ONNX Runtime behind FastAPI, as one would write it. Reads MODEL_DIR and ONNX from the environment.

uvicorn onnx_app:app
"""
import json
import math
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI
from pydantic import BaseModel

model = json.loads((Path(os.environ["MODEL_DIR"]) / "model.json").read_text())["model"]
age, sex = model["encoder"]["inputs"]
tasks = model["tasks"]
settings = ort.SessionOptions()
settings.intra_op_num_threads = 1
session = ort.InferenceSession(os.environ["ONNX"], settings, providers=["CPUExecutionProvider"])


class Row(BaseModel):
    age: float | None
    sex: str | None


class Rows(BaseModel):
    rows: list[Row]


app = FastAPI()


@app.post("/v1/predict")
async def predict(body: Rows):
    ages = np.array([[age["mean"] if row.age is None else row.age] for row in body.rows], dtype=np.float64)
    numbers = ((ages - age["mean"]) / age["deviation"]).astype(np.float32)
    one_hot = np.array([[row.sex == level for level in sex["levels"]] for row in body.rows], dtype=np.float32)
    outputs = session.run(None, {"numbers": numbers, "one_hot": one_hot})
    predictions = []
    for i in range(len(body.rows)):
        line = {}
        for task, output in zip(tasks, outputs):
            value = float(output[i, 0])
            if task["kind"] == "regression":
                line[task["name"]] = value * task["deviation"] + task["mean"]
            else:
                line[task["name"]] = task["labels"][int(1 / (1 + math.exp(-value)) > 0.5)]
        predictions.append(line)
    return {"predictions": predictions}
