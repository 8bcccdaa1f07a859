"""Where a Program's arrays lie: on one device, or cut over those of a mesh (`NamedSharding`)."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np

from ....dtypes import Array
from ....errors import EngineError
from ....graph.leaves import Placeholder, Variable
from ....graph.node import Node
from ....processes import alike, begin, busy
from ....shapes import sizes
from ...ahead import Sent, sent as sent_ahead
from ...placement import DATA, Mesh, Placement, Spec
from ...sharding import Specs, bytes_of, check_inputs, spec_of_feed
from ..feeding import Feeding
from ..jaxlib import devices, jax, jnp, settings, told
from .parallel import gathered, part_of

_launching = threading.RLock()


class Layout:
    """All arrays on JAX's default device."""

    mesh: Mesh | None = None
    parallel: tuple[str, int] | None = None  # see `Trace`

    def wrapped(
        self, function: Callable[..., Any], changing: Sequence[Variable], kept: Sequence[Variable],
        updated: Sequence[Variable],
    ) -> Callable[..., Any]:  # fmt: skip
        """What XLA is to compile for a function of (feeds, changing Variables, others)."""
        return function

    def compiled(
        self, function: Callable[..., Any], given: tuple[Any, Any, Any], *, donates: bool,
        updated: Sequence[Variable] = (), along: Collection[int] = (),
    ) -> Any:  # fmt: skip
        """The function of (feeds, changing Variables, others), compiled by XLA for arrays like
        those given; it returns (outputs, new values of those updated, spans).

        The feeds whose numbers are in `along` have an axis before that of their batch.
        """
        return self._lowered(function, tuple(map(forms, given)), donates)

    def _lowered(self, function: Any, forms: Any, donates: bool, **options: Any) -> Any:
        with settings(), told("compile"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Some donated buffers were not usable")
            jitted = jax.jit(function, donate_argnums=(1,) if donates else (), **options)
            return self._checked(jitted.lower(*forms)).compile()

    def _checked(self, lowered: Any) -> Any:
        """What is to be compiled, if it may be."""
        return lowered

    def begins(self, feeds: Sequence[Any]) -> None:
        """A run begins. Raises ProcessError if one of the processes that share it is gone, or feeds
        something else."""

    def feeding(self, feeds: Sequence[Placeholder]) -> Feeding:
        """How runs of a Program are fed."""
        return Feeding(feeds)

    def sent(self, compiled: Any, feeds: Sequence[Array]) -> list[Any]:
        """Feeds as a run of what was compiled takes them, which waits for its end."""
        return [np.asarray(one) for one in feeds]

    def launch(
        self, compiled: Any, feeds: Sequence[Any], changing: Sequence[Any], kept: Sequence[Any],
        found: list[Any],
    ) -> None:  # fmt: skip
        """Puts the results of (feeds, changing Variables, others) into `found`."""
        # One call from C to C, which no signal handler interrupts, once JAX has made its function
        # in C, in the first run. Its name is JAX's own; without it all is right.
        call = getattr(compiled, "_call", None) or compiled
        found.extend(map(call, (feeds,), (changing,), (kept,)))

    def check_hosted(self, hosted: Mapping[Node, str]) -> None:
        """Raise EngineError if NumPy can't compute these operations here."""

    def put(self, variable: Variable, value: Any) -> Any:
        """A Variable's value on the device: a copy of an array, or one moved from elsewhere."""
        with settings():
            return jnp.array(whole(value), copy=True)

    def holds(self, variable: Variable, value: Any) -> bool:
        """Whether an array on devices lies as this says."""
        return value.sharding.num_devices == 1


class MeshLayout(Layout):
    """Arrays cut over the devices of a mesh, as a placement says; results whole on each."""

    def __init__(
        self, placement: Placement, feeds: Sequence[Placeholder], variables: Sequence[Variable]
    ) -> None:
        self.placement, self.mesh = placement, placement.mesh
        self._mesh = jax_mesh(placement.mesh)
        self.feeds = list(feeds)
        specs = Specs(placement)
        self.spec_of = specs.of
        if placement.model is None and any(one.trainable for one in variables):
            specs.check_patterns(variables)
        self.names = {one: specs.name(one) for one in variables}
        self.specs: dict[Variable, Spec] = {one: specs.of(one) for one in variables}
        self.feed_specs = [spec_of_feed(placement, x, sizes(x.shape)) for x in feeds]
        self._shardings = {one: self._sharding(spec) for one, spec in self.specs.items()}
        self._is_local = self._sharding(()).is_fully_addressable
        self._runs = 0

    def bytes_of(self, variable: Variable) -> int:
        """The bytes of a Variable on one device."""
        return bytes_of(self.placement.mesh, self.specs[variable], variable)

    def _sharding(self, spec: Spec) -> Any:
        return jax.sharding.NamedSharding(self._mesh, jax.sharding.PartitionSpec(*spec))

    def _of_feeds(self, along: Collection[int]) -> list[Any]:
        found = enumerate(self.feed_specs)
        return [self._sharding((None, *spec) if n in along else spec) for n, spec in found]

    def compiled(
        self, function: Callable[..., Any], given: tuple[Any, Any, Any], *, donates: bool,
        updated: Sequence[Variable] = (), along: Collection[int] = (),
    ) -> Any:  # fmt: skip
        feeds, *variables = given
        given_forms = [forms(feeds, self._of_feeds(along))]
        given_forms += [forms(some, [self._shardings[one] for one in some]) for some in variables]
        whole = self._sharding(())
        results = whole, [self._shardings[one] for one in updated], whole
        changing, kept = variables
        wrapped = self.wrapped(function, changing, kept, updated)
        with busy("compiling"):
            return self._lowered(wrapped, given_forms, donates, out_shardings=results)

    def _checked(self, lowered: Any) -> Any:
        """Raises ProcessError where processes would compute different programs together."""
        if not self._is_local:
            digest = sha256(lowered.as_text().encode()).hexdigest()
            alike("the compilation of a program", digest, "compile different programs")
        return lowered

    def begins(self, feeds: Sequence[Any]) -> None:
        if self._is_local:
            return
        self._runs += 1
        if self._runs & (self._runs - 1):
            begin("a run")
            return
        # In runs 1, 2, 4, 8 … what is fed is compared: batches in another order differ at once.
        digest = sha256()
        for x in feeds:
            if isinstance(x, np.ndarray):
                digest.update(x.tobytes())
        alike("a run", digest.hexdigest(), "feed different arrays to a run")

    def feeding(self, feeds: Sequence[Placeholder]) -> Feeding:
        return MeshFeeding(feeds, self.sent, self._of_feeds(()))

    def sent(self, compiled: Any, feeds: Sequence[Array]) -> list[Any]:
        if self._is_local:
            # JAX cuts them, in C++, and devices read them in place: some may do so when others
            # have the results already.
            return [np.array(one) for one in feeds]
        shardings = compiled.input_shardings[0][0]
        with settings():
            return [_spread(np.asarray(x), one) for x, one in zip(feeds, shardings, strict=True)]

    def launch(
        self, compiled: Any, feeds: Sequence[Any], changing: Sequence[Any], kept: Sequence[Any],
        found: list[Any],
    ) -> None:  # fmt: skip
        # All devices must begin the same computations in the same order, and none of them may find
        # that another thread's run has written over an array: the others would wait for it.
        with _launching:
            if any(one.is_deleted() for part in (changing, kept) for one in part):
                raise RuntimeError("another run has written over a Variable's array")
            super().launch(compiled, feeds, changing, kept, found)

    def check_hosted(self, hosted: Mapping[Node, str]) -> None:
        if hosted and not self._is_local:  # an error of one would be seen by one process only
            node = next(iter(hosted))
            raise EngineError(
                f"xla: NumPy computes {node.label()}{node.built()}, which it can't on a mesh of "
                f"several processes: {hosted[node]}.",
                hint="Compute it before, and feed the result; or use a mesh of one process.",
            )

    def put(self, variable: Variable, value: Any) -> Any:
        sharding = self._shardings[variable]
        if not self._is_local:
            self._check_value(variable, value)
        with settings():
            if isinstance(value, np.ndarray):
                return _spread(value, sharding)
            return jax.device_put(value, sharding, may_alias=False)

    def _check_value(self, variable: Variable, value: Any) -> None:
        """Raises ProcessError where processes would start with different values."""
        label = f"sending the Variable {self.names[variable]!r}"
        if isinstance(value, np.ndarray):
            digest = sha256(value.tobytes()).hexdigest()
            alike(label, digest, f"have different values of the Variable {self.names[variable]!r}")
        else:
            begin(label)

    def holds(self, variable: Variable, value: Any) -> bool:
        wanted = self._shardings[variable]
        return value.sharding == wanted or wanted.is_equivalent_to(value.sharding, value.ndim)


class BlocksLayout(MeshLayout):
    """The same where numbers mustn't depend on the number of devices: each of them computes the
    whole Program, except that they share the rows of a `map` along `data`."""

    def __init__(
        self, placement: Placement, feeds: Sequence[Placeholder], variables: Sequence[Variable]
    ) -> None:
        super().__init__(replace(placement, inputs=(("*", ()),)), feeds, variables)
        if DATA in placement.mesh.names:
            self.parallel = DATA, placement.mesh.along(DATA)

    def wrapped(
        self, function: Callable[..., Any], changing: Sequence[Variable], kept: Sequence[Variable],
        updated: Sequence[Variable],
    ) -> Callable[..., Any]:  # fmt: skip
        specs, sizes = self.specs, self.placement.mesh.shape

        def on_each(feeds: Any, mine: Any, others: Any) -> Any:
            whole = [
                [gathered(part, specs[one]) for part, one in zip(parts, some, strict=True)]
                for parts, some in ((mine, changing), (others, kept))
            ]
            outputs, values, spans = function(feeds, *whole)
            pairs = zip(values, updated, strict=True)
            return outputs, [part_of(x, specs[one], sizes) for x, one in pairs], spans

        def cut(some: Sequence[Variable]) -> list[Any]:
            return [jax.sharding.PartitionSpec(*specs[one]) for one in some]

        whole = jax.sharding.PartitionSpec()
        return jax.shard_map(
            on_each, mesh=self._mesh, in_specs=(whole, cut(changing), cut(kept)),
            out_specs=(whole, cut(updated), whole), check_vma=False,
        )  # fmt: skip


class MeshFeeding(Feeding):
    """The feeds of one Program's runs on a mesh: parts of them are sent to the devices."""

    in_place = False

    def __init__(
        self, feeds: Sequence[Placeholder], sent: Callable[..., list[Any]], shardings: list[Any]
    ) -> None:
        self._cut, self._shardings = sent, shardings
        self._forms = forms(feeds)

    def lent(self, compiled: Any, feeds: Sequence[Array]) -> tuple[list[Any], list[Array]]:
        ahead = sent_ahead(self.send)
        if len(ahead) == len(feeds) and all(
            pair[0] is x and pair[1].sharding == sharding
            for pair, x, sharding in zip(ahead, feeds, self._shardings, strict=True)
        ):
            return [value for _, value in ahead], []
        return self._cut(compiled, feeds), []

    def send(self, feeds: Sequence[Array]) -> Sent:
        """Copies of the parts, on their way to the devices; none if the feeds aren't this
        Program's, whose shapes say how they are cut."""
        if [(x.shape, x.dtype) for x in feeds] != [(x.shape, x.dtype) for x in self._forms]:
            return []
        with settings():
            pairs = zip(feeds, self._shardings, strict=True)
            return [(x, _spread(x, sharding)) for x, sharding in pairs]

    def back(self, copies: list[Array]) -> None:
        """Nothing is used again."""


def layout_of(placement: Placement | None, feeds: Any, variables: Any) -> Layout:
    """The layout of a Program's arrays."""
    if placement is None:
        return Layout()
    check_inputs(placement, feeds)
    kind = MeshLayout if placement.blocks is None else BlocksLayout
    return kind(placement, feeds, variables)


def jax_mesh(mesh: Mesh) -> Any:
    """The mesh as JAX's, of the first devices; GSPMD decides what is computed where."""
    found = devices()
    if len(found) < mesh.size:
        raise EngineError(
            f"xla: {mesh} needs {mesh.size} devices, and JAX has {len(found)}.",
            hint="Make the mesh with pg.scale.mesh, which counts them.",
        )
    kinds = (jax.sharding.AxisType.Auto,) * len(mesh.names)
    grid = np.array(found[: mesh.size]).reshape(mesh.sizes)
    return jax.sharding.Mesh(grid, mesh.names, axis_types=kinds)


def whole(value: Any) -> Any:
    """An array on the host of the whole value. Where processes share it, all of them must ask."""
    if isinstance(value, np.ndarray) or value.is_fully_addressable or value.is_fully_replicated:
        return np.asarray(value)
    begin("reading a Variable")
    replicated = jax.sharding.NamedSharding(value.sharding.mesh, jax.sharding.PartitionSpec())
    return np.asarray(jax.jit(_same, out_shardings=replicated)(value))


def parts_of(value: Any) -> list[tuple[tuple[int, ...], Array]] | None:
    """The first copies of parts that this process has of an array that several processes share,
    with where they begin; None if it has the whole array."""
    if value.is_fully_addressable or value.is_fully_replicated:
        return None
    return [
        (tuple(one.start or 0 for one in part.index), np.array(part.data))
        for part in value.addressable_shards
        if part.replica_id == 0
    ]


def _same(x: Any) -> Any:
    return x


def _spread(array: Array, sharding: Any) -> Any:
    """Copies of an array's parts on the devices of this process."""
    return jax.make_array_from_callback(
        array.shape, sharding, lambda index: np.array(array[index], copy=True)
    )


def forms(nodes: Sequence[Any], shardings: Sequence[Any] | None = None) -> list[Any]:
    """Shapes and dtypes of nodes or arrays, for JAX."""
    some = [None] * len(nodes) if shardings is None else shardings
    arrays = [x._form() if isinstance(x, Variable) else x for x in nodes]
    return [
        jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=one)
        for x, one in zip(arrays, some, strict=True)
    ]
