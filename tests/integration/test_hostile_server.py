# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server that means harm costs: a process with little memory and CPU gets a clear error, over sockets."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import typing as t

import pytest
from running import ROOT
from test_tls import certificate

MEMORY = 1 << 30
CPU_SECONDS = 100
# The tasks of one process, one after the other; each has the limits for itself that all have together.
CHILD = """
import json, resource, sys, time
from virtual.task import Task
from ansible_collections.nova_ec2.cloud.plugins.modules import keypair, keypair_info
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]),) * 2)
time.sleep = lambda seconds: None  # between two tries
results = [Task(module, args).run() for module, args in json.load(sys.stdin)]
print(json.dumps([results, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10]))
"""
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MEG = b"a" * (1 << 20)
Answer = t.Callable[[socket.socket], t.Iterable[bytes]]

pytestmark = pytest.mark.needs("forged")


class Hostile:
    """Servers, each of which answers every request as it is told, until the client has enough."""

    def __init__(self) -> None:
        self._listeners: list[socket.socket] = []

    def serve(self, answer: Answer) -> str:
        """The address of a server that sends what answer makes of a connection."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, answer), daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    def close(self) -> None:
        """Take no more connections."""
        for listener in self._listeners:
            listener.close()

    def _accept(self, listener: socket.socket, answer: Answer) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                threading.Thread(target=self._answer, args=(connection, answer), daemon=True).start()

    def _answer(self, connection: socket.socket, answer: Answer) -> None:
        with contextlib.suppress(OSError), connection:
            for data in answer(connection):
                connection.sendall(data)
            # Whoever hangs up before all was read has the other side think of a broken connection.
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass


@pytest.fixture
def hostile() -> t.Iterator[Hostile]:
    """Servers that mean harm."""
    found = Hostile()
    yield found
    found.close()


@pytest.fixture
def run_limited(tmp_path: pathlib.Path) -> t.Callable[..., tuple[list[dict[str, t.Any]], int]]:
    """run_limited([(module, args), ...]): the results of one process with limits, and its largest memory in MiB."""
    place = tmp_path / "ansible_collections" / "nova_ec2"
    place.mkdir(parents=True)
    (place / "cloud").symlink_to(ROOT)

    def run(tasks: list[tuple[str, dict[str, t.Any]]]) -> tuple[list[dict[str, t.Any]], int]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "tests")])}
        given = [
            (module, {"access_key": "hostile-access", "secret_key": "hostile-secret", **args}) for module, args in tasks
        ]
        command = [sys.executable, "-c", CHILD, str(MEMORY), str(CPU_SECONDS)]
        done = subprocess.run(
            command, input=json.dumps(given), capture_output=True, text=True, check=False, env=environment, timeout=600
        )
        assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
        results, memory = json.loads(done.stdout.splitlines()[-1])
        return results, memory

    return run


def requested(connection: socket.socket) -> None:
    """Take the beginning of a request."""
    connection.recv(1 << 16)


def sending(*parts: bytes, ever: bytes | None = None) -> Answer:
    """What sends parts in answer to a request, and then the same for ever."""

    def answer(connection: socket.socket) -> t.Iterator[bytes]:
        requested(connection)
        yield from parts
        if ever is not None:
            yield from itertools.repeat(ever)

    return answer


def whole(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> Answer:
    """What sends a whole answer."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", b""]
    return sending(b"\r\n".join(lines), body)


def document(inside: bytes) -> bytes:
    """An answer to DescribeKeyPairs."""
    return b"<DescribeKeyPairsResponse>" + inside + b"</DescribeKeyPairsResponse>"


