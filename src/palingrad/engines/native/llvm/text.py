"""A function as LLVM IR text, in half of the time that `str(function)` takes.

What kernels are mostly made of is written here, the rest by llvmlite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from llvmlite.ir import Function, instructions as kinds


def text_of(function: Function) -> str:
    """The definition of a function, as its `str`; spaces may differ."""
    written: list[str] = []
    function.descr_prototype(written)
    written.append("{\n")
    write = _Writer().instruction
    for block in function.blocks:
        written.append(f"{block.get_reference()[1:]}:\n")
        for one in block.instructions:
            written.append(f"  {write(one)}\n")
    written.append("}\n")
    return "".join(written)


class _Writer:
    """Writes instructions. `types` has the text of each type, by its identity."""

    def __init__(self) -> None:
        self.types: dict[int, str] = {}
        self.writers: dict[type, Callable[[Any], str]] = {
            kinds.Instruction: self._plain,
            kinds.CastInstr: self._cast,
            kinds.LoadInstr: self._load,
            kinds.StoreInstr: self._store,
            kinds.GEPInstr: self._gep,
            kinds.PhiInstr: self._phi,
            kinds.ICMPInstr: self._comparison,
            kinds.FCMPInstr: self._comparison,
            kinds.CallInstr: self._call,
            kinds.SelectInstr: self._operands,
            kinds.ShuffleVector: self._operands,
            kinds.InsertElement: self._operands,
            kinds.ExtractElement: self._operands,
            kinds.Branch: self._operands,
            kinds.ConditionalBranch: self._operands,
        }

    def instruction(self, one: Any) -> str:
        """The instruction, with the name of its result."""
        writer = self.writers.get(type(one))
        if writer is None or one.metadata:
            return str(one)
        text = writer(one)
        return text if self.type(one) == "void" else f"{one.get_reference()} = {text}"

    def type(self, value: Any) -> str:
        """The type of a value."""
        return self.text(value.type)

    def text(self, llvm_type: Any) -> str:
        """A type."""
        found = self.types.get(id(llvm_type))
        if found is None:
            found = self.types[id(llvm_type)] = str(llvm_type)
        return found

    def typed(self, values: Iterable[Any]) -> str:
        """Values with their types."""
        return ", ".join([f"{self.type(x)} {x.get_reference()}" for x in values])

    def _plain(self, one: Any) -> str:
        operands = ", ".join([x.get_reference() for x in one.operands])
        return f"{_flagged(one)} {self.type(one)} {operands}"

    def _operands(self, one: Any) -> str:
        return f"{_flagged(one)} {self.typed(one.operands)}"

    def _cast(self, one: Any) -> str:
        return f"{one.opname} {self.typed(one.operands)} to {self.type(one)}"

    def _load(self, one: Any) -> str:
        return f"load {self.type(one)}, {self.typed(one.operands)}{_aligned(one)}"

    def _store(self, one: Any) -> str:
        return f"store {self.typed(one.operands)}{_aligned(one)}"

    def _gep(self, one: Any) -> str:
        inbounds = "inbounds " if one.inbounds else ""
        source = self.text(one.source_etype)
        return f"getelementptr {inbounds}{source}, {self.typed(one.operands)}"

    def _phi(self, one: Any) -> str:
        pairs = [f"[{x.get_reference()}, {block.get_reference()}]" for x, block in one.incomings]
        return f"{_flagged(one)} {self.type(one)} {', '.join(pairs)}"

    def _comparison(self, one: Any) -> str:
        x, y = one.operands
        operands = f"{x.get_reference()}, {y.get_reference()}"
        return f"{_flagged(one)} {one.op} {self.type(x)} {operands}"

    def _call(self, one: Any) -> str:
        kind = one.callee.function_type
        if one.cconv or one.tail or one.attributes or one.arg_attributes or kind.var_arg:
            return str(one).split(" = ", 1)[-1]
        flags = "".join(f" {flag}" for flag in sorted(one.fastmath))
        result = self.text(kind.return_type)
        return f"call{flags} {result} {one.callee.get_reference()}({self.typed(one.args)})"


def _flagged(one: Any) -> str:
    return f"{one.opname} {' '.join(one.flags)}" if one.flags else one.opname


def _aligned(one: Any) -> str:
    return "" if one.align is None else f", align {one.align}"
