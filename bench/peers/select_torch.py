"""Inter-task affinities on W2's network as TAG takes them (Fifty et al. 2021): T look-aheads, one after another.

A step is a look: the gradient of each task over the trunk, a step of gradient descent along it, all losses there, and back.
"""

import types

import protocol

torch = protocol.need("torch")
from table_torch import Problem

options = protocol.arguments()
RATE = 1e-3


def look():
    features, losses = problem.forward()
    inputs, targets = problem.batches[problem.next - 1]
    before = [p.detach().clone() for p in shared]
    after = []
    for task, loss in enumerate(losses):
        grads = torch.autograd.grad(loss, shared, retain_graph=task + 1 < len(losses))
        # The parameters' data, so that the graph of the other losses stays as it is.
        for p, b, g in zip(shared, before, grads):
            p.data = b - RATE * g
        with torch.no_grad():
            features = problem.trunk(inputs)
            after.append(torch.stack([problem.mse(h(features), t) for h, t in zip(problem.heads, targets)]))
        for p, b in zip(shared, before):
            p.data = b
    return torch.stack(after)


def turn_to(name, tasks):
    global problem, shared
    problem = Problem(torch, types.SimpleNamespace(threads=options.threads, tasks=tasks, fused=False))
    shared = list(problem.trunk.parameters())
    return look().tolist()


protocol.serve(lambda: look()[0, 0], turn_to)
