"""JAX: all functions jitted, the state of a step donated, images channels-last."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from networks import BETA1, BETA2, EPSILON, RATE, Conv, Dense, Network, Pool
from transformer import Transformer, loss as transformer_loss
from transforms import TRANSFORMS

from contenders import Step, chain, problems_in_jax, transformer_in_jax
from contenders.transformer_in_jax import layer_norm

FORMULAS = {
    "matmul": jnp.matmul,
    "add": jnp.add,
    "softmax": jax.nn.softmax,
    "layer_norm": layer_norm,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "logsumexp": lambda x: jax.nn.logsumexp(x, axis=-1),
    "chain": lambda x: chain(jnp, x),
    "einsum": lambda x, y: jnp.einsum("ij,kj->ik", x, y),
    "attention": lambda x, y: jnp.einsum("bhid,bhjd->bhij", x, y),
    "gather": lambda x, i: x[i],
    "scatter": lambda x, i, y: x.at[i].add(y),
    "cumsum": lambda x: jnp.cumsum(x, -1),
    "cumsum, columns": lambda x: jnp.cumsum(x, 0),
    "sort": lambda x: jnp.sort(x, -1),
    "solve": jnp.linalg.solve,
    "cholesky": jnp.linalg.cholesky,
    "svd": jnp.linalg.svdvals,
}


TRANSFORMED = SimpleNamespace(
    **{name: getattr(jnp, name) for name in ("concatenate", "maximum", "mean", "sum", "tanh")},
    **{name: getattr(jax, name) for name in ("grad", "hessian", "value_and_grad", "vmap")},
    jacobian=jax.jacfwd, logsumexp=jax.nn.logsumexp, scan=jax.lax.scan, sigmoid=jax.nn.sigmoid,
)  # fmt: skip


class Framework:
    def __init__(self, threads: int) -> None:
        """JAX takes its number of threads from the cores on which the process may run."""
        jax.config.update("jax_cpu_enable_async_dispatch", False)  # faster for short steps

    def train(self, network: Network) -> Step:
        def loss_of(parameters: Any, x: Any, labels: Any) -> Any:
            scores = scores_of(network, parameters, x)
            if network.classes == 1:
                return jnp.mean(jax.nn.softplus(scores[:, 0]) - labels * scores[:, 0])
            chosen = jnp.take_along_axis(scores, labels[:, None], axis=-1)[:, 0]
            return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - chosen)

        batches = [
            (given(x), jnp.asarray(labels, None if network.classes == 1 else jnp.int32))
            for x, labels in network.batches()
        ]
        return self._trained(loss_of, start(network), batches)

    def train_transformer(self, network: Transformer) -> Step:
        m = transformer_in_jax.Functions()

        def loss_of(parameters: Any, texts: Any, labels: Any) -> Any:
            return transformer_loss(m, network, parameters, texts, labels)

        weights = {name: jnp.asarray(one) for name, one in network.weights().items()}
        batches = [tuple(jnp.asarray(x, jnp.int32) for x in pair) for pair in network.batches()]
        return self._trained(loss_of, weights, batches)

    def _trained(self, loss_of: Any, parameters: Any, given: list[Any]) -> Step:
        """A step of Adam that lowers the loss of the next batch."""

        def adam(state: Any, x: Any, labels: Any) -> Any:
            parameters, means, squares, steps = state
            loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
            steps = steps + 1
            over = jax.tree.map
            means = over(lambda m, g: BETA1 * m + (1 - BETA1) * g, means, gradients)
            squares = over(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, squares, gradients)
            rate = RATE / (1 - BETA1**steps)
            root = 1 / jnp.sqrt(1 - BETA2**steps)
            parameters = over(
                lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + EPSILON),
                parameters, means, squares,
            )  # fmt: skip
            return loss, (parameters, means, squares, steps)

        jitted = jax.jit(adam, donate_argnums=0)
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        state = parameters, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), jnp.float32)
        batches = itertools.cycle(given)

        def step() -> float:
            nonlocal state
            loss, state = jitted(state, *next(batches))
            return float(loss)

        return step

    def infer(self, network: Network) -> Step:
        parameters = start(network)
        jitted = jax.jit(lambda parameters, x: scores_of(network, parameters, x))
        x = given(network.batches()[0][0])
        return lambda: np.asarray(jitted(parameters, x))

    def formula(self, name: str, *arrays: np.ndarray) -> Step:
        f = jax.jit(FORMULAS[name])
        values = [jnp.asarray(one) for one in arrays]
        return lambda: f(*values).block_until_ready()

    def transform(self, name: str, *arrays: np.ndarray) -> Step:
        f = jax.jit(TRANSFORMS[name](TRANSFORMED))
        values = [jnp.asarray(one) for one in arrays]
        return lambda: jax.block_until_ready(f(*values))

    def eager(self, name: str, *arrays: np.ndarray) -> Step:
        f, values = FORMULAS[name], [jnp.asarray(one) for one in arrays]
        return lambda: f(*values).block_until_ready()

    def problem(self, solve: Any, arrays: Any) -> Step:
        jax.config.update("jax_enable_x64", True)
        return problems_in_jax.compiled(solve(problems_in_jax.NAMESPACE), arrays)


def given(x: np.ndarray) -> Any:
    return jnp.asarray(np.moveaxis(x, 1, -1) if x.ndim == 4 else x)


def start(network: Network) -> list[Any]:
    """The initial weights of all contenders, in the layout for channels-last images."""
    found: list[Any] = []
    flat = len(network.inputs) == 1
    parts = zip(network.layers, network.shapes(), network.weights(), strict=False)
    for layer, shape, pair in parts:
        if pair is None:
            found.append(None)
            continue
        weight, bias = pair
        if isinstance(layer, Conv):
            weight = weight.transpose(2, 3, 1, 0)  # (height, width, inputs, outputs)
        elif not flat:
            apart = weight.reshape(*shape, -1)  # (channels, height, width, outputs)
            weight, flat = np.moveaxis(apart, 0, 2).reshape(weight.shape), True
        found.append((jnp.asarray(weight), jnp.asarray(bias)))
    return found


def scores_of(network: Network, parameters: Any, x: Any) -> Any:
    last = len(network.layers) - 1
    for place, (layer, pair) in enumerate(zip(network.layers, parameters, strict=True)):
        if isinstance(layer, Pool):
            n, height, width, channels = x.shape
            # A maximum over axes, whose gradient is faster than that of reduce_window.
            x = x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))
            continue
        weight, bias = pair
        if isinstance(layer, Dense):
            x = x.reshape(len(x), -1) @ weight + bias
        else:
            names = ("NHWC", "HWIO", "NHWC")
            x = jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=names)
            x = x + bias
        x = x if place == last else jax.nn.relu(x)
    return x
