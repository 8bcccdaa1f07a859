"""Names in NumPy, PyTorch, JAX, TensorFlow and Keras that don't exist here, and what to write."""

from __future__ import annotations

_MADE = "pg.tensor(np.{}(…))"

FUNCTIONS: dict[str, str] = {
    # NumPy and the names of the array API that are missing here
    "product": "pg.prod",
    "sinc": "pg.sin(math.pi * x) / (math.pi * x), and 1 at 0",
    # PyTorch
    "addmm": "x @ y + z",
    "autograd": "pg.grad and pg.gradients",
    "bmm": "pg.matmul",
    "cat": "pg.concat",
    "clamp": "pg.clip",
    "clone": "the node itself: values never change",
    "cuda": "pg.set_engine; there is no engine for GPUs",
    "device": "pg.set_engine",
    "div": "pg.divide",
    "enable_grad": "nothing: every float has a gradient",
    "eq": "pg.equal",
    "from_numpy": "pg.tensor",
    "ge": "pg.greater_equal",
    "gt": "pg.greater",
    "inference_mode": "nothing: values are computed without gradients until backward() is called",
    "le": "pg.less_equal",
    "load": "pg.io.load_checkpoint",
    "lt": "pg.less",
    "manual_seed": "pg.set_seed",
    "mm": "pg.matmul",
    "mul": "pg.multiply",
    "ne": "pg.not_equal",
    "neg": "pg.negative",
    "no_grad": "nothing: gradients are computed only when backward() or pg.grad is called; "
    "pg.stop_gradient(x) marks a constant",
    "norm": "pg.linalg.norm",
    "permute": "pg.permute_dims",
    "rand": "pg.random.rand(2, 3)",
    "randn": "pg.random.randn(2, 3)",
    "save": "pg.io.save_checkpoint",
    "sub": "pg.subtract",
    "unsqueeze": "pg.expand_dims(x, axis=0)",
    "vmap": "one call for the whole array: operations are elementwise and broadcast",
    "view_as_real": "pg.reshape",
    # JAX, TensorFlow, Keras, autograd
    "GradientTape": "pg.gradients(y, x), or y.backward()",
    "convert_to_tensor": "pg.tensor",
    "constant": "pg.tensor",
    "device_put": "pg.tensor",
    "elementwise_grad": "pg.grad(lambda x: pg.sum(f(x)))",
    "expand": "pg.broadcast_to",
    "gather": "pg.take",
    "get_variable": "pg.Variable",
    "global_variables_initializer": "nothing: a pg.Variable has its value from the start",
    "hvp": "pg.jvp(pg.grad(f), (x,), (v,))[1]",
    "jacfwd": "pg.jacobian",
    "jacrev": "pg.jacobian",
    "jit": "pg.function",
    "lax": "pg.where for conditions; loops are Python's",
    "numpy": "pg itself: pg.sin, for example",
    "reduce_max": "pg.max",
    "reduce_mean": "pg.mean",
    "reduce_min": "pg.min",
    "reduce_prod": "pg.prod",
    "reduce_sum": "pg.sum",
    "value_and_gradient": "pg.value_and_grad",
    # in a module of palingrad
    "Adam": "pg.optim.Adam",
    "Linear": "pg.nn.Linear",
    "Module": "pg.nn.Module",
    "SGD": "pg.optim.GradientDescent",
    "Sequential": "pg.nn.Sequential",
    "batches": "pg.data.batches",
    "convolution": "pg.conv1d or pg.conv2d",
    "draw": "node.draw(path), or pg.view.draw",
    "evaluate": "pg.train.evaluate",
    "fit": "pg.train.fit",
    "load_checkpoint": "pg.io.load_checkpoint",
    "save_checkpoint": "pg.io.save_checkpoint",
}

LAYERS: dict[str, str] = {
    "AvgPool2d": "pg.nn.AveragePool2D",
    "AveragePooling2D": "pg.nn.AveragePool2D",
    "BatchNorm1d": "pg.nn.BatchNorm(channels)",
    "BatchNorm2d": "pg.nn.BatchNorm(channels, spatial=2)",
    "BatchNormalization": "pg.nn.BatchNorm",
    "Conv2d": "pg.nn.Conv2D",
    "CrossEntropyLoss": "pg.cross_entropy(logits, labels), a function",
    "Dense": "pg.nn.Linear, with the number of inputs first",
    "LayerNormalization": "pg.nn.LayerNorm",
    "MSELoss": "pg.mse(prediction, target), a function",
    "MaxPool2d": "pg.nn.MaxPool2D",
    "MaxPooling2D": "pg.nn.MaxPool2D",
    "Model": "pg.nn.Module",
    "ModuleDict": "a dict: modules in attributes are found in dicts too",
    "ModuleList": "a list: modules in attributes are found in lists too",
    "Parameter": "pg.Variable",
    "functional": "pg itself: pg.relu, pg.softmax, pg.cross_entropy",
}

