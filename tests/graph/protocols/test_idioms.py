"""What NumPy, pandas, SciPy and PyTorch users type: right, or an error that says what to write.

Each row is an expression, and its value or the error with a part of its message.
"""

import array
import copy
import csv
import decimal
import fractions
import io
import math
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, GradientError, UnknownNameError

A = np.array
CUT = (GradientError, "stop_gradient")  # a gradient would be cut


# What the rows below use.
NAMES: dict[str, Any] = {
    "A": A, "array": array, "copy": copy, "decimal": decimal, "fractions": fractions,
    "math": math, "np": np, "pd": pd, "pg": pg, "sparse": sparse,
}  # fmt: skip


def _stored(v: Any) -> Any:
    c: Any = np.zeros(2)
    c[0] = v[0] * v[0]
    return pg.sum(pg.tensor(c))


def _copied_into(v: Any) -> Any:
    c: Any = np.zeros(2)
    c[:] = v
    return pg.sum(pg.tensor(c) * v)


def _added_to_array(v: Any) -> Any:
    c: Any = np.zeros(2)
    c += v
    return pg.sum(c * v)


def _listed(v: Any) -> Any:
    c: Any = [0.0, 0.0]
    c[0] = v[0]
    return pg.sum(pg.tensor(c) * v)


NAMES.update({f.__name__: f for f in (_stored, _copied_into, _added_to_array, _listed)})

# Functions that are differentiated at (3, 4), and the gradient or the error.
DIFFERENTIATED: dict[str, Any] = {
    "pg.sum(t * float(t[0]))": CUT,
    "pg.sum(t * int(t[0]))": CUT,
    "pg.sum(t * complex(t[0]).real)": CUT,
    "pg.sum(t * t[0].item())": CUT,
    "pg.sum(t * pg.tensor(t.tolist()))": CUT,
    "pg.sum(t) * t.numpy().sum()": CUT,
    "pg.sum(t) * t.value.sum()": CUT,
    "pg.sum(t * np.asarray(t))": CUT,
    "pg.sum(t * np.array(t, dtype=object))": CUT,
    "pg.sum(np.array([t[0], t[1]]) * t)": CUT,
    "pg.sum(np.fromiter(t, float) * t)": CUT,
    "pg.sum(t * np.from_dlpack(t))": CUT,
    "pg.sum(t * copy.deepcopy(t))": CUT,
    "t[0] * math.sin(t[0])": (GradientError, "pg.sin instead of math.sin"),
    "t[0] * math.floor(t[0])": CUT,
    "_stored(t)": CUT,
    "_copied_into(t)": CUT,
    "_added_to_array(t)": (ArgumentError, "in place"),
    "_listed(t)": [6, 0],
    "pg.sum((sparse.csr_array(np.eye(2)) @ t) * t)": CUT,
    "pg.sum((sparse.csr_matrix(np.eye(2)) * t) * t)": CUT,
    "pg.sum(t @ sparse.csr_array(np.eye(2)))": (DTypeError, "toarray"),
    "pg.sum(pd.Series(t) * t)": CUT,
    "pg.sum(pd.Series([1.0, 2.0]) * t)": [1, 2],
    "pg.sum(t * pd.Series([1.0, 2.0]))": [1, 2],
    "pg.sum(pd.Series([1.0, 2.0]) / t)": [-1 / 9, -2 / 16],
    "pg.sum(np.multiply(pd.Series([1.0, 2.0]), t))": [1, 2],
    "pg.sum(pd.Index([1.0, 2.0]) * t)": [1, 2],
    "pg.sum(pd.DataFrame([[1.0, 2.0], [3.0, 4.0]]) * t)": [4, 6],
    "pg.sum(t * pd.DataFrame([[1.0, 2.0]]))": [1, 2],
    "pg.sum(pd.DataFrame([[1.0, 2.0]]) @ t * t)": CUT,
    "pg.sum(pd.Series([1.0, 2.0]).to_numpy() * t)": [1, 2],
    "pg.sum(pg.tensor([t[0], t[1]]) * t)": [6, 8],
    "pg.sum(t * np.where(t > 0, t, 0))": [6, 8],
    "np.dot(t, t) + t[0]": [7, 8],
    "pg.sum(np.dot(A([[1.0, 2.0], [3.0, 4.0]]), t) * t)": [26, 47],
    "np.sum(np.sin(t) ** 2)": np.sin(A([6.0, 8.0])),
    "pg.sum(np.float64(2) * t)": [2, 2],
    "pg.sum(pg.stop_gradient(t).numpy() * t)": [3, 4],
    "t[0] * float(pg.stop_gradient(t[0]))": [3, 0],
}


@pytest.mark.parametrize("text", DIFFERENTIATED)
def test_no_gradient_is_cut_without_an_error(text):
    expected = DIFFERENTIATED[text]
    at = np.array([3.0, 4.0])
    f = eval(f"lambda t: {text}", NAMES)
    transforms = [
        pg.grad(f),
        pg.grad(lambda t: pg.grad(f)(t)[0] * 0 + f(t)),
        lambda x: pg.vjp(f, x)[1](1.0)[0],
        lambda x: A([pg.jvp(f, (x,), (e,))[1] for e in np.eye(2)]),
    ]
    for transform in transforms:
        if isinstance(expected, tuple):
            with pytest.raises(expected[0], match=expected[1]):
                transform(at)
        else:
            np.testing.assert_allclose(transform(at), expected, rtol=1e-12)


