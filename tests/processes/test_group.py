"""Processes find each other, agree, and are told of failures. Here each is a thread."""

from __future__ import annotations

import threading
import time

import pytest

from palingrad.errors import ArgumentError, ProcessError
from palingrad.processes.group import Group
from palingrad.processes.wire import free_port, parted

HOST = "127.0.0.1"


class Ended(list):
    """Receives the exit statuses of "processes"."""


def together(count, action, *, indices=None, alike=None, told=None, patience=20.0, timeout=10.0):
    """What action(group) returns or raises in each of so many threads."""
    address = HOST, free_port(HOST)
    ended, found = Ended(), {}

    def work(place):
        index = place if indices is None else indices[place]
        try:
            group = Group(address, count if told is None else told[place], index, timeout=timeout,
                          patience=patience, alike=(alike or [{}] * count)[place],
                          exit=ended.append)  # fmt: skip
            found[place] = action(group)
            group.leave()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=work, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads), found
    return [found[place] for place in range(count)], ended


def test_agreements_give_the_values_of_all_in_order():
    def action(group):
        return [group.agree(f"value {k}", [group.index, k]) for k in range(20)]

    found, ended = together(3, action)
    assert found == [[[[0, k], [1, k], [2, k]] for k in range(20)]] * 3
    assert not ended


def test_a_failure_is_told_to_those_that_wait():
    def action(group):
        if group.index == 1:
            group.fail(ValueError("the disk is\nfull"))
            return None
        return group.agree("a value")

    found, ended = together(3, action)
    for index in (0, 2):
        assert isinstance(found[index], ProcessError)
        assert "process 1 (" in str(found[index])
        assert r"has failed: ValueError: the disk is\nfull" in str(found[index])
        assert "resume" in str(found[index])
    assert 1 in ended  # the one that has failed ends at once when it leaves


def test_processes_that_differ_are_told_where():
    found, _ = together(2, lambda group: group.agree(f"place {group.index}"))
    assert all("the processes do different things" in str(one) for one in found)
    assert all("is at place 0" in str(one) and "at place 1" in str(one) for one in found)


def test_one_that_ends_while_others_wait():
    found, _ = together(2, lambda group: group.index or group.agree("a value"))
    assert "process 1" in str(found[0])
    assert "has ended, but process 0" in str(found[0])


def test_one_that_hangs_is_named():
    def action(group):
        if group.index == 1:
            while group.verdict is None:
                time.sleep(0.01)
        return group.agree("a value")

    found, _ = together(2, action, patience=0.5)
    assert all("process 1" in str(one) and "hangs" in str(one) for one in found)


def test_two_with_one_index():
    found, _ = together(3, lambda group: None, indices=[0, 1, 1], timeout=3)
    assert any("two processes have index 1: " in str(one) for one in found)
    assert all(isinstance(one, ProcessError) for one in found)


def test_too_few_processes():
    start = time.monotonic()
    found, _ = together(2, lambda group: None, told=[3, 3], timeout=1.0)
    assert time.monotonic() - start < 10
    assert all("of 3 processes these didn't come within 1 s: 2" in str(one) for one in found)


def test_different_counts_and_versions():
    found, _ = together(2, lambda group: None, told=[2, 3])
    assert any("was told that there are 3, process 0 that there are 2" in str(x) for x in found)
    found, _ = together(2, lambda group: None, alike=[{"JAX": "1"}, {"JAX": "2"}])
    assert any("the processes differ: JAX is" in str(one) for one in found)


def test_process_0_that_cannot_be_reached():
    with pytest.raises(ProcessError, match=r"process 0 can't be reached at 127\.0\.0\.1:"):
        Group((HOST, free_port(HOST)), 2, 1, timeout=0.1)


def test_a_port_that_is_taken():
    import socket

    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ProcessError, match=r"process 0 can't listen at .*another port"):
            Group((HOST, port), 2, 0, timeout=0.1)


@pytest.mark.parametrize("wrong", ["host", "host:", ":1", "host:0", "host:99999", 7, "a:b"])
def test_addresses(wrong):
    with pytest.raises(ArgumentError, match="expected a host and a port"):
        parted(wrong)
    assert parted("10.0.0.1:9") == ("10.0.0.1", 9)
    assert parted("[::1]:9") == ("::1", 9)


def test_strangers_are_ignored():
    """What connects and says something else doesn't disturb."""
    import socket

    port = free_port(HOST)
    found = []

    def work(index):
        group = Group((HOST, port), 2, index, timeout=10)
        found.append(group.agree("a value", index))
        group.leave()

    first = threading.Thread(target=work, args=(0,))
    first.start()
    half = b'{"protocol": "palingrad 1", "index": "x", "count": 2, "where": "", "alike": 3}\n'
    for content in (b"GET / HTTP/1.1\r\n\r\n", b"[1]\n", b'{"protocol": 7}\n', b"\xff\n", half):
        while True:
            try:
                stranger = socket.create_connection((HOST, port), 5)
                break
            except OSError:
                time.sleep(0.01)
        with stranger:
            stranger.sendall(content)
    second = threading.Thread(target=work, args=(1,))
    second.start()
    first.join(10), second.join(10)
    assert found == [[0, 1], [0, 1]]
