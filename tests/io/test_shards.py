"""Checkpoints in shards: written by several processes (here threads), read by one."""

from __future__ import annotations

import json
import shutil
import threading

import numpy as np
import pytest

from palingrad.errors import CheckpointError
from palingrad.io.checkpoint import load_checkpoint, save_checkpoint
from palingrad.io.record import record
from palingrad.io.shards import INDEX, Form, Piece, save_shards
from palingrad.io.weights import packed, unpacked
from palingrad.processes.group import Group
from palingrad.processes.wire import free_port

W = np.arange(24, dtype=np.float32).reshape(4, 6)
ARRAYS = {"b": np.array(3, np.int64), "w": W, "z": np.array([1 + 2j, 3 - 1j, 0j, 2 + 0j])}


def pieces(count, arrays):
    """The parts of each of so many processes: rows of w, columns of its halves, halves of z."""
    w, z = arrays["w"], arrays["z"]
    found = [[] for _ in range(count)]
    found[0].append(Piece("b", (), arrays["b"]))
    for k in range(4):
        found[k % count].append(Piece("w", (k // 2 * 2, k % 2 * 3),
                                      w[k // 2 * 2 :, k % 2 * 3 :][:2, :3]))  # fmt: skip
        found[-1 - k % count].append(Piece("z", (k,), z[k : k + 1]))
    return found


def saved(folder, count=3, arrays=ARRAYS, meta=None, broken=None):
    """Save from so many threads; what each raises. `broken`: whose folder isn't there."""
    address, parts, errors = ("127.0.0.1", free_port("127.0.0.1")), pieces(count, arrays), {}
    forms = {name: Form(x.dtype.name, x.shape) for name, x in arrays.items()}
    folder.mkdir(exist_ok=True)

    def work(index):
        group = Group(address, count, index, timeout=10, exit=lambda status: None)
        own = folder.parent / "missing" / folder.name if index == broken else folder
        try:
            save_shards(own, parts[index], forms, {"epoch": 3} if meta is None else meta, group)
        except CheckpointError as error:
            errors[index] = str(error)
        group.leave()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    return errors


def same(found, arrays=ARRAYS):
    assert sorted(found) == sorted(arrays)
    for name, wanted in arrays.items():
        assert found[name].dtype == wanted.dtype
        np.testing.assert_array_equal(found[name], wanted)
        assert not found[name].flags.writeable


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards") / "checkpoint"
    assert not saved(folder)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def shards(folder):
    return sorted(folder.glob("weights-*.safetensors"))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_processes(tmp_path, count):
    assert not saved(tmp_path / "c", count)
    found = load_checkpoint(tmp_path / "c")
    same(found.arrays)
    assert found.meta == {"epoch": 3}
    assert found.path.name == INDEX
    assert len(shards(tmp_path / "c")) == count
    same(load_checkpoint(tmp_path / "c" / INDEX).arrays)


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        saved(tmp_path / folder)
    for one in (tmp_path / "one").iterdir():
        assert (tmp_path / "two" / one.name).read_bytes() == one.read_bytes()


def test_the_same_arrays_give_the_same_file():
    arrays = {**ARRAYS, '‘ζ’ "': np.ones(3, np.complex64)}
    contents = {packed(arrays, '{"text": "ä"}') for _ in range(20)}  # the library's order is random
    (content,) = contents
    found, text = unpacked(content)
    assert text == '{"text": "ä"}'
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert int.from_bytes(content[:8], "little") % 8 == 0


def test_a_shard_that_is_missing_is_named(copy):
    shards(copy)[1].unlink()
    with pytest.raises(CheckpointError, match=r"00001-of-00003\.safetensors can't be read"):
        load_checkpoint(copy)


def test_every_change_of_a_shard_is_noticed(copy):
    """One bit in the header or the numbers of a shard, wherever it is; and a shorter file."""
    victim = shards(copy)[2]
    content = bytearray(victim.read_bytes())
    places = [*range(0, len(content), 13), *range(len(content) - 20, len(content))]
    for place in places:
        content[place] ^= 4
        victim.write_bytes(content)
        with pytest.raises(CheckpointError, match="00002-of-00003"):
            load_checkpoint(copy)
        content[place] ^= 4
    victim.write_bytes(content[:-1])
    with pytest.raises(CheckpointError, match="00002-of-00003"):
        load_checkpoint(copy)


def test_every_change_of_the_index_is_noticed(copy):
    content = bytearray((copy / INDEX).read_bytes())
    for place in range(0, len(content) - 1, 11):
        content[place] ^= 1
        (copy / INDEX).write_bytes(content)
        with pytest.raises(CheckpointError):
            load_checkpoint(copy)
        content[place] ^= 1


def test_a_shard_of_another_checkpoint(whole, copy, tmp_path):
    other = {**ARRAYS, "w": W + 1}
    saved(tmp_path / "other", arrays=other)
    shutil.copy(shards(tmp_path / "other")[0], shards(copy)[0])
    with pytest.raises(CheckpointError, match=r"00000-of-00003.*another checkpoint"):
        load_checkpoint(copy)


def test_a_save_replaces_the_one_before_at_once(copy, monkeypatch):
    """Until the new index is there, the old shards are; then they are deleted."""
    before = shards(copy)
    text = (copy / INDEX).read_bytes()
    other = {**ARRAYS, "w": W + 1}
    assert not saved(copy, arrays=other)
    same(load_checkpoint(copy).arrays, other)
    assert not set(before) & set(shards(copy))
    assert len(shards(copy)) == 3
    (copy / INDEX).write_bytes(text)
    with pytest.raises(CheckpointError):
        load_checkpoint(copy)


def test_a_process_that_cannot_write_is_named_by_all(copy):
    errors = saved(copy, arrays={**ARRAYS, "w": W + 1}, broken=1)
    assert sorted(errors) == [0, 1, 2]
    assert all("because of process 1: " in one and "can't be written" in one
               for one in errors.values())  # fmt: skip
    same(load_checkpoint(copy).arrays)  # the checkpoint before


def test_one_file_replaces_shards_and_the_other_way(copy):
    save_checkpoint(copy, {"w": W + 2})
    assert not shards(copy)
    assert not (copy / INDEX).exists()
    same(load_checkpoint(copy).arrays, {"w": W + 2})
    saved(copy)
    same(load_checkpoint(copy).arrays)


def test_an_index_leads_to_no_other_folder(copy):
    """Even one whose hash is right."""
    header = json.loads((copy / INDEX).read_text())
    header["meta"]["shards"][0]["file"] = "../../secret"
    (copy / INDEX).write_text(json.dumps(record(header["meta"], {})))
    with pytest.raises(CheckpointError, match="is no name of a shard"):
        load_checkpoint(copy)
