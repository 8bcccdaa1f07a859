"""What a compiled Program needs while it runs: threads, buffers, leases, the code cache."""
