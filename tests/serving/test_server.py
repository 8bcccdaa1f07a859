"""The server: right answers by JSON and .npy, faults that say what was wrong, batches, limits."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

import palingrad as pg
from asking import Client
from palingrad.errors import ArgumentError
from palingrad.io.model import Argument
from palingrad.serving import application
from palingrad.serving.app import application as built
from palingrad.serving.services import Arrays

rng = np.random.default_rng(0)
F32 = np.dtype(np.float32)


@pytest.fixture
def model():
    return pg.models.mlp(4, 8, 3)


@pytest.fixture
def client(model):
    app = application(model, {"x": ((None, 4), "float32")}, body_limit=10_000)
    return Client(app)


def _npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


NPY = {"content-type": "application/x-npy"}


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_json_and_npy_give_what_the_model_gives(client, model, rows):
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    expected = model(x).numpy()
    answer = client.post("/predict", json={"x": x.tolist()})
    assert answer.status_code == 200
    np.testing.assert_allclose(answer.json()["y"], expected, rtol=1e-5, atol=1e-6)
    answer = client.post("/predict", content=_npy(x), headers=NPY)
    assert answer.headers["content-type"] == "application/x-npy"
    np.testing.assert_allclose(np.load(io.BytesIO(answer.content)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "status", "message", "fields"),
    [
        (b'{"x": [[1, 2,]]}', 400, "isn't JSON", {"line": 1, "column": 13}),
        (b'{"x": [[1, 2, 3, NaN]]}', 400, "the body isn't JSON", {"column": 18}),
        (b"\xff", 400, "", {}),
        (b"[" * 5000, 400, "nested too deeply", {}),
        (b"[1]", 422, "a list, expected an object", {}),
        (b'{"z": 1}', 422, "unknown: z; expected x", {}),
        (b"{}", 422, "missing: x", {}),
        (b'{"x": [1, 2]}', 422, "x[0] is an integer, expected a list of 4", {"position": "x[0]"}),
        (b'{"x": [[1,2,3,4],[1,2,3]]}', 422, "x[1] has 3 elements, expected 4", {}),
        (b'{"x": [[1,2,3,"4"]]}', 422, "x[0][3] is a string, expected a number", {}),
        (b'{"x": [[1,2,null,4]]}', 422, "x[0][2] is null", {"position": "x[0][2]"}),
        (b'{"x": [[1,2,3,1e99]]}', 422, "overflows float32", {"input": "x"}),
        (b'{"x": []}', 422, "", {}),
    ],
)  # fmt: skip
def test_a_wrong_body_is_told(client, body, status, message, fields):
    headers = {"content-type": "application/json"}
    answer = client.post("/predict", content=body, headers=headers)
    error = answer.json()["error"]
    assert answer.status_code == error["status"] == status
    assert message in error["message"]
    assert fields.items() <= error.items()


def _npy_with(array, version, padding=0):
    """The array as a .npy file of this version, with spaces at the end of its header."""
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': {array.flags.fnc}, 'shape': "
    header += f"{array.shape}, }}" + " " * padding + "\n"
    size = len(header).to_bytes(2 * version, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + array.tobytes("A")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("padding", [0, 5, 3000])
def test_npy_bodies_of_every_form(client, model, version, padding):
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    wanted = model(x).numpy()
    for given in (x, np.asfortranarray(x), x.astype(">f4"), x.astype(">f4").T.copy().T):
        for rows in (3, 1, 3):  # headers are remembered, not arrays
            body = _npy_with(given[:rows].copy(order="A"), version, padding)
            answer = client.post("/predict", content=body, headers=NPY)
            assert answer.status_code == 200
            y = np.load(io.BytesIO(answer.content))
            np.testing.assert_allclose(y, wanted[:rows], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8000", 200), ("LOCALHOST", 200), ("[::1]:80", 200), ("a.org", 400), ("", 400)],
)
def test_predict_answers_to_names_of_this_machine_alone(client, host, status):
    body = _npy(np.zeros((1, 4), np.float32))
    answer = client.post("/predict", content=body, headers={**NPY, "host": host})
    assert answer.status_code == status


def test_wrong_npy_bodies_are_told(client):
    def told(body):
        answer = client.post("/predict", content=body, headers=NPY)
        assert answer.status_code in (400, 422)
        return answer.json()["error"]["message"]

    good = _npy(np.zeros((1, 4), np.float32))
    assert "has shape [1, 3]" in told(_npy(np.zeros((1, 3), np.float32)))
    assert "complex128, expected float32" in told(_npy(np.zeros((1, 4), complex)))
    assert "isn't a .npy file" in told(good[:-1])
    assert "isn't a .npy file" in told(good.replace(b"(1, 4)", b"(9, 4)"))
    assert "isn't a .npy file" in told(_npy(np.array([[{}]])))  # a pickle
    assert "isn't a .npy file" in told(b"PK")
    assert "its header ends early" in told(good[:20])
    assert "isn't a .npy file" in told(good[:9])
    assert "its version is" in told(good[:6] + b"\x03" + good[7:])


def test_other_faults_are_json_too(client):
    assert client.post("/predict", content=b"x" * 10_001).status_code == 413

    async def parts():  # without a length
        for _ in range(20):
            yield b"x" * 1000

    answer = client.post("/predict", content=parts())
    assert answer.status_code == 413
    assert "10,000 bytes" in answer.json()["error"]["message"]
    answer = client.post("/predict", content=b"x", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert client.get("/predict").status_code == 405
    assert "/signature" in client.get("/nothing").json()["error"]["message"]
    for host, status in [("evil.example", 400), ("localhost:8000", 200), ("[::1]:8000", 200)]:
        assert client.get("/health", headers={"host": host}).status_code == status


def test_it_describes_itself(client):
    assert client.get("/health").json() == {"status": "ok"}
    signature = client.get("/signature").json()
    assert signature["inputs"] == [{"name": "x", "shape": [None, 4], "dtype": "float32"}]
    assert signature["outputs"] == [{"name": "y", "shape": [None, 3], "dtype": "float32"}]
    assert signature["batching"]
    description = client.get("/openapi.json").json()
    assert {"/predict", "/health", "/signature"} <= {*description["paths"]}
    for path in ("/", "/page.js", "/page.css"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]


# ---------------------------------------------------------------- batches


def _together(service, bodies, **limits):
    """The answers to concurrent requests."""
    app = built(service, **{"body_limit": 10**6, "seconds": 10.0, **limits})
    return Client(app).together("/predict", bodies)


def _doubled(inputs):
    (x,) = inputs
    time.sleep(0.002)
    if (x < 0).any():
        raise ArgumentError("a negative number.")
    return {"y": x * 2}


def _lenient(inputs):
    """As the random rows that test whether rows are independent need it."""
    return _doubled([np.abs(x) for x in inputs])


X = [Argument("x", (None, 2), F32)]
Y = [Argument("y", (None, 2), F32)]


@pytest.mark.parametrize("window", [0.0, 0.005])
def test_concurrent_requests_are_computed_together(window):
    service = Arrays(_lenient, X, Y, batch=16, window=window)
    rows = [[[i, k] for k in range(i % 3 + 1)] for i in range(40)]
    answers = _together(service, [{"x": one} for one in rows])
    for one, answer in zip(rows, answers, strict=True):
        assert answer.json() == {"y": (2.0 * np.array(one)).tolist()}
    assert service.batcher.computed < 20


def test_a_fault_of_one_request_is_not_that_of_others():
    service = Arrays(_lenient, X, Y)
    service.batcher._run = _doubled
    answers = _together(service, [{"x": [[i, 1]]} for i in (1, 2, -3, 4)])
    assert [one.status_code for one in answers] == [200, 200, 422, 200]
    assert "a negative number" in answers[2].json()["error"]["message"]
    assert answers[3].json() == {"y": [[8, 2]]}


def test_rows_that_influence_each_other_are_not_batched():
    service = Arrays(lambda inputs: {"y": inputs[0] - inputs[0].mean(axis=0)}, X, Y)
    assert not service.signature()["batching"]
    answers = _together(service, [{"x": [[i, 1]]} for i in range(5)])
    assert [one.json() for one in answers] == [{"y": [[0, 0]]}] * 5


def test_only_powers_of_two_are_computed():
    sizes = set()

    def run(inputs):
        sizes.add(len(inputs[0]))
        return {"y": inputs[0] * 2}

    service = Arrays(run, X, Y)
    for rows in range(1, 20):
        _together(service, [{"x": [[1, 2]] * rows}])
        service = Arrays(run, X, Y)
    assert sizes == {1, 2, 4, 8, 16, 32}


def test_a_slow_answer_is_given_up():
    def slow(inputs):
        time.sleep(0.5)
        return {"y": inputs[0]}

    service = Arrays(lambda inputs: {"y": inputs[0]}, X, Y)
    service.batcher._run = slow
    (answer,) = _together(service, [{"x": [[1, 2]]}], seconds=0.05)
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "computing took more than 0.05 seconds"


def test_a_slow_body_is_given_up():
    async def parts():
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    service = Arrays(lambda inputs: {"y": inputs[0]}, X, Y)
    app = built(service, body_limit=100, seconds=0.05)
    answer = Client(app).post("/predict", content=parts())
    assert answer.status_code == 408
    assert answer.json()["error"]["message"] == "reading the body took more than 0.05 seconds"


def test_too_many_requests_are_sent_away():
    service = Arrays(_lenient, X, Y)
    service.batcher._limit = 3
    answers = _together(service, [{"x": [[i, 1]]} for i in range(20)])
    codes = [one.status_code for one in answers]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= 3
    assert "3 requests are waiting already" in answers[codes.index(503)].json()["error"]["message"]


def test_a_failing_model_tells_nothing_of_itself(caplog):
    def fails(inputs):
        raise RuntimeError("secret")

    service = Arrays(lambda inputs: {"y": inputs[0]}, X, Y)
    service.batcher._run = fails
    (answer,) = _together(service, [{"x": [[1, 2]]}])
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_numbers_that_are_not_finite_are_strings():
    service = Arrays(lambda inputs: {"y": np.array([[-np.inf, np.nan, 1]])}, X, Y, batch=1)
    (answer,) = _together(service, [{"x": [[0, 2]]}])
    assert answer.json() == {"y": [["-inf", "nan", 1]]}


# ---------------------------------------------------------------- saved models, the command


def test_a_saved_model_is_served(tmp_path, model):
    x = rng.normal(size=(2, 4)).astype(np.float32)
    pg.io.save_model(tmp_path, model, x)
    answer = Client(application(tmp_path)).post("/predict", json={"x": x.tolist()})
    np.testing.assert_allclose(answer.json()["y"], model(x).numpy(), rtol=1e-5, atol=1e-6)


def test_what_cannot_be_served_is_refused(tmp_path, model):
    with pytest.raises(ArgumentError, match="shapes and dtypes of its inputs"):
        application(model)
    with pytest.raises(ArgumentError, match="expected a model or a folder"):
        application(3)
    with pytest.raises(ArgumentError, match="signature of 'x'"):
        application(model, {"x": "float32"})


def test_ctrl_c_ends_the_command(tmp_path, model):
    pg.io.save_model(tmp_path, model, np.zeros((1, 4), np.float32))
    command = [sys.executable, "-m", "palingrad", "serve", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        address = server.stdout.readline().split()[0].decode()
        with urllib.request.urlopen(f"{address}/health") as answer:
            assert json.load(answer) == {"status": "ok"}
        taken = subprocess.run([*command[:-1], address.rpartition(":")[2]], capture_output=True)
        assert taken.returncode == 2
        assert b"nothing can listen on 127.0.0.1" in taken.stderr
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=10)
    assert server.returncode == 0, err
    assert b"stopped" in out
    assert not err
