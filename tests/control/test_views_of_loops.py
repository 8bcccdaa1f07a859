"""Drawings, records, node Jacobians, source and the NaN search of graphs with loops."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg


def test_jacobians_on_the_nodes_of_a_template(tmp_path):
    with pg.Graph() as graph:
        x = pg.placeholder()
        c = pg.scan(lambda c, row: (pg.cond(c > 0, lambda: c * row, lambda: c), c), x[0], x)[0]
        y = pg.while_loop(lambda v: v < 1, lambda v: v * v, c, max_steps=5)
    for _ in range(2):  # computed, then from cached values
        graph.jacobians(y, {x: np.array([1.0, 2.0, 3.0])})
        assert x.jacobian.tolist() == [12, 3, 2]
    assert c.value == 6
    for ending in ("svg", "dot", "mmd", "html", "txt"):
        graph.draw(tmp_path / f"graph.{ending}")
    text = (tmp_path / "graph.txt").read_text()
    assert "loop" in text
    assert "while" in text


def test_records():
    with pg.record() as tape:
        x = pg.Variable(np.array(1.0))
        pg.scan(lambda c, row: (pg.log(c + row), c), x, np.array([0.5, 1.0]))[0].backward()
    assert tape.nbytes > 0


def test_debug_nans_names_the_step():
    def f(c, rows):
        return pg.scan(lambda c, row: (pg.log(c - row), c), c, rows)[0]

    start, rows = np.array(3.0), np.array([1.0, 0.1, 0.5])
    for run in (f, pg.function(f)):
        with pytest.raises(pg.errors.NonFiniteError, match=r"log of \S+ in step 2 of loop"):
            with pg.debug_nans():
                run(start, rows)
