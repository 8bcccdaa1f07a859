"""The checker checked: operations wrong in one way each, which the battery must not pass."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad import proof
from palingrad.engines.base import Executable
from palingrad.engines.selection import add_engine, remove_engine
from palingrad.errors import GradientError
from palingrad.graph.samples import case


class Cube(pg.Elementwise):
    """y = x³, and right in everything: what the mutants below change one thing of."""

    samples = [case((3, 4)), case(()), case((0, 2))]

    def f(m, x):
        return x * x * x

    def d(y, x):
        return [3 * x * x]


class Product(pg.Elementwise):
    """z = x·y, and right in everything."""

    samples = [case((3, 4), (3, 4)), case((3, 1), (4,))]

    def f(m, x, y):
        return x * y

    def d(z, x, y):
        return [y, x]


class Gram(pg.Composite):
    """y = xᵀx, made of others, and right in everything."""

    samples = [case((3, 4))]

    def expand(y, x):
        return x.mT @ x


class AsItIs(pg.Elementwise):
    """y = x, the very array: an engine copies what would otherwise be the caller's."""

    samples = [case((3, 4))]

    def f(m, x):
        return x

    def d(y, x):
        return [1]


class WrongFactor(Cube):
    def d(y, x):
        return [2 * x * x]


class WrongSign(Cube):
    def d(y, x):
        return [-3 * x * x]


class WrongByOnePartInAMillion(Cube):
    def d(y, x):
        return [3.000003 * x * x]


class NoDerivative(Cube):
    def d(y, x):
        return [0]


class WrongShapeRule(Cube):
    def shape_rule(y, *shapes):
        return (*shapes[0], 1)


class WrongShapeRuleForEmpty(Cube):
    def shape_rule(y, *shapes):
        return tuple(dim or 1 for dim in shapes[0])


class WrongShapeRuleForUnknownSizes(Cube):
    def shape_rule(y, *shapes):
        return tuple(7 if dim is None else dim for dim in shapes[0])


class WrongDtypeRule(Cube):
    def dtype_rule(y, *dtypes):
        return pg.float64


class WrongDtypeOfIntegers(Cube):
    def f(m, x):
        return x**3.0

    def dtype_rule(y, *dtypes):
        return dtypes[0]


class WidensFloat32(Cube):
    def f(m, x):
        return x * x * x.astype("float64")

    def dtype_rule(y, *dtypes):
        return pg.float64


class WidensTheGradient(Cube):
    def d(y, x):
        return [3 * x * pg.cast(x, pg.float64)]


class NarrowsTheGradient(Cube):
    def d(y, x):
        return [3 * x * pg.cast(x, pg.float32)]


class WrongSecondDerivative(Cube):
    """The first is right, but the second can't see all of it."""

    def d(y, x):
        return [3 * x * pg.stop_gradient(x)]


class SquareOnce(pg.Elementwise):
    """y = x², whose derivative is right but constant."""

    def f(m, x):
        return x * x

    def d(y, x):
        return [2 * pg.stop_gradient(x)]


class WrongThirdDerivative(Cube):
    """The first two are right; the third can't see all of the second."""

    def d(y, x):
        return [3 * SquareOnce(x)]


class SwappedDerivatives(Product):
    def d(z, x, y):
        return [x, y]


class IgnoresBroadcasting(Product):
    """Sends back the mean over what was broadcast instead of the sum."""

    def vjp(z, g, x, y):
        def back(c, x):
            return c if c.shape == x.shape else pg.mean(c) + pg.zeros_like(x)

        return [back(g * y, x), back(g * x, y)]


class SendsTheWrongShape(Product):
    def vjp(z, g, x, y):
        return [pg.expand_dims(g * y, axis=-1), g * x]


class ForgetsAnInput(Product):
    def vjp(z, g, x, y):
        return [g * y]


class CountsAnInputOnlyOnce(Product):
    """Right for two inputs, wrong for one that comes twice."""

    def vjp(z, g, x, y):
        return [g * y, None if x is y else g * x]


class WritesToItsInput(Cube):
    def f(m, x):
        x *= x
        return x


class WritesToItsInputAsCustom(pg.Custom):
    samples = [case((3, 4))]

    def compute(self, x):
        x += 1
        return x * x

    def vjp(y, g, x):
        return [2 * g * (x + 1)]


class ForwardDisagrees(Cube):
    def jvp(y, tangents, *x):
        return tangents[0] * x[0]


class NarrowsOnTheWay(Cube):
    """The gradient comes back in the right dtype, but has been through a narrower one."""

    def d(y, x):
        return [pg.cast(pg.cast(3 * x * x, pg.float16), x.dtype)]


class DependsOnLayout(Cube):
    def f(m, x):
        flat = np.asarray(x)
        return x * x * x if flat.flags.c_contiguous else -x * x * x


