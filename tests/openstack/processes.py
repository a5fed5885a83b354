# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test bed's processes. Each leads a session, which is written down, so that only our own are ever stopped."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import typing as t

from .bed import Bed, BedError
from .packages import tail

# Kept from the environment that the services are started in.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
PORT_SECONDS = 90.0
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.1
_PROC = pathlib.Path("/proc")


class Processes:
    """Those of one bed."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed

    def environment(self, **more: str) -> dict[str, str]:
        """What a process is started with."""
        kept = {key: value for key, value in os.environ.items() if key in KEPT}
        local = "127.0.0.1,localhost"
        return {**kept, "no_proxy": local, "NO_PROXY": local, **more}

    def start(self, name: str, command: t.Sequence[str], **more: str) -> None:
        """Start a process that goes on without us, unless it runs already."""
        if self.alive(name):
            return
        with (self.bed.run / "log" / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self.bed.run,
                env=self.environment(**more),
            )
        _session, began = _session_and_start(process.pid) or (0, 0)
        (self.bed.run / "pid" / name).write_text(f"{process.pid} {began}")

    def running(self) -> dict[int, str]:
        """The names of our processes by their ids: whoever is in a session that one of them leads."""
        there = {int(folder.name): _session_and_start(int(folder.name)) for folder in _PROC.glob("[0-9]*")}
        sessions: dict[int, str] = {}
        for path in (self.bed.run / "pid").glob("*"):
            leader, began = map(int, path.read_text().split())
            found = there.get(leader)
            # While a session has members its number is given to no other process; but it may be to one when all ended.
            if found is None or found[1] == began:
                sessions[leader] = path.name
        return {pid: sessions[found[0]] for pid, found in there.items() if found and found[0] in sessions}

    def alive(self, name: str) -> bool:
        """Whether a process of that name runs."""
        return name in self.running().values()

    def check_port(self, name: str, service: str) -> None:
        """Refuse if a service that does not run would find its port taken."""
        port = self.bed.ports[service]
        if not self.alive(name) and answers(port):
            raise BedError(
                f"Port {port}, which is {service}'s in this test bed, is taken by another process. "
                "Stop that, or have new ports chosen: make openstack-wipe openstack"
            )

    def wait_for_port(self, name: str, service: str) -> None:
        """Wait until a service answers at its port."""
        port = self.bed.ports[service]
        deadline = time.monotonic() + PORT_SECONDS
        while not answers(port):
            if not self.alive(name) or time.monotonic() > deadline:
                said = tail(self.bed.run / "log" / f"{name}.out")
                raise BedError(f"{name} does not answer at port {port}. It said:\n{said}")
            time.sleep(LOOK_SECONDS)

    def stop(self, *names: str) -> dict[int, str]:
        """End our processes, or those of some names; return which there were."""
        stopped: dict[int, str] = {}
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + STOP_SECONDS
            told: set[int] = set()
            while (left := self._of(names)) and time.monotonic() < deadline:
                stopped.update(left)
                # A service may start another worker in place of one that ends.
                for pid in set(left) - told:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
                told |= set(left)
                time.sleep(LOOK_SECONDS)
        return stopped

    def _of(self, names: tuple[str, ...]) -> dict[int, str]:
        return {pid: name for pid, name in self.running().items() if not names or name in names}


def answers(port: int) -> bool:
    """Whether somebody accepts connections at a port of loopback."""
    with socket.socket() as attempt:
        attempt.settimeout(1.0)
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _session_and_start(pid: int) -> tuple[int, int] | None:
    """The session of a process, and when it started in the kernel's own ticks; None if it has ended."""
    try:
        # The name, which may hold anything, is in parentheses.
        state, *fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(") ")[2].split()
    except OSError:
        return None
    return None if state == "Z" else (int(fields[2]), int(fields[18]))
