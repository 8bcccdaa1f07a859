"""Rewrites that avoid a NaN, applied: the run is finite, and healthy elements stay as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.eager import composites
from palingrad.ops.safe import _DOMAIN, _SLOPE, safe_form
from palingrad.view.page.export import Export, Options
from palingrad.view.page.panes.banner import banner
from tolerances import near
from view.nonfinite.faults import FAULTS
from view.nonfinite.healthy import HEALTHY, HEALTHY_DATA

PAIRS = {"divide", "pow"}
INSIDE = {"acosh": [1.5, 3.0], "pow": [0.5, 2.0], "divide": [0.5, -2.0], "reciprocal": [0.5, -2.0]}
CANNOT = {  # what no bound on the operands avoids: float64, or other data
    "power_overflows", "product_overflows", "square_overflows", "sum_overflows",
    "matmul_overflows", "narrow_cast_overflows", "remainder_by_zero", "mean_of_nothing",
    "variance_of_one", "infinite_mask_on_all",
}  # fmt: skip


def graph_of(f: Any, data: Any) -> Any:
    return f(pg.Variable(np.asarray(data, np.float32), name="x"))


# Without IEEE's products 0·∞ in derivatives is no fault.
@pytest.mark.parametrize(
    "fault", [f for f in FAULTS if not f.ieee], ids=lambda fault: fault.f.__name__
)
def test_the_banner_has_the_sentence_the_element_and_a_run_without_the_fault(fault):
    y = graph_of(fault.f, fault.data)
    export = Export(y, Options())
    shown, repair = banner(export)
    assert shown is not None
    assert fault.reason in shown["text"]
    assert f"faults.py:{fault.line}" in shown["text"]
    node = export.order[shown["node"]]
    assert node.origin is not None
    assert node.origin.line == fault.line
    assert (repair is None) == (fault.f.__name__ in CANNOT)
    if repair is not None:
        assert shown["repair"] == repair.text
        (root,) = repair.roots
        assert np.isfinite(root.numpy()).all()
        leaves = [x for x in pg.postorder(root) if isinstance(x, pg.Variable)]
        assert all(np.isfinite(g.numpy()).all() for g in pg.gradients(root, leaves))


@pytest.mark.parametrize(
    "fault", [f for f in FAULTS if not f.ieee], ids=lambda fault: fault.f.__name__
)
def test_a_composite_computed_by_cached_steps_is_opened_as_its_first_call_is(fault):
    composites._seen.clear()
    composites._expansions.clear()
    shown = [banner(Export(graph_of(fault.f, fault.data), Options()))[0] for _ in range(3)]
    assert shown[0] is not None
    assert shown[1:] == shown[:1] * 2


def test_healthy_runs_have_no_banner():
    for f in HEALTHY:
        y = graph_of(f, HEALTHY_DATA)
        assert banner(Export(y, Options())) == (None, None), f.__name__


@pytest.mark.parametrize("name", sorted({*_DOMAIN, *_SLOPE}))
@pytest.mark.parametrize("slope", [False, True])
def test_a_safe_form_leaves_healthy_elements_as_they_were(name, slope):
    values = np.array(INSIDE.get(name, [0.25, 0.75]))
    x = pg.Variable(values)
    operands = [x, pg.tensor(np.array([2.0, 3.0]))] if name in PAIRS else [x]
    node = getattr(pg, name)(*operands)
    form = safe_form(node, slope=slope)
    assert form is not None or (name == "cbrt" and not slope)
    if form is not None:
        safe = form.build(*operands)
        # 1e-12 under a root moves it by less than a tenth of the tolerance of float32.
        assert safe.numpy() == near(node.numpy(), np.float32)
        got, expected = pg.gradients(pg.sum(safe), x), pg.gradients(pg.sum(node), x)
        assert got.numpy() == near(expected.numpy(), np.float32)


def test_negative_bases_keep_their_sign_under_odd_powers():
    x = pg.Variable(np.array([-2.0, 0.0]))
    form = safe_form(x**-3.0)
    assert form is not None
    assert form.build(x, pg.tensor(-3.0)).numpy().tolist() == [-0.125, 1.0]


def test_dead_units_are_named_and_a_leaky_rectifier_revives_them():
    x = pg.tensor(np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 1.0], [-1.0, 1.0]], np.float32))
    b = pg.Variable(np.array([0.0, -9.0], np.float32), name="b")
    h = pg.relu(x + b)
    y = pg.sum(h * h)
    export = Export(y, Options())
    shown, repair = banner(export)
    assert shown is not None
    assert shown["text"].startswith("1 of 2 units of h is 0 in all 4 examples")
    assert "unit 1." in shown["text"]
    assert export.order[shown["node"]] is h
    assert repair is not None
    before, after = pg.gradients(y, b).numpy(), pg.gradients(repair.roots[0], b).numpy()
    assert before[1] == 0
    assert after[1] != 0
