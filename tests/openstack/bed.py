# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a test bed lies, which ports it has, and the passwords that were drawn for it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import secrets
import socket

# Where each service listens if nothing else does; the next free ports are taken otherwise.
PORTS = {
    "keystone": 5000,
    "nova": 8774,
    "glance": 9292,
    "neutron": 9696,
    "placement": 8778,
    "cinder": 8776,
    "ec2": 8788,
    "rabbit": 5672,
    "rabbit_peers": 25672,
    "epmd": 14369,
}
TRIED = 50
# What the kernel has room for in the address of a Unix socket.
SOCKET_LENGTH = 107


class BedError(Exception):
    """What keeps the test bed from working, in words for whoever asked for it."""


@dataclasses.dataclass
class Bed:
    """One test bed. ``ports`` are numbers by service; ``password`` is that of everybody; ``token`` is Keystone's."""

    directory: pathlib.Path
    ports: dict[str, int]
    password: str
    token: str = ""

    @property
    def run(self) -> pathlib.Path:
        """The directory that all its files are in."""
        return self.directory

    @property
    def socket(self) -> pathlib.Path:
        """The database's Unix socket, its only door."""
        return self.directory / "db.sock"

    def url(self, service: str, path: str = "") -> str:
        """Where a service answers."""
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    @property
    def endpoint(self) -> str:
        """The EC2 API's URL."""
        return self.url("ec2", "/services/Cloud")

    def save(self) -> None:
        """Write down what must be the same the next time, for the owner alone."""
        path = self.directory / "bed.json"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"ports": self.ports, "password": self.password, "token": self.token}, stream, indent=1)

    def done(self, step: str) -> bool:
        """Whether a step that is needed only once was taken."""
        return (self.directory / f".{step}").exists()

    def mark(self, step: str) -> None:
        """Note that a step was taken."""
        (self.directory / f".{step}").touch()


def load(directory: pathlib.Path) -> Bed:
    """The bed of a directory. Raises BedError if there is none."""
    directory = directory.resolve()
    try:
        fields = json.loads((directory / "bed.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BedError(f"There is no OpenStack in {directory}. Bring one up: make openstack") from None
    return Bed(directory, **fields)


def load_or_make(directory: pathlib.Path) -> Bed:
    """The bed of a directory, with ports and a password of its own if it is new."""
    directory = directory.resolve()
    if (directory / "bed.json").exists():
        return load(directory)
    if len(str(directory / "db.sock")) > SOCKET_LENGTH:
        raise BedError(
            f"{directory} is too long for a database's socket. Name a shorter one: OPENSTACK=/var/tmp/openstack"
        )
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    bed = Bed(directory, choose_ports(), secrets.token_hex(12))
    bed.save()
    return bed


def choose_ports() -> dict[str, int]:
    """A free port for each service, its usual one or the next."""
    chosen: dict[str, int] = {}
    for service, usual in PORTS.items():
        free = (port for port in range(usual, usual + TRIED) if port not in chosen.values() and not taken(port))
        port = next(free, None)
        if port is None:
            raise BedError(f"No port from {usual} to {usual + TRIED - 1} is free for {service}.")
        chosen[service] = port
    return chosen


def taken(port: int) -> bool:
    """Whether somebody listens at a port of loopback."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
