"""Cutting one function out of an object file, so that other programs can link it alone.

Each function that is to be cut out is in a section of its own (`section_of`). The new object file
has that section, the sections with constants that it refers to, their relocations, and the symbols
that these name: a function of another section is an undefined symbol. Tables for unwinding the
stack are left out: no exception passes through generated code. The format is that of 64-bit
little-endian ELF files: System V Application Binary Interface, chapter 4 (Object Files).
"""

from __future__ import annotations

import struct
from functools import cache

import llvmlite.binding as llvm

from .target import host

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
# The fields of a section's header.
_TYPE, _FLAGS, _OFFSET, _SIZE, _INFO, _ALIGNMENT = 1, 2, 4, 5, 7, 8
_PROGBITS, _SYMTAB, _STRTAB, _RELA = 1, 2, 3, 4  # types of sections
_EXECUTABLE = 4  # a flag of a section
_MAGIC = b"\x7fELF\x02\x01"  # ELF, 64 bits, little-endian


@cache
def can_cut() -> bool:
    """Whether LLVM writes such ELF files on this system."""
    return llvm.get_object_format() == "ELF" and host().family in ("x86", "arm")


def section_of(name: str) -> str:
    """The section of the function of this name."""
    return f".text.{name}"


class ObjectFile:
    """An object file, from which functions can be cut out."""

    def __init__(self, content: bytes) -> None:
        assert content[:6] == _MAGIC
        self._content = content
        self._header = _HEADER.unpack_from(content)
        start, count = self._header[6], self._header[12]
        self._sections = [
            _SECTION.unpack_from(content, start + n * _SECTION.size) for n in range(count)
        ]
        (table,) = (n for n, one in enumerate(self._sections) if one[_TYPE] == _SYMTAB)
        self._symbols = [*_SYMBOL.iter_unpack(self._of(table))]
        names = self._of(self._sections[table][6])
        self._names = [names[one[0] : names.index(b"\0", one[0])] for one in self._symbols]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._relocations = {
            one[_INFO]: n for n, one in enumerate(self._sections) if one[_TYPE] == _RELA
        }

    def _of(self, number: int) -> bytes:
        section = self._sections[number]
        return self._content[section[_OFFSET] : section[_OFFSET] + section[_SIZE]]

    def cut(self, name: str) -> bytes | None:
        """An object file of the function of this name alone; None if its code can't be separated
        from that of others."""
        own = self._numbers.get(name.encode())
        if own is None or not self._symbols[own][3]:
            return None
        kept = self._closure(self._symbols[own][3])
        return None if kept is None else self._written(kept, own)

    def _closure(self, first: int) -> list[int] | None:
        """The function's section and those that it refers to; None if code is among them."""
        kept = [first]
        for section in kept:  # grows meanwhile
            if section != first and (
                self._sections[section][_TYPE] != _PROGBITS
                or self._sections[section][_FLAGS] & _EXECUTABLE
            ):
                return None
            for *_, symbol in self._references(section):
                where = self._symbols[symbol][3]
                if where and where not in kept and not self._is_global(symbol):
                    kept.append(where)
        return kept

    def _references(self, section: int) -> list[tuple[int, int, int, int]]:
        """(place, addend, type, number of the symbol) of each relocation of a section."""
        if section not in self._relocations:
            return []
        table = _RELOCATION.iter_unpack(self._of(self._relocations[section]))
        return [(place, addend, info & 0xFFFFFFFF, info >> 32) for place, info, addend in table]

    def _is_global(self, symbol: int) -> bool:
        return self._symbols[symbol][1] >> 4 != 0

    def _written(self, kept: list[int], own: int) -> bytes:
        """The new file: these sections in this order, their relocations, symbols and names."""
        places = {section: n for n, section in enumerate(kept, 1)}
        used = {symbol for section in kept for *_, symbol in self._references(section)}
        numbers = sorted(used | {own}, key=self._is_global)  # local ones first
        symbol_of = {symbol: n for n, symbol in enumerate(numbers, 1)}
        names, symbols = bytearray(1), bytearray(_SYMBOL.size)
        for number in numbers:
            _, info, other, where, value, size = self._symbols[number]
            text, start = self._names[number], 0
            if text:
                start = len(names)
                names += text + b"\0"
            if where in places:
                symbols += _SYMBOL.pack(start, info, other, places[where], value, size)
            else:  # undefined, of no type
                symbols += _SYMBOL.pack(start, info & 0xF0, other, 0, 0, 0)
        written: list[tuple[list[int], bytes]] = []
        for section in kept:
            _, kind, flags, *_, alignment, entry = self._sections[section]
            written.append(([0, kind, flags, 0, 0, alignment, entry], self._of(section)))
        tables = sum(section in self._relocations for section in kept) + len(kept) + 1
        strings = tables + 1
        for section in kept:
            moved = b"".join(
                _RELOCATION.pack(place, symbol_of[symbol] << 32 | kind, addend)
                for place, addend, kind, symbol in self._references(section)
            )
            if moved:
                where = places[section]
                written.append(([0, _RELA, 0, tables, where, 8, _RELOCATION.size], moved))
        locals_ = 1 + sum(not self._is_global(number) for number in numbers)
        written.append(([0, _SYMTAB, 0, strings, locals_, 8, _SYMBOL.size], bytes(symbols)))
        written.append(([0, _STRTAB, 0, 0, 0, 1, 0], bytes(names)))
        return self._assembled(written, strings)

    def _assembled(self, written: list[tuple[list[int], bytes]], strings: int) -> bytes:
        body, table = bytearray(_HEADER.size), bytearray(_SECTION.size)
        for (name, kind, flags, link, info, alignment, entry), content in written:
            body += bytes(-len(body) % max(alignment, 1))
            table += _SECTION.pack(
                name, kind, flags, 0, len(body), len(content), link, info, alignment, entry
            )
            body += content
        body += bytes(-len(body) % 8)
        header = [*self._header]
        header[6], header[12], header[13] = len(body), len(written) + 1, strings
        body[: _HEADER.size] = _HEADER.pack(*header)
        return bytes(body + table)
