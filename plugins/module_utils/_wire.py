# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""One HTTP exchange: bounded in time, never redirected, through no proxy, with TLS that is really verified."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import time
import typing as t

CHUNK = 1 << 16


class NotSent(Exception):
    """The request never left: no connection, or no trusted one."""


class NotTrusted(NotSent):
    """The server does not prove who it is, or does not speak TLS; trying again will not help."""


class Lost(Exception):
    """The request left, and no whole answer came back."""


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
        try:
            deadline = time.monotonic() + self.read_timeout
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            data = _read(response, connection.sock, deadline)
        except (http.client.HTTPException, OSError) as exc:
            connection.close()
            if idle is not None and not isinstance(exc, TimeoutError):
                # The server had closed the idle connection; only reads come here, so sending again is safe.
                return self.exchange(method, path, body, headers, fresh=True)
            raise Lost(describe(exc, self.read_timeout)) from exc
        if response.will_close:
            connection.close()
        else:
            self._idle = connection
        self.answered = True
        if 300 <= response.status < 400:
            raise Redirected(response.getheader("Location") or "an unnamed place")
        return Reply(response.status, response.reason, response.headers, data)

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.connect_timeout)
        try:
            connection.connect()
            if self._context is not None:
                connection.sock = self._context.wrap_socket(connection.sock, server_hostname=self.host)
        except ssl.SSLError as exc:
            connection.close()
            raise NotTrusted(describe(exc, self.connect_timeout)) from exc
        except (OSError, ValueError) as exc:
            connection.close()
            raise NotSent(describe(exc, self.connect_timeout)) from exc
        connection.sock.settimeout(self.read_timeout)
        return connection


def tls_context(validate_certs: bool, ca_bundle: str | None) -> ssl.SSLContext:
    """How a server proves who it is. ca_bundle: a PEM file, or a directory of hashed ones. Raises NotSent."""
    if not validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    place = {"capath" if ca_bundle and os.path.isdir(ca_bundle) else "cafile": ca_bundle}
    try:
        context = ssl.create_default_context(**place)  # type: ignore[arg-type]
    except (OSError, ssl.SSLError) as exc:
        raise NotSent(f"ca_bundle {ca_bundle} cannot be used: {describe(exc, 0)}") from exc
    # Python 3.13 began to refuse certificates that private CAs commonly issue; chain and name stay verified.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return context


def _read(response: http.client.HTTPResponse, sock: socket.socket | None, deadline: float) -> bytes:
    """The whole body, or an error when it is short or still dribbling at the deadline."""
    parts = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if sock is not None:
            sock.settimeout(left)
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
    if isinstance(exc, http.client.IncompleteRead):
        return f"the connection ended {exc.expected} bytes before the answer did"
    if isinstance(exc, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    if isinstance(exc, http.client.HTTPException):
        return f"the answer is not HTTP ({type(exc).__name__}: {exc})"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror.lower()
    return str(exc) or type(exc).__name__
