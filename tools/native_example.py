"""Writes the worked example into docs/native.md: a small kernel as LLVM IR and as assembly.

With --check nothing is written, and IR that differs from the page's is an error. The assembly isn't
checked, because it changes with LLVM's version; it is written only if the IR has changed.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import numpy as np

import palingrad as pg
from palingrad.engines.native.executable import NativeExecutable
from palingrad.engines.native.llvm.target import assembly

CPU = "x86-64-v3"  # fixed, so that the example is the same on every machine
PAGE = Path(__file__).resolve().parent.parent / "docs" / "native.md"
KERNEL = "elementwise_0"
IR = re.compile(r"(?<=<!-- ir -->\n).*?(?=<!-- /ir -->)", re.DOTALL)
ASSEMBLY = re.compile(r"(?<=<!-- assembly -->\n).*?(?=<!-- /assembly -->)", re.DOTALL)


def emitted() -> str:
    """The LLVM module of relu(x · w + b) for 64 numbers."""
    os.environ["PALINGRAD_CPU"] = CPU  # read when the first kernel is made
    f = pg.function(lambda x, w, b: pg.relu(x * w + b), engine="native")
    x = np.zeros(64, np.float32)
    return NativeExecutable(f.program(x, x, x)).emitted()


def tidied(text: str) -> str:
    """The kernel's IR alone, with readable names and constants, and the same semantics."""
    found = re.search(rf'^define [^\n]*@"{KERNEL}".*?^}}', text, re.DOTALL | re.MULTILINE)
    assert found is not None
    text = found[0].replace('"', "").replace("select  ", "select ").replace("phi  ", "phi ")
    text = re.sub(r"<float +0x0(, float +0x0)*>", "zeroinitializer", text)
    return re.sub(r"%\.(\d)", r"%v\1", text)


def assembled(text: str) -> str:
    """The kernel's assembly, without directives."""
    inside, lines = False, list[str]()
    for line in assembly(text).splitlines():
        if line.startswith(f"{KERNEL}:"):
            inside = True
        elif line.startswith(".Lfunc_end"):
            break
        elif not inside or (line.lstrip().startswith(".") and not line.endswith(":")):
            continue
        lines.append(line.expandtabs(8))
    return "\n".join(lines[lines.index(f"{KERNEL}:") :])


def block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```\n"


def main() -> int:
    text = emitted()
    page = PAGE.read_text()
    made = IR.sub(lambda _: block("llvm", tidied(text)), page)
    if made == page:
        return 0
    if "--check" in sys.argv:
        print("docs/native.md: the worked example is stale: run `make format`")
        return 1
    PAGE.write_text(ASSEMBLY.sub(lambda _: block("asm", assembled(text)), made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
