"""What a mesh is used for: `with use(mesh):`."""

from __future__ import annotations

import weakref
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..engines.placement import (
    BLOCKS,
    DATA,
    MODEL,
    Mesh,
    Placement,
    Rules,
    Scheme,
    current as placement_in_use,
)  # fmt: skip
from ..engines.sharding import SCHEMES, Specs
from ..errors import ArgumentError
from ..graph.context import opened
from ..messages.checks import did_you_mean, flag, shown, whole


def current() -> Placement | None:
    """The placement in use, with its mesh; None outside of `use`."""
    return placement_in_use()


@contextmanager
def use(
    mesh: Mesh,
    *,
    sharding: Any = "replicated",
    model: Any = None,
    inputs: Mapping[str, Any] | None = None,
    deterministic: bool = False,
    blocks: int = BLOCKS,
) -> Generator[Placement]:
    """In the `with`, functions and sessions of this thread run on the mesh, by the xla engine.

    sharding: where Variables lie. "replicated": whole on each device, data parallel.
    "fully_sharded": cut over `data`, and with them the optimizer's state and the gradients.
    "tensor": matrices of Linear, Embedding and attention are cut over `model`. Or rules by
    patterns of names, {"*.embedding.table": ("model", None)}: for each axis of the Variable the
    axis of the mesh, or None. Or a list of these, the first that fits a Variable deciding.
    model: whose names of Variables patterns are for; without it, they have their own names.
    inputs: the same for what is fed, by the names of parameters or placeholders; others are cut
    over `data` along their first axis. deterministic: the same numbers on any number of devices,
    by computing each batch in `blocks` blocks; see docs/scale.md for its costs.
    """
    placement = placed(mesh, sharding=sharding, model=model, inputs=inputs,
                       deterministic=deterministic, blocks=blocks)  # fmt: skip
    with using(placement):
        yield placement


@contextmanager
def using(placement: Placement, *, instead: bool = False) -> Generator[None]:
    """Have this placement in use until the end of the `with`, or instead of the one in use."""
    before = placement_in_use()
    if before is not None and not instead:
        raise ArgumentError(
            f"use: {before.mesh} is in use already.",
            hint="End its `with` first; one mesh with more axes serves several purposes.",
        )
    with opened(placement=placement):
        yield


def placed(
    mesh: Any, *, sharding: Any = "replicated", model: Any = None, inputs: Any = None,
    deterministic: bool = False, blocks: int = BLOCKS, uneven: bool = False,
) -> Placement:  # fmt: skip
    """The placement for these options of `use`, all of them checked."""
    if not isinstance(mesh, Mesh):
        raise ArgumentError(f"use: expected a mesh, got {shown(mesh)}.",
                            hint='Write pg.scale.mesh({"data": 4}).')  # fmt: skip
    if model is not None and not callable(getattr(model, "variables", None)):
        raise ArgumentError(f"use: the model is {shown(model)}; expected a pg.nn.Module.",
                            hint="Leave it out: Variables have names of their own.")  # fmt: skip
    count = None
    if flag("use: deterministic", deterministic):
        count = whole("use: blocks", blocks, least=1, like=BLOCKS)
    given = [sharding] if isinstance(sharding, (str, Mapping)) else sharding
    if not isinstance(given, Sequence) or not given:
        raise ArgumentError(f"use: sharding is {shown(sharding)}.",
                            hint=f"There are {', '.join(map(repr, SCHEMES))}, and rules: "
                            '{"*.weight": (None, "model")}.')  # fmt: skip
    several: Sequence[Any] = given
    schemes = tuple(_scheme(mesh, one) for one in several)
    rules = _rules(mesh, "inputs", inputs or {})
    if not (rules or {DATA, MODEL} & {*mesh.names} or any(not isinstance(x, str) for x in schemes)):
        raise ArgumentError(f"use: nothing is cut over the axes of {mesh}: every device would "
                            "compute all of it.",
                            hint=f"Name an axis {DATA!r} or {MODEL!r}, or write rules that name "
                            "yours.")  # fmt: skip
    reference = None if model is None else weakref.ref(model)
    placement = Placement(mesh, schemes, rules, uneven, count, reference)
    if model is not None:
        specs = Specs(placement)
        specs.check_patterns(model.variables().values())
        for variable in model.variables().values():
            specs.of(variable)
    return placement


def _scheme(mesh: Mesh, given: Any) -> Scheme:
    if isinstance(given, Mapping):
        return _rules(mesh, "sharding", given)
    if given not in SCHEMES:
        raise ArgumentError(
            f"use: there is no sharding {shown(given)}.",
            hint=(did_you_mean(given, SCHEMES, quoted=True) if isinstance(given, str) else "")
            or f"There are {', '.join(map(repr, SCHEMES))}, and rules by name.",
        )
    if given == "tensor" and "model" not in mesh.names:
        raise ArgumentError(f"use: sharding='tensor' cuts over 'model', which {mesh} hasn't.",
                            hint='Write mesh({"data": 4, "model": 2}).')  # fmt: skip
    if given == "fully_sharded" and "data" not in mesh.names:
        raise ArgumentError(f"use: sharding='fully_sharded' cuts over 'data', which {mesh} hasn't.",
                            hint='Write mesh({"data": 4}).')  # fmt: skip
    return given


def _rules(mesh: Mesh, what: str, given: Any) -> Rules:
    """Rules by pattern, checked against the axes of the mesh."""
    if not isinstance(given, Mapping):
        raise ArgumentError(f"use: {what} is {shown(given)}; expected a dict of rules.",
                            hint='Write {"*.weight": (None, "model")}.')  # fmt: skip
    rules: Mapping[Any, Any] = given
    found: list[tuple[str, tuple[Any, ...]]] = []
    for pattern, entry in rules.items():
        spec = () if entry is None else entry
        if not isinstance(pattern, str) or not isinstance(spec, (tuple, list)):
            raise ArgumentError(f"use: {what}: {shown(pattern)}: {shown(entry)} isn't a rule.",
                                hint='Write {"*.weight": (None, "model")}.')  # fmt: skip
        entries: Sequence[Any] = spec
        axes = [one for part in entries if part is not None
                for one in (part if isinstance(part, (tuple, list)) else (part,))]  # fmt: skip
        for one in axes:
            if one not in mesh.names:
                raise ArgumentError(
                    f"use: {what}: {pattern!r} names the axis {shown(one)}, which {mesh} hasn't.",
                    hint=f"Its axes are {', '.join(map(repr, mesh.names))}.",
                )
        if len(set(axes)) < len(axes):
            raise ArgumentError(f"use: {what}: {pattern!r} names an axis of the mesh twice.",
                                hint="An axis of the mesh cuts one axis of an array.")  # fmt: skip
        frozen = [tuple(part) if isinstance(part, list) else part for part in entries]
        found.append((pattern, tuple(frozen)))
    return tuple(found)
