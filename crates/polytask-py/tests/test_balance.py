"""Balancing methods on arrays: TorchJD's own values, and what the methods refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import ROOT

from polytask import ConfigError, DataError, balance

GOLDENS = json.loads((ROOT / "crates/polytask-balance/tests/fixtures/torchjd_goldens.json").read_text())

COUNTERPARTS = {
    "AlignedMTL": balance.AlignedMTL,
    "CAGrad": lambda: balance.CAGrad(c=0.5),
    "ConFIG": balance.ConFIG,
    "Constant": lambda: balance.Fixed(tasks=["t0", "t1"], weights={"t0": 1, "t1": 2}),
    "DualProj": balance.DualProj,
    "IMTLG": balance.IMTLG,
    "Krum": lambda: balance.Krum(byzantine=1, selected=4),
    "MGDA": balance.MGDA,
    "Mean": lambda: balance.Fixed(tasks=["t0", "t1"], weights={"t0": 0.5, "t1": 0.5}),
    "NashMTL": balance.NashMTL,
    "PCGrad": balance.PCGrad,
    "Sum": balance.Equal,
    "TrimmedMean": lambda: balance.TrimmedMean(trim=1),
    "UPGrad": balance.UPGrad,
}


@pytest.mark.parametrize("case", GOLDENS["aggregators"], ids=lambda case: case["aggregator"])
def test_directions_are_those_of_torchjd(case):
    made = COUNTERPARTS[case["aggregator"]]()
    # Theirs are rounded to four places and computed in single precision: their own tolerance.
    np.testing.assert_allclose(made(np.array(case["J"], dtype=float)), case["expected"], atol=1e-4)


@pytest.mark.parametrize("case", GOLDENS["weightings_on_gramian_JJt"], ids=lambda case: case["weighting"])
def test_weights_are_those_of_torchjd(case):
    jacobian = np.array(case["J"], dtype=float)
    weights = COUNTERPARTS[case["weighting"]]().weigh(gramian=jacobian @ jacobian.T)
    np.testing.assert_allclose(weights, case["expected_weights"], atol=1e-4)


def test_every_method_has_a_class_and_answers():
    named = {kind.method: kind for kind in balance.Balancer.__subclasses__()}
    jacobian = np.random.default_rng(0).normal(size=(5, 12))
    losses = np.array([0.7, 1.1, 0.4, 2.0, 0.9])
    keys = {"fixed": {"weights": {f"task{i}": i + 1 for i in range(5)}}, "krum": {"byzantine": 1}}
    for info in balance.methods():
        if info["family"] == "bilevel":
            assert info["name"] not in named
            with pytest.raises(DataError, match="a model to try out steps on"):
                balance.Balancer(info["name"])(jacobian, losses)
            continue
        made = named[info["name"]](**keys.get(info["name"], {}))
        for _ in range(3):
            direction = made(jacobian, losses)
            assert direction.shape == (12,) and np.all(np.isfinite(direction)), info["name"]
            made.end_epoch()
        assert info["title"] in named[info["name"]].__doc__


def test_precision_and_memory_are_the_callers():
    jacobian = np.random.default_rng(0).normal(size=(3, 8))
    wanted = balance.UPGrad()(jacobian)
    assert balance.UPGrad()(jacobian.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(balance.UPGrad()(np.asfortranarray(jacobian)), wanted)
    np.testing.assert_array_equal(balance.UPGrad()(list(jacobian)), wanted)
    np.testing.assert_array_equal(balance.UPGrad()(jacobian.astype(">f8")), wanted)


def test_tensors_of_torch():
    torch = pytest.importorskip("torch")
    jacobian = torch.tensor([[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]], requires_grad=True)
    direction = balance.UPGrad()(jacobian)
    assert direction.dtype == torch.float32
    assert torch.allclose(direction, torch.tensor([0.2929, 1.9004, 1.9004]), atol=1e-4)
    rows = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0])]
    assert torch.equal(balance.Equal()(rows), torch.tensor([4.0, 1.0]))


def test_a_memory_goes_into_a_state_and_back():
    losses = np.array([1.0, 2.0])
    one = balance.RLW(tasks=2, seed=4)
    one.weigh(losses)
    state = json.loads(json.dumps(one.state_dict()))
    wanted = one.weigh(losses)
    other = balance.RLW(tasks=2, seed=4)
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.weigh(losses), wanted)
    one.reset()
    np.testing.assert_array_equal(one.weigh(losses), balance.RLW(tasks=2, seed=4).weigh(losses))


def test_what_is_refused():
    with pytest.raises(ConfigError, match="unknown balancing method `upgrat`") as caught:
        balance.Balancer("upgrat")
    assert "upgrad" in str(caught.value)
    with pytest.raises(ConfigError, match="no key `d`"):
        balance.CAGrad(tasks=2, d=1)
    with pytest.raises(ConfigError, match="out of range"):
        balance.CAGrad(tasks=2, c=-1.0)
    with pytest.raises(DataError, match="shape"):
        balance.UPGrad()(np.zeros(3))
    with pytest.raises(DataError, match="`stch` needs losses"):
        balance.STCH()(np.ones((2, 2)))
    with pytest.raises(DataError):
        balance.UPGrad()(np.array([[1.0, np.nan], [0.0, 1.0]]))
    made = balance.UPGrad()
    made(np.ones((2, 3)))
    with pytest.raises(DataError):
        made(np.ones((3, 3)))
