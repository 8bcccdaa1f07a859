"""Square float32 matrix products, including odd sizes."""

from contenders import NATIVE
from task import Case, Task, numbers

SIZES = (64, 128, 255, 256, 257, 511, 512, 777, 1000, 1023, 1024, 1025, 1536, 2048)


def product(rows: int, depth: int, columns: int, *, name: str, shown: bool = False) -> Case:
    moved = 4.0 * (rows * depth + depth * columns + rows * columns)
    return Case(name, (rows, depth, columns), 2.0 * rows * depth * columns, moved, shown)


def make(framework, given):
    rows, depth, columns = given
    return framework.formula("matmul", numbers(rows, depth), numbers(depth, columns, seed=1))


TASK = Task(
    title="Matrix product, n × n",
    cases=tuple(product(n, n, n, name=str(n), shown=n in (256, 511, 1024, 2048)) for n in SIZES),
    tiny=product(7, 7, 7, name="7"),
    make=make,
    goal=1,
    contenders=(NATIVE, "NumPy", "PyTorch", "JAX"),
    seconds=0.1,
)
