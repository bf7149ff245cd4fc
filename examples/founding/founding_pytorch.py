"""The founding example in PyTorch. Records curve_pytorch.json.

    pip install torch pandas safetensors
    python founding_pytorch.py
"""

import torch

import founding

inputs, targets = (torch.from_numpy(a) for a in founding.data())
start = founding.initial()
tasks = ("height", "weight")


def linear(name):
    weight = torch.from_numpy(start[f"{name}.weight"])
    layer = torch.nn.Linear(*weight.shape)
    with torch.no_grad():
        layer.weight.copy_(weight.T)  # PyTorch keeps [out, in]
        layer.bias.copy_(torch.from_numpy(start[f"{name}.bias"]))
    return layer


trunk = linear("trunk.0")
heads = [linear(f"heads.{task}.0") for task in tasks]
parameters = [p for layer in (trunk, *heads) for p in layer.parameters()]
# This Adam adds epsilon to the square root of the corrected v. TensorFlow's adds it before the correction, so its
# epsilon counts 1 / sqrt(1 - 0.999^t) times as much: 32 times at the first step.
optimizer = torch.optim.Adam(parameters, lr=founding.LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)


def total():
    hidden = trunk(inputs)
    output = torch.cat([head(hidden) for head in heads], dim=1)
    penalty = sum(p.square().sum() / 2 for p in parameters)
    return torch.nn.functional.mse_loss(output, targets) + founding.L2 * penalty


losses = []
for _ in range(founding.STEPS):
    optimizer.zero_grad()
    loss = total()
    losses.append(loss.item())
    loss.backward()
    optimizer.step()
losses.append(total().item())
founding.write_curve("pytorch", torch.__version__, losses)
