"""The tables of names elsewhere: none of the names exists here, all that they suggest does."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import UnknownNameError
from palingrad.messages.attributes import MODULE_METHODS, NODES, OPTIMIZER_METHODS
from palingrad.messages.elsewhere import FUNCTIONS, LAYERS, OPTIMIZERS
from palingrad.messages.keywords import ADVICE, SYNONYMS
from palingrad.messages.names import Elsewhere

CLASSES = [
    (pg.Node, NODES),
    (pg.optim.Optimizer, OPTIMIZER_METHODS),
    (pg.nn.Module, MODULE_METHODS),
]


@pytest.mark.parametrize(
    ("module", "table"), [(pg, FUNCTIONS), (pg.nn, LAYERS), (pg.optim, OPTIMIZERS)]
)
def test_a_name_that_exists_is_in_no_table(module, table):
    """Delete it from the table: it would never be asked for."""
    assert not set(table) & set(dir(module))
    for name in table:
        with pytest.raises(UnknownNameError, match=f"has no attribute {name!r}. Write "):
            getattr(module, name)


@pytest.mark.parametrize(("cls", "table"), CLASSES)
def test_an_attribute_that_exists_is_in_no_table(cls, table):
    for name in table:
        assert isinstance(inspect.getattr_static(cls, name), Elsewhere), name


def test_everything_that_is_suggested_exists():
    tables = (FUNCTIONS, LAYERS, OPTIMIZERS, NODES, OPTIMIZER_METHODS, MODULE_METHODS, ADVICE)
    for text in [text for table in tables for text in table.values()]:
        for path in re.findall(r"\bpg\.(\w+(?:\.\w+)*)", text):
            found = pg
            for name in path.split("."):
                found = getattr(found, name)
        for name in re.findall(r"\bnp\.(\w+)", text):
            assert hasattr(np, name), text


def test_every_synonym_leads_to_an_argument():
    parts = (pg, pg.nn, pg.optim, pg.train, pg.data, pg.io)
    functions = [
        one for part in parts for name in dir(part) if callable(one := getattr(part, name))
    ]
    functions += [pg.Session.run, pg.Node.backward, pg.optim.Optimizer]
    names: set[str] = set()
    for function in functions:
        try:
            names |= set(inspect.signature(function).parameters)
        except ValueError:
            continue
    for key, here in SYNONYMS.items():
        assert names & set(here) or here == ("out",), key  # --out is an option of the command line


def test_a_name_of_another_library_is_no_attribute():
    x = pg.tensor([1.0, 2.0])
    for name in ("cuda", "requires_grad_", "add_", "zero_"):
        assert not hasattr(x, name)
        assert name not in dir(x)
        assert getattr(x, name, None) is None
    assert not hasattr(pg, "cat")
    assert not hasattr(pg, "__wrapped__")


def test_an_attribute_of_an_operation_may_have_such_a_name():
    class Cut(pg.Elementwise):
        def f(m, x, *, size):
            return m.minimum(x, size)

        def d(y, x):
            return [x < y.size]

    y = Cut(np.array([1.0, 3.0]), size=2.0)
    assert y.size == 2.0
    assert pg.max_pool(np.ones((1, 1, 4, 4))).size == 4  # in the library, size is NumPy's
