"""Attributes of arrays, models and optimizers in other libraries, and what to write here."""

from __future__ import annotations

# Methods and attributes of nodes. `x` stands for the node.
NODES: dict[str, str] = {
    **{
        name: f"pg.{name}(x)"
        for name in (
            "softmax log_softmax erf acos asin atan cbrt exp2 logsumexp"
        ).split()
    },
    **{name: f"x.astype({dtype!r})" for name, dtype in {
        "float": "float32", "double": "float64", "half": "float16", "int": "int32",
        "long": "int64", "bool": "bool",
    }.items()},
    **{name: f"x {sign} y, a new node; a Variable is changed by w.{method}"
       for name, sign, method in (("add_", "+", "assign_add(y)"), ("sub_", "-", "assign_sub(y)"),
                                  ("mul_", "*", "assign(w * y)"), ("div_", "/", "assign(w / y)"))},
    **{name: f"w.{name}(y) with a pg.Variable w: other nodes, such as w + 1, keep their values"
       for name in ("assign_add", "assign_sub")},
    **{name: "pg.where(mask, value, x) or x.at[index].set(value), new nodes; a Variable is set by "
       "w.assign(value)" for name in ("fill", "fill_", "zero_", "copy_")},
    **{name: "nothing: every float has a gradient; pg.gradients(y, x) or y.backward()"
       for name in ("requires_grad", "requires_grad_", "retain_grad", "grad_fn", "is_leaf")},
    **{name: "nothing: values are in main memory"
       for name in ("cpu", "cuda", "contiguous", "data_ptr")},
    **{name: f"x.numpy(), pandas.DataFrame(x).{name}" for name in ("iloc", "loc", "head")},
    **{name: "x.numpy()" for name in ("values", "to_numpy")},
    "A": "x.numpy()",
    "A1": "x.numpy().ravel()",
    "H": "x.mT.conj()",
    "I": "pg.linalg.inv(x)",
    "apply": "f(x): functions of pg take whole arrays",
    "count": "pg.count_nonzero(x == value)",
    "element_size": "x.itemsize",
    "index": "pg.argmax(x == value)",
    "is_contiguous": "nothing: nodes don't show how their arrays lie in memory",
    "is_cuda": "x.device",
    "is_integer": "x == pg.round(x)",
    "map": "f(x): functions of pg take whole arrays",
    "where": "pg.where(condition, x, y)",
    "assign": "w.assign(value) with a pg.Variable w: other nodes, such as w + 1, keep their values",
    "clamp": "pg.clip(x, low, high)",
    "data": "x.numpy()",
    "dim": "x.ndim",
    "eval": "pg.Session().run(x, feeds)",
    "expand": "pg.broadcast_to(x, shape)",
    "expand_as": "pg.broadcast_to(x, y.shape)",
    "flat": "x.ravel()",
    "get_shape": "x.shape",
    "itemset": "x.at[index].set(value), a new node",
    "new_ones": "pg.ones(shape, x.dtype)",
    "new_zeros": "pg.zeros(shape, x.dtype)",
    "put": "x.at[index].set(values), a new node",
    "read_value": "x.value",
    "tostring": "x.numpy().tobytes()",
    "type_as": "x.astype(y.dtype)",
    "view_as": "x.reshape(y.shape)",
    "gradient": "x.grad, after y.backward(), or pg.gradients(y, x)",
    "matmul": "x @ y",
    "norm": "pg.vector_norm(x)",
    "permute": "pg.permute_dims(x, axes)",
    "pow": "x ** y",
    "to": "x.astype(dtype); values are in main memory",
    "type": "x.astype(dtype)",
    "unsqueeze": "pg.expand_dims(x, axis=0)",
    "view": "x.reshape(shape)",
    "gather": "pg.take_along_axis(x, index, axis)",
    "index_add": "x.at[rows].add(values)",
    "index_select": "pg.take(x, rows, axis=0)",
    "masked_fill": "pg.where(mask, value, x), or x.at[mask].set(value)",
    "masked_select": "x[mask]",
    "scatter": "pg.put_along_axis(x, index, values, axis)",
    "scatter_add": "x.at[index].add(values)",
    "zero_grad": "nothing: backward() sets gradients anew",
}  # fmt: skip

# Attributes of nodes to which other libraries assign.
ASSIGNED: dict[str, str] = {
    "T": "Compute with x.T.",
    "data": "w.assign(value) changes a pg.Variable w.",
    "dtype": "x.astype(dtype) makes a new node.",
    "flat": "x.at[index].set(values) makes a new node.",
    "imag": "pg.complex(real, imag) makes a new node.",
    "name": "Name it when it is made: pg.sin(x, name='y').",
    "real": "pg.complex(real, imag) makes a new node.",
    "requires_grad": "Every float has a gradient. Optimizers leave pg.Variable(value, "
    "trainable=False) alone; pg.stop_gradient(x) is a constant.",
    "shape": "x.reshape(shape) makes a new node.",
}

OPTIMIZER_METHODS: dict[str, str] = {
    "apply_gradients": "optimizer.apply({variable: gradient})",
    "init": "nothing: state is made at the first step; optimizer.prepare(variables) makes it now",
    "load_state_dict": "pg.io.restore(optimizer.variables(), pg.io.load_checkpoint(folder))",
    "lr": "optimizer.learning_rate, a Variable",
    "param_groups": "optimizer.learning_rate.assign(rate)",
    "state_dict": "optimizer.variables()",
    "step": "optimizer.minimize(loss), or optimizer.apply(gradients)",
    "zero_grad": "nothing: optimizer.minimize(loss) computes the gradients anew in each step",
}

MODULE_METHODS: dict[str, str] = {
    "call": "forward(self, x, *, training)",
    "compile": "pg.function(model)",
    "cuda": "nothing: values are in main memory",
    "eval": "model(x, training=False), which is the default",
    "evaluate": "pg.train.evaluate(model, (x, y))",
    "fit": "pg.train.fit(model, (x, y), optimizer=pg.optim.Adam())",
    "load_state_dict": "pg.io.restore(model.variables(), pg.io.load_checkpoint(folder))",
    "named_parameters": "model.parameters().items()",
    "predict": "model(x)",
    "requires_grad_": "model.freeze() and model.unfreeze()",
    "state_dict": "model.variables()",
    "to": "nothing: values are in main memory",
    "train": "model(x, training=True)",
    "trainable_variables": "model.parameters()",
    "zero_grad": "nothing: optimizer.minimize(loss) computes the gradients anew in each step",
}