class RaisesOnScalars(Cube):
    def f(m, x):
        if not np.ndim(x):
            raise ValueError("no scalars")
        return x * x * x


class WrongExpansion(Gram):
    def vjp(y, g, x):
        return [x @ g]


class WithoutSamples(Cube):
    samples = []


RIGHT = [Cube, Product, Gram, AsItIs]
MUTANTS = {
    WrongFactor: "derivatives_are_slopes",
    WrongSign: "derivatives_are_slopes",
    WrongByOnePartInAMillion: "derivatives_are_slopes",
    NoDerivative: "derivatives_are_slopes",
    WrongShapeRule: "rules_tell_shape_and_dtype",
    WrongShapeRuleForEmpty: "rules_tell_shape_and_dtype",
    WrongShapeRuleForUnknownSizes: "rules_tell_shape_and_dtype",
    WrongDtypeRule: "rules_tell_shape_and_dtype",
    WrongDtypeOfIntegers: "other_dtypes_follow_the_rule",
    WidensFloat32: "gradients_keep_shape_and_dtype",
    WidensTheGradient: "gradients_keep_shape_and_dtype",
    NarrowsTheGradient: "gradients_keep_shape_and_dtype",
    WrongSecondDerivative: "derivatives_are_slopes",
    WrongThirdDerivative: "third_derivatives_are_slopes",
    SwappedDerivatives: "derivatives_are_slopes",
    IgnoresBroadcasting: "derivatives_are_slopes",
    SendsTheWrongShape: "gradients_keep_shape_and_dtype",
    ForgetsAnInput: "gradients_keep_shape_and_dtype",
    CountsAnInputOnlyOnce: "inputs_may_be_related",
    WritesToItsInput: "nothing_is_written_to",
    WritesToItsInputAsCustom: "nothing_is_written_to",
    ForwardDisagrees: "forward_is_the_transpose_of_reverse",
    NarrowsOnTheWay: "gradients_keep_shape_and_dtype",
    DependsOnLayout: "layout_does_not_matter",
    RaisesOnScalars: "rules_tell_shape_and_dtype",
    WrongExpansion: "derivatives_are_slopes",
}


@pytest.mark.tiny
@pytest.mark.parametrize("operation", RIGHT, ids=lambda operation: operation.__name__)
def test_the_battery_passes_what_is_right(operation):
    proof.prove(operation)


@pytest.mark.tiny
@pytest.mark.parametrize("operation", MUTANTS, ids=lambda operation: operation.__name__)
def test_the_battery_catches(operation):
    with pytest.raises((AssertionError, GradientError)):
        proof.prove(operation)


@pytest.mark.parametrize(("operation", "check"), MUTANTS.items(), ids=lambda one: str(one))
def test_the_check_that_is_there_for_it_catches(operation, check):
    with pytest.raises((AssertionError, GradientError)):
        proof.examine(operation, check)


class Wrapped(Executable):
    """What the numpy engine computes, spoilt."""

    def __init__(self, program, spoil):
        super().__init__(program)
        self.inner, self.spoil = pg.get_engine("numpy").compile(program), spoil

    def compute(self, feeds, states):
        outputs, values = self.inner.compute(feeds, states)
        return self.spoil(outputs, feeds), values


class SpoiltEngine:
    name = "spoilt"
    spoil = staticmethod(lambda outputs, feeds: outputs)

    def compile(self, program):
        return Wrapped(program, self.spoil)


@pytest.fixture
def engine():
    engine = SpoiltEngine()
    add_engine(engine)
    yield engine
    remove_engine(engine.name)


def a_little_off(outputs, feeds):
    return [y * (1 + 1e-5) for y in outputs]


def widened(outputs, feeds):
    return [y.astype("f8") for y in outputs]


def writable(outputs, feeds):
    return [y.copy() for y in outputs]


def fed_memory(outputs, feeds):
    return [feeds[0][...] if y.shape == feeds[0].shape else y for y in outputs]


def written_feeds(outputs, feeds):
    for x in feeds:
        x += 1
    return outputs


@pytest.mark.parametrize(
    "spoil", [a_little_off, widened, writable, fed_memory, written_feeds], ids=lambda f: f.__name__
)
def test_an_engine_that_is_wrong_is_caught(engine, spoil):
    proof.prove(Cube)
    engine.spoil = spoil
    with pytest.raises(AssertionError):
        proof.prove(Cube)


def test_the_first_two_orders_pass_where_only_the_third_is_wrong():
    proof.examine(WrongThirdDerivative, "derivatives_are_slopes")


def test_an_operation_without_samples_is_caught():
    with pytest.raises(AssertionError, match="WithoutSamples has no samples"):
        proof.prove(WithoutSamples)


def test_what_is_caught_names_operation_sample_and_check():
    with pytest.raises(GradientError) as caught:
        proof.prove(WrongFactor)
    assert caught.value.__notes__ == ["WrongFactor case((3, 4)): derivatives_are_slopes"]
