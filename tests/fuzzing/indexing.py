"""Random indices against NumPy: `python -m fuzzing.indexing --count 10000`, run in `tests/`.

Each case reads x[index] and writes x.at[index].set(…), add, multiply, min or max, eagerly, with
gradients by another route; one in ten also on both engines, with its arrays fed. What differs from
NumPy is printed; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import palingrad as pg

DTYPES = (np.float64, np.float32, np.int64, np.uint8, np.bool_)
UFUNCS: dict[str, Any] = {
    "add": np.add, "multiply": np.multiply, "min": np.minimum, "max": np.maximum,
}  # fmt: skip
ENGINES = ("numpy", "native")


class Case(NamedTuple):
    """An array and an index; values are written at it, as `how` says."""

    x: np.ndarray[Any, Any]
    index: Any  # NumPy's
    nodes: tuple[bool, ...]  # which of its arrays are nodes for palingrad
    values: np.ndarray[Any, Any]
    how: str

    def __repr__(self) -> str:
        return (
            f"x = {self.x.dtype} {self.x.shape}, index = {self.index!r}, nodes = {self.nodes}, "
            f"how = {self.how}, values = {self.values.dtype} {self.values.shape}"
        )


# ---------------------------------------------------------------- drawing


def drawn(seed: int) -> Case:
    """The case of a seed: any kind of part; about one in six is an index that NumPy refuses."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(size) for size in rng.choice([0, 1, 2, 3, 4], rng.integers(0, 5),
                                                   p=[0.06, 0.2, 0.24, 0.25, 0.25]))  # fmt: skip
    dtype = DTYPES[rng.choice(len(DTYPES), p=[0.6, 0.1, 0.1, 0.1, 0.1])]
    x = (rng.permutation(int(np.prod(shape))) * 3 % 127 + 1).reshape(shape).astype(dtype)
    common = tuple(int(size) for size in rng.integers(1, 4, rng.integers(0, 3)))
    if rng.random() < 0.05 and common:
        common = (*common[:-1], 0)
    parts: list[Any] = []
    axis = 0
    used_dots = False
    while axis < len(shape) and rng.random() < 0.85:
        part, axes = _part(rng, shape[axis:], common)
        parts.append(part)
        axis += axes
        if rng.random() < 0.12:
            parts.append(None)
        if not used_dots and rng.random() < 0.12:
            parts.append(Ellipsis)
            used_dots = True
            axis += int(rng.integers(0, len(shape) - axis + 1))
    if rng.random() < 0.04:
        parts.insert(int(rng.integers(0, len(parts) + 1)), bool(rng.random() < 0.7))
    if rng.random() < 0.04:
        parts.append(0)
    index = tuple(parts) if len(parts) != 1 or rng.random() < 0.5 else parts[0]
    nodes = tuple(bool(rng.random() < 0.4) for _ in parts)
    try:
        part_shape = x[index].shape
    except Exception:
        part_shape = ()
    values = rng.integers(0, 5, _shrunk(rng, part_shape))
    own = dtype if rng.random() < 0.8 or dtype == np.bool_ else np.int64
    own = own if np.can_cast(own, dtype, "same_kind") else dtype
    how = str(rng.choice(["set", *UFUNCS]))
    return Case(x, index, nodes, values.astype(own), how)


