"""The proof battery: checks of an operation on the samples that it brings.

`prove(operation)` raises where an operation is wrong, built-in or a user's own; `palingrad check`
prints what is proved.
"""

from .battery import (
    CHECKS as CHECKS,
    examine as examine,
    prove as prove,
    shipped as shipped,
)
