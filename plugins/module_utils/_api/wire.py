# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""One HTTP exchange: bounded in time, never redirected, through no proxy, with TLS that is really verified."""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import time
import typing as t

from .errors import plain

CHUNK = 1 << 16
# What TLS encrypts at a time.
RECORD = 1 << 14
# A list of 10,000 VMs is 8 MB.
LARGEST = 64 << 20
LARGEST_HEAD = 256 << 10
SHOWN = 200


class NotSent(Exception):
    """The request never left: no connection, or no trusted one."""


class NotTrusted(NotSent):
    """The server does not prove who it is, or does not speak TLS; trying again will not help."""


class Lost(Exception):
    """The request left, and no whole answer came back."""


class _TooLarge(http.client.HTTPException):
    """An answer that no EC2 API gives."""


class Redirected(Exception):
    """The endpoint wants the request sent elsewhere."""


class Reply(t.NamedTuple):
    """What came back: numeric status, reason phrase, headers and the whole body in bytes."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    def read(self) -> bytes:
        """The body, as boto asks for it."""
        return self.body


class Wire:
    """How requests reach one host and port. Idle connections are kept for reads only."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        secure: bool,
        validate_certs: bool = True,
        ca_bundle: str | None = None,
        connect_timeout: float = 10,
        read_timeout: float = 120,
    ) -> None:
        self.host = host.strip("[]")
        self.port = port
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self._context = tls_context(validate_certs, ca_bundle) if secure else None
        self._idle: http.client.HTTPConnection | None = None
        self.answered = False

    def exchange(self, method: str, path: str, body: bytes, headers: t.Mapping[str, str], *, fresh: bool) -> Reply:
        """Send one request, once. fresh: on a new connection, as a mutation needs to know whether it left.

        Raises NotSent, Lost or Redirected.
        """
        idle, self._idle = self._idle, None
        if idle is not None and fresh:
            idle.close()
            idle = None
        connection = idle or self._connect()
        line = t.cast("_Line", connection.sock)
        try:
            line.begin(time.monotonic() + self.read_timeout)
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            line.allow(LARGEST)
            data = _read(response, line)
        except (http.client.HTTPException, OSError, ValueError) as exc:
            connection.close()
            if idle is not None and not isinstance(exc, (TimeoutError, _TooLarge)):
                # The server had closed the idle connection; only reads come here, so sending again is safe.
                return self.exchange(method, path, body, headers, fresh=True)
            raise Lost(describe(exc, self.read_timeout)) from exc
        if response.will_close:
            connection.close()
        else:
            self._idle = connection
        self.answered = True
        if 300 <= response.status < 400:
            raise Redirected(plain(response.getheader("Location") or "an unnamed place")[:SHOWN])
        return Reply(response.status, plain(response.reason)[:SHOWN], response.headers, data)

    def _connect(self) -> http.client.HTTPConnection:
        """A connection, secured if it shall be; within connect_timeout in all, but for the name's resolution."""
        connection = http.client.HTTPConnection(self.host, self.port)
        try:
            deadline = time.monotonic() + self.connect_timeout
            sock = _reached(self.host, self.port, self.connect_timeout)
            try:
                if self._context is not None:
                    sock.settimeout(_left(deadline))
                    sock = self._context.wrap_socket(sock, server_hostname=self.host)
            except BaseException:
                sock.close()
                raise
        except ssl.SSLError as exc:
            raise NotTrusted(describe(exc, self.connect_timeout)) from exc
        except (OSError, ValueError) as exc:
            raise NotSent(describe(exc, self.connect_timeout)) from exc
        connection.sock = _Line(sock)
        return connection


