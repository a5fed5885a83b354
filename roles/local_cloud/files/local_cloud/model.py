# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The things that exist in the cloud, as plain records. Times are seconds since the epoch."""

from __future__ import annotations

import dataclasses
from typing import Any

ZONE = "nova"


@dataclasses.dataclass(frozen=True)
class User:
    """A user with one project, and the pair of EC2 keys that names both."""

    name: str
    access: str
    secret: str
    tenant: str
    tenant_id: str
    user_id: str
    is_admin: bool


@dataclasses.dataclass(frozen=True)
class Flavor:
    """A size of server: virtual CPUs and memory in MiB."""

    name: str
    vcpus: int
    ram: int


FLAVORS: dict[str, Flavor] = {
    flavor.name: flavor
    for flavor in (
        Flavor("m1.tiny", 1, 512),
        Flavor("m1.small", 1, 2048),
        Flavor("m1.medium", 2, 4096),
        Flavor("m1.large", 4, 8192),
        Flavor("m1.xlarge", 8, 16384),
    )
}


@dataclasses.dataclass
class Image:
    """An image. ``container`` is ``aki``, ``ari`` or ``ami``; ``owner`` a tenant id; ``kernel`` and ``ramdisk`` names.

    ``number`` is the number in its EC2 id, given when the image is first listed; ``state`` is Glance's own word.
    ``due`` is when a new one is ready.
    """

    uuid: str
    name: str
    container: str
    owner: str
    public: bool = True
    architecture: str | None = None
    kernel: str | None = None
    ramdisk: str | None = None
    state: str = "active"
    number: int | None = None
    location: str | None = None
    due: float | None = None


@dataclasses.dataclass
class KeyPair:
    """A key pair of one user, known by the MD5 fingerprint of its public half; ``public_key`` is its OpenSSH line."""

    name: str
    user_id: str
    fingerprint: str
    public_key: str


@dataclasses.dataclass
class Rule:
    """An ingress rule: either ``cidr`` or ``source`` (owner's tenant id and group name) is set."""

    protocol: str
    from_port: int
    to_port: int
    cidr: str | None = None
    source: tuple[str, str] | None = None


@dataclasses.dataclass
class Group:
    """A security group; ``number`` is the server's internal id and ``sg_id`` the one of ec2-api.

    ``known``: whether ec2-api has met the group before. Until then rules do not tell its id.
    """

    number: int
    sg_id: str
    tenant_id: str
    name: str
    description: str
    rules: list[Rule] = dataclasses.field(default_factory=list)
    known: bool = True


@dataclasses.dataclass
class Address:
    """A floating address held by a tenant, and the number of the server that it points to."""

    ip: str
    tenant_id: str
    server: int | None = None


@dataclasses.dataclass
class Volume:
    """A volume. ``server`` is the number of the server that it is attached to; ``size`` is in GiB as asked for.

    ``due`` is when it becomes available, if it is on its way there.
    """

    number: int
    uuid: str
    tenant_id: str
    size: Any
    zone: str | None
    created: float
    snapshot: str | None = None
    status: str = "available"
    server: int | None = None
    device: str | None = None
    attached: float = 0.0
    due: float | None = None


@dataclasses.dataclass
class Snapshot:
    """A snapshot of a volume. ``due`` is when it is no longer pending: completed or failed, or gone if ``deleting``."""

    number: int
    tenant_id: str
    volume: int
    size: Any
    description: str | None
    created: float
    due: float | None = None
    status: str = "pending"
    deleting: bool = False


@dataclasses.dataclass(eq=False)
class Server:
    """A virtual machine.

    ``state`` is Nova's vm_state, which clients see; ``task`` is what is going on, which they never see. ``due`` is when
    the task ends. ``host`` is None until the server has been built. ``public_key`` may log in, and ``host_keys`` are
    what its SSH server shows itself with, if it has one: lines of OpenSSH.
    """

    number: int
    ec2_id: str
    uuid: str
    reservation: str
    tenant_id: str
    user_id: str
    image: Image
    flavor: Flavor
    created: float
    hostname: str
    key_name: str | None = None
    public_key: str | None = None
    host_keys: tuple[str, ...] = ()
    groups: list[str] = dataclasses.field(default_factory=list)
    kernel: Image | None = None
    ramdisk: Image | None = None
    zone: str = ZONE
    index: int = 0
    user_data: str | None = None
    client_token: str | None = None
    shutdown_behavior: str = "stop"
    launched_by: int | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    state: str = "building"
    task: str | None = "scheduling"
    due: float | None = None
    outcome: str = "active"
    host: str | None = None
    fixed_ip: str | None = None
    root_device: str | None = None
    deleted: float | None = None
    console: str | None = None  # what it has written, if a test says so
    rolled_back: bool = False  # taken back by the service itself, and never told in an answer to a launch
