"""Functions of JAX's arrays: the namespace `m`, and those that depend on shapes."""