def _part(rng: Any, shape: Sequence[int], common: tuple[int, ...]) -> tuple[Any, int]:
    """A part of an index, and how many axes it names."""
    size = shape[0]
    kind = rng.choice(["int", "slice", "array", "list", "mask", "scalar", "wrong"],
                      p=[0.13, 0.27, 0.27, 0.1, 0.13, 0.05, 0.05])  # fmt: skip
    if kind == "slice":
        start, stop = (None if rng.random() < 0.4 else int(rng.integers(-6, 7)) for _ in range(2))
        step = int(rng.choice([-3, -2, -1, 1, 2, 3])) if rng.random() < 0.4 else None
        return slice(start, stop, step), 1
    if kind == "mask":
        axes = int(rng.integers(1, len(shape) + 1))
        mask = rng.random(shape[:axes]) < 0.5
        if rng.random() < 0.05:
            mask = np.concatenate([mask, mask])
        return (mask.tolist() if mask.ndim == 1 and rng.random() < 0.3 else mask), axes
    if kind == "wrong":
        return [1.5, np.array([0.5]), np.array([[size]]), size, -size - 1, "a"][
            rng.integers(0, 6)
        ], 1
    if kind == "int" or not size:
        return int(rng.integers(-size, size)) if size else slice(None), 1
    if kind == "scalar":
        return np.array(rng.integers(-size, size)), 1
    shown = tuple(1 if rng.random() < 0.2 else one for one in common[rng.integers(0, 2) :])
    array = rng.integers(-size, size, shown)
    if kind == "list":
        return rng.integers(-size, size, common[-1] if common else 2).tolist(), 1
    return array.astype(rng.choice(["i8", "i4", "u1", "i2"]) if array.min(initial=0) >= 0
                        else "i8"), 1  # fmt: skip


