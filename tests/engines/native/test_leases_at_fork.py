"""A fork looks at all leases while other threads make new ones."""

import sys
import threading
from typing import Any

from palingrad.engines.native.runtime import lease as leases


def test_leases_are_listed_while_a_thread_makes_new_ones():
    made: list[Any] = []
    going = [True]

    def make() -> None:
        while going:
            made.append(leases.Lease((), None, lambda _: 0))
            if len(made) > 2000:
                made.clear()

    before = sys.getswitchinterval()
    thread = threading.Thread(target=make)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        for _ in range(300):
            leases._before_fork()
    finally:
        going.clear()
        thread.join()
        sys.setswitchinterval(before)
