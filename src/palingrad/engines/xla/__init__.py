"""The xla engine: a Program as one XLA computation, through JAX."""