x: Any = pg.tensor(np.arange(6.0).reshape(2, 3))
v: Any = pg.Variable(A([3.0, 1.0, 2.0]), name="v")
s: Any = pg.tensor(2.0)
NAMES.update(x=x, v=v, s=s)

# Expressions outside of transforms, and a part of their `repr`, or an error.
EAGER: dict[str, Any] = {
    "(s * pd.Series([1.0, 2.0])).dtype": "float64",
    "(pd.Series([1.0, 2.0]) * s).dtype": "float64",
    "(pd.Series([1.0, 2.0]) * s).tolist()": "[2.0, 4.0]",
    "(pd.Series([1.0, 3.0]) > s).tolist()": "[False, True]",
    "pg.tensor(pd.Series([.1])).dtype": "float64",
    "pg.tensor(pd.DataFrame({'a': [16777217.0, 0.1]})).tolist()": "[[16777217.0], [0.1]]",
    "pg.tensor(array.array('d', [0.1])).dtype": "float64",
    "pg.tensor(memoryview(array.array('d', [0.1]))).dtype": "float64",
    "pg.tensor([np.float64(.1), .2]).dtype": "float64",
    "pg.tensor([.2, np.float64(.1)]).dtype": "float64",
    "pg.tensor([v, v]).dtype, v.dtype": "dtype('float64'), dtype('float64')",
    "pg.tensor(np.ma.array([1.0, 2.0], mask=[0, 1]))": (DTypeError, "1 of 2 elements"),
    "pg.sum(np.ma.array([1., 999., 3.], mask=[0, 1, 0]))": (DTypeError, "filled"),
    "pg.function(pg.sum)(np.ma.array([1., 999.], mask=[0, 1]))": (DTypeError, "filled"),
    "pg.grad(pg.sum)(np.ma.array([1., 999.], mask=[0, 1]))": (DTypeError, "filled"),
    "pg.function(pg.sum)(np.ma.array([1.0, 2.0]))": "3.",
    "pg.function(pg.sum)(pd.Series([1.0, 2.0]))": "3.",
    "pg.grad(lambda t: pg.sum(t * t))(pd.Series([1.0, 2.0])).tolist()": "[2.0, 4.0]",
    "pg.grad(lambda t: pg.sum(t * t))(A([1.0, 2.0]).view(np.recarray)).tolist()": "[2.0, 4.0]",
    "fractions.Fraction(1, 2) * s": (DTypeError, "Fraction"),
    "s * decimal.Decimal('0.5')": (DTypeError, "Decimal"),
    "x.__setitem__(x > 2, 0.0)": (ArgumentError, r"x.at\[i\].set\(value\)"),
    "v.__setitem__(0, 1.0)": (ArgumentError, r"v.assign\(v.at\[i\].set\(value\)\)"),
    "v.__isub__(0.1)": (ArgumentError, "v.assign_sub"),
    "v.__iadd__(0.1)": (ArgumentError, "v.assign_add"),
    "v.__imul__(0.1)": (ArgumentError, r"v.assign\(v \* …\)"),
    "v.add_(1)": (UnknownNameError, r"w.assign_add\(y\)"),
    "x.fill(0)": (UnknownNameError, r"x.at\["),
    "np.mean([s, s]).item()": "2.0",
    "np.full(3, s).tolist()": "[2.0, 2.0, 2.0]",
    "np.vstack([v, v]).shape": "(2, 3)",
    "np.argmax(v).item()": "0",
    "np.einsum('ij->i', x).tolist()": "[3.0, 12.0]",
    "pg.minimum(A([1.0]), pd.Series([0.5])).item()": "0.5",
    "x.device, x.to_device('cpu') is x": "('cpu', True)",
    "x.to_device('cuda')": (ArgumentError, "'cpu'"),
    "x.__array_namespace__() is pg": "True",
    "x.__array_namespace__(api_version='2024.12') is pg": "True",
    "x.__array_namespace__(api_version='1999.12')": (ArgumentError, "api_version='2024.12'"),
}  # fmt: skip


@pytest.mark.parametrize("text", EAGER)
def test_outside_of_transforms(text):
    expected = EAGER[text]
    if isinstance(expected, str):
        assert expected in repr(eval(text, NAMES))
    else:
        with pytest.raises(expected[0], match=expected[1]):
            eval(text, NAMES)


def test_plus_equals_of_a_node_is_a_new_node_and_of_an_array_an_error():
    y = z = pg.tensor([1.0, 2.0])
    y += 1
    assert (y.numpy().tolist(), z.numpy().tolist()) == ([2.0, 3.0], [1.0, 2.0])


def test_memory_maps_are_arrays_everywhere(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(3.0))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    f = pg.function(lambda x: pg.sum(x * x))
    assert (f(mapped), f(mapped), f(np.arange(3.0))) == (5.0, 5.0, 5.0)
    assert pg.grad(f)(mapped).tolist() == [0.0, 2.0, 4.0]
    assert pg.sum(pg.tensor([1.0]) * mapped).item() == 3.0


def test_text_sleeping_and_indices():
    writer = io.StringIO()
    csv.writer(writer).writerow([pg.tensor(2.0).item()])
    assert writer.getvalue() == "2.0\r\n"
    time.sleep(float(pg.tensor(0.0)))
    assert list(range(pg.tensor(3))) == [0, 1, 2]
    assert math.sin(pg.tensor(0.0)) == 0.0
    assert copy.copy(x) is x