class _Line:
    """A socket on which a whole exchange has one deadline, and an answer a largest size, whatever it consists of."""

    def __init__(self, sock: t.Any) -> None:
        self._sock = sock
        self._deadline = 0.0
        self._left = self._piece = 0

    def begin(self, deadline: float) -> None:
        """Begin an exchange, which is over at deadline (monotonic). At first only the head of the answer may come."""
        self._deadline, self._left, self._piece = deadline, LARGEST_HEAD, LARGEST_HEAD

    def allow(self, size: int) -> None:
        """Let so many bytes more come in."""
        self._left += size

    def sendall(self, data: bytes) -> None:
        """Send all of data within what time is left."""
        for place in range(0, len(data), RECORD):
            # With TLS the time is that of each record, and a record at a time is sent.
            self._sock.settimeout(_left(self._deadline))
            self._sock.sendall(data[place : place + RECORD])

    def makefile(self, *unused: t.Any) -> t.BinaryIO:
        """What http.client reads lines and bodies from."""
        return t.cast("t.BinaryIO", io.BufferedReader(_Incoming(self, self._sock.makefile("rb", 0))))

    def close(self) -> None:
        """Close the socket, once nobody reads from it any more."""
        self._sock.close()

    def receive_into(self, raw: t.Any, buffer: t.Any) -> int:
        """Read what comes next within what time is left."""
        self._sock.settimeout(_left(self._deadline))
        number = int(raw.readinto(buffer) or 0)
        self._left -= number
        self._piece -= number
        if self._left < 0 or self._piece < 0:
            raise _TooLarge
        return number

    def next_piece(self) -> None:
        """Let the next piece of a body come in, with what is around it, such as the trailers.

        Raises TimeoutError if the time is up: what is in buffers needs no reading.
        """
        self._piece = CHUNK + LARGEST_HEAD
        _left(self._deadline)


class _Incoming(io.RawIOBase):
    def __init__(self, line: _Line, raw: t.Any) -> None:
        super().__init__()
        self._line = line
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        return self._line.receive_into(self._raw, buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left(deadline: float) -> float:
    """How many seconds are left. Raises TimeoutError if none are."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _reached(host: str, port: int, timeout: float) -> t.Any:
    """A connection to the first of the host's addresses that takes it, within timeout seconds in all."""
    failed: OSError | None = None
    found = dict.fromkeys(row[4][0] for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    deadline = time.monotonic() + timeout
    for address in found:
        try:
            return socket.create_connection((str(address), port), _left(deadline))
        except OSError as exc:
            failed = failed if failed and isinstance(exc, TimeoutError) else exc
    raise failed or OSError("the host has no address")


def tls_context(validate_certs: bool, ca_bundle: str | None) -> ssl.SSLContext:
    """How a server proves who it is. ca_bundle: a PEM file, or a directory of hashed ones. Raises NotSent."""
    if not validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    place = {"capath" if ca_bundle and os.path.isdir(ca_bundle) else "cafile": ca_bundle}
    try:
        if ca_bundle and "cafile" in place:
            from .files import why_unreadable

            why = why_unreadable("ca_bundle", ca_bundle)
            if why:
                raise OSError(0, why)
        context = ssl.create_default_context(**place)  # type: ignore[arg-type]
    except (OSError, ssl.SSLError) as exc:
        raise NotSent(f"ca_bundle {ca_bundle} cannot be used: {describe(exc, 0)}") from exc
    # Python 3.13 began to refuse certificates that private CAs commonly issue; chain and name stay verified.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return context


def _read(response: http.client.HTTPResponse, line: _Line) -> bytes:
    """The whole body, or an error when it is short, still dribbling at the deadline, or larger than any list."""
    parts = []
    if (response.length or 0) > LARGEST:
        raise _TooLarge
    while True:
        line.next_piece()
        part = response.read1(CHUNK)
        if not part:
            break
        parts.append(part)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    response.close()
    return b"".join(parts)


def describe(exc: BaseException, timeout: float) -> str:
    """What went wrong on the network, in words."""
    if isinstance(exc, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed: {exc.reason or exc}"
    if isinstance(exc, socket.gaierror):
        return f"the host name cannot be resolved: {exc.strerror}"
    if isinstance(exc, _TooLarge):
        return f"the answer is larger than {LARGEST >> 20} MiB, or its headers than {LARGEST_HEAD >> 10} KiB"
    if isinstance(exc, http.client.IncompleteRead):
        return f"the connection ended {exc.expected or 'some'} bytes before the answer did"
    if isinstance(exc, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    if isinstance(exc, http.client.HTTPException):
        # Not what it says: that may be a part of the answer.
        return f"the answer is not HTTP ({type(exc).__name__})"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror.lower()
    return str(exc) or type(exc).__name__
