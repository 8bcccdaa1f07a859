"""The two ways in which machine code runs the bodies of loops and branches."""

import pytest


@pytest.fixture(params=["registers", "kernels"])
def bodies(request, monkeypatch):
    """Small bodies are straight-line code, or kernels as large ones are, whose steps a native call
    of their own takes."""
    if request.param == "kernels":
        monkeypatch.setattr("palingrad.engines.native.kernels.loop.plan.MOST", 0)
        monkeypatch.setattr("palingrad.engines.native.kernels.control.BRIEF", 0)
    return request.param
