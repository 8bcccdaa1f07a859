"""XLA compiles quickly rather than well in these tests. `make test-scale` runs them."""

import os

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
)
