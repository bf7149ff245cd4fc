"""MMoE and PLE in PyTorch: batch 256 of 64 inputs, 4 tasks, experts of two ReLU layers (64 -> 128 -> 64, or as --expert
says), softmax gates, heads of a ReLU layer of 32 and a linear one, the sum of four MSEs, Adam.

--model mmoe: 8 experts and a gate a task. --model ple: two levels, each with 2 shared experts and 2 of each task.
--mode modules: one module an expert, as people write it. --mode stacked: experts, gates and heads that read the same
input as one matrix product, the others as batches of products. --mode compiled: that, through torch.compile.
"""

import protocol

torch = protocol.need("torch")

ROWS, BATCH, FEATURES, TASKS = 4096, 256, 64, 4
EXPERTS, LEVELS, SHARED, SPECIFIC = 8, 2, 2, 2

nn, F = torch.nn, torch.nn.functional


options = protocol.arguments(modes=["modules", "stacked", "compiled"], models=["mmoe", "ple"])
HIDDEN, OUT = options.expert, options.expert // 2


def expert(inputs):
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, OUT), nn.ReLU())


def head():
    return nn.Sequential(nn.Linear(OUT, 32), nn.ReLU(), nn.Linear(32, 1))


def mix(gate, experts):
    """Experts [batch, e, d] weighed by a gate's numbers [batch, e]."""
    return torch.bmm(gate.softmax(1).unsqueeze(1), experts).squeeze(1)


class Mmoe(nn.Module):
    def __init__(self):
        super().__init__()
        self.experts = nn.ModuleList(expert(FEATURES) for _ in range(EXPERTS))
        self.gates = nn.ModuleList(nn.Linear(FEATURES, EXPERTS) for _ in range(TASKS))
        self.heads = nn.ModuleList(head() for _ in range(TASKS))

    def forward(self, x):
        experts = torch.stack([e(x) for e in self.experts], 1)
        return [h(mix(g(x), experts)) for g, h in zip(self.gates, self.heads)]


class Level(nn.Module):
    """Layers in polytask's order: shared experts; each task's experts and its gate; the shared gate."""

    def __init__(self, inputs, last):
        super().__init__()
        self.shared = nn.ModuleList(expert(inputs) for _ in range(SHARED))
        self.own = nn.ModuleList(
            nn.ModuleDict(
                {
                    "experts": nn.ModuleList(expert(inputs) for _ in range(SPECIFIC)),
                    "gate": nn.Linear(inputs, SPECIFIC + SHARED),
                }
            )
            for _ in range(TASKS)
        )
        self.gate = None if last else nn.Linear(inputs, TASKS * SPECIFIC + SHARED)

    def forward(self, own, common):
        shared = [e(common) for e in self.shared]
        specific = [[e(x) for e in task["experts"]] for x, task in zip(own, self.own)]
        mixed = [
            mix(task["gate"](x), torch.stack(experts + shared, 1)) for x, task, experts in zip(own, self.own, specific)
        ]
        if self.gate is not None:
            common = mix(self.gate(common), torch.stack(sum(specific, []) + shared, 1))
        return mixed, common


class Ple(nn.Module):
    def __init__(self):
        super().__init__()
        self.levels = nn.ModuleList(Level(OUT if i else FEATURES, last=i + 1 == LEVELS) for i in range(LEVELS))
        self.heads = nn.ModuleList(head() for _ in range(TASKS))

    def forward(self, x):
        own, common = [x] * TASKS, x
        for level in self.levels:
            own, common = level(own, common)
        return [h(z) for h, z in zip(self.heads, own)]


def side_by_side(layers):
    """Linears of one input as one: weight [all outputs, in], bias."""
    return nn.Parameter(torch.cat([l.weight for l in layers])), nn.Parameter(torch.cat([l.bias for l in layers]))


def in_batch(layers):
    """Linears with an input each: weight [n, in, out], bias [n, 1, out]."""
    return (
        nn.Parameter(torch.stack([l.weight.t() for l in layers])),
        nn.Parameter(torch.stack([l.bias for l in layers]).unsqueeze(1)),
    )


