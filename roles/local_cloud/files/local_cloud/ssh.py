# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH to every running VM: real servers, OpenSSH's, for whoever runs the cloud.

VMs have addresses of their own in 127.0.0.0/8 and share one port. The cloud itself listens, so that a VM is reachable
exactly while it runs, and hands each connection to an sshd with the VM's key and host keys (``sshd -i``).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import Server
    from .state import Cloud

LOOK_SECONDS = 0.1
MARK = "LOCAL_CLOUD_VM"
PACKAGES = ("openssh-server", "openssh-client")
_PLACES = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_KEY_TYPES = ("ecdsa", "ed25519")
_SHADOW = Path("/etc/shadow")
# Where root's sshd shuts itself in; Debian's service makes it when it starts.
_PRISON = Path("/run/sshd")
_ROUNDS = 100
_CONFIGURATION = """\
AuthorizedKeysFile "{place}/authorized_keys"
HostKey "{place}/ecdsa"
HostKey "{place}/ed25519"
SetEnv {mark}
AllowUsers {user}
UsePAM {pam}
AuthenticationMethods publickey
PermitRootLogin prohibit-password
PermitUserRC no
StrictModes no
LoginGraceTime 30
PidFile none
PrintMotd no
PrintLastLog no
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
"""


def find() -> tuple[str, str]:
    """Return the paths of sshd and ssh-keygen. Raises RuntimeError with the packages to install."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    sshd, keygen = shutil.which("sshd", path=path), shutil.which("ssh-keygen")
    if sshd is None or keygen is None:
        raise RuntimeError(f"--ssh needs sshd and ssh-keygen. Install them first: apt-get install {' '.join(PACKAGES)}")
    return sshd, keygen


class _Door:
    """An address of a VM, and the connections that came in there."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.listener = socket.socket()
        self.connections: list[subprocess.Popen[bytes]] = []


