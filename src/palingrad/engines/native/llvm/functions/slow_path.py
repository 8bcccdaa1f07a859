"""Slow paths for rare elements: code that is branched around, and scalar functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from ..builder import INT32, Builder
from ..values import Value, chosen, value_type


def corrected(condition: Value, common: Value, rare: Callable[[], Value]) -> Value:
    """`rare()` where the condition holds, else `common`. The code of `rare` runs only if the
    condition holds in some lane; the result of a lane doesn't depend on the others."""
    builder = common.builder
    any_lane = condition.code
    if common.lanes > 1:
        mask = ir.IntType(common.lanes)
        any_lane = builder.icmp_unsigned("!=", builder.bitcast(any_lane, mask), mask(0))
    before, function = builder.block, builder.function
    inside, after = function.append_basic_block("rare"), function.append_basic_block("after")
    builder.cbranch(any_lane, inside, after).set_weights([1, 2000])
    builder.position_at_end(inside)
    result = chosen(condition, rare(), common)
    inside_end = builder.block
    builder.branch(after)
    builder.position_at_end(after)
    merged = builder.phi(result.code.type)
    merged.add_incoming(common.code, before)
    merged.add_incoming(result.code, inside_end)
    return common.like(merged)


def by_lane(name: str, formula: Callable[..., Value], *inputs: Value) -> Value:
    """`formula` applied to each lane, in a scalar function that the module contains once."""
    first = inputs[0]
    builder, llvm_type = first.builder, value_type(first.dtype, 1)
    full = f"palingrad.{name}.{first.dtype.kind}{first.dtype.itemsize}"
    function = builder.module.globals.get(full)
    if function is None:
        signature = ir.FunctionType(llvm_type, [llvm_type] * len(inputs))
        function = ir.Function(builder.module, signature, full)
        function.attributes.add("noinline")
        inner = Builder(function.append_basic_block())
        scalars = [Value(inner, code, first.dtype, 1) for code in function.args]
        inner.ret(formula(*scalars).code)
    if first.lanes == 1:
        return first.like(builder.call(function, [x.code for x in inputs]))
    result: Any = ir.Constant(first.code.type, ir.Undefined)
    for lane in range(first.lanes):
        place = INT32(lane)
        ones = [builder.extract_element(x.code, place) for x in inputs]
        result = builder.insert_element(result, builder.call(function, ones), place)
    return first.like(result)


def repeated(
    state: list[Value], going: Callable[..., Value], step: Callable[..., Any]
) -> list[Value]:
    """`while going(*state): state = step(*state)`, on scalars."""
    builder = state[0].builder
    before, function = builder.block, builder.function
    head, body = function.append_basic_block("while"), function.append_basic_block("do")
    after = function.append_basic_block("done")
    builder.branch(head)
    builder.position_at_end(head)
    phis = [builder.phi(x.code.type) for x in state]
    here = [x.like(phi) for x, phi in zip(state, phis, strict=True)]
    builder.cbranch(going(*here).code, body, after)
    builder.position_at_end(body)
    following = step(*here)
    for phi, x, new in zip(phis, state, following, strict=True):
        phi.add_incoming(x.code, before)
        phi.add_incoming(new.code, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return here
