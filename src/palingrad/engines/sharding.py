"""Which axes of which Variables are cut over which axes of the mesh: schemes and rules by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..graph.leaves import Placeholder, Variable
from ..messages.checks import did_you_mean
from .placement import DATA, MODEL, Axes, Mesh, Placement, Rules, Spec

SCHEMES = ("replicated", "fully_sharded", "tensor")

# Tensor parallelism (Shoeybi et al. 2019, section 3): a matrix whose columns are cut is followed by
# one whose rows are, so that one sum over the devices is needed for both.
TENSOR: Rules = (
    ("*output.weight", (MODEL, None)),
    ("*down.weight", (MODEL, None)),
    ("*output.bias", ()),
    ("*down.bias", ()),
    ("*table", (MODEL, None)),
    ("*weight", (None, MODEL)),
    ("*bias", (MODEL,)),
)


_NAMES_OF_VARIABLES = (
    "Names are those of model.variables() where the model is given: use(mesh, sharding=…, "
    "model=model)."
)
_NAMES_OF_INPUTS = (
    "Names are those of parameters and placeholders; a function without this one needs a `with "
    "use(…)` of its own."
)


class Specs:
    """The specs of a Program's Variables under a placement. Raises where rules don't fit."""

    def __init__(self, placement: Placement) -> None:
        self._placement, self.mesh = placement, placement.mesh
        model = placement.model() if placement.model is not None else None
        found: dict[str, Variable] = {} if model is None else model.variables()
        self._names = {variable: name for name, variable in found.items()}
        self._ranks = {name: _shape(variable) for name, variable in found.items()}

    def name(self, variable: Variable) -> str:
        """The Variable's name in the model, or its own."""
        return self._names.get(variable) or variable.name

    def of(self, variable: Variable) -> Spec:
        """The spec of a Variable; state of an optimizer has that of the Variable it belongs to."""
        owner = variable._follows
        if owner is not None:
            return self.of(owner) if _shape(owner) == _shape(variable) else ()
        shape = _shape(variable)
        spec: list[Axes] = [None] * len(shape)
        for scheme in self._placement.schemes:
            if not isinstance(scheme, str):
                found = _matched(scheme, self.name(variable))
                if found is not None:
                    label = f"Variable {self.name(variable)!r}"
                    check_spec(self.mesh, found, shape, label)
                    return found
            elif scheme == "tensor":
                self._add_tensor(spec, self.name(variable), shape)
            elif scheme == "fully_sharded" and variable.trainable:
                self._add_data(spec, shape)
        return _shortened(spec)

    def check_patterns(self, variables: Iterable[Variable]) -> None:
        """Raise ArgumentError for a pattern that fits none of the Variables."""
        names = [self.name(one) for one in variables if one._follows is None]
        for scheme in self._placement.schemes:
            if not isinstance(scheme, str):
                _check_fits("sharding", "Variable", scheme, names, _NAMES_OF_VARIABLES)

    def _add_tensor(self, spec: list[Axes], name: str, shape: Sequence[int]) -> None:
        """Cut over `model` as the layer's kind asks, where the size allows it."""
        found = _matched(TENSOR, name) or ()
        kind, _, last = name.rpartition(".")
        matrix = self._ranks.get(f"{kind}.weight" if kind else "weight", ())
        if len(found) != len(shape) or (last == "bias" and len(matrix) != 2):
            return
        for axis, axes in enumerate(found):
            count = self.mesh.along(axes)
            if axes is not None and count > 1 and shape[axis] % count == 0:
                spec[axis] = axes

    def _add_data(self, spec: list[Axes], shape: Sequence[int]) -> None:
        """Cut the longest axis that isn't cut yet, and can be, over `data`."""
        count = self.mesh.along(DATA)
        able = [n for n, size in enumerate(shape) if spec[n] is None and size and size % count == 0]
        if count > 1 and able:
            spec[max(able, key=lambda n: shape[n])] = DATA


def check_inputs(placement: Placement, feeds: Sequence[Placeholder]) -> None:
    """Raise ArgumentError for a pattern of `inputs` that fits none of a Program's feeds."""
    if feeds:
        names = [feed._name or "" for feed in feeds]
        _check_fits("inputs", "input", placement.inputs, names, _NAMES_OF_INPUTS)


def _check_fits(what: str, kind: str, rules: Rules, names: Sequence[str], hint: str) -> None:
    """Raise ArgumentError for a pattern that fits none of the names."""
    for pattern, _ in rules:
        if not any(fnmatchcase(name, pattern) for name in names):
            known = ", ".join(map(repr, names[:12])) + (", …" if len(names) > 12 else "")
            raise ArgumentError(
                f"{what}: the pattern {pattern!r} fits no {kind}; they are {known}.",
                hint=did_you_mean(pattern, names, quoted=True) or f"* stands for any text. {hint}",
            )


def spec_of_feed(placement: Placement, feed: Placeholder, shape: Sequence[int]) -> Spec:
    """The spec of a feed: by the rules, else its first axis is cut over `data`."""
    name = feed._name or ""
    found = _matched(placement.inputs, name)
    if found is not None:
        check_spec(placement.mesh, found, shape, f"input {name!r}")
        return found
    count = placement.mesh.along(DATA)
    if count == 1 or not shape:
        return ()
    if shape[0] % count == 0:
        return (DATA,)
    if placement.uneven:
        return ()
    raise ShapeError(
        f"input {name!r} {tuple(shape)}: its first axis isn't a multiple of the {count} devices "
        f"along 'data' in {placement.mesh}.",
        hint=f"Feed a multiple of {count} examples; what isn't a batch is named in "
        f"use(…, inputs={{{name!r}: ()}}), and kept whole on each device.",
    )


def check_spec(mesh: Mesh, spec: Spec, shape: Sequence[int], label: str) -> None:
    """Raise unless an array of this shape can be cut so."""
    if len(spec) > len(shape):
        raise ShapeError(
            f"sharding: {label} has shape {tuple(shape)}, but its rule {spec} is for "
            f"{len(spec)} axes.",
            hint="Write one entry for each axis: None, or the name of an axis of the mesh.",
        )
    for axis, axes in enumerate(spec):
        count = mesh.along(axes)
        if shape[axis] % count:
            raise ShapeError(
                f"sharding: {label} {tuple(shape)}: axis {axis} isn't a multiple of the {count} "
                f"devices along {axes!r} in {mesh}.",
                hint="Cut another axis, or write None to keep it whole.",
            )


def bytes_of(mesh: Mesh, spec: Spec, variable: Variable) -> int:
    """The bytes of a Variable on one device."""
    form: Any = variable._form()
    parts = 1
    for axes in spec:
        parts *= mesh.along(axes)
    return form.nbytes // parts


def _matched(rules: Rules, name: str) -> Spec | None:
    return next((spec for pattern, spec in rules if fnmatchcase(name, pattern)), None)


def _shape(variable: Variable) -> tuple[int, ...]:
    return variable._form().shape


def _shortened(spec: Sequence[Axes]) -> Spec:
    """The spec without what is whole at its end."""
    used = max((n + 1 for n, axes in enumerate(spec) if axes is not None), default=0)
    return tuple(spec[:used])
