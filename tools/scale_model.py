"""Time and memory of a training step on many devices, on paper.

    python tools/scale_model.py          the tables of docs/scale.md

Collectives are rings (Patarasuk and Yuan 2009): over n devices an all-reduce of B bytes takes
2(n − 1)(B/(n·bandwidth) + latency), an all-gather or a reduce-scatter half of it. A ring that
leaves a host has the network's bandwidth and latency. What overlaps: gradients are added up during
the backward pass, two thirds of the compute; fully sharded weights are gathered while the layer
before computes. The all-reduces of tensor parallelism overlap with nothing.

`LOOPBACK` and `MEASURED` are measurements by `scale_points.py`, which the model is checked against.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Machine:
    """Devices, and what joins them; rates are those attained, per device and direction."""

    name: str
    flops: float
    memory: float  # bytes
    memory_bandwidth: float
    link: float  # bytes/s within a host
    link_latency: float
    network: float  # bytes/s between hosts
    network_latency: float
    per_host: int
    at_once: int | None = None  # devices that run at the same time, if not all
    overlaps: bool = True


@dataclass(frozen=True)
class Work:
    """A step's work on one device that has the whole model."""

    parameters: float
    layers: int
    flops: float
    update_bytes: float  # that an update reads and writes, for a parameter
    weight_bytes: float  # of a gathered weight
    gathers: int  # of each weight in a step


@dataclass(frozen=True)
class Gpt:
    """A GPT, and what a device is given in a step."""

    name: str
    layers: int
    width: int
    heads: int
    tokens: int = 2048
    batch: int = 4  # texts for a device
    vocabulary: int = 50257

    @property
    def parameters(self) -> float:
        return 12.0 * self.layers * self.width**2 + (self.vocabulary + self.tokens) * self.width

    def work(self) -> Work:
        """Products forward, and for both operands backward; bfloat16 weights; Adam reads weight,
        gradient and two means, and writes weight and means, all of four bytes."""
        rows = self.batch * self.tokens
        attention = 12.0 * self.layers * self.width * self.tokens
        flops = rows * (6 * self.parameters + attention)
        return Work(self.parameters, self.layers, flops, 28, 2, 2)

    def memory(self, *, sharded: int = 1, tensor: int = 1) -> float:
        """Bytes on a device: weights, two means and gradients in float32, weights in bfloat16 (of
        two layers if they are gathered), activations of 16 bits (Korthikanti et al. 2022, eq. 1 and
        2, softmax kept), and scores in float32 with their gradient."""
        n = self.parameters
        layer = 12.0 * self.width**2
        state = 18 * n / tensor if sharded == 1 else 16 * n / sharded + 2 * 2 * layer
        rows, width = self.batch * tensor * self.tokens, self.width
        softmax = 5 * self.heads * self.tokens / width
        kept = rows * width * self.layers * (10 + (24 + softmax) / tensor)
        return state + kept + 8.0 * rows * self.vocabulary / tensor


def ring(machine: Machine, count: int, size: float, passes: int = 1) -> float:
    """Seconds of an all-gather or reduce-scatter (1 pass) or an all-reduce (2) over devices."""
    within = count <= machine.per_host
    bandwidth = machine.link if within else machine.network
    latency = machine.link_latency if within else machine.network_latency
    seconds = passes * (count - 1) * (size / count / bandwidth + latency)
    return seconds * _turns(machine, count)


def _turns(machine: Machine, count: int) -> float:
    """How often as long it takes because devices share what computes."""
    return 1.0 if machine.at_once is None else count / machine.at_once


def data_parallel(machine: Machine, work: Work, count: int) -> float:
    """Seconds of a step in which all devices have all weights."""
    turns = _turns(machine, count)
    compute = turns * work.flops / machine.flops
    update = turns * work.parameters * work.update_bytes / machine.memory_bandwidth
    hidden = 2 / 3 * compute if machine.overlaps else 0.0
    adding = ring(machine, count, 4 * work.parameters, 2)
    return compute + update + max(adding - hidden, adding / work.layers)


def fully_sharded(machine: Machine, work: Work, count: int) -> float:
    """Seconds of a step in which each device has a part of weights, gradients and state."""
    turns = _turns(machine, count)
    compute = turns * work.flops / machine.flops
    update = turns / count * work.parameters * work.update_bytes / machine.memory_bandwidth
    part = work.parameters / work.layers
    gather = ring(machine, count, work.weight_bytes * part)
    moving = work.layers * (work.gathers * gather + ring(machine, count, 4 * part))
    if machine.overlaps:
        return max(compute, moving) + gather + update
    return compute + moving + update


