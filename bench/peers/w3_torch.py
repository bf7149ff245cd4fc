"""W3 in PyTorch: W2 with the eight gradients over the trunk kept apart, then summed, each step.

--mode libmtl: one torch.autograd.grad a task over the trunk and that task's head, as LibMTL does it.
--mode torchjd: torchjd's mtl_backward, all tasks at once under vmap.
"""

import protocol

options = protocol.arguments(modes=["libmtl", "torchjd"])
torch = protocol.need("torch")
from table_torch import Problem

problem = Problem(torch, options)
shared = list(problem.trunk.parameters())
own = [list(head.parameters()) for head in problem.heads]


def libmtl(_, losses):
    rows = []
    for task, loss in enumerate(losses):
        grads = torch.autograd.grad(loss, shared + own[task], retain_graph=task + 1 < len(losses))
        rows.append(torch.cat([g.flatten() for g in grads[: len(shared)]]))
        for p, g in zip(own[task], grads[len(shared) :]):
            p.grad = g
    total = torch.stack(rows).sum(dim=0)
    for p, g in zip(shared, total.split([p.numel() for p in shared])):
        p.grad = g.view_as(p)


if options.mode == "torchjd":
    autojac, aggregation = protocol.need("torchjd.autojac", "torchjd.aggregation")
    aggregator = aggregation.Sum()

    def backward(features, losses):
        autojac.mtl_backward(losses, features, tasks_params=own, shared_params=shared)
        autojac.jac_to_grad(shared, aggregator)
else:
    backward = libmtl


def step():
    problem.optimizer.zero_grad()
    features, losses = problem.forward()
    backward(features, losses)
    problem.optimizer.step()
    return sum(loss.detach() for loss in losses)


protocol.serve(step)
