# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud itself: everything that exists, behind one lock, moved on by the clock whenever somebody looks."""

from __future__ import annotations

import dataclasses
import heapq
import pickle
import random
import string
import threading
import time
import uuid

from . import catalogue, servers
from .errors import NovaError
from .model import ZONE, Address, Group, Image, KeyPair, Rule, Server, Snapshot, User, Volume
from .profiles import Profile

_RESERVATION_LETTERS = string.digits + string.ascii_lowercase


@dataclasses.dataclass
class Settings:
    """What tests may change while the cloud runs. Times are in seconds; a quota of -1 is no limit.

    With ``boot_seconds`` or ``action_seconds`` of -1 tasks of servers end when the control API says how they do.
    """

    boot_seconds: float = 4.0
    action_seconds: float = 3.0
    latency: float = 0.0
    launch_seconds: float = 0.0  # for each server of a launch, where they are asked for one after the other
    clock_offset: float = 0.0
    random_order: bool = True
    fail_builds: int = 0
    zones: list[str] = dataclasses.field(default_factory=lambda: [ZONE])  # the first is the default
    full_zones: list[str] = dataclasses.field(default_factory=list)  # where every build fails
    down_zones: list[str] = dataclasses.field(default_factory=list)  # shown as not available
    stuck_builds: int = 0
    volume_backed: bool = False  # whether servers count as booted from a volume
    object_store: bool = False  # whether it has whatever manifest an image is registered from
    image_seconds: float = 0.0  # how long a new image takes
    image_outcome: str = "active"  # what becomes of it, in Glance's words
    snapshot_outcome: str = "completed"  # what becomes of a snapshot of a volume
    floating_addresses: int = 254  # how many there are for everybody
    quota_instances: int = 10
    quota_cores: int = 20
    quota_ram: int = 51200
    quota_addresses: int = 10
    quota_groups: int = 10
    quota_group_rules: int = 20
    quota_keypairs: int = 100
    key_bits: int = 2048  # how long keys are that are made here
    admin_sees_all: bool = True
    admin_mangles: bool = True


