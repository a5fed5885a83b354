# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Lines that tell how a batch is getting on, for people who wait for it."""

from __future__ import annotations

import os
import time
import typing as t

from .._api.errors import plain
from .._resources.instances import View

PAUSE = 2.0
# A pipe that nobody reads is no place to wait.
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)


class Progress:
    """Writes lines to a file, a few seconds apart. Silent without a file, and when it cannot be written."""

    def __init__(self, path: str | None, subject: str) -> None:
        self._path = path
        self._subject = subject
        self._began = time.monotonic()
        self._told = -PAUSE
        self._last = ""

    def states(self, views: t.Iterable[View], wanted: str, total: int) -> None:
        """Tell how many VMs are in the state wanted: 'web: 17/20 running, 2 pending, 1 error (48 s)'."""
        counts: dict[str, int] = {}
        for view in views:
            counts[view["state"]] = counts.get(view["state"], 0) + 1
        done = counts.pop(wanted, 0)
        others = "".join(f", {number} {state}" for state, number in sorted(counts.items(), key=_pending_first))
        self.say(f"{done}/{total} {wanted}{others}", done == total)

    def say(self, text: str, now: bool = False) -> None:
        """Tell text, unless something was told a moment ago; now: in any case, unless it was just that."""
        elapsed, text = time.monotonic() - self._began, plain(text)
        if self._path is None or text == self._last or (elapsed - self._told < PAUSE and not now):
            return
        self._told, self._last = elapsed, text
        try:
            file = os.open(self._path, FLAGS, 0o600)
        except OSError:
            self._path = None
            return
        try:
            os.write(file, f"{self._subject}: {text} ({elapsed:.0f} s)\n".encode())
        except OSError:
            self._path = None
        finally:
            os.close(file)


def _pending_first(item: tuple[str, int]) -> tuple[bool, str]:
    return item[0] != "pending", item[0]