class Keeper(threading.Thread):
    """Opens the doors of VMs that run, shuts the others, and ends what was begun through these."""

    def __init__(self, cloud: Cloud, directory: Path) -> None:
        super().__init__(daemon=True)
        self._sshd, self._keygen = find()
        self._user, self._pam = _caller(), "yes" if _locked() else "no"
        self._cloud = cloud
        self._directory = directory / "ssh"
        self._places: dict[Server, Path] = {}
        self._doors: dict[str, _Door] = {}
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        # Keeps others from taking the port on all addresses.
        self._reserved = _bound("", 0)
        self.port = int(self._reserved.getsockname()[1])
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(mode=0o700)
        if os.geteuid() == 0:
            _PRISON.mkdir(mode=0o755, exist_ok=True)

    def run(self) -> None:
        """Follow the cloud until it ends."""
        try:
            while not self._over.is_set():
                # One new VM at a time: others are not to wait meanwhile.
                new = self._look()
                if new is not None:
                    self._furnish(new)
                self._answer(LOOK_SECONDS if new is None else 0)
        finally:
            for address in list(self._doors):
                self._shut(address)
            for place in self._places.values():
                shutil.rmtree(place)

    def end(self) -> None:
        """Shut all doors."""
        self._over.set()
        self.join()

    def _look(self) -> Server | None:
        """Shut and open doors as the cloud has it now; return a VM that has to be furnished, if there is one."""
        with self._cloud.lock:
            self._cloud.advance()
            existing = dict.fromkeys(self._cloud.servers.values())
            wanted = self._wanted()
        for address, door in list(self._doors.items()):
            door.connections = [one for one in door.connections if one.poll() is None]
            if wanted.get(address) is not door.server:
                self._shut(address)
        for server in [one for one in self._places if one not in existing]:
            shutil.rmtree(self._places.pop(server))
        for address in [one for one in wanted if one not in self._doors]:
            self._open(address, wanted[address])
        return next((server for server in existing if server not in self._places), None)

    def _wanted(self) -> dict[str, Server]:
        """Which VM is to be reached at which address; one that is on its way somewhere else is not."""
        furnished = [one for one in self._cloud.servers.values() if one in self._places]
        running = {one.number: one for one in furnished if one.state == "active" and one.task is None}
        addresses = {one.fixed_ip: one.number for one in running.values()}
        addresses.update({one.ip: one.server for one in self._cloud.addresses.values() if one.server is not None})
        return {ip: running[number] for ip, number in addresses.items() if ip and number in running}

    def _furnish(self, server: Server) -> None:
        """Give a new VM its host keys and the configuration of its sshd."""
        place = self._directory / secrets.token_hex(8)
        place.mkdir(mode=0o700)
        self._places[server] = place
        (place / "authorized_keys").write_text(f"{server.public_key}\n" if server.public_key else "")
        for kind in _KEY_TYPES:
            words = ["-q", "-t", kind, "-N", "", "-C", f"root@{server.hostname}", "-f", str(place / kind)]
            subprocess.run([self._keygen, *words], check=True, stdin=subprocess.DEVNULL)
        mark = f"{MARK}={place.name}"
        text = _CONFIGURATION.format(place=place, mark=mark, user=self._user, pam=self._pam)
        (place / "sshd_config").write_text(text)
        server.host_keys = tuple((place / f"{kind}.pub").read_text().strip() for kind in _KEY_TYPES)

    def _open(self, address: str, server: Server) -> None:
        door = self._doors[address] = _Door(server)
        try:
            door.listener = _bound(address, self.port)
            door.listener.listen(128)
        except OSError as problem:
            print(f"local_cloud: no SSH at {address} port {self.port}: {problem}", file=sys.stderr)
            return
        door.listener.setblocking(False)
        self._selector.register(door.listener, selectors.EVENT_READ, address)

    def _answer(self, seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            door = self._doors[key.data]
            try:
                connection, _peer = door.listener.accept()
                door.connections.append(self._serve(connection, key.data, self._places[door.server]))
            except OSError as problem:
                print(f"local_cloud: no SSH for a client at {key.data}: {problem}", file=sys.stderr)

    def _serve(self, connection: socket.socket, address: str, place: Path) -> subprocess.Popen[bytes]:
        connection.setblocking(True)
        with connection, (self._directory / f"{address}.log").open("ab") as log:
            streams: dict[str, Any] = {"stdin": connection, "stdout": connection, "stderr": log}
            command = [self._sshd, "-i", "-e", "-f", str(place / "sshd_config")]
            return subprocess.Popen(command, **streams, cwd="/", start_new_session=True)

    def _shut(self, address: str) -> None:
        door = self._doors.pop(address)
        with contextlib.suppress(KeyError):
            self._selector.unregister(door.listener)
        door.listener.close()
        # With its last door a VM is off, and so is what it has put into the background.
        last = all(other.server is not door.server for other in self._doors.values())
        mark = f"{MARK}={self._places[door.server].name}" if last else None
        _end({one.pid for one in door.connections}, mark)
        for one in door.connections:
            one.wait()


def _bound(address: str, port: int) -> socket.socket:
    """A socket at an address where another may be bound, too, as long as it does not listen."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address, port))
    except OSError:
        found.close()
        raise
    return found


def _caller() -> str:
    """Name of the user who runs the cloud."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise RuntimeError(f"--ssh needs a user with a name, and user id {os.geteuid()} has none") from None


def _locked() -> bool:
    """Whether root's password is locked, in which case sshd lets nobody in without PAM."""
    if os.geteuid() != 0 or not _SHADOW.exists():
        return False
    return any(line.startswith("root:!") for line in _SHADOW.read_text().splitlines())


def _end(roots: set[int], mark: str | None) -> None:
    """Kill processes, all that come from them, and all that have the mark in their environment."""
    for _round in range(_ROUNDS):
        found = _family(roots, mark)
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _family(roots: set[int], mark: str | None) -> set[int]:
    """The processes among roots that have not ended, those that come from roots, and those with the mark."""
    if not roots and mark is None:
        return set()
    children: dict[int, list[int]] = {}
    found, ended = set(roots), set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:2]
            children.setdefault(int(parent), []).append(int(entry.name))
            if state in (b"Z", b"X"):
                ended.add(int(entry.name))
            elif mark is not None and mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    waiting = list(found)
    while waiting:
        new = [pid for pid in children.get(waiting.pop(), []) if pid not in found]
        found.update(new)
        waiting += new
    return found - ended
