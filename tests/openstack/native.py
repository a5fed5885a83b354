# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth about the test bed's tenants, read and changed without the EC2 API.

VMs, key pairs and groups are those of Nova's, Keystone's and Neutron's own APIs. Only the EC2 ids come from elsewhere:
from the table in which ec2-api keeps which of its ids stands for what.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import time
import typing as t

from .bed import Bed
from .contents import Tenant, connect, make_tenants
from .services import query

# With it, Nova tells flavors by name and all that administrators may know.
NOVA = {"microversion": "2.53"}
SETTLE_SECONDS = 120.0
LOOK_SECONDS = 0.5
ASK_AGAIN_SECONDS = 15.0
# States that do not last.
BUSY = ("building", "deleted")
# Quotas by the local cloud's names: of Nova, and of Neutron.
COMPUTE_QUOTAS = {"quota_instances": "instances", "quota_cores": "cores", "quota_ram": "ram",
                  "quota_keypairs": "key_pairs"}  # fmt: skip
NETWORK_QUOTAS = {"quota_groups": "security_group", "quota_addresses": "floatingip"}
DEFAULT_QUOTAS = {"quota_instances": 10, "quota_cores": 20, "quota_ram": 51200, "quota_keypairs": 100,
                  "quota_groups": 10, "quota_addresses": 10}  # fmt: skip
Row = dict[str, t.Any]


