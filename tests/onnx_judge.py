"""ONNX's own node tests, each with the verdict on what palingrad makes of it."""

from __future__ import annotations

import importlib
import pkgutil
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

import palingrad as pg
from palingrad.errors import OnnxError


def collected(without=()):
    """All node tests of the onnx package, but those of some of its modules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import onnx.backend.test.case.node as cases

        for module in pkgutil.iter_modules(cases.__path__):
            if module.name not in without:
                importlib.import_module(f"{cases.__name__}.{module.name}")
    return list(cases._NodeTestCases)


def verdict(case):
    """What becomes of a case, in a word, and in words."""
    ((inputs, outputs),) = case.data_sets
    try:
        loaded = pg.onnx.load(case.model)
        found = loaded(*map(_array, inputs))
    except OnnxError as error:
        text = str(error)
        if "no operation for" in text:
            return "no operation", text
        if "type number" in text or "is a sequence, map or optional" in text:
            return "other types", text
        return "refused", text
    several = found if isinstance(found, tuple) else (found,)
    for y, expected in zip(several, map(_array, outputs), strict=True):
        y = np.asarray(y)
        if y.dtype != expected.dtype or y.shape != expected.shape:
            return "wrong", f"{y.dtype} {y.shape}, expected {expected.dtype} {expected.shape}"
        if not np.allclose(y, expected, rtol=case.rtol, atol=case.atol, equal_nan=True):
            return "wrong", f"differs by up to {np.abs(np.subtract(y, expected, dtype='f8')).max()}"
    return "passes", ""


def _array(x):
    return numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else x