class StackedHeads(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.w0, self.b0 = in_batch([h[0] for h in heads])
        self.w1, self.b1 = in_batch([h[2] for h in heads])

    def forward(self, h):
        """[tasks, batch, out] to [tasks, batch, 1]."""
        return torch.baddbmm(self.b1, torch.baddbmm(self.b0, h, self.w0).relu(), self.w1)


class StackedMmoe(nn.Module):
    def __init__(self, plain):
        super().__init__()
        self.w0, self.b0 = side_by_side([*(e[0] for e in plain.experts), *plain.gates])
        self.w1, self.b1 = in_batch([e[2] for e in plain.experts])
        self.heads = StackedHeads(plain.heads)

    def forward(self, x):
        wide, gates = F.linear(x, self.w0, self.b0).split([EXPERTS * HIDDEN, TASKS * EXPERTS], 1)
        hidden = wide.relu().view(-1, EXPERTS, HIDDEN).transpose(0, 1)
        experts = torch.baddbmm(self.b1, hidden, self.w1).relu().transpose(0, 1)
        gates = gates.view(-1, TASKS, EXPERTS).softmax(2)
        return self.heads(torch.bmm(gates, experts).transpose(0, 1)).unbind(0)


class StackedLevel(nn.Module):
    """The streams of the tasks and the shared one as a batch, each with as many experts: [tasks + 1, batch, out]."""

    def __init__(self, plain):
        super().__init__()
        streams = [*(task["experts"] for task in plain.own), plain.shared]
        first = [(torch.cat([e[0].weight for e in s]).t(), torch.cat([e[0].bias for e in s])) for s in streams]
        self.w0 = nn.Parameter(torch.stack([w for w, _ in first]))
        self.b0 = nn.Parameter(torch.stack([b for _, b in first]).unsqueeze(1))
        self.w1, self.b1 = in_batch([e[2] for s in streams for e in s])
        self.gw, self.gb = in_batch([task["gate"] for task in plain.own])
        self.gate = plain.gate

    def forward(self, streams):
        batch = streams.shape[1]
        hidden = torch.baddbmm(self.b0, streams, self.w0).relu()
        hidden = hidden.view(TASKS + 1, batch, SPECIFIC, HIDDEN).transpose(1, 2).reshape(-1, batch, HIDDEN)
        experts = torch.baddbmm(self.b1, hidden, self.w1).relu().view(TASKS + 1, SPECIFIC, batch, OUT)
        own = torch.cat([experts[:TASKS], experts[TASKS:].expand(TASKS, -1, -1, -1)], 1)
        gates = torch.baddbmm(self.gb, streams[:TASKS], self.gw).softmax(2)
        mixed = torch.einsum("tbe,tebd->tbd", gates, own)
        if self.gate is None:
            return mixed
        weights = self.gate(streams[TASKS]).softmax(1)
        common = torch.einsum("be,ebd->bd", weights, experts.flatten(0, 1))
        return torch.cat([mixed, common.unsqueeze(0)])


class StackedPle(nn.Module):
    def __init__(self, plain):
        super().__init__()
        self.levels = nn.ModuleList(StackedLevel(level) for level in plain.levels)
        self.heads = StackedHeads(plain.heads)

    def forward(self, x):
        streams = x.expand(TASKS + 1, -1, -1)
        for level in self.levels:
            streams = level(streams)
        return self.heads(streams).unbind(0)


torch.set_num_threads(options.threads)
model, stacked = {"mmoe": (Mmoe, StackedMmoe), "ple": (Ple, StackedPle)}[options.model]
model = model()
linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
with torch.no_grad():
    for layer, (weight, bias) in zip(linear, protocol.layers([(m.in_features, m.out_features) for m in linear])):
        layer.weight.copy_(torch.from_numpy(weight.T.copy()))
        layer.bias.copy_(torch.from_numpy(bias))
    if options.mode != "modules":
        model = stacked(model)
inputs, targets = (torch.from_numpy(a) for a in protocol.data(ROWS, FEATURES, TASKS))
batches = [
    (inputs[i : i + BATCH], [t.contiguous() for t in targets[i : i + BATCH].split(1, dim=1)])
    for i in range(0, ROWS, BATCH)
]
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=options.fused)


def total(x, y):
    return sum(F.mse_loss(out, t) for out, t in zip(model(x), y))


if options.mode == "compiled":
    total = torch.compile(total)
position = 0


def step():
    global position
    x, y = batches[position]
    position = (position + 1) % len(batches)
    optimizer.zero_grad()
    loss = total(x, y)
    loss.backward()
    optimizer.step()
    return loss.detach()


protocol.serve(step)
