"""Requests a second and p99 of a served MNIST perceptron, one row a request, against FastAPI with
PyTorch on the same machine.

Run: .venv-bench/bin/pip install '.[serve]' fastapi, then .venv-bench/bin/python
benchmarks/serving.py. Both servers are one process of uvicorn; the client is another process, with
a few connections that each ask, wait for the answer and ask again. The servers take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

FEATURES, HIDDEN, CLASSES = 784, 100, 10
SERVERS = ("palingrad", "fastapi")
FORMATS = {"json": "application/json", "npy": "application/x-npy"}


# ---------------------------------------------------------------- servers


def serve(name: str, port: int) -> None:
    """Serves until it is ended."""
    {"palingrad": _palingrad, "fastapi": _fastapi}[name](port)


def _palingrad(port: int) -> None:
    import palingrad as pg

    model = pg.models.mlp(FEATURES, HIDDEN, CLASSES)
    pg.serve(model, {"x": ((None, FEATURES), "float32")}, port=port)


def _fastapi(port: int) -> None:
    import torch
    import uvicorn
    from fastapi import FastAPI, Request, Response
    from pydantic import create_model

    torch.set_num_threads(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES)
    ).eval()
    app = FastAPI()
    # Made at run time, so that the names needn't be global, which FastAPI reads them as.
    body: Any = create_model("Body", x=(list[list[float]], ...))

    @torch.inference_mode()
    def compute(x: Any) -> Any:
        return model(x)

    async def predict(given: Any) -> Any:
        return {"y": compute(torch.tensor(given.x)).tolist()}

    async def predict_npy(request: Any) -> Any:
        x = torch.from_numpy(np.load(io.BytesIO(await request.body())))
        stream = io.BytesIO()
        np.save(stream, compute(x).numpy())
        return Response(stream.getvalue(), media_type=FORMATS["npy"])

    predict.__annotations__ = {"given": body}
    predict_npy.__annotations__ = {"request": Request}
    app.post("/predict")(predict)
    app.post("/predict_npy")(predict_npy)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


@contextmanager
def started(name: str) -> Iterator[int]:
    """A server in a process of its own: its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, __file__, "--server", name, "--port", str(port)]
    process = subprocess.Popen(command)
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise SystemExit(f"{name}: the server ended with status {process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


# ---------------------------------------------------------------- client


def question(server: str, kind: str) -> bytes:
    """A request with one row."""
    x = np.random.default_rng(0).random((1, FEATURES), np.float32).round(4)
    if kind == "json":
        body = json.dumps({"x": x.tolist()}).encode()
    else:
        stream = io.BytesIO()
        np.save(stream, x)
        body = stream.getvalue()
    path = "/predict_npy" if (server, kind) == ("fastapi", "npy") else "/predict"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORMATS[kind]}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _client(port: int, asked: bytes, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began := time.perf_counter()) < until:
        writer.write(asked)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if b" 200 " not in head[:20]:
            raise SystemExit(f"the server answered {head!r} {body!r}")
        times.append(time.perf_counter() - began)
    writer.close()


async def load(port: int, asked: bytes, connections: int, seconds: float) -> list[float]:
    """The times of all answers."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_client(port, asked, until, times) for _ in range(connections)))
    return times


def measure(servers: list[str], seconds: float, rounds: int, connections: list[int]) -> None:
    """Print a line for each format and number of connections."""
    with _all_started(servers) as ports:
        for kind in FORMATS:
            for count in connections:
                found: dict[str, list[list[float]]] = {name: [] for name in servers}
                for turn in range(rounds + 1):
                    for name in servers:
                        asked = question(name, kind)
                        times = asyncio.run(load(ports[name], asked, count, seconds))
                        if turn:  # the first is to warm up
                            found[name].append(times)
                told = [_line(name, found[name], seconds) for name in servers]
                print(f"{kind:4} {count:3} connections  " + "   ".join(told), flush=True)


def _line(name: str, rounds: list[list[float]], seconds: float) -> str:
    rate = float(np.median([len(times) / seconds for times in rounds]))
    p99 = float(np.median([np.percentile(times, 99) for times in rounds]))
    return f"{name} {rate:7,.0f}/s, p99 {p99 * 1e3:6.2f} ms"


@contextmanager
def _all_started(servers: list[str]) -> Iterator[dict[str, int]]:
    if not servers:
        yield {}
        return
    with started(servers[0]) as port, _all_started(servers[1:]) as others:
        yield {servers[0]: port, **others}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=SERVERS, help="serve, for the benchmark itself")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--only", choices=SERVERS, help="measure this one alone")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 32])
    given = parser.parse_args()
    if given.server:
        serve(given.server, given.port)
        return
    servers = [given.only] if given.only else list(SERVERS)
    measure(servers, given.seconds, given.rounds, given.connections)


if __name__ == "__main__":
    main()
