# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a request that suffers a fault: how it is refused, or how its reply is spoilt."""

from __future__ import annotations

import uuid
from typing import Protocol

from . import auth, dispatch, faults
from .profiles import GRIZZLY
from .render import error


class Service(Protocol):
    """Who answers requests once they have been read, such as :class:`dispatch.Service`."""

    @property
    def mount(self) -> str:
        """Path that requests must be under; empty if any will do."""

    @property
    def latency(self) -> float:
        """Seconds that every request takes longer."""

    def now(self) -> float:
        """Return the time that replies are dated with."""

    def identify(self, request: auth.Request) -> str | None:
        """Return the name of the user that a request claims to come from."""

    def handle(self, request: auth.Request, number: int) -> dispatch.Reply:
        """Carry a request out."""

    def failed(self, problem: BaseException) -> dispatch.Reply:
        """Return the reply to a request that stumbled over something."""

    def keystone_down(self, request: auth.Request) -> dispatch.Reply:
        """Return the reply while Keystone cannot be reached."""


def refusal(service: Service, request: auth.Request, fault: faults.Fault) -> dispatch.Reply | None:
    """Return the reply of a fault that keeps the request from being carried out; None closes the connection."""
    if fault.kind == "drop_before":
        return None
    if fault.kind == "html_error":
        return dispatch.Reply(502, "text/html", faults.HTML.replace(b"Please log in.", b"Bad gateway"))
    if fault.kind == "redirect":
        return dispatch.Reply(302, "text/html", faults.HTML)
    return service.keystone_down(request) if fault.kind == "keystone_down" else _error(fault.kind)


def _error(kind: str) -> dispatch.Reply:
    if kind.startswith("unknown_error"):
        body = error("UnknownError", GRIZZLY.unknown_text, f"req-{uuid.uuid4()}")
        return dispatch.Reply(400, dispatch.XML, body.encode(), "UnknownError")
    if kind == "over_limit":
        body = error("RequestLimitExceeded", "Request limit exceeded.", f"req-{uuid.uuid4()}")
        return dispatch.Reply(400, dispatch.XML, body.encode())
    if kind in faults.TOO_MANY:
        return dispatch.plain(int(kind[-3:]), "This request was rate-limited.")
    status = 503 if "503" in kind else 500
    return dispatch.plain(status, "\n\nThe server has either erred or is overloaded.\n\n   ")


def spoilt(service: Service, reply: dispatch.Reply, fault: faults.Fault) -> dispatch.Reply | None:
    """Return the reply to a request that has been carried out, after the fault has had its way with it."""
    if fault.kind == "drop_after":
        return None
    if fault.kind.endswith("_after") and fault.kind not in ("delay_after", "hold_after"):
        return _error(fault.kind)
    if fault.kind == "non_ascii":
        broken = UnicodeEncodeError("ascii", "", 0, 1, "ordinal not in range(128)")
        return service.failed(broken)
    bodies = {
        "empty_body": b"",
        "garbage": faults.GARBAGE,
        "truncated": reply.body[: len(reply.body) // 2],
        "html": faults.HTML,
        "doctype": faults.BOMB,
    }
    if fault.kind in bodies:
        kind = "text/html" if fault.kind == "html" else dispatch.XML
        return dispatch.Reply(200, kind, bodies[fault.kind])
    return reply
