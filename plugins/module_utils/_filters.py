# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Filters with EC2's names, matched here: Nova ignores most of them."""

from __future__ import annotations

import fnmatch
import typing as t

from ._errors import CloudError

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


def check_filters(option: str, filters: t.Iterable[str]) -> None:
    """Refuse filters that there are not."""
    for name in filters:
        if name not in PROPERTIES and not str(name).startswith("tag:"):
            raise CloudError(f"{option}: there is no filter {name!r}. There are {', '.join(PROPERTIES)} and tag:KEY.")


def passes_all(view: View, filters: t.Mapping[str, t.Any]) -> bool:
    """Whether a VM passes every filter."""
    return all(passes(view, name, wanted) for name, wanted in filters.items())


def passes(view: View, name: str, wanted: t.Any) -> bool:
    """Whether a VM passes one filter: a value of its is like one of those wanted, in which * and ? stand for others."""
    patterns = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    if name.startswith("tag:"):
        has = [view["tags"][name[4:]]] if name[4:] in view["tags"] else []
    else:
        value = view[PROPERTIES[name]]
        has = list(value) if isinstance(value, (list, dict)) else [value or ""]
    return any(fnmatch.fnmatchcase(value, pattern) for value in has for pattern in patterns)
