"""The relay between JAX's client and its service."""

from __future__ import annotations

import selectors
import socket

from palingrad.processes.relay import Relay


def test_both_ends_close_at_the_same_time():
    with socket.create_server(("127.0.0.1", 0)) as service:
        relay = Relay("127.0.0.1", service.getsockname()[1])
        (mine, inner), (theirs, outer) = socket.socketpair(), socket.socketpair()
        with selectors.DefaultSelector() as watched:
            for one, other, is_inner in ((inner, outer, True), (outer, inner, False)):
                watched.register(one, selectors.EVENT_READ, (other, is_inner))
            mine.close()
            theirs.close()
            news = sorted((key for key, _ in watched.select()), key=lambda key: not key.data[1])
            assert len(news) == 2
            for key in news:
                relay._pass_on(watched, key)
            assert not watched.get_map()
        assert inner.fileno() == outer.fileno() == -1
