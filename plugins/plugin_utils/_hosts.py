# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""VMs as hosts of an inventory: which name each gets, where to connect, and the variables of former times.

One rule for the inventory plugin and for the role provision.
"""

from __future__ import annotations

import collections
import os
import re
import typing as t

from ..module_utils._api.errors import CloudError
from ..module_utils._api.promises import ADDRESS, HOST_NAME
from ..module_utils._batch.slots import number
from ..module_utils._resources.instances import INSTANCE_ID, MARK_PREFIX

# Names by which Ansible knows the machine that it runs on, and its own groups.
RESERVED = frozenset({"localhost", "127.0.0.1", "::1", "all", "ungrouped", "nova_ec2", "ec2"})
ADDRESSES = {"floating": "public_ip_address", "fixed": "private_ip_address", "dns": "private_dns_name"}
# Where no VM is: this machine.
HERE = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "::"})
LONGEST_NAME = 253
# Ansible's inventory and its patterns split names at colons and commas, and expand brackets and wildcards; names end up
# in paths and on command lines.
NAME = re.compile(r"\w[\w.+ -]*(?<! )\Z")
UNSAFE = re.compile(r"[^A-Za-z0-9_]")
# By these a host says which VM it is.
ID, ENDPOINT, BATCH = "nova_ec2_instance_id", "nova_ec2_endpoint", "nova_ec2_batch"

View = dict[str, t.Any]


class Vm(t.NamedTuple):
    """Which VM a host is: its cloud, by the address of its API, its id there, and its batch. None is unknown."""

    endpoint: str | None
    instance_id: str
    batch: str | None

    def is_also(self, other: Vm) -> bool:
        """Whether both are one VM, as far as is known."""
        is_known = None not in (self.endpoint, other.endpoint)
        return self.instance_id == other.instance_id and (not is_known or self.endpoint == other.endpoint)

    def is_beside(self, other: Vm) -> bool:
        """Whether both are of one batch."""
        return self.batch is not None and (self.endpoint, self.batch) == (other.endpoint, other.batch)

    def variables(self) -> dict[str, t.Any]:
        """What a host of this VM says of it."""
        return {ID: self.instance_id, ENDPOINT: self.endpoint, BATCH: self.batch}


class Host(t.NamedTuple):
    """A VM, the name of its cloud (if the file has several), its variables, and which VM it is."""

    cloud: str | None
    view: View
    variables: View
    vm: Vm

    @property
    def instance_id(self) -> str:
        """The VM's id, which is its own in its cloud."""
        return str(self.view["instance_id"])


def with_batches(views: t.Sequence[View]) -> list[View]:
    """VMs, each with the batch whose member it is and its number there, or null."""
    batches: dict[str, list[View]] = collections.defaultdict(list)
    for view in views:
        batches[batch_of(view) or ""].append(view)
    slots = {value: slot for batch, members in batches.items() if batch for value, slot in number(members, {}).items()}
    return [{**view, "batch": batch_of(view), "slot": slots.get(view["instance_id"])} for view in views]


def batch_of(view: View) -> str | None:
    """The name of the batch that a VM is a member of, or None."""
    marks = [name[len(MARK_PREFIX) :] for name in view["security_groups"] if name.startswith(MARK_PREFIX)]
    return marks[0] if marks else None


def vm_of(variables: t.Mapping[str, t.Any]) -> Vm | None:
    """The VM that a host of the inventory says it is, or None."""
    said = [variables.get(name) for name in (ID, ENDPOINT, BATCH)]
    instance_id, endpoint, batch = [value if isinstance(value, str) and value else None for value in said]
    return Vm(endpoint, instance_id, batch) if instance_id else None


def address_of(view: View, ways: t.Iterable[str] = ("floating", "fixed")) -> str | None:
    """The first address that there is, of those to connect to. What has not the form of one is none."""
    found = (view[ADDRESSES[way]] for way in ways)
    return next((value for value in found if value and is_address(value)), None)


def is_address(value: str) -> bool:
    """Whether a text is an IP address or a DNS name, and not this machine's."""
    return bool(HOST_NAME.fits(value)) and value.lower() not in HERE


def is_host_name(name: str) -> bool:
    """Whether a text, such as a tag, may name a host or a group."""
    return len(name) <= LONGEST_NAME and (bool(NAME.match(name)) or bool(name and ADDRESS.fits(name)))


def label_of(endpoint: str | None) -> str:
    """A word for a cloud, to tell names apart: where its API is."""
    place = re.sub(r"\A[a-z]+://|/.*", "", endpoint or "cloud")
    return re.sub(r"[^A-Za-z0-9.]+", "-", place.removesuffix(":8773")).strip("-.") or "cloud"


