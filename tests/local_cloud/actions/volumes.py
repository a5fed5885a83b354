# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes and snapshots."""

from __future__ import annotations

import re
import time
from typing import Any

from ..errors import NovaError
from ..model import Snapshot, Volume
from ..render import timestamp
from .call import Call, hex_number
from .registry import action

_DEVICE = re.compile(r"/dev/[a-z]*(?=[a-z]\d*\Z)")
_ROOT_DEVICE = "/dev/sda"


def _volume(call: Call, ec2_id: Any) -> Volume:
    number = hex_number(ec2_id)
    if number is None:
        raise NovaError("MalformedVolumeId", f'Invalid id: {ec2_id} (expecting "i-...").')
    volume = call.cloud.volumes.get(number)
    if volume is None or volume.tenant_id != call.tenant:
        raise NovaError("VolumeNotFound", f"Volume vol-{number:08x} could not be found.")
    return volume


def _snapshot(call: Call, ec2_id: Any) -> Snapshot:
    number = hex_number(ec2_id)
    if number is None:
        raise NovaError("MalformedVolumeId", f'Invalid id: {ec2_id} (expecting "i-...").')
    snapshot = call.cloud.snapshots.get(number)
    if snapshot is None or snapshot.tenant_id != call.tenant:
        raise NovaError("SnapshotNotFound", f"Snapshot snap-{number:08x} could not be found.")
    return snapshot


def check_mapping(call: Call, mapping: dict[str, Any]) -> None:
    """Refuse a block device mapping of a launch that names a volume or snapshot which does not exist."""
    source = (mapping.get("ebs") or {}).get("snapshot_id")
    if source is None:
        return
    if str(source).startswith("vol-"):
        _volume(call, source)
    else:
        _snapshot(call, source)


@action(also="volume_type kms_key_id encrypted iops", required="availability_zone")
def create_volume(
    call: Call, /, availability_zone: Any = None, size: Any = None, snapshot_id: Any = None, **_ignored: Any
) -> dict[str, Any]:
    """Make a volume; any size and zone is taken."""
    snapshot = None if snapshot_id is None else _snapshot(call, snapshot_id)
    cloud = call.cloud
    volume = Volume(
        number=cloud.ec2_number("volume"),
        uuid=cloud.new_uuid(),
        tenant_id=call.tenant,
        size=snapshot.size if size is None and snapshot else size,
        zone=availability_zone,
        created=cloud.now(),
        snapshot=None if snapshot is None else f"snap-{snapshot.number:08x}",
    )
    cloud.volumes[volume.number] = volume
    return _entry(call, volume)


def _entry(call: Call, volume: Volume) -> dict[str, Any]:
    attachment: dict[str, Any] = {}
    if volume.server is not None:
        attachment = {
            "status": "attached",
            "attachTime": timestamp(volume.attached),
            "instanceId": call.cloud.servers[volume.server].ec2_id,
            "volumeId": f"vol-{volume.number:08x}",
            "deleteOnTermination": False,
            "device": volume.device,
        }
    return {
        "status": volume.status,
        "availabilityZone": volume.zone,
        "volumeId": f"vol-{volume.number:08x}",
        "attachmentSet": [attachment],
        "snapshotId": volume.snapshot,
        "createTime": timestamp(volume.created),
        "size": volume.size,
    }


@action(also="max_results next_token")
def describe_volumes(call: Call, /, volume_id: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the project's volumes, or those asked for."""
    if volume_id:
        chosen = [_volume(call, one) for one in volume_id]
    else:
        chosen = [one for one in call.cloud.volumes.values() if one.tenant_id == call.tenant]
    return {"volumeSet": [_entry(call, one) for one in chosen]}


@action(required="volume_id")
def delete_volume(call: Call, /, volume_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete a volume that no server holds."""
    volume = _volume(call, volume_id)
    if volume.status == "in-use":
        text = f"Volume {volume.uuid} is still attached" if call.profile.pretty else "Delete Failed"
        raise NovaError("VolumeState", text)
    del call.cloud.volumes[volume.number]
    return {"return": True}


@action(required="volume_id instance_id device")
def attach_volume(call: Call, /, volume_id: Any, instance_id: Any, device: Any, **_ignored: Any) -> dict[str, Any]:
    """Attach a volume to a server; the reply still shows the state from before."""
    volume, server = _volume(call, volume_id), call.server(instance_id)
    # The device takes the prefix of the root device, whatever was asked for.
    wanted = _DEVICE.sub((server.root_device or _ROOT_DEVICE).rstrip("a"), str(device))
    taken = any(one.server == server.number and one.device == wanted for one in call.cloud.volumes.values())
    if taken or volume.status != "available":
        if not call.profile.pretty:
            raise NovaError("VolumeState", "Attach Failed.")
        if taken:
            raise NovaError("DevicePathInUse", f"The supplied device path ({device}) is in use.")
        raise NovaError("VolumeState", f"Invalid volume: volume '{volume.uuid}' status must be 'available'.")
    volume.server, volume.device, volume.status = server.number, wanted, "in-use"
    volume.attached = call.cloud.now()
    return _attachment(call, volume, "detached", server.number, None, volume.created)


def _attachment(
    call: Call, volume: Volume, status: str, server: int, device: str | None, when: float
) -> dict[str, Any]:
    return {
        "status": status,
        "attachTime": timestamp(when),
        "instanceId": call.cloud.servers[server].ec2_id,
        "volumeId": f"vol-{volume.number:08x}",
        "requestId": call.request_id,
        "device": device,
    }


@action(also="instance_id device force", required="volume_id")
def detach_volume(call: Call, /, volume_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Detach a volume; the reply still shows the state from before."""
    volume = _volume(call, volume_id)
    if volume.server is None:
        text = f"Volume {volume.uuid} is not attached to anything" if call.profile.pretty else "Detach Volume Failed."
        raise NovaError("VolumeDetachState", text)
    answer = _attachment(call, volume, "attached", volume.server, volume.device, volume.attached)
    if call.profile.detach_lingers:
        volume.status = "detaching"
        volume.detach_due = time.monotonic() + call.cloud.settings.action_seconds
    else:
        volume.server, volume.device, volume.status = None, None, "available"
    return answer


@action(required="volume_id")
def create_snapshot(call: Call, /, volume_id: Any, description: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Make a snapshot of a volume."""
    volume = _volume(call, volume_id)
    number = call.cloud.ec2_number("snapshot")
    snapshot = Snapshot(number, call.tenant, volume.number, volume.size, description, call.cloud.now())
    call.cloud.snapshots[number] = snapshot
    return _snapshot_entry(snapshot)


def _snapshot_entry(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "status": "pending",
        "description": snapshot.description,
        "volumeId": f"vol-{snapshot.volume:08x}",
        "volumeSize": snapshot.size,
        "progress": "0%",
        "startTime": timestamp(snapshot.created),
        "ownerId": snapshot.tenant_id,
        "snapshotId": f"snap-{snapshot.number:08x}",
    }


@action(also="owner restorable_by")
def describe_snapshots(call: Call, /, snapshot_id: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the project's snapshots, or those asked for."""
    if snapshot_id:
        chosen = [_snapshot(call, one) for one in snapshot_id]
    else:
        chosen = [one for one in call.cloud.snapshots.values() if one.tenant_id == call.tenant]
    return {"snapshotSet": [_snapshot_entry(one) for one in chosen]}


@action(required="snapshot_id")
def delete_snapshot(call: Call, /, snapshot_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete a snapshot."""
    del call.cloud.snapshots[_snapshot(call, snapshot_id).number]
    return {"return": True}
