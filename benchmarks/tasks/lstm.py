"""Gradient of an LSTM, batch 32, hidden 128."""

from task import Case, Task
from transforms import arrays_of

TASK = Task(
    title="Gradient of an LSTM, batch 32, hidden 128",
    cases=(Case("64 steps", ("LSTM", 64), shown=True),),
    tiny=Case("3 steps", ("LSTM", 3)),
    make=lambda framework, given: framework.transform(given[0], *arrays_of(*given)),
    goal=3,
    contenders=("palingrad", "JAX"),
    peers=("JAX",),
)