def _shrunk(rng: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to `shape`, perhaps with one more axis of size 1."""
    shown = tuple(1 if rng.random() < 0.25 else size for size in shape)
    shown = shown[rng.integers(0, len(shown) + 1) :] if rng.random() < 0.4 else shown
    return (1, *shown) if rng.random() < 0.05 else shown


# ---------------------------------------------------------------- comparing


def fault(case: Case, engines: Sequence[str] = ()) -> str | None:
    """What differs from NumPy, in words; None if nothing does."""
    try:
        _compare(case, engines)
    except AssertionError as error:
        return f"{case!r}\n    {error}"
    except Exception as error:
        return f"{case!r}\n    {type(error).__name__}: {error}"
    return None


def _compare(case: Case, engines: Sequence[str]) -> None:
    x, index = pg.tensor(case.x), own_index(case)
    try:
        expected = np.asarray(case.x[case.index])
    except IndexError:
        _refused(lambda: x[index])
        _refused(lambda: _written(x, index, case))
        return
    found = x[index]
    _same(found, expected, "x[index]")
    written = numpys(case)
    _same(_written(x, index, case), written, f"x.at[index].{case.how}")
    if x.dtype == np.float64:
        _compare_gradients(case, index, expected)
    for engine in engines:
        _compare_compiled(case, engine, expected, written)


def own_index(case: Case) -> Any:
    """The index with some of its arrays as nodes."""
    parts = case.index if isinstance(case.index, tuple) else (case.index,)
    own = tuple(
        pg.tensor(part) if node and isinstance(part, np.ndarray) else part
        for part, node in zip(parts, (*case.nodes, *(False,) * len(parts)))
    )
    return own if isinstance(case.index, tuple) else own[0]


def _written(x: Any, index: Any, case: Case) -> Any:
    return getattr(x.at[index], case.how)(case.values)


def numpys(case: Case) -> Any:
    """What NumPy writes. It combines in the order in which arrays lie in memory, so that of `set`
    is found by positions."""
    result = case.x.copy()
    if case.how == "set":
        flat = positions(case).ravel()
        whole = np.broadcast_to(_stripped(case), positions(case).shape).ravel()
        for place, value in zip(flat, whole):
            result.flat[place] = value
    else:
        UFUNCS[case.how].at(result, case.index, _stripped(case).astype(case.x.dtype))
    return result


def positions(case: Case) -> Any:
    """The positions in x, in row-major order, of the elements of x[index]."""
    return np.asarray(np.arange(case.x.size).reshape(case.x.shape)[case.index])


def _stripped(case: Case) -> Any:
    """The values without leading axes of size 1, which `ufunc.at` doesn't accept."""
    extra = max(case.values.ndim - positions(case).ndim, 0)
    return case.values.reshape(case.values.shape[extra:])


def _same(found: Any, expected: Any, what: str) -> None:
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, NumPy {expected.shape}"
    assert found.dtype == expected.dtype, f"{what}: dtype {found.dtype}, NumPy {expected.dtype}"
    assert np.allclose(found.numpy(), expected), f"{what}: {found.numpy()}, NumPy {expected}"


def _refused(make: Callable[[], Any]) -> None:
    try:
        found = make()
    except (IndexError, ValueError, TypeError):
        return
    raise AssertionError(f"NumPy raises IndexError, here is {found!r}")


def _compare_gradients(case: Case, index: Any, expected: Any) -> None:
    weights = np.cos(np.arange(expected.size)).reshape(expected.shape)
    slope = pg.grad(lambda x: pg.sum(x[index] * weights))(case.x)
    wanted = np.zeros(case.x.shape)
    np.add.at(wanted, case.index, weights)
    assert np.allclose(slope, wanted), f"gradient {slope}, by np.add.at {wanted}"
    if case.how not in ("set", "add"):
        return
    g = np.cos(np.arange(case.x.size)).reshape(case.x.shape)
    values = case.values.astype(np.float64)
    slopes = pg.grad(
        lambda x, v: pg.sum(getattr(x.at[index], case.how)(v) * g), argnums=(0, 1)
    )(case.x, values)  # fmt: skip
    own, own_values = g.copy(), g.flat[positions(case)] if g.size else np.zeros(expected.shape)
    if case.how == "set":
        flat = positions(case).ravel()
        own.flat[flat] = 0
        last = {place: number for number, place in enumerate(flat)}
        wins = [last[place] == number for number, place in enumerate(flat)]
        own_values = np.where(np.reshape(wins, expected.shape), own_values, 0)
    assert np.allclose(slopes[0], own), f"{case.how}: gradient of x {slopes[0]}, not {own}"
    summed = _summed_to(np.asarray(own_values), case.values.shape)
    assert np.allclose(slopes[1], summed), f"{case.how}: of values {slopes[1]}, not {summed}"


def _summed_to(g: Any, shape: tuple[int, ...]) -> Any:
    extra = max(len(shape) - g.ndim, 0)
    inner = shape[extra:]
    g = g.sum(axis=tuple(range(g.ndim - len(inner))))
    ones = tuple(axis for axis, size in enumerate(inner) if size == 1 != g.shape[axis])
    return g.sum(axis=ones, keepdims=True).reshape(shape)


def _compare_compiled(case: Case, engine: str, expected: Any, written: Any) -> None:
    """The same in a function, whose arguments are x, the values and the arrays of integers."""
    parts = case.index if isinstance(case.index, tuple) else (case.index,)
    fed = [part for part in parts if isinstance(part, np.ndarray) and part.dtype.kind in "iu"]

    def f(x: Any, values: Any, *arrays: Any) -> Any:
        rest = iter(arrays)
        index: Any = tuple(
            next(rest) if any(part is one for one in fed) else part for part in parts
        )
        index = index if isinstance(case.index, tuple) else index[0]
        return x[index], getattr(x.at[index], case.how)(values)

    found = pg.function(f, engine=engine)(case.x, case.values, *fed)
    for one, wanted, what in zip(found, (expected, written), ("x[index]", case.how)):
        assert one.shape == wanted.shape, f"{engine}, {what}: {one.shape}, NumPy {wanted.shape}"
        assert one.dtype == wanted.dtype, f"{engine}, {what}: {one.dtype}, NumPy {wanted.dtype}"
        assert np.allclose(one, wanted), f"{engine}, {what}: {one}, NumPy {wanted}"


# ---------------------------------------------------------------- the command


def faults(count: int, first: int = 0, every: int = 10) -> list[str]:
    """What is wrong in `count` cases; one in `every` runs on the engines too."""
    found: list[str] = []
    for seed in range(first, first + count):
        text = fault(drawn(seed), ENGINES if seed % every == 0 else ())
        if text is not None:
            found.append(f"seed {seed}: {text}")
    return found


def main() -> int:
    """Run what the command line asks for; 1 if something differs."""
    parser = argparse.ArgumentParser(prog="python -m fuzzing.indexing", description=__doc__)
    parser.add_argument("--count", type=int, default=10000, help="cases")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--every", type=int, default=10, help="one in so many on both engines")
    options = parser.parse_args()
    found = faults(options.count, options.seed, options.every)
    print("\n".join([*found, f"{options.count} indices, {len(found)} differ from NumPy"]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
