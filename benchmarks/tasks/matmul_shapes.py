"""Matrix products that aren't square: flat, tall, one row, one column."""

from contenders import NATIVE
from task import Task

from tasks.matmul import make, product

SHAPES = (
    (1, 1024, 1024), (1024, 1024, 1), (1000, 1, 1000), (1, 100_000, 1), (64, 784, 100),
    (128, 784, 512), (33, 1000, 100), (64, 4096, 64), (4096, 64, 64), (64, 64, 4096),
    (5000, 300, 17), (17, 300, 5000), (3, 2000, 2000),
)  # fmt: skip
TASK = Task(
    title="Matrix product, rows × depth × columns",
    cases=tuple(
        product(*shape, name=" × ".join(map(str, shape)), shown=shape == (128, 784, 512))
        for shape in SHAPES
    ),
    tiny=product(1, 5, 3, name="1 × 5 × 3"),
    make=make,
    goal=1,
    contenders=(NATIVE, "NumPy", "PyTorch", "JAX"),
    seconds=0.1,
)
