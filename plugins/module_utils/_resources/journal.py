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

import contextlib
import errno
import hashlib
import json
import math
import os
import stat
import time
import typing as t

from .._api.errors import CloudError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

DIRECTORY = os.path.join("~", ".ansible", "nova_ec2")
# For how long after a request was sent, or its answer was lost, VMs may still come or go.
LATE_SECONDS = 30.0
PAUSE = 0.2
LONGEST = 1_000_000
MOST_MEMBERS = 1_000_000


class Journal:
    """The file of one batch. Opened and locked until close; harmless where there can be no file.

    Runs can be kept apart by something else than a batch as well: subject is then its name in messages, and batch
    something that no batch can be called.
    """

    def __init__(
        self,
        batch: str,
        endpoint: str,
        access_key: str,
        subject: str | None = None,
        warn: t.Callable[[str], None] = lambda text: None,
    ) -> None:
        self._warn = warn
        self._why_none: str | None = None
        self._subject = subject or f"batch {batch}"
        self._name = hashlib.sha256("\0".join((batch, endpoint, access_key)).encode()).hexdigest()[:32]
        self._file: int | None = None
        self._notes: dict[str, t.Any] = {}

    def open(self, timeout: float) -> None:
        """Take the lock, waiting for another run for up to timeout seconds."""
        if fcntl is None:
            return
        try:
            self._file = _opened(self._name)
        except OSError as exc:
            self._why_none = exc.strerror
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
        late = time.time() - LATE_SECONDS
        members = noted["members"] if noted.get("members") and noted["since"] > late else 0
        leaving = noted["leaving"] if noted.get("leaving") and noted["left"] > late else []
        newest = max(noted.get("since", 0), noted.get("left", 0))
        return members, leaving, max(0.0, min(newest - late, LATE_SECONDS))

    def recall(self, what: str) -> dict[str, str]:
        """What earlier runs noted, and this one so far."""
        return dict(self._notes.get(what, {}))

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
        if self._notes == before:
            return
        if self._file is None:
            self._tell_of_none()
            return
        # A line, so that what is left of a longer one by a run that is killed here does not count.
        text = json.dumps(self._notes).encode() + b"\n" if self._notes else b""
        try:
            os.pwrite(self._file, text, 0)
            os.ftruncate(self._file, len(text))
            if text:
                os.fsync(self._file)
        except OSError:
            pass

    def _tell_of_none(self) -> None:
        """Warn, once, where the next run would have to know what this one does."""
        if self._why_none:
            self._warn(
                f"No note can be taken of what is done to {self._subject}, because {DIRECTORY} cannot be used "
                f"({self._why_none}). Do not have two runs at once, and if one is cut short, wait {LATE_SECONDS:g} s "
                "before the next."
            )
            self._why_none = None

    def _read(self) -> dict[str, t.Any]:
        if self._file is None:
            return {}
        try:
            line = os.pread(self._file, LONGEST, 0).partition(b"\n")[0]
        except OSError:
            return {}
        try:
            return sensible(json.loads(line, parse_constant=_refuse)) if line.strip() else {}
        except (ValueError, RecursionError):
            self._warn(
                f"What earlier runs noted of {self._subject} makes no sense, and is set aside. If one was cut short "
                f"less than {LATE_SECONDS:g} s ago, see whether there is too much or too little now."
            )
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
            return {}


def sensible(notes: t.Any) -> dict[str, t.Any]:
    """Notes as runs take them. Raises ValueError for what no run has noted."""
    if not isinstance(notes, dict):
        raise ValueError("no notes")
    for name, value in notes.items():
        if name == "members":
            fits = _is_number(value) and isinstance(value, int) and 0 <= value <= MOST_MEMBERS and "since" in notes
        elif name == "leaving":
            fits = isinstance(value, list) and all(isinstance(one, str) for one in value) and "left" in notes
        elif name in ("since", "left"):
            # Clocks are set now and then.
            fits = _is_number(value) and math.isfinite(value) and value <= time.time() + LATE_SECONDS
        else:
            fits = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
        if not fits:
            raise ValueError(name)
    return notes


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _refuse(constant: str) -> t.NoReturn:
    raise ValueError(constant)


def _opened(name: str) -> int:
    """The file of a name, opened. Raises OSError where there can be none."""
    directory = os.path.expanduser(DIRECTORY)
    if os.environ.get("HOME") == "" or not os.path.isabs(directory):
        raise FileNotFoundError(errno.ENOENT, "there is no home directory")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT
    for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"):
        flags |= getattr(os, flag, 0)
    file = os.open(os.path.join(directory, name), flags, 0o600)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise FileExistsError(errno.EEXIST, "something else than a file is in its place")
    return file
