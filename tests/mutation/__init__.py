"""Mutation of derivative rules: does the battery notice when one is wrong?

Each rule in `palingrad/ops/` and the reverse and forward pass are made wrong in one place, in this
process, and the battery's checks run on the operations that use them.
"""
