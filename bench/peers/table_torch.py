"""The model, data and optimizer of W2 and W3 in PyTorch."""

import protocol

ROWS, BATCH, FEATURES, TASKS = 4096, 256, 64, 8


class Problem:
    def __init__(self, torch, options):
        torch.set_num_threads(options.threads)
        nn = torch.nn
        self.inputs, self.targets = (torch.from_numpy(a) for a in protocol.data(ROWS, FEATURES, options.tasks))
        self.trunk = nn.Sequential(nn.Linear(FEATURES, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 1)) for _ in range(options.tasks)
        )
        linear = [m for part in (self.trunk, self.heads) for m in part.modules() if isinstance(m, nn.Linear)]
        start = protocol.layers([(m.in_features, m.out_features) for m in linear])
        with torch.no_grad():
            for layer, (weight, bias) in zip(linear, start):
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias))
        parameters = [*self.trunk.parameters(), *self.heads.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=options.fused)
        self.mse = nn.functional.mse_loss
        self.batches = [
            (self.inputs[i : i + BATCH], [t.contiguous() for t in self.targets[i : i + BATCH].split(1, dim=1)])
            for i in range(0, ROWS, BATCH)
        ]
        self.next = 0

    def forward(self):
        """The trunk's output and the tasks' losses on the next batch, taken in order."""
        inputs, targets = self.batches[self.next]
        self.next = (self.next + 1) % len(self.batches)
        features = self.trunk(inputs)
        return features, [self.mse(head(features), t) for head, t in zip(self.heads, targets)]
