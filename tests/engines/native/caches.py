"""Code made for CPUs with other caches."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from palingrad.engines.native.llvm import target
from palingrad.engines.native.llvm.caches import Caches


@contextmanager
def machine_with(caches: Caches) -> Generator[None]:
    """Code is made for a CPU with these caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PALINGRAD_CACHE", "off")  # whose keys are made once in a process
        patch.setattr(target, "found_caches", lambda: caches)
        target.host.cache_clear()
        try:
            yield
        finally:
            target.host.cache_clear()
