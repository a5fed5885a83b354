# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""VMs as hosts of an inventory: which name each gets, where to connect, and the variables of former times."""

from __future__ import annotations

import collections
import os
import re
import typing as t

from ..module_utils._instances import MARK_PREFIX
from ..module_utils._slots import number

# Names by which Ansible knows the machine that it runs on, and its own groups.
RESERVED = frozenset({"localhost", "127.0.0.1", "::1", "all", "ungrouped", "nova_ec2", "ec2"})
ADDRESSES = {"floating": "public_ip_address", "fixed": "private_ip_address", "dns": "private_dns_name"}
LONGEST_NAME = 253
UNSAFE = re.compile(r"[^A-Za-z0-9_]")

View = dict[str, t.Any]


class Host(t.NamedTuple):
    """A VM, the name of its cloud (if the file has several), and its variables."""

    cloud: str | None
    view: View
    variables: View

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


def address_of(view: View, ways: t.Iterable[str]) -> str | None:
    """The first address that there is, of those to connect to."""
    return next((view[ADDRESSES[way]] for way in ways if view[ADDRESSES[way]]), None)


def is_host_name(name: str) -> bool:
    """Whether a text of the cloud, such as a tag, may name a host: names end up in paths and on command lines."""
    return name.isprintable() and len(name) <= LONGEST_NAME and name[:1] not in "-." and not set(name) & set("/\\")


def apart(hosts: t.Sequence[Host], wished: t.Sequence[str | None]) -> tuple[list[str], list[str]]:
    """A name for each host that no other has, and the wished ones that could not be had as they are.

    Those who wish for the same name, or for one that means something else to Ansible, get their ids added.
    """
    counted = collections.Counter(name or host.instance_id for name, host in zip(wished, hosts))
    names: list[str] = []
    refused: dict[str, None] = {}
    taken: set[str] = {name for name, times in counted.items() if times == 1 and name.lower() not in RESERVED}
    for name, host in zip(wished, hosts):
        name = name or host.instance_id
        if name not in taken:
            refused[name] = None
            parts = dict.fromkeys([name, *filter(None, [host.cloud]), host.instance_id])
            name = "-".join(parts)
            while name in taken:
                name += "_"
            taken.add(name)
        names.append(name)
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
    return [name for name in plain if name] + [UNSAFE.sub("_", prefix + name) for prefix, name in named if name]
