# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures that tests order for requests to come."""

from __future__ import annotations

import dataclasses
import fnmatch
import threading
from typing import Any

KINDS = (
    "drop_before",
    "drop_after",
    "delay",
    "delay_after",
    "hang",
    "http_500",
    "http_503",
    "http_413",
    "http_429",
    "over_limit",
    "http_500_after",
    "http_503_after",
    "unknown_error",
    "unknown_error_after",
    "empty_body",
    "garbage",
    "truncated",
    "short",
    "html",
    "html_error",
    "doctype",
    "redirect",
    "keystone_down",
    "non_ascii",
    "late",
    "hold",
    "hold_after",
)
# In these the request is not carried out, or not at once.
NOT_DONE = (
    *("drop_before", "hang", "http_413", "http_429", "http_500", "http_503", "unknown_error", "over_limit"),
    *("html_error", "redirect", "keystone_down"),
)
TOO_MANY = ("http_413", "http_429", "over_limit")

GARBAGE = b"\x00\xff this is <not> XML & never was"
HTML = b"<html><head><title>Welcome</title></head><body><p>Please log in.</p></body></html>"
BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>\n<Response><text>&a9;</text></Response>"
).encode()


@dataclasses.dataclass
class Fault:
    """One order: what goes wrong (``kind``) for which actions (a pattern), how often, and after how many others.

    Those of TOO_MANY ask to be left alone for ``seconds``, if these are more than 0.

    ``times`` of -1 means for ever; ``seconds`` and ``location`` serve the kinds that need them.
    """

    kind: str
    action: str = "*"
    times: int = 1
    skip: int = 0
    seconds: float = 1.0
    location: str = "http://127.0.0.1:1/elsewhere"


class Faults:
    """The orders that are still open, oldest first. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._open: list[Fault] = []
        self._held: dict[object, str] = {}

    def add(self, order: dict[str, Any]) -> None:
        """Take an order; raise ValueError or TypeError if it makes no sense."""
        fault = Fault(**order)
        if fault.kind not in KINDS:
            raise ValueError(f"unknown kind {fault.kind!r}; known are {', '.join(KINDS)}")
        with self._lock:
            self._open.append(fault)

    def clear(self) -> None:
        """Drop all orders, and let go what is held."""
        with self._lock:
            self._open.clear()
        self.release()

    def hold(self, action: str) -> None:
        """Return when this request for ``action`` is let go."""
        ticket = object()
        with self._lock:
            self._held[ticket] = action
            self._lock.wait_for(lambda: ticket not in self._held)

    def release(self, action: str = "*") -> None:
        """Let go the requests that are held now, of the actions that a pattern fits."""
        with self._lock:
            self._held = {one: held for one, held in self._held.items() if not fnmatch.fnmatchcase(held, action)}
            self._lock.notify_all()

    def held(self) -> list[str]:
        """Return the actions of the requests that are held, in order."""
        with self._lock:
            return list(self._held.values())

    def list(self) -> list[dict[str, Any]]:
        """Return the open orders."""
        with self._lock:
            return [dataclasses.asdict(fault) for fault in self._open]

    def take(self, action: str) -> Fault | None:
        """Return the fault that this request for ``action`` is to suffer, or None."""
        with self._lock:
            for fault in self._open:
                if not fnmatch.fnmatchcase(action, fault.action):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times > 0:
                    fault.times -= 1
                    if fault.times == 0:
                        self._open.remove(fault)
                return fault
        return None
