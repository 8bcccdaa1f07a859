"""A tiny data set in MNIST's form, a web server for it, and the folder of the real one."""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from palingrad.data.sources import MNIST, Part, Source

Encode = Callable[[np.ndarray], bytes]
_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def _encode(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    numbers = array.astype(array.dtype.newbyteorder(">")).tobytes()
    return bytes([0, 0, _CODES[array.dtype.str[1:]], array.ndim]) + sizes + numbers


@pytest.fixture(scope="session")
def encode() -> Encode:
    """An array as the bytes of an idx file."""
    return _encode


@dataclass
class Tiny:
    """A Source of six and three pictures, and what its files hold."""

    source: Source
    arrays: list[np.ndarray]
    contents: dict[str, bytes]

    def write(self, folder: Path, *, zipped: bool = True) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            file = folder / (f"{name}.gz" if zipped else name)
            file.write_bytes(gzip.compress(content, mtime=0) if zipped else content)
        return folder


@pytest.fixture
def tiny() -> Tiny:
    numbers = np.random.default_rng(0)
    arrays = [
        numbers.integers(0, 256, (6, 4, 5), np.uint8),
        numbers.integers(0, 10, 6, np.uint8),
        numbers.integers(0, 256, (3, 4, 5), np.uint8),
        numbers.integers(0, 10, 3, np.uint8),
    ]
    names = [part.file for part in MNIST.parts]
    contents = dict(zip(names, map(_encode, arrays), strict=True))
    parts = tuple(
        Part(
            name,
            array.shape,
            md5=hashlib.md5(gzip.compress(contents[name], mtime=0)).hexdigest(),
            sha256=hashlib.sha256(contents[name]).hexdigest(),
        )
        for name, array in zip(names, arrays, strict=True)
    )
    source = replace(MNIST, name="tiny-set", title="Tiny set", mirrors=(), parts=parts)
    return Tiny(source, arrays, contents)


@dataclass
class Mirror:
    """A web server: what it serves by path, and which paths it was asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut_short: bool = False
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            content = served.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if served.cut_short else content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Mirror(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_folder_from_outside(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test here sees the user's PALINGRAD_DATA but through `shared`."""
    request.getfixturevalue("shared")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PALINGRAD_DATA", raising=False)
        yield


def _shared() -> Path:
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("PALINGRAD_DATA") or default)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and count as left out, what needs real files that aren't on this machine."""
    there = {
        "mnist_folder": (_shared() / "mnist").is_dir(),
        "mnist_note": (_shared() / "README.md").is_file(),
    }
    kept, left_out = [], []
    for item in items:
        wanted = getattr(item, "fixturenames", ())
        (kept if all(there.get(name, True) for name in wanted) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the real data: PALINGRAD_DATA, else ../shared/data from the project's root."""
    return _shared()


@pytest.fixture
def mnist_folder(shared: Path) -> Path:
    """The folder that holds mnist/; without it the tests that ask for it are left out."""
    return shared


@pytest.fixture
def mnist_note(shared: Path) -> str:
    """What is written about the data, hashes included; without it its test is left out."""
    return (shared / "README.md").read_text(encoding="utf-8")
