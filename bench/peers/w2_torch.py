"""W2 in PyTorch: batch 256, 64 -> 256 -> 256 ReLU trunk, 8 heads of 256 -> 64 ReLU -> 1, the sum of eight MSEs, Adam."""

import protocol

torch = protocol.need("torch")
from table_torch import TASKS, Problem

problem = Problem(torch, protocol.arguments(tasks=TASKS))


def step():
    problem.optimizer.zero_grad()
    _, losses = problem.forward()
    loss = sum(losses)
    loss.backward()
    problem.optimizer.step()
    return loss.detach()


protocol.serve(step)
