# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What runs on one machine tell each other: one at a time per batch, and launches whose fate was left open.

Nova cannot lock anything. A file below ``~/.ansible`` keeps runs of one user on one machine apart, which is where most
doubles come from, and tells the next run of a launch that was cut short, so that it waits for late arrivals before it
counts. Without such a directory, and between machines, runs rely on looking again after each launch.
"""

from __future__ import annotations

import hashlib
import json
import os
import time

from ._errors import CloudError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

DIRECTORY = os.path.join("~", ".ansible", "nova_ec2")
# For how long after a launch was sent, or its answer was lost, VMs may still show up.
LATE_SECONDS = 30.0
PAUSE = 0.2


class Journal:
    """The file of one batch. Opened and locked until close; harmless where there can be no file."""

    def __init__(self, batch: str, endpoint: str, access_key: str) -> None:
        self._batch = batch
        self._name = hashlib.sha256("\0".join((batch, endpoint, access_key)).encode()).hexdigest()[:32]
        self._file: int | None = None

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

    def _lock(self, deadline: float, timeout: float) -> None:
        while self._file is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    self.close()
                    raise CloudError(
                        f"Another run has been at work on batch {self._batch} on this machine for more than "
                        f"{timeout:g} s (wait_timeout). Nothing was changed. Run again when it is done."
                    ) from None
            except OSError:
                # A file system without locks.
                return
            time.sleep(PAUSE)

    def expect(self, members: int) -> None:
        """Note that a launch is on its way, after which the batch has this many members."""
        self._write(json.dumps({"members": members, "since": time.time()}))

    def settle(self) -> None:
        """Note that what was launched is known."""
        self._write("")

    def late(self) -> tuple[int, float]:
        """How many members to expect after a launch that was cut short, and for how many seconds to look for them."""
        try:
            noted = json.loads(os.pread(self._file, 1000, 0)) if self._file is not None else {}
            return int(noted["members"]), min(noted["since"] + LATE_SECONDS - time.time(), LATE_SECONDS)
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0.0

    def close(self) -> None:
        """Let others in."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, text: str) -> None:
        if self._file is None:
            return
        try:
            os.pwrite(self._file, text.encode(), 0)
            os.ftruncate(self._file, len(text))
            if text:
                os.fsync(self._file)
        except OSError:
            pass
