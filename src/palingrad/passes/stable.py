"""Stable forms: replaces formulas that overflow or cancel by numerically stable ones."""

from __future__ import annotations

from ..graph.node import Node
from ..graph.operation import Operation
from ..ops.stable import HAVE_FORMS, stable_form
from .program import Program


def stabilise(program: Program) -> Program:
    """The program with log(softmax(x)), log(1 + exp(x)) and similar terms in their stable form."""
    return program.rewritten(_stable, only=HAVE_FORMS)


def _stable(node: Operation) -> Node:
    form = stable_form(node)
    return node if form is None else form.build()
