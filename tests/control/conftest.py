"""The two ways in which machine code runs the bodies of loops and branches."""

import pytest


@pytest.fixture(params=["registers", "kernels"])
def bodies(request, monkeypatch):
    """Small bodies are straight-line code, or kernels as large ones are."""
    if request.param == "kernels":
        monkeypatch.setattr("palingrad.engines.native.kernels.loop.plan.MOST", 0)
    return request.param
