"""Functions that are cut out of an object file, and the names that say which code is equal."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
import pytest
from llvmlite import ir

from palingrad.engines.native.llvm.objects import ObjectFile, can_cut
from palingrad.engines.native.llvm.parts import Compiler, Parts
from palingrad.engines.native.llvm.target import Library, object_file, packed

TABLE = '@"table" = internal constant [4 x double] [double 1., double 2., double 4., double 8.]\n'
FUNCTIONS = """
define double @"other"(double %x) noinline section ".text.other" {
  %y = fadd double %x, 0x3FF8000000000000
  ret double %y
}
define void @"f"(double* %p) noinline section ".text.f" {
  %n = load double, double* %p
  %i = fptosi double %n to i64
  %a = getelementptr [4 x double], [4 x double]* @"table", i64 0, i64 %i
  %t = load double, double* %a
  %s = fmul double %t, 0x400921FB54442D18
  %o = call double @"other"(double %s)
  store double %o, double* %p
  ret void
}
"""
needs_elf = pytest.mark.skipif(not can_cut(), reason="functions are cut out of ELF files only")


def switch(name: str, numbers: list[int]) -> str:
    """A function with a table of addresses in its code."""
    cases = "".join(f"i64 {n}, label %b{n} " for n in range(len(numbers)))
    blocks = "".join(
        f'b{n}:\n  store volatile i64 {m}, i64* %p\n  call void @"g"()\n  ret void\n'
        for n, m in enumerate(numbers)
    )
    return (
        f'define void @"{name}"(i64* %p, i64 %n) section ".text.{name}" {{\n'
        f"  switch i64 %n, label %out [{cases}]\nout:\n  ret void\n{blocks}}}\n"
    )


@needs_elf
def test_a_function_that_was_cut_out_computes_the_same():
    code = object_file(TABLE + FUNCTIONS)
    pieces = [ObjectFile(code).cut(name) for name in ("f", "other")]
    for one in ([code], pieces, pieces[::-1], [code, *pieces]):
        library = Library(packed(one))  # type: ignore[arg-type]
        word = ctypes.c_double(2.0)
        library.function("f")(ctypes.addressof(word))
        assert word.value == 4.0 * math.pi + 1.5


@pytest.mark.parametrize("triple", ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"])
def test_it_has_the_same_sections_and_relocations(triple):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(reloc="pic")
    whole = machine.emit_object(llvm.parse_assembly(TABLE + FUNCTIONS))
    piece = ObjectFile(whole).cut("f")
    assert piece is not None
    assert 200 < len(piece) < len(whole)
    first, second = described(ObjectFile(whole), "f"), described(ObjectFile(piece), "f")
    assert first == second
    assert len(first) == 3  # code, table, number
    assert b"other" in {name for _, lines in first for *_, name, _ in lines}
    assert ObjectFile(whole).cut("absent") is None
    assert ObjectFile(piece).cut("other") is None  # undefined there


def described(file: ObjectFile, name: str) -> list[Any]:
    """The content of the function's sections, with their relocations: place, addend, kind, the
    symbol's name and value, the latter if it is defined in these sections."""
    own = file._symbols[file._names.index(name.encode())]
    kept = file._closure(own[3])
    assert kept is not None
    found = []
    for section in kept:
        lines = [
            (*words, file._names[n], file._symbols[n][4]) for *words, n in file._references(section)
        ]
        found.append((file._of(section), lines))
    return found


@needs_elf
def test_code_that_shares_a_table_of_addresses_is_not_cut_out():
    text = "declare void @g()\n" + switch("a", [3, 1, 4, 1, 5]) + switch("b", [2, 7, 1, 8, 2])
    whole = ObjectFile(object_file(text))
    assert [whole.cut("a"), whole.cut("b")] == [None, None]


# ---------------------------------------------------------------- names


class Noted(Compiler):
    """Notes the names of shared functions, and knows some."""

    def __init__(self, known: str = "") -> None:
        super().__init__(1, "a test")
        self.texts, self.shared, self.known = list[str](), list[str](), known

    def find(self, name: str) -> bool:
        return name == self.known

    def take(self, text: str, names: Sequence[str] = ()) -> None:
        self.texts.append(text)
        self.shared += names


def module(number: int = 1, *, callee: int = 1, constant: int = 1, name: str = "f") -> ir.Module:
    """f, which reads a constant and calls a function; `run` and `dispatch`, which call it through a
    table."""
    made, word = ir.Module(), ir.IntType(64)
    kind = ir.FunctionType(word, [word])
    table: Any = ir.GlobalVariable(made, word, "table")
    table.global_constant, table.linkage = True, "internal"
    table.initializer = word(constant)
    inner = ir.Function(made, kind, f"inner_{name}")
    b: Any = ir.IRBuilder(inner.append_basic_block())
    b.ret(b.add(inner.args[0], word(callee)))
    outer = ir.Function(made, kind, name)
    b = ir.IRBuilder(outer.append_basic_block())
    b.ret(b.mul(b.call(inner, [b.load(table)]), word(number)))
    records: Any = ir.GlobalVariable(made, kind.as_pointer(), "records")
    records.global_constant, records.linkage, records.initializer = True, "internal", outer
    dispatch = ir.Function(made, kind, "dispatch")
    b = ir.IRBuilder(dispatch.append_basic_block())
    b.ret(b.call(b.load(records), [dispatch.args[0]]))
    run = ir.Function(made, kind, "run")
    b = ir.IRBuilder(run.append_basic_block())
    b.ret(b.call(dispatch, [run.args[0]]))
    return made


def noted(made: ir.Module, known: str = "") -> Noted:
    compiler = Noted(known)
    Parts(made, re.compile("run"), compiler).last()
    return compiler


@needs_elf
def test_names_say_which_code_is_equal():
    inner, outer = noted(module()).shared
    assert noted(module(name="g")).shared == [inner, outer]
    assert noted(module(2)).shared[0] == inner
    for other in (module(2), module(callee=2), module(constant=2)):
        assert noted(other).shared[1] != outer
    assert noted(module(callee=2)).shared[0] != inner


@needs_elf
def test_code_of_a_program_keeps_its_name_and_is_linked_with_what_is_known():
    whole = noted(module(3))
    (inner, outer), (text,) = whole.shared, whole.texts
    assert 'define i64 @"run"' in text
    assert '@"records"' in text
    part = noted(module(3), known=outer)
    assert part.shared == [inner]
    (rest,) = part.texts
    assert f'declare i64 @"{outer}"' in rest
    codes = [object_file(rest), ObjectFile(object_file(text)).cut(outer)]
    for one in ([object_file(text)], codes):
        library = Library(packed(one))  # type: ignore[arg-type]
        call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library.address("run"))
        assert call(0) == 6
