# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What runs on one machine tell each other: one at a time per batch, and what was left open by one that was cut short.

Nova cannot lock anything. A file below ``~/.ansible`` keeps runs of one user on one machine apart, which is where most
doubles come from, and tells the next run of a launch or termination that was cut short, so that it waits for late
arrivals and departures before it counts. Without such a directory, and between machines, runs rely on looking again
after each launch.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import typing as t

from ._errors import CloudError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

DIRECTORY = os.path.join("~", ".ansible", "nova_ec2")
# For how long after a request was sent, or its answer was lost, VMs may still come or go.
LATE_SECONDS = 30.0
PAUSE = 0.2
LONGEST = 1_000_000


class Journal:
    """The file of one batch. Opened and locked until close; harmless where there can be no file.

    Runs can be kept apart by something else than a batch as well: subject is then its name in messages, and batch
    something that no batch can be called.
    """

    def __init__(self, batch: str, endpoint: str, access_key: str, subject: str | None = None) -> None:
        self._subject = subject or f"batch {batch}"
        self._name = hashlib.sha256("\0".join((batch, endpoint, access_key)).encode()).hexdigest()[:32]
        self._file: int | None = None
        self._notes: dict[str, t.Any] = {}

    def open(self, timeout: float) -> None:
        """Take the lock, waiting for another run for up to timeout seconds."""
        if fcntl is None:
            return
        try:
            directory = os.path.expanduser(DIRECTORY)
            os.makedirs(directory, mode=0o700, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
            self._file = os.open(os.path.join(directory, self._name), flags, 0o600)
        except OSError:
            return
        self._lock(time.monotonic() + timeout, timeout)
        self._notes = self._read()

    def _lock(self, deadline: float, timeout: float) -> None:
        while self._file is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    self.close()
                    raise CloudError(
                        f"Another run has been at work on {self._subject} on this machine for more than "
                        f"{timeout:g} s (wait_timeout). Nothing was changed. Run again when it is done."
                    ) from None
            except OSError:
                # A file system without locks.
                return
            time.sleep(PAUSE)

    def expect(self, members: int) -> None:
        """Note that a launch is on its way, after which the batch has this many members."""
        self._note(members=members, since=time.time())

    def settle(self) -> None:
        """Note that what was launched is known."""
        self._note(members=None, since=None)

    def leaving(self, ids: t.Sequence[str]) -> None:
        """Note that these VMs are being told to terminate: Nova shows them as they were until they are gone."""
        self._note(leaving=list(ids), left=time.time())

    def gone(self) -> None:
        """Note that they are gone."""
        self._note(leaving=None, left=None)

    def cut_short(self) -> tuple[int, list[str], float]:
        """What earlier runs left open: how many members to expect, which VMs to see go, and for how many seconds."""
        noted = self._notes
        try:
            late = time.time() - LATE_SECONDS
            members = int(noted["members"]) if noted.get("members") and noted["since"] > late else 0
            leaving = (
                [str(value) for value in noted["leaving"]] if noted.get("leaving") and noted["left"] > late else []
            )
            newest = max(noted.get("since") or 0, noted.get("left") or 0)
        except (ValueError, KeyError, TypeError):
            return 0, [], 0.0
        return members, leaving, max(0.0, min(newest - late, LATE_SECONDS))

    def recall(self, what: str) -> dict[str, str]:
        """What earlier runs noted, and this one so far."""
        noted = self._notes.get(what)
        return {str(key): str(value) for key, value in noted.items()} if isinstance(noted, dict) else {}

    def remember(self, what: str, notes: t.Mapping[str, str]) -> None:
        """Note something for the next run, should this one be cut short."""
        self._note(**{what: dict(notes) or None})

    def close(self) -> None:
        """Let others in."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _note(self, **notes: t.Any) -> None:
        before = dict(self._notes)
        self._notes.update(notes)
        self._notes = {key: value for key, value in self._notes.items() if value is not None}
        if self._file is None or self._notes == before:
            return
        text = json.dumps(self._notes).encode() if self._notes else b""
        try:
            os.pwrite(self._file, text, 0)
            os.ftruncate(self._file, len(text))
            if text:
                os.fsync(self._file)
        except OSError:
            pass

    def _read(self) -> dict[str, t.Any]:
        try:
            notes = json.loads(os.pread(t.cast(int, self._file), LONGEST, 0))
        except (OSError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}
