# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""boto's objects as plain data: one shape per resource, used by every module and plugin."""

from __future__ import annotations

import datetime
import re
import typing as t

ADMIN_SUFFIX = re.compile(r" \([^()]*\)\Z")


def keypair_view(pair: t.Any) -> dict[str, t.Any]:
    """A key pair: name and fingerprint. Never its private half."""
    return {"name": text(pair.name), "fingerprint": text(pair.fingerprint)}


def image_view(image: t.Any) -> dict[str, t.Any]:
    """An image. Ids are per cloud; location is None where Nova makes one up."""
    location = text(image.location)
    return {
        "image_id": image.id,
        "name": text(image.name),
        "description": text(image.description),
        "state": text(image.state),
        "type": text(image.type),
        "is_public": bool(image.is_public),
        "owner_id": text(image.owner_id or image.ownerId),
        "location": None if location and location.startswith("None (") else location,
        "architecture": text(image.architecture),
        "kernel_id": text(image.kernel_id),
        "ramdisk_id": text(image.ramdisk_id),
        "root_device_name": text(image.root_device_name),
        "root_device_type": text(image.root_device_type),
    }


def instance_view(instance: t.Any, reservation: t.Any) -> dict[str, t.Any]:
    """A VM. Addresses are real ones or None; groups are names; the state is the cloud's word for it."""
    private = text(instance.private_ip_address)
    public = text(instance.ip_address)
    return {
        "instance_id": instance.id,
        "state": text(instance.state) or "unknown",
        "image_id": text(instance.image_id),
        "instance_type": text(instance.instance_type),
        "key_name": without_admin_suffix(instance.key_name),
        "security_groups": sorted(group_names(reservation, instance)),
        "availability_zone": text(instance.placement),
        "private_ip_address": private,
        # Grizzly repeats the private address here while there is no public one.
        "public_ip_address": public if public != private else None,
        "private_dns_name": text(instance.private_dns_name),
        "launch_time": moment(instance.launch_time),
        "kernel_id": text(instance.kernel),
        "ramdisk_id": text(instance.ramdisk),
        "root_device_name": text(instance.root_device_name),
        "root_device_type": text(instance.root_device_type),
        "block_devices": block_devices(instance),
        "reservation_id": text(reservation.id),
        "owner_id": text(reservation.owner_id),
        "launch_index": whole(instance.ami_launch_index),
        "client_token": text(getattr(instance, "client_token", None) or getattr(instance, "clientToken", None)),
        "tags": {str(key): value or "" for key, value in sorted((instance.tags or {}).items())},
    }


def block_devices(instance: t.Any) -> list[dict[str, t.Any]]:
    """The volumes of a VM, by device name."""
    found = []
    for name, device in sorted((getattr(instance, "block_device_mapping", None) or {}).items()):
        volume = text(getattr(device, "volume_id", None))
        if volume:
            kept = getattr(device, "delete_on_termination", None)
            found.append({"device_name": name, "volume_id": volume, "delete_on_termination": bool(kept)})
    return found


def group_names(reservation: t.Any, instance: t.Any) -> set[str]:
    """Names of the security groups; Nova puts the name where Amazon has the id."""
    groups = [*(reservation.groups or []), *(getattr(instance, "groups", None) or [])]
    return {name for name in (text(group.name) or text(group.id) for group in groups) if name}


def seen_by_admin(instance: t.Any) -> bool:
    """Whether the answer was made for an administrator, who is shown all projects' VMs on Nova."""
    return bool(ADMIN_SUFFIX.search(instance.key_name or ""))


def without_admin_suffix(value: t.Any) -> str | None:
    """A name without the ' (project, host)' that administrators are shown; 'None (...)' is no name."""
    name = ADMIN_SUFFIX.sub("", text(value) or "")
    return None if name in ("", "None") else name


def text(value: t.Any) -> str | None:
    """A string, or None for what boto gives where the answer has an empty element."""
    value = str(value).strip() if value is not None else ""
    return value or None


def whole(value: t.Any) -> int | None:
    """A whole number, or None."""
    shown = str(value or "").strip()
    return int(shown) if shown.isdecimal() and len(shown) < 10 else None


def moment(value: t.Any) -> str | None:
    """A time as ISO 8601 in UTC with seconds, whichever of the generations' forms it came in; None if it is none."""
    shown = text(value)
    if not shown:
        return None
    try:
        parsed = datetime.datetime.fromisoformat(re.sub(r"(\.\d+)?Z?\Z", "", shown))
    except ValueError:
        return None
    return parsed.strftime("%Y-%m-%dT%H:%M:%SZ")
