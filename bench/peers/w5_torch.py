"""W5 in PyTorch: an embedding, a BiLSTM or a transformer, two classes a token; sequences of mixed length are padded to the
longest of their batch, and packed for the LSTM or masked for the transformer."""

import protocol

torch = protocol.need("torch")
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import sequences as s

options = protocol.arguments(modes=("lstm", "transformer", "mixed"), methods=("dense", "sparse"))
torch.set_num_threads(options.threads)
transformer, mixed = options.mode == "transformer", options.mode == "mixed"
data = s.Data(mixed)
values = {k: torch.from_numpy(v) for k, v in s.parameters(s.shapes(transformer)).items()}
IGNORED = -100


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(s.WORDS, s.WIDTH, sparse=options.method == "sparse")
        if transformer:
            self.positions = nn.Parameter(values["positions.table"])
            layer = lambda: nn.TransformerEncoderLayer(
                s.WIDTH, s.HEADS, s.HIDDEN, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            self.layers = nn.ModuleList(layer() for _ in range(s.LAYERS))
        else:
            self.lstm = nn.LSTM(s.WIDTH, s.WIDTH, bidirectional=True, batch_first=True)
        features = s.WIDTH if transformer else 2 * s.WIDTH
        self.heads = nn.ModuleList(nn.Linear(features, classes) for classes in s.CLASSES)
        self.start()

    @torch.no_grad()
    def start(self):
        self.embedding.weight.copy_(values["embedding.table"])
        for task, head in enumerate(self.heads):
            head.weight.copy_(values[f"heads.{task}.weight"].T)
            head.bias.copy_(values[f"heads.{task}.bias"])
        if transformer:
            for i, layer in enumerate(self.layers):
                n = f"layers.{i}."
                pairs = [
                    (layer.norm1.weight, "attention.norm.gain"),
                    (layer.norm1.bias, "attention.norm.bias"),
                    (layer.self_attn.in_proj_weight, "attention.inputs.weight"),
                    (layer.self_attn.in_proj_bias, "attention.inputs.bias"),
                    (layer.self_attn.out_proj.weight, "attention.output.weight"),
                    (layer.self_attn.out_proj.bias, "attention.output.bias"),
                    (layer.norm2.weight, "inner.norm.gain"),
                    (layer.norm2.bias, "inner.norm.bias"),
                    (layer.linear1.weight, "inner.weight"),
                    (layer.linear1.bias, "inner.bias"),
                    (layer.linear2.weight, "outer.weight"),
                    (layer.linear2.bias, "outer.bias"),
                ]
                for parameter, name in pairs:
                    value = values[n + name]
                    parameter.copy_(value.T if value.dim() == 2 else value)
            return
        for suffix, direction in (("", "forward"), ("_reverse", "backward")):
            own = lambda name: getattr(self.lstm, f"{name}_l0{suffix}")
            own("weight_ih").copy_(values[f"lstm.{direction}.input"].T)
            own("weight_hh").copy_(values[f"lstm.{direction}.recurrent"].T)
            own("bias_ih").copy_(values[f"lstm.{direction}.bias"].flatten())
            # PyTorch has two biases of which only the sum counts; trained both, it would move twice as fast.
            own("bias_hh").zero_()
            own("bias_hh").requires_grad_(False)

    def forward(self, tokens, lengths, mask):
        x = self.embedding(tokens)
        if transformer:
            x = x + self.positions[: tokens.shape[1]]
            for layer in self.layers:
                x = layer(x, src_key_padding_mask=mask)
        elif lengths is None:
            x, _ = self.lstm(x)
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            x, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return [head(x) for head in self.heads]


net = Net()
trained = [p for p in net.parameters() if p.requires_grad]
if options.method == "sparse":
    table = [net.embedding.weight]
    others = [p for p in trained if p is not net.embedding.weight]
    optimizers = [torch.optim.SparseAdam(table, lr=1e-3), torch.optim.Adam(others, lr=1e-3, fused=options.fused)]
else:
    optimizers = [torch.optim.Adam(trained, lr=1e-3, fused=options.fused)]

batches = []
for first in range(0, s.SEQUENCES, s.BATCH):
    tokens = torch.from_numpy(data.padded(data.tokens, first, s.BATCH, 0))
    labels = [torch.from_numpy(data.padded(of, first, s.BATCH, IGNORED)) for of in data.labels]
    lengths = torch.from_numpy(data.lengths[first : first + s.BATCH]) if mixed else None
    batches.append((tokens, lengths, labels))
at = 0


def step():
    global at
    tokens, lengths, labels = batches[at % len(batches)]
    at += 1
    for optimizer in optimizers:
        optimizer.zero_grad()
    outputs = net(tokens, lengths, None)
    loss = sum(
        cross_entropy(z.flatten(0, 1), y.flatten(), ignore_index=IGNORED) for z, y in zip(outputs, labels)
    )
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    return loss.detach()


protocol.serve(step)