class Native:
    """The tenants of one suffix. tenants: by the names of their roles, demo, other and adminuser."""

    def __init__(self, bed: Bed, suffix: str, quotas: t.Mapping[str, int]) -> None:
        self.bed = bed
        self.tenants = make_tenants(bed, suffix)
        self._cloud = connect(bed)
        self._own = {name: connect(bed, tenant.user, tenant.project) for name, tenant in self.tenants.items()}
        self._ids: dict[str, Row] = {}
        self._forgotten: set[str] = set()
        self._since = "2000-01-01T00:00:00Z"
        self._told: dict[str, list[str]] = {}
        self._usual_quotas = dict(quotas)
        # Tenants may have been left with any.
        self._quotas: dict[str, int | None] = dict.fromkeys(DEFAULT_QUOTAS)
        # Servers that were made here, and not over the EC2 API.
        self.foreign: set[str] = set()

    # Reading -----------------------------------------------------------------------------------------------------

    def state(self) -> Row:
        """All that the tenants have, in the shape of the local cloud's ``GET /state``; and ``ports``, of servers."""
        ever = {project for project, _uuid in self._in_tables("deleted = 0 OR deleted_at >= '{since}'")}
        rows = [
            row for tenant in self.tenants.values() if tenant.project_id in ever for row in self._all_servers(tenant)
        ]
        self.learn()
        # What ec2-api takes back itself, because the rest of its launch failed, was never told to anybody.
        known = self._told.keys() | self.foreign
        rows = [row for row in rows if row["id"] in known or not (_is_gone(row) or _is_going(row))]
        return {
            "servers": [self._shown(row) for row in rows if not _is_gone(row)],
            "gone": [
                {**self._shown(row), "groups": self._told.get(row["id"], [])}
                for row in rows
                if _is_gone(row) and row["id"] not in self._forgotten
            ],
            "keypairs": [pair for tenant in self.tenants.values() for pair in self.keypairs(tenant)],
            "groups": self._network("security-groups", "id", "name"),
            "addresses": self._addresses(),
            "ports": [
                port
                for port in self._network("ports", "id", "device_id", "device_owner")
                if port["device_owner"].startswith("compute:")
            ],
        }

    def shown(self, uuids: t.Iterable[str]) -> list[Row]:
        """Some servers in the shape of the local cloud's ``GET /state``."""
        self.learn()
        rows = [self.server(uuid) for uuid in uuids]
        return [self._shown(row) for row in rows if row is not None]

    def servers(self, tenant: Tenant) -> list[Row]:
        """A tenant's servers as Nova tells them, without those that are gone."""
        return [row for row in self._servers(tenant) if not _is_gone(row)]

    def _all_servers(self, tenant: Tenant) -> list[Row]:
        """Those that are gone too, in the state deleted: Nova leaves them in that in which they went, at times."""
        rows = self._servers(tenant, f"&changes-since={self._since}")
        there = set(self._server_ids(tenant))
        return [row if row["id"] in there else {**row, "OS-EXT-STS:vm_state": "deleted"} for row in rows]

    def _server_ids(self, tenant: Tenant) -> list[str]:
        """The uuids of a tenant's servers. Nova asks Neutron about every server that it shows more of."""
        path = f"/servers?all_tenants=1&project_id={tenant.project_id}"
        return [row["id"] for row in self._get("compute", path, **NOVA)["servers"]]

    def _servers(self, tenant: Tenant, more: str = "") -> list[Row]:
        path = f"/servers/detail?all_tenants=1&project_id={tenant.project_id}{more}"
        return list(self._get("compute", path, **NOVA)["servers"])

    def _in_tables(self, which: str) -> list[list[str]]:
        """Pairs of project and uuid of the servers, by Nova's own tables: Nova asks Neutron about what it shows.

        which: a condition, in which {since} stands for the last reset.
        """
        which = which.format(since=self._since.replace("T", " ").rstrip("Z"))
        projects = ",".join(f"'{tenant.project_id}'" for tenant in self.tenants.values())
        cells = [f"SELECT project_id, uuid, deleted, deleted_at, updated_at FROM {name}.instances"
                 for name in ("nova", "nova_cell0")]  # fmt: skip
        # Before it has found a machine a server is in no cell.
        asked = "SELECT project_id, instance_uuid, 0, NULL, NULL FROM nova_api.build_requests"
        text = f"SELECT project_id, uuid FROM ({' UNION '.join([*cells, asked])}) AS every WHERE ({which})"
        return query(self.bed, f"{text} AND project_id IN ({projects})")

    def busy(self, tenant: Tenant) -> bool:
        """Whether any of a tenant's servers is in the middle of something, or on its way out."""
        rows = self._get("compute", f"/servers/detail?all_tenants=1&project_id={tenant.project_id}", **NOVA)["servers"]
        return any(row["OS-EXT-STS:task_state"] or row["OS-EXT-STS:vm_state"] in BUSY for row in rows)

    def keypairs(self, tenant: Tenant) -> list[Row]:
        """A user's key pairs: name, fingerprint, user_id."""
        rows = self._get("compute", f"/os-keypairs?user_id={tenant.user_id}", **NOVA)["keypairs"]
        return [{**row["keypair"], "user_id": tenant.user_id} for row in rows]

    def groups(self, tenant: Tenant) -> list[Row]:
        """A project's security groups: id, name, tenant_id."""
        return [row for row in self._network("security-groups", "id", "name") if row["tenant_id"] == tenant.project_id]

    def _network(self, what: str, *fields: str) -> list[Row]:
        """What Neutron has of a kind for any of the tenants: some fields, and tenant_id."""
        asked = "&".join(f"fields={name}" for name in (*fields, "tenant_id"))
        own = {tenant.project_id for tenant in self.tenants.values()}
        rows = self._get("network", f"/{what}?{asked}")[what.replace("-", "_")]
        return [row for row in rows if row["tenant_id"] in own]

    def _addresses(self) -> list[Row]:
        """Floating addresses: ip, tenant_id, and the EC2 id of the server that it is at."""
        ports = {port["id"]: port["device_id"] for port in self._network("ports", "id", "device_id")}
        return [
            {
                "ip": row["floating_ip_address"],
                "tenant_id": row["tenant_id"],
                "instance": self._ids[ports[row["port_id"]]]["id"] if row["port_id"] else None,
            }
            for row in self._network("floatingips", "floating_ip_address", "port_id")
        ]

    def uuid_of(self, ec2_id: str) -> str:
        """The server that an EC2 id stands for. Raises ValueError if none does."""
        for uuid, row in self._ids.items():
            if row["id"] == ec2_id:
                return uuid
        self.learn()
        found = next((uuid for uuid, row in self._ids.items() if row["id"] == ec2_id), None)
        if found is None:
            raise ValueError(f"no server {ec2_id!r}")
        return found

    def told(self, ids: t.Iterable[str], groups: list[str]) -> None:
        """Note that a launch of VMs in groups was answered with these EC2 ids: Nova forgets the groups of the dead."""
        self.learn()
        self._told.update((self.uuid_of(value), groups) for value in ids)

    def learn(self) -> None:
        """Read which EC2 id stands for which server. It is kept after ec2-api has forgotten it."""
        projects = ",".join(f"'{tenant.project_id}'" for tenant in self.tenants.values())
        rows = query(
            self.bed,
            f"SELECT id, os_id, HEX(data) FROM items WHERE id LIKE 'i-%' AND project_id IN ({projects})",
            "ec2api",
        )
        tags = self._tags(projects)
        for ec2_id, uuid, data in rows:
            known = json.loads(bytes.fromhex(data)) if data not in ("", "NULL") else {}
            self._ids[uuid] = {"id": ec2_id, "client_token": known.get("client_token"), "tags": tags.get(ec2_id, {})}

    def _tags(self, projects: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        text = f"SELECT item_id, HEX(`key`), HEX(value) FROM tags WHERE project_id IN ({projects})"
        for ec2_id, key, value in query(self.bed, text, "ec2api"):
            words = [bytes.fromhex("" if word == "NULL" else word).decode() for word in (key, value)]
            found.setdefault(ec2_id, {})[words[0]] = words[1]
        return found

    def _shown(self, row: Row) -> Row:
        known = self._ids.get(row["id"], {"id": row["id"], "client_token": None, "tags": {}})
        addresses = [entry["addr"] for found in row["addresses"].values() for entry in found]
        return {
            "id": known["id"],
            "uuid": row["id"],
            "reservation": row["OS-EXT-SRV-ATTR:reservation_id"],
            "tenant": row["tenant_id"],
            "user": row["user_id"],
            "vm_state": row["OS-EXT-STS:vm_state"],
            "task": row["OS-EXT-STS:task_state"],
            "name": row["name"],
            "key_name": row["key_name"],
            "groups": sorted({group["name"] for group in row.get("security_groups", [])}),
            "instance_type": row["flavor"]["original_name"],
            "zone": row["OS-EXT-AZ:availability_zone"],
            "host": row["OS-EXT-SRV-ATTR:host"],
            "fixed_ip": addresses[0] if addresses else None,
            "created": row["created"],
            "launched_by": None if row["id"] in self.foreign else "ec2",
            "tags": known["tags"],
            "client_token": known["client_token"],
            "user_data": row["OS-EXT-SRV-ATTR:user_data"],
            "deleted": row["OS-EXT-STS:vm_state"] == "deleted",
        }

    # Writing -----------------------------------------------------------------------------------------------------

    def reset(self, whole: bool = True) -> None:
        """Have nothing but the tenants and their empty default groups, with the quotas of the beginning.

        whole: whether anything but quotas may have changed since the last time.
        """
        if whole:
            self._empty()
        self.set_quotas(self._usual_quotas)

    def _empty(self) -> None:
        self._clear()
        for tenant in self.tenants.values():
            for pair in self.keypairs(tenant):
                self._request("compute", "delete", f"/os-keypairs/{pair['name']}?user_id={tenant.user_id}", **NOVA)
        for group in self._network("security-groups", "id", "name"):
            if group["name"] != "default":
                self._request("network", "delete", f"/security-groups/{group['id']}")
        for row in self._network("floatingips", "id"):
            self._request("network", "delete", f"/floatingips/{row['id']}")
        # Nova counts in whole seconds.
        self._since = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        late = self._in_tables("updated_at >= '{since}' OR deleted_at >= '{since}'")
        self._forgotten.update(uuid for _project, uuid in late)
        self.foreign.clear()
        self._told.clear()

    def _clear(self) -> None:
        """Have no servers."""
        for uuid in self._everybodys():
            self._request("compute", "delete", f"/servers/{uuid}")
        began = asked = time.monotonic()
        while left := self._everybodys():
            now = time.monotonic()
            if now - began > SETTLE_SECONDS:
                raise ValueError(f"servers do not go away: {', '.join(f'{one} {self._doing(one)}' for one in left)}")
            if now - asked > ASK_AGAIN_SECONDS:
                asked = now
                for uuid in left:
                    with contextlib.suppress(ValueError):
                        self._act(uuid, {"os-resetState": {"state": "error"}})
                        self._request("compute", "delete", f"/servers/{uuid}")
            time.sleep(LOOK_SECONDS)

    def _everybodys(self) -> list[str]:
        """The uuids of all tenants' servers. That there are none is what Nova says, and not its tables."""
        there = [uuid for _project, uuid in self._in_tables("deleted = 0")]
        return there or [uuid for tenant in self.tenants.values() for uuid in self._server_ids(tenant)]

    def set_quotas(self, wanted: t.Mapping[str, int]) -> None:
        """Change every tenant's quotas, by the names in DEFAULT_QUOTAS; -1 is no limit."""
        changed = {name: value for name, value in wanted.items() if self._quotas[name] != value}
        self._quotas.update(changed)
        compute = {COMPUTE_QUOTAS[name]: value for name, value in changed.items() if name in COMPUTE_QUOTAS}
        network = {NETWORK_QUOTAS[name]: value for name, value in changed.items() if name in NETWORK_QUOTAS}
        for tenant in self.tenants.values():
            if compute:
                body = {"quota_set": {**compute, "force": True}}
                self._request("compute", "put", f"/os-quota-sets/{tenant.project_id}", json=body, microversion="2.35")
            if network:
                self._request("network", "put", f"/quotas/{tenant.project_id}", json={"quota": network})

    @property
    def quotas(self) -> dict[str, int | None]:
        """The quotas that hold."""
        return dict(self._quotas)

    def add_servers(
        self, role: str, count: int, groups: t.Sequence[str], instance_type: str, key_name: str | None, state: str
    ) -> list[str]:
        """Make servers as a tenant does by the native API; return their uuids when they are in the state."""
        tenant, own = self.tenants[role], self._own[role]
        for name in set(groups) - {group["name"] for group in self.groups(tenant)}:
            own.network.create_security_group(name=name)
        made = []
        quotas = self.quotas
        self.set_quotas({"quota_instances": -1, "quota_cores": -1, "quota_ram": -1})
        for _index in range(count):
            server = own.compute.create_server(
                name="foreign",
                image_id=self._image().id,
                flavor_id=self._cloud.compute.find_flavor(instance_type).id,
                networks=[{"uuid": tenant.network_id}],
                security_groups=[{"name": name} for name in groups],
                **({"key_name": key_name} if key_name else {}),
            )
            made.append(str(server.id))
        self.foreign.update(made)
        for uuid in made:
            self.wait_for(uuid, "active")
            self.bring_to(uuid, state)
        # Nova counts once more when it has found a machine.
        self.set_quotas({name: value for name, value in quotas.items() if value is not None})
        return made

    def _image(self) -> t.Any:
        return next(image for image in self._cloud.image.images() if image.container_format == "bare")

    def bring_to(self, uuid: str, vm_state: str) -> None:
        """Have a server be active, stopped, error or deleted, and wait until it is."""
        now = self.server(uuid)
        if now is None or now["OS-EXT-STS:vm_state"] == vm_state:
            return
        if vm_state == "deleted":
            self._request("compute", "delete", f"/servers/{uuid}")
        elif vm_state in ("error", "active") and now["OS-EXT-STS:vm_state"] != "stopped":
            self._act(uuid, {"os-resetState": {"state": vm_state}})
        elif vm_state in ("stopped", "active"):
            self._act(uuid, {"os-stop" if vm_state == "stopped" else "os-start": None})
        else:
            self._act(uuid, {"os-resetState": {"state": vm_state}})
        self.wait_for(uuid, vm_state)

    def _act(self, uuid: str, body: Row) -> None:
        self._request("compute", "post", f"/servers/{uuid}/action", json=body)

    def server(self, uuid: str) -> Row | None:
        """A server as Nova tells it, or None if it is gone."""
        reply = self._cloud.compute.get(f"/servers/{uuid}", **NOVA)
        return None if reply.status_code == 404 else dict(reply.json()["server"])

    def wait_for(self, uuid: str, *states: str) -> None:
        """Wait until a server is in one of the states and does nothing more; deleted is one of them."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found, task = self._doing(uuid)
            if found in states and not task:
                return
            if time.monotonic() > deadline:
                raise ValueError(f"server {uuid} is {found} {task}, not {' or '.join(states)}")
            time.sleep(LOOK_SECONDS)

    def _doing(self, uuid: str) -> tuple[str, str]:
        """A server's state, and what is being done with it.

        Waiting reads Nova's table, since Nova asks Neutron twice about a server that it shows.
        """
        found = query(self.bed, f"SELECT deleted, vm_state, IFNULL(task_state, '') FROM instances WHERE uuid='{uuid}'",
                      "nova")  # fmt: skip
        if found:
            deleted, state, task = found[0]
            return ("deleted", "") if deleted != "0" else (state, task)
        # Before it has found a machine it is in none.
        row = self.server(uuid)
        return ("deleted", "") if row is None else (row["OS-EXT-STS:vm_state"], row["OS-EXT-STS:task_state"] or "")

    def _get(self, service: str, path: str, **more: t.Any) -> Row:
        return dict(self._request(service, "get", path, **more).json())

    def _request(self, service: str, verb: str, path: str, **more: t.Any) -> t.Any:
        reply = getattr(getattr(self._cloud, service), verb)(path, **more)
        if reply.status_code >= 400 and reply.status_code != 404:
            raise ValueError(f"{verb} {path}: HTTP {reply.status_code} {reply.text[:300]}")
        return reply


def _is_gone(row: Row) -> bool:
    return bool(row["OS-EXT-STS:vm_state"] == "deleted")


def _is_going(row: Row) -> bool:
    return bool(row["OS-EXT-STS:task_state"] == "deleting")