class Standing:
    """The inventory as it is: whose the names and addresses are.

    hosts: the variables of each host, as they are written; groups: the names of the groups.
    """

    def __init__(self, hosts: t.Mapping[str, t.Mapping[str, t.Any]], groups: t.Iterable[str]) -> None:
        self.hosts = hosts
        self.groups = set(groups)
        self._at: dict[str, str] = {}
        for name, variables in hosts.items():
            for variable in ("ansible_host", "ansible_ssh_host"):
                if isinstance(variables.get(variable), str):
                    self._at.setdefault(variables[variable], name)
        # A host without that variable is at the address that it is named by.
        self._at.update({name: name for name in hosts if is_address(name)})

    def refuse(self, name: str, address: str | None, vm: Vm) -> None:
        """Raise CloudError if a VM would take another host's place, by its name or by its address."""
        for what, other in ((f"the name {name}", name), (f"the address {address}", self._at.get(address or ""))):
            if other is None or other not in self.hosts:
                continue
            said = vm_of(self.hosts[other])
            if said is None or (said.endpoint is None and said.instance_id != vm.instance_id):
                at = self.hosts[other].get("ansible_host")
                where = f" (at {at})" if isinstance(at, str) and at != address else ""
                raise CloudError(
                    f"The inventory already has a host {other}{where}, and the VM {vm.instance_id} would have {what}. "
                    f"If {other} is this VM, give that host the variable {ID} with the VM's id. If not, rename the "
                    "host, or choose other names for VMs."
                )

    def name_for(self, wished: str, vm: Vm, label: str, renews: bool = False) -> str:
        """The wished name, or one made of it if a group or another VM has it.

        label: a word for the VM's cloud; renews: whether all hosts of its batch are named anew.
        """
        holder = vm_of(self.hosts.get(wished, {}))
        elsewhere = [label] if holder and holder.endpoint != vm.endpoint else []
        tried = ["-".join([wished, *elsewhere]), "-".join([wished, *elsewhere, vm.instance_id])]
        name = next((one for one in (wished, *tried) if self._is_free(one, vm, renews)), tried[-1])
        while not self._is_free(name, vm, renews):
            name += "_"
        return name

    def _is_free(self, name: str, vm: Vm, renews: bool) -> bool:
        if name not in self.hosts:
            return not self.is_taken(name)
        holder = vm_of(self.hosts[name])
        return holder is not None and (holder.is_also(vm) or (renews and holder.is_beside(vm)))

    def is_taken(self, name: str) -> bool:
        """Whether a name means something else to Ansible: a group, or this machine."""
        return name in self.groups or name.lower() in RESERVED


def apart(hosts: t.Sequence[Host], wished: t.Sequence[str | None], standing: Standing) -> tuple[list[str], list[str]]:
    """A name for each host that no other has, and the wished ones that could not be had as they are.

    Those who wish for the same name, or for one that means something else to Ansible, get their ids added; so do those
    whose name another source of the inventory has given to another VM. Raises CloudError if it is no VM's.
    """
    counted = collections.Counter(name or host.instance_id for name, host in zip(wished, hosts))
    names: list[str] = []
    refused: dict[str, None] = {}
    taken = {name for name, times in counted.items() if times == 1 and not standing.is_taken(name)}
    for name, host in zip(wished, hosts):
        name = name or host.instance_id
        # Another VM's id would be a lie even if that VM has a name.
        if name not in taken or (name != host.instance_id and INSTANCE_ID.match(name)):
            refused[name] = None
            parts = dict.fromkeys([name, *filter(None, [host.cloud]), host.instance_id])
            name = "-".join(parts)
            while name in taken or standing.is_taken(name):
                name += "_"
            taken.add(name)
        standing.refuse(name, None, host.vm)
        own = standing.name_for(name, host.vm, host.cloud or label_of(host.vm.endpoint))
        if own != name:
            refused[name] = None
            while own in taken:
                own += "_"
            taken.add(own)
        names.append(own)
    return names, list(refused)


def legacy_variables(view: View, region: str) -> View:
    """The variables that the script ec2.py of Ansible 2.9 and before had for a VM; lists are texts with commas."""
    plain = {
        "ami_launch_index": "launch_index",
        "client_token": "client_token",
        "id": "instance_id",
        "image_id": "image_id",
        "instance_type": "instance_type",
        "ip_address": "public_ip_address",
        "kernel": "kernel_id",
        "key_name": "key_name",
        "launch_time": "launch_time",
        "placement": "availability_zone",
        "private_dns_name": "private_dns_name",
        "private_ip_address": "private_ip_address",
        "ramdisk": "ramdisk_id",
        "root_device_name": "root_device_name",
        "root_device_type": "root_device_type",
        "state": "state",
        "account_id": "owner_id",
    }
    found = {f"ec2_{name}": "" if view[key] is None else view[key] for name, key in plain.items()}
    found["ec2_region"] = region
    found["ec2_dns_name"] = found["ec2_public_dns_name"] = view["public_ip_address"] or ""
    found["ec2_security_group_names"] = ",".join(view["security_groups"])
    found["ec2_block_devices"] = {
        os.path.basename(device["device_name"]): device["volume_id"] for device in view["block_devices"]
    }
    found.update({f"ec2_tag_{UNSAFE.sub('_', key)}": value for key, value in view["tags"].items()})
    return found


def legacy_groups(view: View, region: str) -> list[str]:
    """The groups that the script ec2.py had a VM in."""
    named = [
        ("type_", view["instance_type"]),
        ("instance_state_", view["state"]),
        ("key_", view["key_name"]),
        *(("security_group_", name) for name in view["security_groups"]),
        *(("tag_", f"{key}_{value}" if value else key) for key, value in view["tags"].items()),
    ]
    plain = ["ec2", view["instance_id"], region, view["availability_zone"], view["image_id"]]
    if not view["tags"]:
        plain.append("tag_none")
    return [name if is_host_name(name) else UNSAFE.sub("_", name) for name in plain if name] + [
        UNSAFE.sub("_", prefix + name) for prefix, name in named if name
    ]
