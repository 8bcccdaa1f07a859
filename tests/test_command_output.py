"""The command line where a file or the output can't be written: one sentence, nothing is lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import palingrad as pg
from palingrad import cli
from palingrad.engines.native.runtime import cache
from palingrad.files.terminal import for_output
from palingrad.io import load_checkpoint

MODEL = "import palingrad as pg\na = pg.Variable(2.0, name='α')\ny = pg.sigmoid(a * 3.0 - 1.0)\n"


class Outcome(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    output: str
    errors: str


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


@pytest.fixture
def palingrad(here, monkeypatch, capsys):
    """Runs a command in this process."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["palingrad", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Outcome(int(ended.value.code or 0), *capsys.readouterr())

    return run


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Within, a longer file can't be written, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def process(arguments: list[str], redirect: str = "", **environment: str) -> Outcome:
    """A command in a process of its own, with the shell's redirections."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", sys.executable, "-m", "palingrad", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    output, errors = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return Outcome(done.returncode, output, errors)


# ---------------------------------------------------------------- full disks


def test_a_disk_that_is_full_at_the_first_epoch(palingrad, here):
    with largest_file(8_000):
        found = palingrad("train", "digits", "--epochs", 2, "--out", "run")
    assert found.code == 1
    assert found.errors == (
        "error: the checkpoint isn't saved: run/weights.safetensors can't be written: File too "
        "large. The limit for the size of files (ulimit -f) is smaller than the file.\n"
    )
    assert not os.path.exists("run")


def test_a_disk_that_is_full_at_the_report_loses_no_parameters(palingrad, here):
    with largest_file(150_000):
        found = palingrad("train", "digits", "--epochs", 2, "--out", "run")
    assert found.code == 1
    assert "run folder run\n" in found.output
    assert found.errors.startswith("error: run/report.html can't be written: File too large.")
    assert found.errors.count("\n") == 1
    shown = found.output.partition("test accuracy ")[2].partition("\n")[0]
    assert shown in palingrad("evaluate", "run").output


def test_a_disk_that_fills_during_training_leaves_the_last_whole_epoch(palingrad, monkeypatch):
    real, saves = cli.Run.save, []

    def save(run, model, history):
        saves.append(len(history.epochs))
        with largest_file(8_000 if len(saves) > 2 else 10**8):
            real(run, model, history)

    monkeypatch.setattr(cli.Run, "save", save)
    found = palingrad("train", "digits", "--epochs", 5, "--out", "run")
    assert found.code == 1
    assert found.errors.startswith("error: the checkpoint isn't saved: run/weights")
    assert "The previous checkpoint in the folder is intact." in found.errors
    assert load_checkpoint("run").meta["last_epoch"]["number"] == 2
    assert sorted(os.listdir("run")) == [
        "checkpoint.json", "checkpoints", "report.html", "run.json", "weights.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["draw", "model.py", "--out", "old.svg"],
        ["draw", "model.py", "--out", "old.png"],
        ["draw", "model.py", "--out", "old.html"],
        ["view", "model.py", "--no-open", "--out", "old.html"],
    ],
    ids=" ".join,
)
def test_a_disk_that_is_full_leaves_the_old_picture(palingrad, here, arguments):
    name = arguments[-1]
    (here / name).write_text("old")
    with largest_file(1_000):
        found = palingrad(*arguments)
    assert (found.code, found.output) == (1, "")
    assert found.errors.startswith(f"error: {name} can't be written: File too large.")
    assert (here / name).read_text() == "old"
    assert sorted(os.listdir(here)) == ["model.py", name]


def test_machine_code_that_cannot_be_kept_is_compiled(here, monkeypatch):
    monkeypatch.setenv("PALINGRAD_CACHE", str(here / "cache"))
    function = pg.function(lambda x: pg.tanh(x * 2.5), engine="native")
    with largest_file(1_000):
        assert function(np.zeros(3))[0] == 0
        explained = " ".join(function.explain(np.zeros(3)).split())
    assert "can't be written to (File too large)" in explained
    assert os.listdir(here / "cache" / "native") == []


def test_without_a_home_folder_machine_code_is_compiled(monkeypatch):
    for name in ("HOME", "PALINGRAD_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # of a user without an entry
    function = pg.function(lambda x: pg.tanh(x * 3.5), engine="native")
    assert function(np.zeros(3))[0] == 0
    assert "the code isn't kept: there is no home folder" in function.explain(np.zeros(3))
    assert cache.described() == "nothing is kept: there is no home folder"


def test_the_source_of_a_program_keeps_the_old_files(here):
    source = pg.source(pg.Variable(np.arange(3000.0), name="w") * 2.0, inline=10)
    source.save("module.py")
    old = (here / "module.py").read_bytes(), (here / "module.npz").read_bytes()
    with largest_file(5_000), pytest.raises(pg.errors.WriteError, match=r"module\.npz can't be"):
        source.save("module.py")
    assert old == ((here / "module.py").read_bytes(), (here / "module.npz").read_bytes())


# ---------------------------------------------------------------- standard output


def test_output_that_is_full_ends_a_command_with_a_sentence(here):
    for arguments in (["--help"], ["train", "digits", "--epochs", "1", "--out", "run"]):
        found = process(arguments, "> /dev/full")
        assert found == (1, "", "error: standard output can't be used: No space left on device.\n")


def test_a_reader_that_stops_reading_ends_a_command_quietly(here):
    found = process(["train", "digits", "--epochs", "3", "--out", "run"], "| head -1")
    assert found == (0, "digits: 1,437 training examples, 360 test examples\n", "")


def test_closed_streams_and_no_home(here):
    found = process(["train", "digits", "--epochs", "1", "--out", "run"], ">&- <&-", HOME="")
    assert (found.code, found.errors) == (0, "")
    assert load_checkpoint("run").meta["epochs"] == 1
    assert process(["evaluate", "nowhere"], "2>&-").code == 2


def test_output_in_an_encoding_without_signs(here):
    found = process(["draw", "model.py", "--out", "β−1.svg"], PYTHONIOENCODING="cp1252")
    assert found == (0, "beta-1.svg\n", "")
    assert (here / "β−1.svg").is_file()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "no encoding"])
def test_what_is_printed_can_be_encoded(encoding, monkeypatch):
    class Stream:
        def __init__(self) -> None:
            self.encoding = encoding

    a = pg.Variable(2.0, name="α")
    y = pg.sigmoid(a * 3.0 - 1.0)
    with pg.record() as tape:
        pg.exp(a).backward()
    texts = [
        lambda: str(pg.derivation(y, a)),
        lambda: str(tape),
        lambda: "".join(map(str, tape.moments())),
        lambda: str(pg.source(pg.grad(lambda x: x * x), 2.0)),
        lambda: pg.view.draw(y).text(),
    ]
    whole = [text() for text in texts]
    monkeypatch.setattr(sys, "stdout", Stream())
    spelled = [text() for text in texts]
    if encoding == "no encoding":
        assert spelled == whole
        return
    for text in spelled:
        text.encode(encoding)
    assert "dy/dalpha" in spelled[0]
    assert for_output("x₁ ← −3 · σ(\N{SNOWMAN})").encode(encoding)


def test_a_file_name_that_is_not_text(here):
    name = os.fsdecode(b"\xff\x01.svg")
    found = process(["draw", "model.py", "--out", name])
    assert (found.code, found.errors) == (0, "")
    assert (here / name).is_file()
