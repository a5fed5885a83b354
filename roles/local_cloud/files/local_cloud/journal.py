# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of requests: in memory for the control API, and as a file of JSON lines that a crash leaves behind."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

_SECRET = ("Signature",)


class Journal:
    """Numbered requests with what became of them. Safe to use from many threads."""

    def __init__(self, path: Path | None = None, first: int = 1) -> None:
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._first = first
        self._file = path.open("w", encoding="utf-8") if path else None  # one file for each life of a cloud
        if path:
            path.chmod(0o600)

    def received(self, fields: dict[str, Any]) -> int:
        """Write a request down before anything is done about it; return its number."""
        params = {name: value for name, value in fields["params"].items() if name not in _SECRET}
        with self._lock:
            number = self._first + len(self._entries)
            entry = {"n": number, "time": time.time(), **fields, "params": params}
            self._entries.append(entry)
            self._write(entry)
        return number

    def answered(
        self, number: int, status: int | None, code: str | None, seconds: float, trace: str | None = None
    ) -> None:
        """Write down how a request was answered; ``status`` is None if the client got no reply.

        ``trace`` tells where an action failed in a way that the server only reports as an unknown error.
        """
        outcome = {"n": number, "status": status, "code": code, "seconds": round(seconds, 6)}
        if trace is not None:
            outcome["trace"] = trace
        with self._lock:
            if number >= self._first:
                self._entries[number - self._first].update(outcome)
            self._write(outcome)

    def since(self, number: int) -> list[dict[str, Any]]:
        """Return the requests after ``number``, oldest first, each merged with its outcome."""
        with self._lock:
            return [dict(entry) for entry in self._entries[max(0, number + 1 - self._first) :]]

    def clear(self) -> None:
        """Forget the requests in memory. Numbers go on, and the file keeps everything."""
        with self._lock:
            self._first += len(self._entries)
            self._entries.clear()

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
