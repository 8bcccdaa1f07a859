"""Several processes that do one computation: they find each other, agree, and notice when one of
them dies or hangs. Knows nothing of JAX, which computes across them.

`group` is this process's side, `service` the other one, a thread of process 0, and `judge` decides
what is wrong. `relay` carries JAX's own coordination, and `launcher` starts processes on one host.
"""

from .group import (
    Group as Group,
    alike as alike,
    begin as begin,
    busy as busy,
    count as count,
    current as current,
    fail as fail,
    first as first,
    first_alone as first_alone,
    index as index,
    some as some,
)
