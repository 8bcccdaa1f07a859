"""Each operation, with the attributes of each of its samples, is written as JSON and read back."""

from __future__ import annotations

import json

import numpy as np

import palingrad as pg
from palingrad.errors import CheckpointError
from palingrad.graph.context import graph_scope
from palingrad.graph.kinds import AnonymousGraph, Assign, Random
from palingrad.graph.leaves import Placeholder
from palingrad.graph.registry import is_shipped, later, operations
from palingrad.graph.state.imports import imported
from palingrad.io.graph_json import Reader, Writer

# What holds an operation's class, and is refused by name.
REFUSED = {"Mapped"}


def _graph(operation, sample):
    """The operation applied to placeholders like the sample's inputs."""
    inputs = sample.inputs(np.random.default_rng(0))
    with graph_scope(AnonymousGraph(), hidden=True):
        arrays = [np.asarray(x) for x in inputs]
        parameters = [
            Placeholder(x.shape, dtype=x.dtype, name=f"x{i}") for i, x in enumerate(arrays)
        ]
        return parameters, operation(*parameters, **sample.attributes)


def _written(parameters, results):
    writer = Writer({})
    return json.dumps(writer.graph(parameters, results)), writer.arrays


def test_each_sample_of_each_operation_is_read_back():
    for module in sorted(set(later.values())):
        imported(module)
    count, refused = 0, set()
    for operation in list(operations.values()):
        if not is_shipped(operation) or issubclass(operation, (Random, Assign)):
            continue
        for sample in operation.samples:
            parameters, y = _graph(operation, sample)
            try:
                text, arrays = _written(parameters, [y])
            except CheckpointError:
                refused.add(operation.__name__)
                continue
            read = Reader(arrays).graph(json.loads(text))
            assert type(read.results[0]) is operation
            assert _written(read.parameters, read.results)[0] == text
            count += 1
    assert refused == REFUSED
    assert count > 1000


def test_a_loop_within_a_branch_is_read_back():
    def f(x):
        def grow(x):
            return pg.while_loop(lambda y: pg.sum(y) < 100.0, lambda y: y * 2 + 1, x)

        return pg.cond(pg.sum(x) > 0, grow, lambda x: -x, x)

    with graph_scope(AnonymousGraph(), hidden=True):
        x = Placeholder((3,), dtype="float32", name="x")
        y = f(x)
    text, arrays = _written([x], [y])
    read = Reader(arrays).graph(json.loads(text))
    for value in (np.float32([1, 2, 3]), np.float32([-1, 0, 0])):
        expected = pg.function(f)(value)
        got = pg.function(lambda x, read=read: read.inlined([x])[0])(value)
        np.testing.assert_array_equal(got, expected)
