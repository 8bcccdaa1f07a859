"""These tests need `pip install 'palingrad[onnx]'`; without it they are skipped, in words."""

from __future__ import annotations

from importlib.util import find_spec

MISSING = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
# The folder isn't called onnx: tests/ is on the path, where it would be found as the package.
collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header():
    return [f"tests/onnx_format: skipped without {', '.join(MISSING)}"] if MISSING else []
