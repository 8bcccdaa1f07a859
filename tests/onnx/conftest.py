"""These tests need `pip install 'palingrad[onnx]'`; without it they are skipped, in words."""

from __future__ import annotations

from importlib.util import find_spec

MISSING = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
# tests/onnx is no package, so that `onnx` is the installed one wherever it is.
collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header():
    return [f"tests/onnx: skipped without {', '.join(MISSING)}"] if MISSING else []
