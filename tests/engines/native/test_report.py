"""explain() describes what runs: kernels, stages, fused nodes, memory, work, state, and
fallbacks."""

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.engines.native.report import count
from palingrad.engines.native.runtime.cache import folder


def native(f):
    return pg.function(f, engine="native")


def trained(width=100):
    model = pg.nn.Sequential(pg.nn.Linear(64, width), pg.relu, pg.nn.Linear(width, 10))
    adam = pg.optim.Adam(0.01)

    @native
    def step(x, labels):
        loss = pg.cross_entropy(model(x, training=True), labels)
        adam.minimize(loss)
        return loss

    return step.explain(np.zeros((32, 64), np.float32), np.zeros(32, np.int64))


def test_a_training_step_names_its_kernels_and_what_is_in_them():
    said = trained()
    assert "matrix product (32, 64) × (64, 100) float32" in said
    assert "matmul, add, relu" in said
    assert "row kernel (32, 10) float32" in said
    assert "matrix product, backward" in said
    assert "written over" in said


def test_a_line_has_at_most_100_columns():
    def long(x):
        for number in range(40):
            x = pg.add(x, float(number), name=f"a_rather_long_name_{number}")
        return x

    said = f"{trained()}\n{native(long).explain(np.ones((7, 1, 5)))}"
    assert max(map(len, said.splitlines())) <= 100
    assert "more" in said
    assert "a_rather_long_name_0" in said


def test_flops_and_bytes_are_those_of_the_mathematics():
    x = np.zeros((32, 64), np.float32)
    y = np.zeros((64, 48), np.float32)
    said = " ".join(native(lambda x, y: x @ y).explain(x, y).split())
    assert f"{count(2 * 32 * 64 * 48, 'FLOP')} a run" in said
    assert f"{count(x.nbytes + y.nbytes, 'B')} in, {count(4 * 32 * 48, 'B')} out" in said


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_600, "1 MB"), (2.5e12, "2.5 TB")],
)
def test_numbers_have_three_digits(number, expected):
    assert count(number, "B") == expected


def test_the_arena_is_smaller_than_all_intermediate_values():
    def chain(x, y):
        for _ in range(6):
            x = pg.tanh(x @ y)
        return pg.sum(x)

    x = np.zeros((150, 150), np.float32)
    said = native(chain).explain(x, x)
    words = said.splitlines()[1].split()
    place = words.index("of")
    assert words[place + 1 : place + 3] == ["1.08", "MB"]  # 6 products and 6 tanh of 90 kB
    assert words[2] == "kB"
    assert float(words[1]) < 1080 / 4
    assert "results 4 B" in said


def updating(result):
    w = pg.Variable(np.zeros(3), name="w")

    @native
    def step(x):
        old = w * 1.0
        w.assign(w + x)
        return result(w, old, x)

    return step.explain(np.zeros(3))


class Sorted(pg.Custom):
    def compute(self, *inputs: Any) -> Any:
        return np.sort(inputs[0])


def test_it_says_whether_variables_are_updated_in_place_and_if_not_why():
    for result in (lambda w, old, x: pg.sum(x), lambda w, old, x: w, lambda w, old, x: old):
        assert "1 Variable updated in place" in updating(result)
    assert "NumPy computes a part" in updating(lambda w, old, x: Sorted(x))


def fallbacks(f, *arguments):
    said = native(f).explain(*arguments)
    assert "numpy: 1 of the kernels" in said
    lines = said.splitlines()
    (start,) = [number for number, line in enumerate(lines) if "Fallback" in line]
    return " ".join(" ".join(lines[start : start + 2]).split())


def test_fallbacks_are_marked_and_have_a_reason():
    x = np.zeros((2, 4, 6, 6), np.float32)
    w = np.zeros((4, 4, 3, 3), np.float32)
    assert "sorted, because it is written in Python" in fallbacks(lambda x: Sorted(x) * 2, x)
    said = fallbacks(lambda x, w: pg.conv2d(x, w), x.astype(np.int64), w.astype(np.int64))
    assert "the kernel for convolution supports one or two spatial axes, of floats" in said


def test_it_says_whether_the_code_came_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(tmp_path))
    assert folder() == tmp_path / "native"
    said = [native(lambda x: pg.exp(x) - 3.0).explain(np.ones(9)) for _ in range(2)]
    assert "code compiled now" in said[0]
    assert "code from the cache" in said[1]
