"""Every operation's samples, and their gradients, give the same numbers when exported."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from onnx_running import REFUSED, results
from palingrad.errors import OnnxError
from palingrad.proof import shipped
from palingrad.proof.case import Case, eager, slopes_of, values
from palingrad.proof.tolerances import assert_close

VALUES_ONLY = {"Det", "Erfcx", "InverseMills", "Sinc"}  # their gradients take what ONNX lacks
# Samples that ask for what ONNX lacks, of operations that can be written otherwise.
NOT_WRITTEN = {
    ("MatrixNorm", 1), ("MatrixNorm", 2), ("MatrixPower", 1), ("MultivariateNormalLog", 0),
    ("MultivariateNormalLog", 3), ("ScatterND", 4),
}  # fmt: skip
TOGETHER = 10  # operations that a test exports
_SHIPPED = sorted(shipped(), key=lambda one: one.__name__)
OPERATIONS = [one for one in _SHIPPED if one.samples and one.__name__ not in REFUSED]
GROUPS = [OPERATIONS[n : n + TOGETHER] for n in range(0, len(OPERATIONS), TOGETHER)]


def exported(case, dtype):
    """The model of a sample's outputs and gradients, its inputs, and what they should be; None if
    there are complex numbers among them."""
    arrays = case.arrays(dtype)
    if case.operation.__name__ in VALUES_ONLY:
        ys, slopes = case.outputs(*map(pg.tensor, arrays)), []
    else:
        xs, ys, slopes = eager(case, arrays)
    if any(np.iscomplexobj(one) for one in [*arrays, *values(ys)]):
        return None

    def f(*given):
        made = case.outputs(*given)
        return [*made, *(slopes_of(given, made, [*xs, *ys]) if slopes else [])]

    model = pg.onnx.export(f, tuple(arrays))
    feeds = {x.name: None for x in model.graph.input}
    return model, dict(zip(feeds, arrays, strict=True)), values([*ys, *slopes])


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group[0].__name__}…")
def test_samples_and_gradients_give_the_same_numbers(group):
    faults = []
    for operation in group:
        for number, sample in enumerate(operation.samples):
            case = Case(operation, sample)
            if (operation.__name__, number) in NOT_WRITTEN:
                continue
            written = exported(case, ("f4", "f8")[number % 2])
            if written is None:
                continue
            model, feeds, expected = written
            found = list(results(model, feeds).values())
            assert len(found) == len(expected)
            for one, wanted in zip(found, expected, strict=True):
                try:
                    assert_close(one, wanted)
                except AssertionError as error:
                    faults.append((operation.__name__, sample.text, str(error)))
    assert faults == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_onnx_lacks_is_refused_by_name(name):
    operation = next(one for one in _SHIPPED if one.__name__ == name)
    for sample in operation.samples:
        case = Case(operation, sample)
        with pytest.raises(OnnxError, match=r"ONNX can't express \w+ \(.*\): "):
            pg.onnx.export(lambda *xs, case=case: case.outputs(*xs), tuple(case.arrays("f4")))


@pytest.mark.parametrize("name", ["remainder", "copysign", "floor_divide", "atan2"])
def test_signs_of_zeros(name):
    x = np.array([3.0, -3.0, 6.0, -0.0, 0.0, 0.0, -0.0], np.float32)
    y = np.array([-3.0, 3.0, 3.0, 2.0, -2.0, 2.0, -2.0], np.float32)
    f = getattr(pg, name)
    (found,) = results(pg.onnx.export(f, (x, y)), {"x": x, "y": y, "x1": x, "x2": y}).values()
    expected = f(x, y).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


def test_integers_at_their_bounds():
    x = np.array([-(2**31), -(2**31), 2**31 - 1, 2**31 - 1, 7, -7, 5], np.int32)
    y = np.array([2, 1, -7, 3, -2, 2, 0], np.int32)

    def f(x, y):
        return [pg.floor_divide(x, y), pg.remainder(x, y), pg.pow(x, pg.abs(y)), x * y]

    model = pg.onnx.export(f, (x, y))
    names = [one.name for one in model.graph.input]
    found = results(model, dict(zip(names, (x, y), strict=True))).values()
    for one, expected in zip(found, f(pg.tensor(x), pg.tensor(y)), strict=True):
        np.testing.assert_array_equal(one, expected.numpy())
