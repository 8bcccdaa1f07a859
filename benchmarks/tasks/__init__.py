"""All tasks by name, one task per file."""

from __future__ import annotations

from task import Task

from tasks import (
    arrays,
    chain,
    cnn,
    cnn_others,
    eager_add,
    eager_backward,
    eager_long,
    eager_scalar,
    eager_training,
    gelu,
    generation,
    gradients,
    hessians,
    inference,
    jacobians,
    layer_norm,
    logistic,
    logsumexp,
    lstm,
    matmul,
    matmul_shapes,
    mlp_large,
    mlp_others,
    mlp_small,
    per_example,
    recurrence,
    softmax,
    transformer_large,
    transformer_small,
)

MODULES = (
    mlp_small, mlp_large, mlp_others, cnn, cnn_others, logistic, inference,
    transformer_small, transformer_large, generation, matmul, matmul_shapes, softmax, layer_norm,
    gelu, logsumexp, chain, arrays, gradients, hessians, jacobians, per_example, recurrence, lstm,
    eager_add, eager_backward, eager_scalar, eager_training, eager_long,
)  # fmt: skip
TASKS: dict[str, Task] = {one.__name__.rpartition(".")[2]: one.TASK for one in MODULES}
