"""LeNet and ResNet-8 of the workloads of images in PyTorch: the model, data and optimizer."""

import protocol

CLASSES = 10


class Problem:
    def __init__(self, torch, options):
        torch.set_num_threads(options.threads)
        nn, tasks = torch.nn, options.tasks
        rows, self.batch, side, channels = (2048, 256, 36, 1) if options.net == "w4" else (1024, 128, 32, 3)
        format = torch.channels_last if options.channels_last else torch.contiguous_format
        # Made as polytask has them, channels last.
        images = torch.from_numpy(protocol.normal(0, (rows, side, side, channels)))
        images = images.permute(0, 3, 1, 2).contiguous(memory_format=format)
        targets = torch.from_numpy(protocol.classes(rows, tasks, CLASSES))
        if options.net == "w4":
            self.trunk = lenet(nn)
            self.heads = nn.ModuleList(
                nn.Sequential(nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, CLASSES)) for _ in range(tasks)
            )
        else:
            self.trunk = resnet8(nn, 16, options.norm)
            self.heads = nn.ModuleList(nn.Sequential(nn.Linear(64, CLASSES)) for _ in range(tasks))
        start(torch, self.trunk, self.heads)
        self.trunk.to(memory_format=format)
        parameters = [*self.trunk.parameters(), *self.heads.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=options.fused)
        self.loss = nn.functional.cross_entropy
        size = self.batch
        self.batches = [
            (images[i : i + size].contiguous(memory_format=format), [t.contiguous() for t in targets[i : i + size].T])
            for i in range(0, rows, size)
        ]
        self.next = 0

    def forward(self):
        """The trunk's output and the tasks' losses on the next batch, taken in order."""
        inputs, targets = self.batches[self.next]
        self.next = (self.next + 1) % len(self.batches)
        features = self.trunk(inputs)
        return features, [self.loss(head(features), t) for head, t in zip(self.heads, targets)]


def lenet(nn):
    # As Sener and Koltun have it: pooling before the ReLU gives the same and is less work.
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(720, 50), nn.ReLU()),
    )


def resnet8(nn, width, norm):
    def conv(before, channels, size, stride):
        after = nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(8, channels)
        return nn.Sequential(nn.Conv2d(before, channels, size, stride, size // 2, bias=False), after)

    class Block(nn.Module):
        def __init__(self, before, channels, stride):
            super().__init__()
            self.first = conv(before, channels, 3, stride)
            self.second = conv(channels, channels, 3, 1)
            self.shortcut = nn.Identity() if stride == 1 else conv(before, channels, 1, stride)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            return self.relu(self.second(self.relu(self.first(x))) + self.shortcut(x))

    stem = nn.Sequential(conv(3, width, 3, 1), nn.ReLU(inplace=True))
    blocks = [Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2)]
    return nn.Sequential(stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def start(torch, trunk, heads):
    """The same starting weights as polytask's, whose images have their channels last."""
    layers = [m for part in (trunk, heads) for m in part.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    sizes = [(m.weight[0].numel(), m.weight.shape[0]) for m in layers]
    channels = 1
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, protocol.layers(sizes)):
            weight = torch.from_numpy(weight)
            if isinstance(layer, torch.nn.Conv2d):
                out, channels, height, width = layer.weight.shape
                layer.weight.copy_(weight.reshape(height, width, channels, out).permute(3, 2, 0, 1))
                channels = out
            elif layer.in_features == 720:
                weight = weight.reshape(6, 6, channels, layer.out_features).permute(3, 2, 0, 1)
                layer.weight.copy_(weight.reshape(layer.out_features, -1))
            else:
                layer.weight.copy_(weight.T)
            if layer.bias is not None:
                layer.bias.copy_(torch.from_numpy(bias))
