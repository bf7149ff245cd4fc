"""W5's network in ONNX Runtime, prediction alone: an embedding, a bidirectional LSTM and two heads of a token each, built
operator by operator. A step predicts so many sentences of 32 tokens; in place of a loss, the sum of what was predicted."""

import protocol

ort, onnx = protocol.need("onnxruntime", "onnx")
np = protocol.np
from onnx import TensorProto, helper, numpy_helper

import sequences as s

options = protocol.arguments(tasks=s.BATCH)
count = options.tasks
data = s.Data(False)
values = s.parameters(s.shapes(False))
h = s.WIDTH


def gates(of):
    """Ours are i f g o, ONNX has i o f c."""
    i, f, g, o = np.split(of, 4)
    return np.concatenate([i, o, f, g])


def both(make):
    return np.stack([make(f"lstm.{direction}") for direction in ("forward", "backward")]).astype(np.float32)


constants = {
    "table": values["embedding.table"],
    "W": both(lambda n: gates(values[f"{n}.input"].T)),
    "R": both(lambda n: gates(values[f"{n}.recurrent"].T)),
    "B": both(lambda n: np.concatenate([gates(values[f"{n}.bias"].flatten()), np.zeros(4 * h)])),
    "shape": np.array([0, 0, 2 * h], np.int64),
}
nodes = [
    helper.make_node("Gather", ["table", "tokens"], ["x"]),
    helper.make_node("LSTM", ["x", "W", "R", "B"], ["y"], hidden_size=h, direction="bidirectional"),
    helper.make_node("Transpose", ["y"], ["t"], perm=[0, 2, 1, 3]),
    helper.make_node("Reshape", ["t", "shape"], ["f"]),
]
outputs = []
for task, classes in enumerate(s.CLASSES):
    constants[f"w{task}"], constants[f"b{task}"] = values[f"heads.{task}.weight"], values[f"heads.{task}.bias"]
    nodes.append(helper.make_node("MatMul", ["f", f"w{task}"], [f"m{task}"]))
    nodes.append(helper.make_node("Add", [f"m{task}", f"b{task}"], [f"z{task}"]))
    outputs.append(helper.make_tensor_value_info(f"z{task}", TensorProto.FLOAT, ["tokens", "rows", classes]))
tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["tokens", "rows"])
initializers = [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items()]
graph = helper.make_graph(nodes, "w5", [tokens], outputs, initializers)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
settings = ort.SessionOptions()
settings.intra_op_num_threads = options.threads
session = ort.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
# Time first, as its LSTM reads it.
batches = [
    np.ascontiguousarray(data.padded(data.tokens, first, count, 0).T) for first in range(0, s.SEQUENCES, count)
]
at = 0


class Sum:
    def __init__(self, outputs):
        self.outputs = outputs

    def __float__(self):
        return float(sum(np.abs(z).sum(dtype=np.float64) for z in self.outputs))


def step():
    global at
    outputs = session.run(None, {"tokens": batches[at % len(batches)]})
    at += 1
    return Sum(outputs)


protocol.serve(step)
