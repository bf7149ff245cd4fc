"""Prediction with a model that `polytask export` took to ONNX Runtime or PyTorch: from a file to a file, or in memory.

As a contestant it knows the cases `file` (a CSV file is read, predicted and written) and `memory` (columns to predictions).
"""

import argparse
import importlib.util
import json
import pathlib
import tempfile

import protocol

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--runtime", choices=["onnx", "torch"], required=True)
parser.add_argument("--model", type=pathlib.Path, required=True, help="folder with exports called onnx and pytorch")
parser.add_argument("--data", required=True)
parser.add_argument("--arrow", action="store_true", help="CSV by pyarrow, not by pandas")
parser.add_argument("--rows", type=int, default=16384, help="rows predicted at a time")
options = parser.parse_args()

np, pd = protocol.need("numpy", "pandas")
if options.arrow:
    pa, pacsv = protocol.need("pyarrow", "pyarrow.csv")
    pa.set_cpu_count(options.threads)


def frame():
    if options.arrow:
        return pacsv.read_csv(options.data).to_pandas()
    return pd.read_csv(options.data, keep_default_na=True)


class Onnx:
    def __init__(self):
        onnxruntime = protocol.need("onnxruntime")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        self.session = onnxruntime.InferenceSession(str(options.model / "onnx/model.onnx"), settings)
        spec = json.loads((options.model / "onnx/model.json").read_text())
        self.inputs, self.tasks = spec["inputs"], spec["tasks"]
        self.names = [output["name"] for output in spec["outputs"]]

    def columns(self, table):
        """What the graph is fed: it standardises and looks words up itself."""
        fed = {}
        for one in self.inputs:
            column = table[one["name"]]
            if one["type"] == "str":
                fed[one["name"]] = column.astype(object).fillna("").to_numpy()
            else:
                fed[one["name"]] = column.to_numpy(one["type"])
        return fed

    def predict(self, fed, rows):
        parts = []
        for i in range(0, rows, options.rows):
            parts.append(self.session.run(self.names, {k: v[i : i + options.rows] for k, v in fed.items()}))
        return {name: np.concatenate(all) for name, all in zip(self.names, zip(*parts))}


class Torch:
    def __init__(self):
        self.torch = protocol.need("torch")
        self.torch.set_num_threads(options.threads)
        path = options.model / "pytorch/network.py"
        spec = importlib.util.spec_from_file_location("network", path)
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.network, self.tasks = self.module.load(), self.module.MODEL["tasks"]
        self.encoders = self.module.MODEL["columns"]

    def columns(self, table):
        return {column["column"]: table[column["column"]] for column in self.encoders}

    def encode(self, table):
        """As the file that is exported does, but with NumPy and pandas for whole columns."""
        numbers, categories = [], []
        for column in self.encoders:
            values = table[column["column"]]
            if column["kind"] == "number":
                x = values.to_numpy(np.float64)
                (shift, factor, fill), missing = column["scaling"], np.isnan(x)
                numbers.append(np.where(missing, fill, (x - shift) * factor).astype(np.float32))
                if column["indicator"]:
                    numbers.append(missing.astype(np.float32))
            elif column["kind"] == "boolean":
                words = {"1": 1.0, "true": 1.0, "yes": 1.0, "t": 1.0, "y": 1.0, "0": 0.0, "false": 0.0, "no": 0.0, "f": 0.0, "n": 0.0}
                x = values.astype(str).str.strip().str.lower().map(words).to_numpy(np.float64)
                missing = np.isnan(x)
                numbers.append(np.where(missing, column["scaling"][2], x).astype(np.float32))
                if column["indicator"]:
                    numbers.append(missing.astype(np.float32))
            else:
                levels = column.get("number_levels", column["levels"])
                codes = pd.Categorical(values, categories=levels).codes.astype(np.int64)
                categories.append(np.where(codes < 0, len(levels), codes))
        x = {}
        if numbers:
            x["numbers"] = self.torch.from_numpy(np.stack(numbers, axis=1))
        if categories:
            x["categories"] = self.torch.from_numpy(np.stack(categories, axis=1))
        return x

    def predict(self, table, rows):
        x, predictions = self.encode(table), {}
        with self.torch.inference_mode():
            parts = [self.network(**{k: v[i : i + options.rows] for k, v in x.items()}) for i in range(0, rows, options.rows)]
            for task in self.tasks:
                name = task["name"]
                z = self.torch.cat([part[name] for part in parts])
                if task["kind"] == "regression":
                    predictions[name] = (z[:, 0].double() * task["deviation"] + task["mean"]).float().numpy()
                elif task["kind"] == "binary":
                    p = self.torch.sigmoid(self.torch.cat([-z, z], dim=1))
                elif task["kind"] == "category":
                    p = z.softmax(1)
                else:
                    predictions[name] = z[:, 0].exp().numpy()
                if task["kind"] in ("binary", "category"):
                    predictions[name] = np.array(task["labels"], dtype=object)[p.argmax(1).numpy()]
                    predictions[name + ".probabilities"] = p.numpy()
        return predictions


def write(predictions, path):
    table = {name: values for name, values in predictions.items() if not name.endswith(".probabilities")}
    if options.arrow:
        pacsv.write_csv(pa.table({name: pa.array(values) for name, values in table.items()}), path)
    else:
        pd.DataFrame(table).to_csv(path, index=False)


def numbers(predictions, tasks):
    """Predictions of the first rows as numbers: of classes the probability of the last."""
    rows = []
    for task in tasks:
        name = task["name"]
        values = predictions.get(name + ".probabilities", predictions[name])[:64]
        rows.append([float(value[-1] if np.ndim(value) else value) for value in values])
    return rows


runtime = {"onnx": Onnx, "torch": Torch}[options.runtime]()
out = tempfile.NamedTemporaryFile(suffix=".csv")
memory = None
case = "file"


def file():
    table = frame()
    predictions = runtime.predict(runtime.columns(table), len(table))
    write(predictions, out.name)
    return predictions


def step():
    if case == "file":
        file()
    else:
        runtime.predict(*memory)


def turn_to(name, _):
    global case, memory
    case = name
    if name == "memory":
        table = frame()
        memory = (runtime.columns(table), len(table))
    return numbers(file(), runtime.tasks)


protocol.serve(step, turn_to)
