"""Random graphs of all operations give the same numbers in onnxruntime, and load again."""

from __future__ import annotations

import numpy as np

import palingrad as pg
from fuzzing import generate
from fuzzing.compare import _tolerances
from fuzzing.program import Role, evaluated
from fuzzing.run import eager, gradients
from onnx_running import REFUSED, results
from palingrad.errors import OnnxError

# The last ones found faults once: signs of zeros, wide integers, axes of Scan.
SEEDS = [*range(10), 1030, 1065, 1112, 1182, 2287]
ROUNDINGS = 16.0  # times what a rounding of each operation moves an element by
LAST = 64.0  # last places, for kernels of onnxruntime that round coarsely


# Of these the values are arbitrary where a vector isn't sorted.
ARBITRARY = {"Searchsorted", "Interval", "Interp"}
_LEFT_OUT = REFUSED | ARBITRARY | {"Erfcx", "Sinc"}
CHOICES = [one for one in generate.operations() if one.__name__ not in _LEFT_OUT]


def exported(program, like):
    """The model of a program's outputs, gradients and updates, and its feeds."""
    variables = {
        leaf: pg.Variable(leaf.array) for leaf in program.leaves if leaf.role is Role.VARIABLE
    }

    def f(*inputs):
        given = {**variables, **dict(zip(program.fed, inputs, strict=True))}
        made = evaluated(
            program,
            lambda one: given[one] if one in given else pg.tensor(one.array),
            lambda value, *xs: value.operation(*xs, **value.attributes),
        )
        found = [made[value] for value in program.outputs]
        found += gradients(program, made, like)
        return [*found, *(made[value] for _, value in program.updates)]

    arrays = tuple(leaf.array for leaf in program.fed)
    model = pg.onnx.export(f, arrays)
    names = [x.name for x in model.graph.input]
    return model, dict(zip(names, arrays, strict=False))


def off(found, expected, moved):
    """Which elements are further off than roundings explain."""
    if expected.dtype.kind != "f":
        return found != expected
    with np.errstate(all="ignore"):
        size = np.abs(expected.astype(np.float64))
        allowed = ROUNDINGS * moved + LAST * float(np.finfo(expected.dtype).eps) * (1 + size)
        apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return ~(same | (apart <= allowed) | (allowed == np.inf))


def fault(seed):
    """What differs, in words; None if nothing does, "refused" if ONNX can't express the graph."""
    program = generate.drawn(seed, most=8, formulas=0.2, half=False)
    reference = eager(program)
    try:
        model, feeds = exported(program, reference.arrays)
    except OnnxError:
        return "refused"
    found = list(results(model, feeds).values())[: len(reference.arrays)]
    moved = _tolerances(program, reference, seed, 8)
    loaded = pg.onnx.load(model)(*feeds.values())
    several = loaded if isinstance(loaded, tuple) else (loaded,)
    return compared(found, reference, moved) or compared(several, reference, moved)


def compared(found, reference, moved):
    """The first difference, in words."""
    for place, (one, expected) in enumerate(zip(found, reference.arrays, strict=True)):
        one = np.asarray(one)
        if one.dtype != expected.dtype or one.shape != expected.shape:
            return f"output {place}: {one.dtype} {one.shape}"
        if np.any(wrong := off(one, expected, moved[place])):
            where = tuple(np.argwhere(wrong)[0])
            return f"output {place}: {one[where]!r} instead of {expected[where]!r} at {where}"
    return None


def test_random_graphs_give_the_same_numbers(monkeypatch):
    monkeypatch.setattr(generate, "operations", lambda: CHOICES)
    found = {seed: fault(seed) for seed in SEEDS}
    refused = [seed for seed, text in found.items() if text == "refused"]
    assert {seed: text for seed, text in found.items() if text and text != "refused"} == {}
    assert len(refused) < len(SEEDS) / 4
