"""W3 in PyTorch: W2 with the tasks' gradients over the trunk kept apart, then combined, each step.

--net w4 and --net resnet8: the same with the networks of images.
--mode libmtl: one torch.autograd.grad a task over the trunk and that task's head, and the weights as LibMTL finds them.
--mode torchjd: torchjd's mtl_backward, all tasks at once under vmap, and its aggregator.
"""

import protocol

torch = protocol.need("torch")
from networks import problem
from table_torch import TASKS

METHODS = ["sum", "upgrad", "mgda", "cagrad"]
options = protocol.arguments(tasks=TASKS, modes=["libmtl", "torchjd"], methods=METHODS)
problem = problem(torch, options)
shared = list(problem.trunk.parameters())
own = [list(head.parameters()) for head in problem.heads]


def libmtl(_, losses):
    rows = []
    for task, loss in enumerate(losses):
        grads = torch.autograd.grad(loss, shared + own[task], retain_graph=task + 1 < len(losses))
        rows.append(torch.cat([g.flatten() for g in grads[: len(shared)]]))
        for p, g in zip(own[task], grads[len(shared) :]):
            p.grad = g
    total = combine(torch.stack(rows))
    for p, g in zip(shared, total.split([p.numel() for p in shared])):
        p.grad = g.view_as(p)


if options.mode == "torchjd":
    autojac, aggregation = protocol.need("torchjd.autojac", "torchjd.aggregation")
    aggregators = {
        "sum": aggregation.Sum,
        "upgrad": aggregation.UPGrad,
        "mgda": aggregation.MGDA,
        "cagrad": lambda: aggregation.CAGrad(c=0.5),
    }
    aggregator = protocol.have(aggregators[options.method])

    def backward(features, losses):
        autojac.mtl_backward(losses, features, tasks_params=own, shared_params=shared)
        autojac.jac_to_grad(shared, aggregator)
else:
    import libmtl_weights

    combine = protocol.have(getattr(libmtl_weights, options.method))
    backward = libmtl


def step():
    problem.optimizer.zero_grad()
    features, losses = problem.forward()
    backward(features, losses)
    problem.optimizer.step()
    return sum(loss.detach() for loss in losses)


protocol.serve(step)