OPTIMIZERS: dict[str, str] = {
    "Adagrad": "pg.optim.AdaGrad",
    "NAG": "pg.optim.Momentum(learning_rate, nesterov=True)",
    "RMSprop": "pg.optim.RMSProp",
    "SGD": "pg.optim.GradientDescent, or pg.optim.Momentum",
    "clip_grad_norm_": "clip_norm=…, an option of every optimizer",
    "cosine_decay_schedule": "pg.optim.cosine_decay",
    "lr_scheduler": "a schedule as the learning rate: pg.optim.Adam(pg.optim.cosine_decay(…))",
    "sgd": "pg.optim.GradientDescent",
}

DATA: dict[str, str] = {
    "DataLoader": "pg.data.batches(digits.train, batch_size)",
    "TensorDataset": "a tuple of arrays: pg.data.batches((x, y), batch_size)",
    **{f"load_{name}": f"pg.data.load({name!r})" for name in ("digits", "mnist")},
}

RANDOM: dict[str, str] = {
    **{
        name: f"np.random.default_rng(seed).{name}(…), a constant without a derivative"
        for name in (
            "beta binomial chisquare dirichlet f gamma geometric hypergeometric logseries "
            "multinomial multivariate_hypergeometric multivariate_normal negative_binomial "
            "noncentral_chisquare noncentral_f poisson power standard_gamma standard_t triangular "
            "vonmises wald zipf bytes"
        ).split()
    },
    "PRNGKey": "pg.random.default_rng(seed), whose methods draw",
    "RandomState": "pg.random.default_rng(seed)",
    "categorical": "pg.random.choice(n, size, p=p)",
    "get_state": "pg.random.default_rng(seed), whose state is a Variable",
    "key": "pg.random.default_rng(seed), whose methods draw",
    "manual_seed": "pg.random.seed(0)",
    "random_integers": "pg.random.randint(low, high + 1)",
    "ranf": "pg.random.random(size)",
    "sample": "pg.random.random(size)",
    "split": "pg.random.default_rng(seed) for each generator",
    "truncated_normal": "pg.clip(pg.random.normal(loc, scale, size), low, high)",
}

TRAINING: dict[str, str] = {
    "Trainer": "pg.train.fit(model, data, optimizer=pg.optim.Adam())",
    "train": "pg.train.fit(model, data, optimizer=pg.optim.Adam())",
}

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
    "assign": "w.assign(value) with a pg.Variable w: other nodes, such as w + 1, keep their values",
    "clamp": "pg.clip(x, low, high)",
    "data": "x.numpy()",
    "dim": "x.ndim",
    "eval": "pg.Session().run(x, feeds)",
    "expand": "pg.broadcast_to(x, shape)",
    "gradient": "x.grad, after y.backward(), or pg.gradients(y, x)",
    "matmul": "x @ y",
    "norm": "pg.vector_norm(x)",
    "permute": "pg.permute_dims(x, axes)",
    "pow": "x ** y",
    "to": "x.astype(dtype)",
    "type": "x.astype(dtype)",
    "unsqueeze": "pg.expand_dims(x, axis=0)",
    "view": "x.reshape(shape)",
    "zero_grad": "nothing: backward() sets gradients anew",
}  # fmt: skip

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
    "apply": "a loop over model.parameters().values()",
    "call": "forward(self, x, *, training)",
    "compile": "pg.function(model)",
    "cuda": "nothing: values are in main memory",
    "eval": "model(x, training=False), which is the default",
    "evaluate": "pg.train.evaluate(model, (x, y))",
    "fit": "pg.train.fit(model, (x, y), optimizer=pg.optim.Adam())",
    "load_state_dict": "pg.io.restore(model.variables(), pg.io.load_checkpoint(folder))",
    "named_parameters": "model.parameters().items()",
    "predict": "model(x)",
    "requires_grad_": "pg.Variable(value, trainable=False)",
    "state_dict": "model.variables()",
    "summary": "print(model) or model.parameters()",
    "to": "nothing: values are in main memory",
    "train": "model(x, training=True)",
    "trainable_variables": "model.parameters()",
    "zero_grad": "nothing: optimizer.minimize(loss) computes the gradients anew in each step",
}
