"""Names of arguments in NumPy, PyTorch, JAX, Keras and TensorFlow, and what to write here."""

from __future__ import annotations

# For each name elsewhere, the names here; a call is shown the first that its function has.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "alpha": ("slope",),
    "axes": ("axis",),
    "batch": ("batch_size",),
    "bs": ("batch_size",),
    "bias_initializer": ("bias",),
    "device": ("engine",),
    "dim": ("axis", "axes"),
    "ddof": ("correction",),
    "dims": ("axis", "axes"),
    "embedding_dim": ("size",),
    "end_learning_rate": ("final",),
    "eps": ("epsilon",),
    "fetches": ("fetches",),
    "feed_dict": ("feeds",),
    "filters": ("outputs",),
    "global_clipnorm": ("clip_norm",),
    "gradients": ("gradient",),
    "grad_outputs": ("gradient",),
    "has_bias": ("bias",),
    "in_channels": ("inputs",),
    "in_features": ("inputs",),
    "initial_learning_rate": ("initial",),
    "keep_dims": ("keepdims",),
    "keepdim": ("keepdims",),
    "kernel_initializer": ("initializer",),
    "kernel_size": ("size",),
    "loss_fn": ("loss",),
    "lr": ("learning_rate",),
    "max_grad_norm": ("clip_norm",),
    "max_epochs": ("epochs",),
    "mu": ("momentum",),
    "n_epochs": ("epochs",),
    "negative_slope": ("slope",),
    "normalized_shape": ("features",),
    "num_embeddings": ("rows",),
    "num_epochs": ("epochs",),
    "num_features": ("channels", "features"),
    "output": ("out",),
    "opt": ("optimizer",),
    "out_channels": ("outputs",),
    "out_features": ("outputs",),
    "output_dim": ("size",),
    "p": ("rate",),
    "pool_size": ("size",),
    "random_state": ("seed",),
    "requires_grad": ("trainable",),
    "retain_graph": ("create_graph",),
    "rho": ("decay",),
    "rng": ("seed",),
    "scale": ("std",),
    "shuffle_seed": ("seed",),
    "static_argnums": ("static_argnames",),
    "step_size": ("learning_rate",),
    "strides": ("stride",),
    "units": ("outputs",),
    "use_bias": ("bias",),
    "validation_data": ("test",),
    "var_list": ("variables",),
    "wd": ("weight_decay",),
}

# For names that have no counterpart, in some functions or in all: what to do instead.
ADVICE: dict[str, str] = {
    "activation": "An activation is a layer of its own: "
    "pg.nn.Sequential(pg.nn.Linear(3, 2), pg.relu).",
    "amsgrad": "Leave it out.",
    "betas": "They are two options: beta1=0.9, beta2=0.999.",
    "casting": "Convert before: pg.cast(x, dtype).",
    "decimals": "Round a multiple: pg.round(x * 10) / 10.",
    "device": "Leave it out: pg.set_engine selects what runs programs.",
    "donate_argnums": "Leave it out: Variables are updated in place already.",
    "dtype": "Convert before or after: pg.cast(x, 'float64').",
    "inplace": "Leave it out: nodes don't change; y = {name}(x).",
    "jit": "Leave it out: programs are compiled anyway; engine='native' compiles at once.",
    "learning_rate": "It is an option of the optimizer: pg.optim.Adam(learning_rate=0.001).",
    "lr": "It is an option of the optimizer: pg.optim.Adam(learning_rate=0.001).",
    "order": "Leave it out: nodes don't show how their arrays lie in memory.",
    "out": "Leave it out: nodes don't change; y = pg.{name}(…) is a new one. "
    "(NumPy's functions pass it: call pg.{name} instead of np.{name}.)",
    "requires_grad": "Leave it out: every float has a gradient; a weight is a pg.Variable.",
    "shuffle": "Leave it out: batches are shuffled by `seed`.",
    "unbiased": "Write correction=1 if the function has it.",
    "verbose": "Pass a reporter.",
    "where": "Replace the other elements: pg.{name}(pg.where(mask, x, 0)).",
}

# How a required argument may be given.
EXAMPLES: dict[str, str] = {"optimizer": "optimizer=pg.optim.Adam()", "steps": "steps=1000"}

# What to do with an argument by position that a function doesn't take.
BY_POSITION: dict[str, str] = {"round": ADVICE["decimals"]}
