# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client's end of a connection to a cloud of this process: what http.client takes for a socket."""

from __future__ import annotations

import io
import ssl
import typing as t

from .world import World


class Line:
    """A connection. serve(line, request) has what comes in answered by :meth:`reply` and :meth:`hang_up`, when due."""

    def __init__(self, world: World, serve: t.Callable[[Line, bytes], None], timeout: float | None) -> None:
        self._world = world
        self._serve = serve
        self._timeout = timeout
        self._sent = b""
        self._came = bytearray()
        self._over = False

    # What the client does ----------------------------------------------------------------------------------------

    def settimeout(self, seconds: float | None) -> None:
        """For how long to wait for the next bytes."""
        self._timeout = seconds

    def setsockopt(self, *unused: t.Any) -> None:
        """Nothing to set."""

    def sendall(self, data: bytes) -> None:
        """Take bytes of a request."""
        self._world.alive()
        if self._over:
            raise BrokenPipeError(32, "Broken pipe")
        self._sent += data

    def getsockopt(self, *unused: t.Any) -> t.Any:
        """What ssl asks first of all. Clouds of this process speak no TLS, and what comes of that is told at once."""
        problem = ssl.SSLError(1, "wrong version number")
        problem.reason = "WRONG_VERSION_NUMBER"
        raise problem

    def recv(self, limit: int, *unused: t.Any) -> bytes:
        """As of a socket."""
        return self.receive(limit)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def makefile(self, _mode: str, buffering: int = -1) -> t.BinaryIO:
        """What the answer is read from, as it comes in."""
        raw = _Incoming(self)
        return t.cast("t.BinaryIO", raw if buffering == 0 else io.BufferedReader(raw))

    def close(self) -> None:
        """Nobody listens any more; what was sent is on its way all the same."""
        self._hand_over()
        self._over = True

    def receive(self, limit: int) -> bytes:
        """The next bytes, at most so many; none at the end. TimeoutError when they do not come in time."""
        self._hand_over()
        deadline = None if self._timeout is None else self._world.now + self._timeout
        self._world.wait(lambda: bool(self._came) or self._over, deadline)
        if not self._came and not self._over:
            raise TimeoutError("timed out")
        taken = bytes(self._came[:limit])
        del self._came[:limit]
        return taken

    def _hand_over(self) -> None:
        if self._sent:
            request, self._sent = self._sent, b""
            self._serve(self, request)

    # What the server does ----------------------------------------------------------------------------------------

    @property
    def patience(self) -> float:
        """For how many seconds the client waits for the next bytes."""
        return self._timeout or 0.0

    def reply(self, data: bytes) -> None:
        """Bytes of an answer."""
        self._came += data
        self._world.wake()

    def hang_up(self) -> None:
        """The end of the connection."""
        self._over = True
        self._world.wake()


class _Incoming(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        data = self._line.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)
