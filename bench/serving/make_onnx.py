"""The network of a small polytask model as ONNX, built from its directory: numbers and one-hot categories, dense layers, heads.

python make_onnx.py MODEL_DIR OUT.onnx
"""
import json
import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file


def build(folder):
    folder = Path(folder)
    graph = json.loads((folder / "model.json").read_text())["model"]["graph"]
    weights = load_file(folder / "model.safetensors")
    nodes, names = [], []
    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    inputs = []
    for node in graph["nodes"]:
        name, op = node["name"], node["op"]
        before = [names[i] for i in node["inputs"]]
        names.append(name)
        if op == "input":
            inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", node["shape"][0]]))
        elif op == "index":
            # The one-hot features are made by the caller, as is usual.
            continue
        elif "one_hot" in op:
            inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", node["shape"][0]]))
        elif op == "concat":
            nodes.append(helper.make_node("Concat", before, [name], axis=1))
        elif "dense" in op:
            parameters = [graph["parameters"][op["dense"][key]]["name"] for key in ("weight", "bias")]
            relu = op["dense"]["activation"] == "relu"
            nodes.append(helper.make_node("Gemm", [*before, *parameters], [name + ".sum" if relu else name]))
            if relu:
                nodes.append(helper.make_node("Relu", [name + ".sum"], [name]))
            elif op["dense"]["activation"] != "linear":
                raise ValueError(f"{name}: {op}")
        else:
            raise ValueError(f"{name}: {op}")
    outputs = [helper.make_tensor_value_info(names[loss["prediction"]], TensorProto.FLOAT, ["n", 1]) for loss in graph["losses"]]
    model = helper.make_model(
        helper.make_graph(nodes, "polytask", inputs, outputs, tensors), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    onnx.save(build(sys.argv[1]), sys.argv[2])