TOO_LARGE = "larger than 64 MiB"
LARGE: dict[str, tuple[Answer, str]] = {
    "endless": (sending(OK + b"\r\n", ever=MEG), TOO_LARGE),
    "announced": (sending(OK + b"Content-Length: 1073741824\r\n\r\n", ever=MEG), TOO_LARGE),
    "chunks": (sending(CHUNKED, ever=b"100000\r\n" + MEG + b"\r\n"), TOO_LARGE),
    "size of a chunk": (sending(CHUNKED, ever=MEG), "not HTTP"),
    "headers": (sending(OK, ever=b"X: a\r\n" * 10_000), "not HTTP"),
    "header": (sending(OK + b"X: ", ever=MEG), "not HTTP"),
    "status": (sending(ever=MEG), "not HTTP"),
    "continue": (sending(ever=b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000), TOO_LARGE),
    "trailers": (sending(CHUNKED + b"0\r\n", ever=b"X: a\r\n" * 10_000), TOO_LARGE),
    "element": (whole(document(b"<keySet><item><keyName>" + MEG * 50 + b"</keyName></item></keySet>")), "not a name"),
    "name": (whole(document(b"<" + MEG * 10 + b"/>")), "without keySet"),
    "lines": (whole(document(b"\n" * (50 << 20))), "more elements"),
    "attributes": (whole(document(b"<a " + b" ".join(b"a%d=''" % n for n in range(600_000)) + b"/>")), "more elements"),
    "white space": (whole(b" " * 400_000), "nothing at all"),
    "unclosed": (whole(b"<Response><Errors><Error><Code>" + MEG[:100_000], b"400 Bad"), "answered DescribeKeyPairs"),
    "compressed": (
        whole(gzip.compress(b"<a/>" * (32 << 20), 1), b"200 OK", b"Content-Encoding: gzip"),
        "instead of a DescribeKeyPairsResponse",
    ),
}


def test_what_is_too_large(hostile: Hostile, run_limited: t.Any, figure: t.Callable[[str], None]) -> None:
    tasks = []
    for answer, _said in LARGE.values():
        tasks.append(("keypair_info", {"endpoint_url": f"http://{hostile.serve(answer)}", "read_timeout": 300}))
    results, memory = run_limited(tasks)
    for name, result, (_answer, said) in zip(LARGE, results, LARGE.values()):
        assert result["failed"] and said in result["msg"] and "A fault in" not in result["msg"], (name, result["msg"])
        assert len(result["msg"]) < 1000, name
    figure(f"hostile answers, up to 64 MiB and endless: at most {memory} MiB of memory")


def test_what_never_ends(hostile: Hostile, run_limited: t.Any, tmp_path: pathlib.Path) -> None:
    """The only thing that ends each of these is the deadline."""
    files = dict(zip(*[iter(certificate(tmp_path, -1, 9))] * 2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["--certfile"], files["--keyfile"])
    over = threading.Event()

    def dribble(data: t.Iterable[int]) -> t.Iterator[bytes]:
        for byte in data:
            yield bytes([byte])
            over.wait(0.05)

    def silent(connection: socket.socket) -> t.Iterator[bytes]:
        over.wait()
        yield b""

    def half_a_handshake(connection: socket.socket) -> t.Iterator[bytes]:
        # The head of a record of 16 kB, and then what might be in it.
        return dribble(itertools.chain(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb", itertools.repeat(0)))

    def inside_tls(data: t.Iterable[int]) -> Answer:
        def answer(connection: socket.socket) -> t.Iterator[bytes]:
            with context.wrap_socket(connection, server_side=True) as secured:
                requested(secured)
                for part in dribble(data):
                    secured.sendall(part)
            yield b""

        return answer

    def plainly(data: t.Iterable[int]) -> Answer:
        def answer(connection: socket.socket) -> t.Iterator[bytes]:
            requested(connection)
            yield from dribble(data)

        return answer

    endless = itertools.repeat(ord("a"))
    slow = {
        "silence": ("https", silent),
        "handshake": ("https", half_a_handshake),
        "status in TLS": ("https", inside_tls(itertools.chain(b"HTTP/1.1 200 ", endless))),
        "trailer in TLS": ("https", inside_tls(itertools.chain(CHUNKED + b"0\r\nX: ", endless))),
        "silence of HTTP": ("http", silent),
        "body": ("http", plainly(itertools.chain(OK + b"\r\n", endless))),
    }
    fixed = {"connect_timeout": 1, "read_timeout": 1, "validate_certs": False, "name": "k"}
    tasks = [
        ("keypair", {"endpoint_url": f"{scheme}://{hostile.serve(answer)}", **fixed})
        for scheme, answer in slow.values()
    ]
    try:
        results, _memory = run_limited(tasks)
    finally:
        over.set()
    for name, result in zip(slow, results):
        assert result["failed"] and "no answer within 1 s" in result["msg"], (name, result["msg"])
