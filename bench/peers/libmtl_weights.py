"""How LibMTL makes one gradient out of a [tasks, parameters] matrix of gradients, by its published algorithms.

Each function gives one that does so, or raises ImportError where a package is missing.
"""

import torch


def sum():
    return lambda grads: grads.sum(dim=0)


def weighted(weights):
    return lambda grads: torch.einsum("i,ij->j", weights(grads), grads)


def upgrad():
    """LibMTL's UPGrad is torchjd's, with quadprog: torchjd's own weighting is called here."""
    from torchjd.aggregation import UPGradWeighting

    weighting = UPGradWeighting()
    return weighted(lambda grads: weighting(grads @ grads.T))


def cagrad(c=0.5):
    """CAGrad without rescaling: scipy's SLSQP over the simplex, from equal weights, on the Gramian in numpy."""
    import numpy as np
    from scipy.optimize import minimize

    def combine(grads):
        gramian = grads @ grads.T
        tasks = len(grads)
        radius = c * (gramian.mean() + 1e-8).sqrt().item() + 1e-8
        matrix, mean = gramian.numpy(), np.full(tasks, 1 / tasks)

        def objective(w):
            return w @ matrix @ mean + radius * np.sqrt(w @ matrix @ w + 1e-8)

        constraint = {"type": "eq", "fun": lambda w: 1 - w.sum()}
        found = minimize(objective, mean, bounds=[(0, 1)] * tasks, constraints=constraint)
        towards = torch.from_numpy(found.x.astype(np.float32)) @ grads
        return grads.mean(dim=0) + radius / (towards.norm() + 1e-8) * towards

    return combine


def mgda():
    """MGDA: the best pair of tasks first, then projected gradient steps with an exact line search, as Sener and Koltun's
    solver, which LibMTL has taken over: at most 250 steps, until the weights move by less than 1e-5."""

    def nearest(aa, ab, bb):
        """Share of a, and squared length, where the segment from a to b is nearest to the origin; ends are rounded in."""
        if ab >= aa:
            return 0.999, aa
        if ab >= bb:
            return 0.001, bb
        share = (bb - ab) / (aa + bb - 2 * ab)
        return share, bb + share * (ab - bb)

    def onto_simplex(w):
        descending = w.sort(descending=True).values
        excess = (descending.cumsum(0) - 1) / torch.arange(1, len(w) + 1)
        return (w - excess[(descending > excess).nonzero()[-1]]).clamp(min=0)

    def step(w, direction):
        """As far along the direction as the first weight to reach 0 or 1 allows, or once it, where none is in the way."""
        direction = direction - direction.mean()
        down = -w[direction < 0] / direction[direction < 0]
        up = (1 - w[direction > 0]) / direction[direction > 0]
        # A weight on its bound would allow nothing; the projection sees to it.
        length = down[down > 1e-7].min() if (down > 1e-7).any() else torch.ones(())
        if (up > 1e-7).any():
            length = torch.minimum(length, up[up > 1e-7].min())
        return onto_simplex(w + length * direction)

    def weights(grads):
        gramian = grads @ grads.T
        tasks = len(gramian)
        if tasks == 1:
            return torch.ones(1)
        best = None
        for i in range(tasks):
            for j in range(i + 1, tasks):
                share, square = nearest(gramian[i, i], gramian[i, j], gramian[j, j])
                if best is None or square < best[0]:
                    best = square, i, j, share
        _, i, j, share = best
        w = torch.zeros(tasks)
        w[i], w[j] = share, 1 - share
        if tasks == 2:
            return w
        for _ in range(250):
            other = step(w, -(gramian @ w))
            share, _ = nearest(w @ gramian @ w, w @ gramian @ other, other @ gramian @ other)
            moved = share * w + (1 - share) * other
            if (moved - w).abs().sum() < 1e-5:
                break
            w = moved
        return w

    return weighted(weights)
