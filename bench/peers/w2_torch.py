"""W2 in PyTorch: batch 256, 64 -> 256 -> 256 ReLU trunk, 8 heads of 256 -> 64 ReLU -> 1, the sum of eight MSEs, Adam.

--net w4 and --net resnet8: the networks of images, and the sum of two cross-entropies.
"""

import protocol

torch = protocol.need("torch")
from networks import problem
from table_torch import TASKS

problem = problem(torch, protocol.arguments(tasks=TASKS, methods=["sum"]))


def step():
    problem.optimizer.zero_grad()
    _, losses = problem.forward()
    loss = sum(losses)
    loss.backward()
    problem.optimizer.step()
    return loss.detach()


protocol.serve(step)
