"""Balancing methods on their own: what comes of the gradients of several tasks, on NumPy arrays and torch tensors.

>>> import numpy as np
>>> from polytask import balance
>>> jacobian = np.array([[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]])
>>> upgrad = balance.UPGrad()
>>> upgrad(jacobian).round(4).tolist()
[0.2929, 1.9004, 1.9004]
>>> upgrad.weights.round(4).tolist()
[1.1109, 0.7894]

A row of the Jacobian is the gradient of one task over the parameters that the tasks share. What comes out is the direction to
hand to an optimiser, which descends along its negative.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from . import _polytask
from ._config import plain
from .errors import ConfigError, DataError


def methods() -> list[dict[str, Any]]:
    """Every method: `name`, `title`, `family`, `needs`, `cost`, `keys`, `paper`, `when`."""
    answer: list[dict[str, Any]] = json.loads(_polytask.methods())
    return answer


class Balancer:
    """A balancing method by its name in the config, such as ``Balancer("cagrad", c=0.4)``.

    Parameters
    ----------
    method : str
        Its name: see :func:`methods`.
    tasks : int or list of str, optional
        How many tasks there are, or their names, which some keys speak of. Default: as many as the first call has.
    classes : list of str or bool
        The tasks whose losses are of classes (``"uncertainty"`` asks); True for all.
    seed : int
        Of methods that draw random numbers.
    **keys
        The method's hyperparameters.

    Attributes
    ----------
    weights : ndarray of shape (tasks,)
        What the last call multiplied gradients of shared parameters with.
    head_weights : ndarray of shape (tasks,)
        What gradients of parameters of one task alone are to be multiplied with.

    Raises
    ------
    ConfigError
        A method or key that is not known, or a value out of range.
    """

    method: ClassVar[str] = ""
    weights: NDArray[np.float64]
    head_weights: NDArray[np.float64]

    def __init__(
        self,
        method: str | None = None,
        *,
        tasks: int | Sequence[str] | None = None,
        classes: Sequence[str] | bool = (),
        seed: int = 0,
        **keys: Any,
    ) -> None:
        self._method = method or type(self).method
        self._keys = json.dumps(plain(keys, self._method))
        self._classes, self._seed = classes, seed
        self._inner: _polytask.Balancer | None = None
        self._step = self._epoch = 0
        if tasks is not None:
            self._build([f"task{i}" for i in range(tasks)] if isinstance(tasks, int) else list(tasks))
        elif not any(info["name"] == self._method for info in methods()):
            _polytask.Balancer(self._method, self._keys, ["task0", "task1"], [False, False], seed)

    def _build(self, tasks: list[str]) -> _polytask.Balancer:
        classes = self._classes
        flags = [bool(classes)] * len(tasks) if isinstance(classes, bool) else [task in classes for task in tasks]
        self._inner = _polytask.Balancer(self._method, self._keys, tasks, flags, self._seed)
        return self._inner

    def _of(self, tasks: int) -> _polytask.Balancer:
        return self._inner or self._build([f"task{i}" for i in range(tasks)])

    def __repr__(self) -> str:
        return f"<polytask.balance.{type(self).__name__}: {self._method}>"

    def __call__(self, jacobian: Any, losses: Any = None) -> Any:
        """The direction of one step.

        Parameters
        ----------
        jacobian : array or tensor of shape (tasks, parameters)
            A row a task; or a list of such rows. A task that does not reach a parameter has 0 there.
        losses : array or tensor of shape (tasks,), optional
            The tasks' losses, which some methods need, and methods with a memory learn from.

        Returns
        -------
        direction : array or tensor of shape (parameters,)
            Of the kind, precision and device of `jacobian`.

        Raises
        ------
        DataError
            Shapes that do not go together, numbers that are not finite, something that the method needs and was not given.
        """
        like = jacobian[0] if isinstance(jacobian, (list, tuple)) and len(jacobian) else jacobian
        if isinstance(jacobian, (list, tuple)):
            rows = [_numpy(row).reshape(-1) for row in jacobian]
            if len({len(row) for row in rows}) > 1:
                raise DataError(f"the rows of the Jacobian have {sorted({len(row) for row in rows})} values")
            values = np.stack(rows) if rows else np.empty((0, 0))
        else:
            values = _numpy(jacobian)
        if values.ndim != 2 or 0 in values.shape:
            raise DataError(f"the Jacobian is an array of shape {values.shape}", "a row a task is needed")
        inner = self._of(len(values))
        shown = None if losses is None else _numpy(losses)
        self._check_needs(inner, shown, jacobian=True)
        direction, (self.weights, self.head_weights) = inner.direction(
            np.ascontiguousarray(values), shown, self._step, self._epoch
        )
        self._step += 1
        return _like(direction, like)

    def weigh(self, losses: Any = None, gramian: Any = None) -> NDArray[np.float64]:
        """The weights of one step alone, from losses, or from the inner products of the tasks' gradients.

        Parameters
        ----------
        losses : array of shape (tasks,), optional
        gramian : array of shape (tasks, tasks), optional
            ``jacobian @ jacobian.T``.
        """
        if losses is None and gramian is None and self._inner is None:
            raise DataError("neither losses nor a Gramian were given", "say tasks=... where the method needs neither")
        shown = None if losses is None else _numpy(losses)
        products = None if gramian is None else np.ascontiguousarray(_numpy(gramian))
        inner = self._of(len(shown) if shown is not None else len(products) if products is not None else 0)
        self._check_needs(inner, shown, gramian=products is not None)
        self.weights, self.head_weights = inner.weights(shown, products, self._step, self._epoch)
        self._step += 1
        return self.weights

    def _check_needs(self, inner: _polytask.Balancer, losses: Any, jacobian: bool = False, gramian: bool = False) -> None:
        what = {
            "model": "a model to try out steps on, which Experiment has; there is no asking it with numbers",
            "losses": None if losses is not None else "losses: give `losses`",
            "gramian": None if jacobian or gramian else "task gradients: give `jacobian` or `gramian`",
            "jacobian": None if jacobian else "the task gradients themselves: give `jacobian`",
        }.get(inner.needs())
        if what is not None:
            raise DataError(f"`{self._method}` needs {what}")

    def observe_after(self, losses: Any) -> None:
        """Shows the losses of the same batch after the optimiser's step (`famo` learns from them)."""
        if self._inner is None:
            raise ConfigError("there was no step yet")
        self._inner.observe_after(_numpy(losses), max(self._step - 1, 0), self._epoch)

    def observe_score(self, task: int, score: float) -> None:
        """Shows how well a task does on validation rows, between 0 and 1 (`dtp` looks)."""
        if self._inner is None:
            raise ConfigError("there was no step yet")
        self._inner.observe_score(task, score)

    def end_epoch(self) -> None:
        """Ends a pass over the data."""
        self._epoch += 1
        if self._inner is not None:
            self._inner.end_epoch()

    def reset(self) -> None:
        """Forgets everything."""
        self._step = self._epoch = 0
        if self._inner is not None:
            self._inner.reset()

    def state_dict(self) -> dict[str, Any]:
        """All of the state that changes from step to step."""
        state = None if self._inner is None else json.loads(self._inner.state())
        return {"step": self._step, "epoch": self._epoch, "state": state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what :meth:`state_dict` gave; a balancer that was not called yet must know its `tasks`."""
        if self._inner is None and state["state"] is not None:
            raise ConfigError("the tasks are not known yet", "say tasks=... when the balancer is made")
        self._step, self._epoch = state["step"], state["epoch"]
        if self._inner is not None:
            self._inner.restore(json.dumps(state["state"]))


def _numpy(values: Any) -> NDArray[np.float64]:
    """An array in double precision; without a copy where it is one."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def _like(direction: NDArray[np.float64], like: Any) -> Any:
    """A direction as the Jacobian was."""
    if hasattr(like, "detach"):
        import torch

        return torch.from_numpy(direction).to(dtype=like.dtype, device=like.device)
    if isinstance(like, np.ndarray) and like.dtype == np.float32:
        return direction.astype(np.float32)
    return direction


class Equal(Balancer):
    method = "equal"


class Fixed(Balancer):
    method = "fixed"


class ScaleInvariant(Balancer):
    method = "scale_invariant"


class Geometric(Balancer):
    method = "geometric"


class Uncertainty(Balancer):
    method = "uncertainty"


class IMTLL(Balancer):
    method = "imtl_l"


class DWA(Balancer):
    method = "dwa"


class RLW(Balancer):
    method = "rlw"


class STCH(Balancer):
    method = "stch"


class FAMO(Balancer):
    method = "famo"


class GradNorm(Balancer):
    method = "gradnorm"


class CoV(Balancer):
    method = "cov"


class DTP(Balancer):
    method = "dtp"


class LBTW(Balancer):
    method = "lbtw"


class ExcessRisk(Balancer):
    method = "excess"


class MGDA(Balancer):
    method = "mgda"


class UPGrad(Balancer):
    method = "upgrad"


class DualProj(Balancer):
    method = "dualproj"


class CAGrad(Balancer):
    method = "cagrad"


class PCGrad(Balancer):
    method = "pcgrad"


class GradVac(Balancer):
    method = "gradvac"


class GradDrop(Balancer):
    method = "graddrop"


class IMTLG(Balancer):
    method = "imtl_g"


class IMTL(Balancer):
    method = "imtl"


class NashMTL(Balancer):
    method = "nash"


class FairGrad(Balancer):
    method = "fairgrad"


class AlignedMTL(Balancer):
    method = "aligned"


class ConFIG(Balancer):
    method = "config"


class MoCo(Balancer):
    method = "moco"


class MoDo(Balancer):
    method = "modo"


class SDMGrad(Balancer):
    method = "sdmgrad"


class DBMTL(Balancer):
    method = "dbmtl"


class MetaBalance(Balancer):
    method = "metabalance"


class Krum(Balancer):
    method = "krum"


class TrimmedMean(Balancer):
    method = "trimmed_mean"


def _describe() -> None:
    """Gives every class the words of the registry."""
    known = {info["name"]: info for info in methods()}
    for kind in Balancer.__subclasses__():
        info = known[kind.method]
        keys = "\n".join(
            f"    {key['name']}\n        {key['purpose']} It is {key['range']}; default {key['default'] or 'none, it must be given'}."
            for key in info["keys"]
        )
        kind.__doc__ = f"{info['title']}: {info['when']}.\n\n{info['paper']}\n\nParameters\n----------\n{keys}\n"


_describe()

__all__ = [
    "Balancer",
    "Equal",
    "Fixed",
    "ScaleInvariant",
    "Geometric",
    "Uncertainty",
    "IMTLL",
    "DWA",
    "RLW",
    "STCH",
    "FAMO",
    "GradNorm",
    "CoV",
    "DTP",
    "LBTW",
    "ExcessRisk",
    "MGDA",
    "UPGrad",
    "DualProj",
    "CAGrad",
    "PCGrad",
    "GradVac",
    "GradDrop",
    "IMTLG",
    "IMTL",
    "NashMTL",
    "FairGrad",
    "AlignedMTL",
    "ConFIG",
    "MoCo",
    "MoDo",
    "SDMGrad",
    "DBMTL",
    "MetaBalance",
    "Krum",
    "TrimmedMean",
    "methods",
]
