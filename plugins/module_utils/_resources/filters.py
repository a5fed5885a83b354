# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Filters with EC2's names, matched here: Nova ignores most of them."""

from __future__ import annotations

import fnmatch
import typing as t

from .._api.errors import CloudError
from .._api.values import check_scalar

# Of VMs.
PROPERTIES = {
    "availability-zone": "availability_zone",
    "client-token": "client_token",
    "group-name": "security_groups",
    "image-id": "image_id",
    "instance-id": "instance_id",
    "instance-state-name": "state",
    "instance-type": "instance_type",
    "ip-address": "public_ip_address",
    "kernel-id": "kernel_id",
    "key-name": "key_name",
    "launch-time": "launch_time",
    "owner-id": "owner_id",
    "private-dns-name": "private_dns_name",
    "private-ip-address": "private_ip_address",
    "ramdisk-id": "ramdisk_id",
    "reservation-id": "reservation_id",
    "root-device-type": "root_device_type",
    "tag-key": "tags",
}

View = dict[str, t.Any]


def check_filters(
    option: str, filters: t.Mapping[str, t.Any], known: t.Collection[str] = tuple(PROPERTIES), tags: bool = False
) -> None:
    """Refuse filters that there are not, and values that nothing can have. tags: whether there is tag:KEY."""
    for name, wanted in filters.items():
        if name not in known and not (tags and str(name).startswith("tag:")):
            there = f"{', '.join(known)}{' and tag:KEY' if tags else ''}"
            raise CloudError(f"{option}: there is no filter {str(name)!r}. There are {there}.")
        for value in wanted if isinstance(wanted, list) else [wanted]:
            if value is None:
                raise CloudError(
                    f"{option}: {name} is null. Leave it out if everything is meant; an empty list is nothing, and '' "
                    "is what has no value."
                )
            check_scalar(f"{option}: {name}", value)


def passes_all(view: View, filters: t.Mapping[str, t.Any]) -> bool:
    """Whether a VM passes every filter."""
    return all(like(_of_vm(view, name), wanted) for name, wanted in filters.items())


def like(has: t.Iterable[t.Any], wanted: t.Any) -> bool:
    """Whether one of the values that something has is like one of those wanted, in which * and ? stand for others.

    What has no value is like ''. No values wanted are like nothing.
    """
    patterns = [_written(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    return any(fnmatch.fnmatchcase(_written(value), pattern) for value in has for pattern in patterns)


def _written(value: t.Any) -> str:
    return "" if value is None else str(value)


def _of_vm(view: View, name: str) -> list[t.Any]:
    if name.startswith("tag:"):
        return [view["tags"][name[4:]]] if name[4:] in view["tags"] else []
    value = view[PROPERTIES[name]]
    return list(value) if isinstance(value, (list, dict)) else [value]
