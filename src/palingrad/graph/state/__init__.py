"""How Variables change: all of an update at once, whatever interrupts it (docs/concurrency.md)."""
