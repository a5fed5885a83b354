# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts have an SSH server that answers, tried over real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import types
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import ready as _ready
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.ready import answering


@contextlib.contextmanager
def server(host: str, port: int, says: bytes | None) -> t.Iterator[int]:
    """A server that says something and closes; None: it says nothing, and keeps the connection."""
    kept: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = listener.accept()
                if says is None:
                    kept.append(connection)
                else:
                    connection.sendall(says)
                    connection.close()

    with socket.create_server((host, port)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    for connection in kept:
        connection.close()


def patience(monkeypatch: pytest.MonkeyPatch, others: int) -> None:
    """Have the time for greetings be over when so many hosts have said something or nothing, and not before."""
    told: list[bool] = []
    greets = _ready._greets

    def noted(connection: socket.socket) -> bool:
        told.append(greets(connection))
        return told[-1]

    monkeypatch.setattr(_ready, "_greets", noted)
    monkeypatch.setattr(_ready, "ANSWER_SECONDS", 600.0)
    clock = types.SimpleNamespace(monotonic=lambda: 600.0 if len(told) == others else 0.0)
    monkeypatch.setattr(_ready, "time", clock)


def test_only_those_that_greet_as_ssh_servers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # All but the one that says nothing.
    patience(monkeypatch, 4)
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(server("127.0.3.1", 0, b"SSH-2.0-OpenSSH_9.2\r\n"))
        for host, says in (("127.0.3.2", b"HTTP/1.1 400 Bad Request\r\n"), ("127.0.3.3", None), ("127.0.3.4", b"")):
            stack.enter_context(server(host, port, says))
        hosts = [f"127.0.3.{number}" for number in range(1, 6)]
        assert answering(hosts, port) == {"127.0.3.1"}


def test_more_hosts_than_are_tried_at_once_are_all_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ready, "ANSWER_SECONDS", 600.0)
    hosts = [f"127.0.{third}.{fourth}" for third in (4, 5) for fourth in range(1, 251)]
    with server("", 0, b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        assert answering(hosts, port) == set(hosts)
