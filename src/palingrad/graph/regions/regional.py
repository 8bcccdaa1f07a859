"""The kind of operations that have regions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, Self

from numpy.linalg import LinAlgError

from ... import errors
from ...classes import NamedTuple
from ...dtypes import Array
from ...errors import PalingradError
from ..describe.nonfinite import Reason, number
from ..describe.notation import Piece, applied, operator
from ..describe.template import below
from ..leaves import Constant
from ..node import Node
from ..operation import MultipleOutputs, Operation
from ..registry import ops
from .region import Form, Region, form_of, is_known_form, same_form

Body = Callable[[Sequence[Any]], Sequence[Any]]  # a region's results for arrays
_derivatives: list[Callable[[], Any]] = []


def derive_regions_with(load: Callable[[], Any]) -> None:
    """Register what imports the derivatives of operations with regions; see `autodiff/control/`."""
    _derivatives[:] = [load]


class Steps(NamedTuple):
    """How an operation runs its one region a known number of times: the parameters are carries, the
    rows of arrays that are sliced, and captures; the results are carries and rows of stacks."""

    carries: int
    slices: int
    length: int
    reverse: bool  # whether it begins with the last row


class Repeats(NamedTuple):
    """How an operation repeats its second region while the first one's result is true: the
    parameters of both are carries, which are the second one's results, and captures."""

    carries: int
    most: int | None  # repetitions


class Regional(MultipleOutputs):
    """Control flow: an operation whose attribute `regions` holds the graphs that it runs.

    A subclass defines `run(y, bodies, *values)`: its results, computed with a function for each
    region, and `forms(inputs, attributes)`: for each region the forms of its parameters.
    """

    promotes = False
    complexes = True
    selective: ClassVar[bool] = True  # vjp is told which inputs need a cotangent, and
    #                                   which outputs have none: theirs is None
    shared: ClassVar[bool] = False  # whether devices may share its steps, which have no carries
    chooses: ClassVar[bool] = False  # whether a run is that of one region, whose number is the
    #                                  first input, for the other inputs

    @property
    def regions(self) -> tuple[Region, ...]:
        """The graphs that it runs."""
        return self.attributes["regions"]

    def run(self, bodies: Sequence[Body], *values: Array) -> Sequence[Any]:
        """The results for these values of the inputs, with a function for each region."""
        raise NotImplementedError

    def steps(self) -> Steps | None:
        """How its steps follow one another, if their number is known; an engine may then take them
        all at once."""
        return None

    def counter(self, carry: int) -> range | None:
        """The values of a carry in the steps, if it is an integer to which each adds a constant."""
        return None

    def repeats(self) -> Repeats | None:
        """How it repeats a region as long as a condition holds, if it does."""
        return None

    def iterations(self) -> int:
        """How often a run evaluates its regions, about; for estimates of costs."""
        return 1

    def __init__(self, *inputs: Any, **attributes: Any) -> None:
        _derivatives[0]()
        super().__init__(*inputs, **attributes)

    @classmethod
    def forms(
        cls, inputs: Sequence[Any], attributes: Mapping[str, Any]
    ) -> Sequence[Sequence[Form]]:
        """For each region the forms of its parameters."""
        raise NotImplementedError

    @classmethod
    def fitted(cls, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The attributes for these inputs: regions of a template get their shapes and dtypes."""
        _derivatives[0]()
        if not all(is_known_form(form_of(x)) for x in inputs):
            return attributes
        forms = cls.forms(inputs, attributes)
        regions = tuple(
            region.fitted(forms_of)
            for region, forms_of in zip(attributes["regions"], forms, strict=True)
        )
        return {**attributes, "regions": regions}

    @classmethod
    def applied(cls, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Self:
        return super().applied(inputs, cls.fitted(inputs, attributes))

    def clone(self, inputs: Sequence[Node], *, value: Any = None) -> Self:
        new = super().clone(inputs, value=value)
        fitted = self.fitted(new.inputs, self.attributes)  # of a template, for inputs with values
        new.attributes = fitted
        new.__dict__.update(fitted)
        return new

    def with_regions(self, regions: Sequence[Region], inputs: Sequence[Any] | None = None) -> Self:
        """The same operation with other regions, for inputs of the same forms."""
        new = self.clone(self.inputs if inputs is None else inputs)
        new.attributes = {**self.attributes, "regions": tuple(regions)}
        new.__dict__.update(new.attributes)
        new._infer()
        return new

    def checked_regions(self) -> list[Sequence[Node]]:
        """The results of the regions, for the verifier; their parameters are what they must be."""
        forms = self.forms(self.inputs, self.attributes)
        for region, expected in zip(self.regions, forms, strict=True):
            pairs = zip(expected, map(form_of, region.parameters), strict=True)
            assert all(same_form(a, b) for a, b in pairs), f"{self!r}: {region}"
            given = set(region.parameters)
            free = [
                x for x in region.order if not (x in given or isinstance(x, (Constant, Operation)))
            ]
            assert not free, f"{self!r}: {region} reads {free}"
        return [region.results for region in self.regions]

    def raise_in_step(self, error: Exception, step: int) -> NoReturn:
        """Raise the error of a body, which says in which step it was raised, from 0: the library's
        in its message, another in a note."""
        place = f"{self.label()}, step {step}"
        if isinstance(error, PalingradError) and type(error).__module__ == errors.__name__:
            better = type(error)(f"{place}: {error.fact}", hint=error.hint)
            own = {"fact": better.fact, "hint": better.hint, "explained": True}
            better.__dict__.update({**error.__dict__, **own})
        elif type(error) is LinAlgError:
            # It names no line of the user's, unless an inner loop has added it.
            text = str(error)
            better = LinAlgError(f"{place}: {text}{'' if '(built at' in text else self.built()}")
            better.__dict__.update(error.__dict__)
        else:
            error.add_note(f"in {place}")
            raise error
        raise better from None

    def compute(self, *values: Any) -> Any:
        self._infer()  # checks what it would check in a graph
        return ops.regions_evaluated(self, values)

    def notation(y, *x: Piece) -> Piece:
        """A call of all that it reads, with its steps; `pg.latex` writes its recurrence."""
        steps, options = y.steps(), ""
        if steps is not None:
            ends = ("0", f"{steps.length - 1}" if steps.length else "n")
            first, last = ends[::-1] if steps.reverse else ends
            options = rf"t={first}, \dots, {last}"
        name = re.match(r"\\operatorname\{\w+\}", y.math)
        return applied((name[0] if name else operator(y.kind_name())) + below(options), x)

    def nonfinite(y, value: float, *x: float) -> Reason:
        return Reason(
            f"an operation in a body of {y.kind_name()} gave {number(value)}",
            "pg.debug_nans, which names the operation and the step",
        )

    def structure(y, position: int, size: int, out: int) -> str:
        return "control flow"
