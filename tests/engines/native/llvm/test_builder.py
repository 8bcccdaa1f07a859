"""The builder omits arithmetic without effect, and folds constants."""

from __future__ import annotations

import pytest
from llvmlite import ir

from palingrad.engines.native.llvm.builder import INT, Builder


@pytest.fixture
def function():
    kind = ir.FunctionType(ir.VoidType(), [INT, ir.FloatType().as_pointer()])
    return ir.Function(ir.Module(), kind, "f")


def number(value):
    return ir.Constant(INT, value)


def test_no_instruction_is_emitted_if_the_result_is_an_operand(function):
    b, (x, p) = Builder(function.append_basic_block()), function.args
    assert b.add(x, number(0)) is b.add(number(0), x) is b.sub(x, number(0)) is x
    assert b.mul(x, number(1)) is b.mul(number(1), x) is b.sdiv(x, number(1)) is x
    assert b.gep(p, [number(0)]) is p
    assert [b.mul(x, number(0)), b.mul(number(0), x), b.srem(x, number(1))] == [number(0)] * 3
    assert not b.block.instructions


def test_constants_are_folded(function):
    b = Builder(function.append_basic_block())
    assert b.add(number(-7), number(3)) == number(-4)
    assert b.mul(number(-7), number(3)) == number(-21)
    assert not b.block.instructions


def test_all_other_instructions_are_emitted(function):
    b, (x, p) = Builder(function.append_basic_block()), function.args
    short, large = ir.IntType(32), number(1 << 62)
    b.add(x, number(1)), b.sub(number(0), x), b.mul(x, number(2)), b.sdiv(x, number(2))
    b.srem(x, number(2)), b.gep(p, [number(1)]), b.sdiv(number(1), x)
    b.mul(large, large), b.add(ir.Constant(short, 0), ir.Constant(short, 0))
    assert len(b.block.instructions) == 9


def test_an_instruction_is_emitted_once_in_a_block(function):
    b, (x, _) = Builder(function.append_basic_block("first")), function.args
    first = b.once(b.mul, x, number(3))
    assert b.once(b.mul, x, number(3)) is first
    others = [b.once(b.mul, x, number(4)), b.once(b.add, x, number(3)), b.once(b.mul, first, x)]
    others += [b.once(b.icmp_signed, sign, x, first) for sign in ("<", "<=")]
    assert len({id(one) for one in [first, *others]}) == 6 == len(b.block.instructions)
    b.position_at_end(function.append_basic_block("second"))
    assert b.once(b.mul, x, number(3)) is not first


def test_an_instruction_before_others_uses_none_of_them(function):
    b, (x, _) = Builder(function.append_basic_block()), function.args
    later = b.once(b.mul, x, number(3))
    b.position_before(later)
    earlier = b.once(b.mul, x, number(3))
    assert earlier is not later
    assert b.block.instructions == [earlier, later]
