"""Matrix products by NumPy's BLAS, which shares the cores with the native engine's threads.

OpenBLAS's threads wait for their next product in a loop, for some 25 ms; those of the native engine
do so for 1 ms. Where products by BLAS and parallel native runs take turns, as in an eager training
loop whose reverse pass is compiled, the waiting threads of the one take the cores of the other: a
step of a small network takes more than twice as long. So the next few products after a parallel
run are computed by one thread, unless they are large. Only counts and sizes decide that, so
that the same calls return the same bits.
"""

from __future__ import annotations

import os
from functools import cached_property, wraps
from threading import Lock
from typing import Any

from ..sums import matrix_product

_PRODUCTS = 64  # after a parallel run that may be computed by one thread
# Multiplications of a product for which one thread is taken: OpenBLAS takes one for less in any
# case, and the threads gain more than they cost for more.
_LEAST, _LEAST_OF_VECTORS, _MOST = 1 << 18, 1 << 13, 1 << 26


class _Threads:
    """The numbers of threads of the BLAS libraries of this process, set to 1 and back."""

    def __init__(self) -> None:
        self.left = 0  # products until BLAS has all cores again
        self._set = Lock()  # held by the thread that has set them
        self._before: list[int] = []  # the numbers to be restored

    @cached_property
    def libraries(self) -> list[Any]:
        """The libraries, as threadpoolctl's controllers."""
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController().select(user_api="blas").lib_controllers

    def product(self, x: Any, y: Any) -> Any:
        """x y by one thread, unless another Python thread is in here, whose numbers stay."""
        if not self._set.acquire(blocking=False):
            return matrix_product(x, y)
        try:
            self._before = [one.num_threads for one in self.libraries]
            for one in self.libraries:
                one.set_num_threads(1)
            return matrix_product(x, y)
        finally:
            try:
                self._restore()
            finally:
                self._set.release()

    def _restore(self) -> None:
        for one, count in zip(self.libraries, self._before):
            one.set_num_threads(count)
            if clear := getattr(one, "clear_controlling_thread", None):
                clear()  # of newer versions, with which other threads couldn't set them any more
        self._before = []

    def after_fork(self) -> None:
        """Only the thread that forked goes on, and it computes no product."""
        self._set = Lock()
        if self._before:
            self._restore()


_threads = _Threads()


def share_cores() -> None:
    """Notes that threads of the native engine have run or are about to."""
    _threads.left = _PRODUCTS


@wraps(matrix_product)
def matmul(x: Any, y: Any) -> Any:
    """x y, as `sums.matrix_product` computes it, whose source `pg.source` copies."""
    if not _threads.left:
        return matrix_product(x, y)
    _threads.left -= 1
    vectors = x.ndim == 1 or y.ndim == 1
    work = x.size * (1 if y.ndim == 1 else y.shape[-1])
    if not (_LEAST_OF_VECTORS if vectors else _LEAST) < work < _MOST:
        return matrix_product(x, y)
    return _threads.product(x, y)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.after_fork)