class Cloud:
    """All state of one local cloud. Callers hold ``lock`` and have called :meth:`advance` before they read."""

    def __init__(
        self,
        profile: Profile,
        users: list[User],
        settings: Settings,
        images: str,
        seed: int | None,
        loopback: bool = False,
    ) -> None:
        self.profile = profile
        self.users = {user.access: user for user in users}
        self.settings = settings
        self.lock = threading.RLock()
        self.region_endpoint = ""  # known when the server listens
        self._loopback = loopback
        self._images_name = images
        self._seed = seed
        self._defaults = (profile, dataclasses.replace(settings))
        self._saved: dict[str, bytes] = {}
        before = {*vars(self)}
        self._fill()
        self._filled = {*vars(self)} - before

    def reset(self) -> None:
        """Forget everything but the users, and go back to the settings that the process was started with."""
        self.profile, settings = self._defaults
        for field in dataclasses.fields(settings):
            setattr(self.settings, field.name, getattr(settings, field.name))
        self._fill()

    def save(self, name: str) -> None:
        """Keep a copy of everything that exists under a name; not of users, settings and profile."""
        kept = {key: value for key, value in vars(self).items() if key in self._filled}
        self._saved[name] = pickle.dumps(kept)

    def restore(self, name: str) -> None:
        """Have everything be as it was when it was saved under that name. KeyError if nothing was."""
        vars(self).update(pickle.loads(self._saved[name]))

    def _fill(self) -> None:
        self.random = random.Random(self._seed)
        self.servers: dict[int, Server] = {}
        self.by_ec2_id: dict[str, Server] = {}
        self.gone: list[Server] = []
        self.unlisted: dict[str, Server] = {}  # gone, but ec2-api learns of that only when it lists them
        self.unlisted_volumes: dict[int, Volume] = {}
        self.tags: dict[tuple[str, str], dict[str, str]] = {}  # by tenant and id, of anything but servers
        self.began = self.now()
        self.keypairs: dict[tuple[str, str], KeyPair] = {}
        self.groups: list[Group] = []
        self.addresses: dict[str, Address] = {}
        self.volumes: dict[int, Volume] = {}
        self.snapshots: dict[int, Snapshot] = {}
        self._events: list[tuple[float, int, Server]] = []
        self._event_count = 0
        self._numbers = {"server": 0, "group": 0, "volume": 0, "snapshot": 0, "image": 0, "fixed": 1}
        self.images: list[Image] = catalogue.build(self._images_name, self._tenant(True), self._tenant(False))

    def _tenant(self, admin: bool) -> str:
        users = list(self.users.values())
        return next((user.tenant_id for user in users if user.is_admin == admin), users[0].tenant_id)

    def number(self, kind: str) -> int:
        """Return the next number of a kind; numbers are never used twice."""
        self._numbers[kind] += 1
        return self._numbers[kind]

    def ec2_number(self, kind: str) -> int:
        """Return the number for a new EC2 id: the next one on Nova, a random one on ec2-api."""
        return self.random.getrandbits(32) if self.profile.ec2api else self.number(kind)

    def now(self) -> float:
        """Return the cloud's own time, in seconds since the epoch."""
        return time.time() + self.settings.clock_offset

    def new_uuid(self) -> str:
        """Return a fresh random uuid, drawn from the cloud's own source."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def reservation_id(self) -> str:
        """Return a fresh reservation id: ``r-`` and eight digits or letters."""
        return "r-" + "".join(self.random.choice(_RESERVATION_LETTERS) for _position in range(8))

    def random_id(self, prefix: str) -> str:
        """Return an id with eight random hexadecimal digits, as ec2-api makes them."""
        return f"{prefix}-{self.random.getrandbits(32):08x}"

    def next_fixed_ip(self) -> str:
        """Return the next private address, counted up from 10.0.0.2, or on loopback from 127.16.0.2."""
        number = self.number("fixed")
        network = f"127.{16 | number >> 16 & 7}" if self._loopback else f"10.{number >> 16 & 255}"
        return f"{network}.{number >> 8 & 255}.{number & 255}"

    def floating_ip(self, number: int) -> str:
        """Return an address of the pool, by its number there."""
        return f"{127 if self._loopback else 172}.24.4.{number}"

    # Servers -----------------------------------------------------------------------------------------------------

    def add_server(self, server: Server) -> None:
        """Take a new server in, with the key that it was launched with."""
        pair = self.keypairs.get((server.user_id, server.key_name or ""))
        server.public_key = pair.public_key if pair else None
        self.servers[server.number] = server
        self.by_ec2_id[server.ec2_id] = server

    def estrange(self, server: Server) -> None:
        """Give a server the ids, and the lack of a token, that ec2-api has for one that it has never heard of."""
        del self.by_ec2_id[server.ec2_id]
        server.ec2_id, server.reservation, server.client_token = self.random_id("i"), self.reservation_id(), None
        self.by_ec2_id[server.ec2_id] = server

    def forget(self, server: Server) -> None:
        """Remove a server for good, with its addresses and volumes set free."""
        self.servers.pop(server.number, None)
        self.by_ec2_id.pop(server.ec2_id, None)
        server.state = "deleted"
        server.task = None
        server.due = None
        server.deleted = self.now()
        if not server.rolled_back:
            self.gone.append(server)
            if self.profile.ec2api:
                self.unlisted[server.ec2_id] = server
        for address in self.addresses.values():
            if address.server == server.number:
                address.server = None
        for volume in self.volumes.values():
            if volume.server == server.number:
                volume.server, volume.device, volume.status = None, None, "available"

    def schedule(self, server: Server, seconds: float, since: float | None = None) -> None:
        """Have the server's task end ``seconds`` from now, or since then; at once if that is 0, and if less, never."""
        if seconds < 0:
            server.due = None
            return
        if seconds == 0 and server.state != "building":
            servers.finish(self, server)
            return
        server.due = (time.monotonic() if since is None else since) + seconds
        self._event_count += 1
        heapq.heappush(self._events, (server.due, self._event_count, server))

    def advance(self) -> None:
        """Finish everything whose time has come."""
        now = time.monotonic()
        while self._events and self._events[0][0] <= now:
            due, _order, server = heapq.heappop(self._events)
            if server.due == due:  # else another task has taken its place
                servers.finish(self, server)
        for volume in self.volumes.values():
            if volume.due is not None and volume.due <= now:
                volume.server, volume.device, volume.status = None, None, "available"
                volume.due = None
        for snapshot in list(self.snapshots.values()):
            if snapshot.due is not None and snapshot.due <= now:
                snapshot.due, snapshot.status = None, self.settings.snapshot_outcome
                if snapshot.deleting:
                    del self.snapshots[snapshot.number]
        for image in self.images:
            if image.due is not None and image.due <= now:
                image.state, image.due = self.settings.image_outcome, None

    def servers_of(self, tenant_id: str) -> list[Server]:
        """Return the servers of a tenant, oldest first."""
        return [server for server in self.servers.values() if server.tenant_id == tenant_id]

    def addresses_of(self, server: Server) -> list[str]:
        """Return the floating addresses that point to a server."""
        return [address.ip for address in self.addresses.values() if address.server == server.number]

    def floating_by_server(self) -> dict[int, str]:
        """Return the first floating address of every server that has one."""
        found: dict[int, str] = {}
        for address in self.addresses.values():
            if address.server is not None:
                found.setdefault(address.server, address.ip)
        return found

    # Security groups ---------------------------------------------------------------------------------------------

    def groups_of(self, tenant_id: str) -> list[Group]:
        """Return the groups of a tenant; its ``default`` group comes into being here."""
        mine = [group for group in self.groups if group.tenant_id == tenant_id]
        if not any(group.name == "default" for group in mine):
            mine.append(self._add_default(tenant_id))
        return mine

    def _add_default(self, tenant_id: str) -> Group:
        if not self.profile.ec2api:
            return self.add_group(tenant_id, "default", "default")
        group = self.add_group(tenant_id, "default", "Default security group")
        group.known = False
        group.rules.append(Rule("-1", 1, 65535, source=(tenant_id, "default")))
        return group

    def add_group(self, tenant_id: str, name: str, description: str) -> Group:
        """Make a security group."""
        group = Group(self.number("group"), self.random_id("sg"), tenant_id, name, description)
        self.groups.append(group)
        return group

    def group(self, tenant_id: str, name: object) -> Group:
        """Return a tenant's group by name, or fail as not found."""
        for group in self.groups_of(tenant_id):
            if group.name == name:
                return group
        raise NovaError("GroupNotFound", f"Security group {name} not found for project {tenant_id}.", name)
