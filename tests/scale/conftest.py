"""XLA compiles quickly rather than well in these tests. `make test-scale` runs them."""

import importlib.util
import os

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
)
if importlib.util.find_spec("jax") is not None:
    import jax  # pyright: ignore[reportMissingImports]

    jax.config.update("jax_num_cpu_devices", 8)  # of this process, not of those that tests start
