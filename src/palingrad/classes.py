"""`NamedTuple` and `Protocol` as those of `typing`, for classes that `import palingrad` makes.

`typing.NamedTuple` compiles the text of a constructor for each class, and `typing.Protocol` gives
each a metaclass that answers isinstance: together 3 ms of the import. Type checkers see Python's.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple, Protocol as Protocol
else:

    class Protocol:
        """A class that only declares methods."""

    class NamedTuple(tuple):
        """A tuple whose elements are read by the names that the class annotates.

        >>> from palingrad.classes import NamedTuple
        >>> class Point(NamedTuple):
        ...     x: float
        ...     y: float = 0.0
        >>> Point(1.0), Point(1.0)._replace(x=2.0) == (2.0, 0.0)
        (Point(x=1.0, y=0.0), True)
        """

        __slots__ = ()
        _fields = ()
        _field_defaults = {}

        def __init_subclass__(cls) -> None:
            own = vars(cls)
            if "__annotations__" not in own:  # a subclass that adds only methods
                return
            cls._fields = cls.__match_args__ = tuple(own["__annotations__"])
            cls._field_defaults = {name: own[name] for name in cls._fields if name in own}
            for place, name in enumerate(cls._fields):
                setattr(cls, name, property(itemgetter(place)))

        def __new__(cls, *given: Any, **named: Any) -> Self:
            if named or len(given) != len(cls._fields):
                given = cls._completed(given, named)
            return tuple.__new__(cls, given)

        @classmethod
        def _completed(cls, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
            """The values of all fields. Raises TypeError unless each has one."""
            names = cls._fields
            values = cls._field_defaults | dict(zip(names, given, strict=False)) | named
            twice = named.keys() & set(names[: len(given)])
            if len(given) > len(names) or values.keys() != set(names) or twice:
                raise TypeError(
                    f"{cls.__name__}({', '.join(names)}) can't be made of {len(given)} values by "
                    f"position and {', '.join(named) or 'none'} by name"
                )
            return tuple([values[name] for name in names])

        def _replace(self, **named: Any) -> Self:
            """The tuple with other values of some fields."""
            return type(self)(**(self._asdict() | named))

        def _asdict(self) -> dict[str, Any]:
            """The values by their names."""
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            values = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({values})"