def tensor_parallel(machine: Machine, model: Gpt, count: int, tensor: int) -> float:
    """Seconds of a step: `tensor` devices share each layer, groups of them are data parallel, and a
    group has the texts of all its devices."""
    model = replace(model, batch=model.batch * tensor)
    work = model.work()
    shared = replace(
        work, parameters=work.parameters / tensor, flops=work.flops / tensor
    )  # of one device
    activations = 2.0 * model.batch * model.tokens * model.width
    inside = 4 * model.layers * ring(machine, tensor, activations, 2)
    if count == tensor:
        return data_parallel(machine, shared, 1) + inside
    between = replace(machine, per_host=max(machine.per_host // tensor, 1))
    return data_parallel(between, shared, count // tensor) + inside


# ---------------------------------------------------------------- measured points

# 512-wide layers, 4 of them, 64 rows a device, float32, SGD: CPU time on one core, in seconds.
_STEP, _UPDATE = 4.88e-3, 1.04e-3  # calibrated: the step on one device, and its update alone
_LARGE, _SMALL = (4 * 2**20, 2.034e-3), (16 * 2**10, 0.057e-3)  # calibrated: bytes and time on two
MEASURED = {  # predicted
    ("data", 2): 12.69e-3, ("data", 4): 26.25e-3,
    ("fully sharded", 2): 12.73e-3, ("fully sharded", 4): 21.24e-3,
}  # fmt: skip


def loopback() -> tuple[Machine, Work]:
    """Loopback devices that take turns on one core, and the step of `scale_points.py`."""
    parameters = 4 * 512.0**2
    work = Work(parameters, 4, 6 * 64 * parameters, 12, 4, 1)
    # On two devices that take turns an all-reduce takes 2·B/bandwidth + 4·latency.
    bandwidth = 2 * (_LARGE[0] - _SMALL[0]) / (_LARGE[1] - _SMALL[1])
    latency = (_SMALL[1] - 2 * _SMALL[0] / bandwidth) / 4
    machine = Machine(
        "loopback", work.flops / (_STEP - _UPDATE), 0, 12 * parameters / _UPDATE,
        bandwidth, latency, bandwidth, latency, 4, at_once=1, overlaps=False,
    )  # fmt: skip
    return machine, work


def predicted() -> dict[tuple[str, int], float]:
    """The model's seconds for the measured points."""
    machine, work = loopback()
    steps = {"data": data_parallel, "fully sharded": fully_sharded}
    return {key: steps[key[0]](machine, work, key[1]) for key in MEASURED}


# ---------------------------------------------------------------- tables

# NVIDIA's data sheet of the H100 SXM: 989 TFLOP/s in bfloat16, of which 40 % are assumed to be
# attained; 80 GB at 3.35 TB/s; NVLink 450 GB/s a direction. 400 Gb/s of network for each device.
HOSTS = Machine("8 × H100", 0.4 * 989e12, 80e9, 3.35e12, 450e9, 3e-6, 50e9, 10e-6, 8)
MODELS = (
    Gpt("1 billion", layers=24, width=1792, heads=14),
    Gpt("10 billion", layers=40, width=4480, heads=35, batch=1),
)
COUNTS = (1, 8, 64, 512, 1000)


def table() -> list[str]:
    """The predictions for hosts, as lines of Markdown."""
    lines = [
        "| parameters | hosts | data | fully sharded | tensor 8 × data |",
        "|---|--:|--:|--:|--:|",
    ]
    for model in MODELS:
        work = model.work()
        for hosts in COUNTS:
            count = hosts * HOSTS.per_host
            cells = [
                (data_parallel(HOSTS, work, count), model.memory()),
                (fully_sharded(HOSTS, work, count), model.memory(sharded=count)),
                (tensor_parallel(HOSTS, model, count, 8), model.memory(tensor=8)),
            ]
            shown = [_cell(*one) for one in cells]
            lines.append(f"| {model.name} | {hosts:,} | {' | '.join(shown)} |")
    return lines


def _cell(seconds: float, memory: float) -> str:
    fits = "" if memory <= HOSTS.memory else ", doesn't fit"
    return f"{seconds:.2f} s, {memory / 1e9:.0f} GB{fits}"


def points() -> list[str]:
    """Measured and predicted steps, as lines of Markdown."""
    lines = ["| step | measured | predicted | difference |", "|---|--:|--:|--:|"]
    for (kind, count), seconds in predicted().items():
        real = MEASURED[kind, count]
        lines.append(f"| {kind} on {count} | {1e3 * real:.1f} ms | {1e3 * seconds:.1f} ms "
                     f"| {seconds / real - 1:+.0%} |")  # fmt: skip
    return lines


if __name__ == "__main__":
    print(*table(), "", *points(), sep="\n")
