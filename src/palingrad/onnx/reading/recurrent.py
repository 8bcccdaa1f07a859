"""RNN, GRU and LSTM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.registry import ops
from .table import Call, reads

_DEFAULT = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_KNOWN: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda x: ops.tanh(x),
    "sigmoid": lambda x: ops.sigmoid(x),
    "relu": lambda x: ops.relu(x),
    "softsign": lambda x: ops.softsign(x),
    "softplus": lambda x: ops.softplus(x),
}


@reads("RNN", "GRU", "LSTM")
def recurrent(n: Call, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None,
              h: Any = None, c: Any = None, p: Any = None) -> Any:  # fmt: skip
    """A recurrent layer in one or both directions; `scan` along the time."""
    batch_first = bool(n.attr("layout", 0))
    if batch_first:
        x = ops.permute_dims(x, (1, 0, 2))
        h, c = (None if one is None else ops.permute_dims(one, (1, 0, 2)) for one in (h, c))
    if lengths is not None:
        known = n.known(lengths, "the lengths")
        if np.any(known != x.shape[0]):
            raise n.refuse("sequences of different lengths aren't read")
    if n.attr("clip") is not None or n.attr("input_forget", 0):
        raise n.refuse("clip and input_forget aren't read")
    directions, size = w.shape[0], r.shape[2]
    names = [str(one) for one in n.attr("activations") or _DEFAULT[n.op] * directions]
    each = len(names) // directions
    outputs, lasts, cells = [], [], []
    for place in range(directions):
        chosen = _functions(n, names[place * each : (place + 1) * each])
        back = n.attr("direction", "forward") == "reverse" or place == 1
        zeros = ops.zeros((x.shape[1], size), dtype=x.dtype)
        start = [zeros if one is None else one[place] for one in (h, c)]
        bias = ops.zeros((2 * _GATES[n.op] * size,), dtype=x.dtype) if b is None else b[place]
        parts = w[place], r[place], bias, None if p is None else p[place]
        step = _STEPS[n.op](n, chosen, size, *parts)
        carry = start if n.op == "LSTM" else start[:1]
        last, ys = ops.scan(step, carry, x, reverse=back)
        outputs.append(ys)
        lasts.append(last[0])
        cells.append(last[-1])
    y, ends = ops.stack(outputs, axis=1), [ops.stack(lasts, axis=0), ops.stack(cells, axis=0)]
    if batch_first:
        y = ops.permute_dims(y, (2, 0, 1, 3))
        ends = [ops.permute_dims(one, (1, 0, 2)) for one in ends]
    return (y, *ends[: 2 if n.op == "LSTM" else 1])


def _functions(n: Call, names: list[str]) -> list[Callable[[Any], Any]]:
    if any(name.lower() not in _KNOWN for name in names):
        raise n.refuse(f"activations {names} aren't all of {sorted(_KNOWN)}")
    return [_KNOWN[name.lower()] for name in names]


def _halves(bias: Any, gates: int, size: int) -> tuple[Any, Any]:
    return bias[: gates * size], bias[gates * size :]


def _rnn(n: Call, f: Any, size: int, w: Any, r: Any, bias: Any, p: Any) -> Any:
    wb, rb = _halves(bias, 1, size)

    def step(carry: Any, x: Any) -> Any:
        (h,) = carry
        h = f[0](x @ w.mT + h @ r.mT + wb + rb)
        return [h], h

    return step


def _gru(n: Call, f: Any, size: int, w: Any, r: Any, bias: Any, p: Any) -> Any:
    wb, rb = _halves(bias, 3, size)
    two = 2 * size

    def step(carry: Any, x: Any) -> Any:
        (h,) = carry
        gates = f[0](x @ w[:two].mT + h @ r[:two].mT + wb[:two] + rb[:two])
        z, reset = gates[:, :size], gates[:, size:]
        if n.attr("linear_before_reset", 0):
            inner = reset * (h @ r[two:].mT + rb[two:])
        else:
            inner = (reset * h) @ r[two:].mT + rb[two:]
        new = f[1](x @ w[two:].mT + inner + wb[two:])
        h = (1 - z) * new + z * h
        return [h], h

    return step


def _lstm(n: Call, f: Any, size: int, w: Any, r: Any, bias: Any, p: Any) -> Any:
    wb, rb = _halves(bias, 4, size)

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        gates = x @ w.mT + h @ r.mT + wb + rb
        i, o, forget, new = (gates[:, k * size : (k + 1) * size] for k in range(4))
        if p is not None:
            i, forget = i + p[:size] * c, forget + p[2 * size :] * c
        c = f[0](forget) * c + f[0](i) * f[1](new)
        o = o if p is None else o + p[size : 2 * size] * c
        h = f[0](o) * f[2](c)
        return [h, c], h

    return step


_STEPS = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}
