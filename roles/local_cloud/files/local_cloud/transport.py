# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets, HTTP and TLS: how requests come in and replies, whole or broken, go out."""

from __future__ import annotations

import contextlib
import http.server
import select
import socket
import ssl
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.client import responses
from typing import Any

from . import auth, dispatch, faults, spoil
from .journal import Journal
from .spoil import Service

_HANG_POLL_SECONDS = 0.2


class QuietServer(http.server.ThreadingHTTPServer):
    """A threaded HTTP server for many short or kept connections, with TLS if a context is given."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], handler: type, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without asking any name service for our own name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; the TLS handshake is left to its own thread."""
        connection, peer = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, peer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that go away."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)


class Ec2Server(QuietServer):
    """The listener of the EC2 API."""

    def __init__(
        self,
        address: tuple[str, int],
        service: Service,
        journal: Journal,
        broken: faults.Faults,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.service = service
        self.journal = journal
        self.faults = broken
        self._counting = threading.Lock()
        self._under_way = 0
        super().__init__(address, Ec2Handler, tls)

    @property
    def busy(self) -> int:
        """How many connections are open or wait to be accepted, and how many requests are to be carried out late."""
        with self._counting:
            waiting, _writable, _failed = select.select([self.socket], [], [], 0)
            return self._under_way + len(waiting)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection, and count it."""
        with self._counting:
            taken = super().get_request()
            self._under_way += 1
        return taken

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        try:
            super().shutdown_request(request)
        finally:
            with self._counting:
                self._under_way -= 1

    def carry_out_later(self, request: auth.Request, number: int, seconds: float) -> None:
        """Carry a request out in so many seconds, for nobody."""

        def carry_out() -> None:
            try:
                self.service.handle(request, number)
            finally:
                with self._counting:
                    self._under_way -= 1

        with self._counting:
            self._under_way += 1
        timer = threading.Timer(seconds, carry_out)
        timer.daemon = True
        timer.start()


class Ec2Handler(http.server.BaseHTTPRequestHandler):
    """One connection to the EC2 API."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Ec2Server

    def setup(self) -> None:
        """Finish the TLS handshake, if there is one, before the first request."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the journal has it all."""

    def do_any(self) -> None:
        """Serve one request of whatever method."""
        started = time.monotonic()
        request = self._read()
        service = self.server.service
        lost = dispatch.outside(service.mount, request.path)
        if lost is not None:
            self._send(lost)
            return
        number = self.server.journal.received(noted(service, request))
        if service.latency > 0:
            time.sleep(service.latency)
        fault = self.server.faults.take(request.params.get("Action", ""))
        reply = self._answer(request, number, fault)
        seconds = time.monotonic() - started
        if reply is None:
            self.server.journal.answered(number, None, None, seconds)
        else:
            self.server.journal.answered(number, reply.status, reply.code, seconds, reply.trace)
        if reply is None:
            self._hang_up()
        else:
            self._send(reply, fault)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = do_PATCH = do_any

    def _read(self) -> auth.Request:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return request_of(self.command, self.path, dict(self.headers.items()), body)

    def _answer(self, request: auth.Request, number: int, fault: faults.Fault | None) -> dispatch.Reply | None:
        """Return the reply, or None if the connection is to end without one."""
        service = self.server.service
        if fault is None:
            return service.handle(request, number)
        if fault.kind == "delay":
            time.sleep(fault.seconds)
        elif fault.kind == "hold":
            self._hold(request)
        elif fault.kind == "hang":
            self._wait_for_client()
            return None
        elif fault.kind == "late":
            self.server.carry_out_later(request, number, fault.seconds)
            return None
        elif fault.kind in faults.NOT_DONE:
            return spoil.refusal(service, request, fault)
        reply = service.handle(request, number)
        if fault.kind == "delay_after":
            time.sleep(fault.seconds)
        elif fault.kind == "hold_after":
            self._hold(request)
        return spoil.spoilt(service, reply, fault)

    def _hold(self, request: auth.Request) -> None:
        self.server.faults.hold(request.params.get("Action", ""))

    def _wait_for_client(self) -> None:
        while True:
            readable, _writable, _failed = select.select([self.connection], [], [], _HANG_POLL_SECONDS)
            if readable and not self.connection.recv(1):
                return

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, reply: dispatch.Reply, fault: faults.Fault | None = None) -> None:
        data, whole = written(reply, fault, self.server.service.now(), self.command == "HEAD")
        self.wfile.write(data)
        if not whole:
            self._hang_up()


def request_of(method: str, target: str, headers: dict[str, str], body: bytes) -> auth.Request:
    """Return a request from what came over the wire; ``target`` is path and query as they came."""
    split = urllib.parse.urlsplit(target)
    params = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
    if method in ("POST", "PUT"):
        params.update(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    lower = {name.lower(): value for name, value in headers.items()}
    return auth.Request(method, urllib.parse.unquote(split.path), lower, body, params, target)


def noted(service: Service, request: auth.Request) -> dict[str, Any]:
    """Return what the journal is told of a request that has come in."""
    return {
        "action": request.params.get("Action"),
        "params": request.params,
        "user": service.identify(request),
        "verb": request.method,
        "path": request.path,
        "signature_version": request.signature_version,
    }


def written(
    reply: dispatch.Reply, fault: faults.Fault | None, now: float, headless: bool = False
) -> tuple[bytes, bool]:
    """Return a reply as it goes over the wire, and whether it is whole; if not, the connection ends with it."""
    missing = 64 if fault is not None and fault.kind == "short" else 0
    lines = [
        f"HTTP/1.1 {reply.status} {responses.get(reply.status, '')}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body) + missing}",
        f"Date: {formatdate(now, usegmt=True)}",
    ]
    if fault is not None and fault.kind == "redirect":
        lines.append(f"Location: {fault.location}")
    if fault is not None and fault.kind in faults.TOO_MANY and fault.seconds > 0:
        lines.append(f"Retry-After: {fault.seconds:g}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("latin-1") + (b"" if headless else reply.body), not missing
