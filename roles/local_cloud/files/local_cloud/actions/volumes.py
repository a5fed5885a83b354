# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes and snapshots."""

from __future__ import annotations

import datetime
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


def by_id(call: Call, ec2_id: Any) -> Volume:
    """Return a volume of the project by its EC2 id."""
    number = hex_number(ec2_id)
    if number is None:
        raise NovaError("MalformedVolumeId", f'Invalid id: {ec2_id} (expecting "i-...").')
    volume = call.cloud.volumes.get(number)
    gone = call.cloud.unlisted_volumes.get(number)
    if gone is not None and gone.tenant_id == call.tenant:
        raise NovaError("VolumeGone", f"Volume {gone.uuid} could not be found.")
    if volume is None or volume.tenant_id != call.tenant:
        raise NovaError("VolumeNotFound", f"Volume vol-{number:08x} could not be found.", ec2_id)
    return volume


def snapshot_by_id(call: Call, ec2_id: Any) -> Snapshot:
    """Return a snapshot of the project by its EC2 id."""
    number = hex_number(ec2_id)
    if number is None:
        raise NovaError("MalformedVolumeId", f'Invalid id: {ec2_id} (expecting "i-...").')
    snapshot = call.cloud.snapshots.get(number)
    if snapshot is None or snapshot.tenant_id != call.tenant:
        raise NovaError("SnapshotNotFound", f"Snapshot snap-{number:08x} could not be found.", ec2_id)
    return snapshot


def check_mapping(call: Call, mapping: dict[str, Any]) -> None:
    """Refuse a block device mapping of a launch that names a volume or snapshot which does not exist."""
    source = (mapping.get("ebs") or {}).get("snapshot_id")
    if source is None:
        return
    if str(source).startswith("vol-"):
        by_id(call, source)
    else:
        snapshot_by_id(call, source)


@action(also="volume_type kms_key_id encrypted iops", required="availability_zone")
def create_volume(
    call: Call, /, availability_zone: Any = None, size: Any = None, snapshot_id: Any = None, **_ignored: Any
) -> dict[str, Any]:
    """Make a volume; any size and zone is taken."""
    snapshot = None if snapshot_id is None else snapshot_by_id(call, snapshot_id)
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
    if not call.profile.ec2api:
        return _entry(call, volume)
    volume.status, volume.due = "creating", _soon(call)
    # The reply to this request alone comes from before the time goes into a database of whole seconds.
    return {**_entry(call, volume), "createTime": _python_time(volume.created)}


def _python_time(seconds: float) -> str:
    """Return a time the way Python itself writes one, as Cinder does."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")


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
    entry = {
        "status": volume.status,
        "availabilityZone": volume.zone,
        "volumeId": f"vol-{volume.number:08x}",
        "attachmentSet": [attachment],
        "snapshotId": volume.snapshot,
        "createTime": timestamp(volume.created),
        "size": volume.size,
    }
    if call.profile.ec2api:
        entry |= {"volumeType": "__DEFAULT__", "encrypted": False, "createTime": _python_time(int(volume.created))}
        entry["attachmentSet"] = [attachment] if attachment else []
    return entry


@action(also="max_results next_token")
def describe_volumes(call: Call, /, volume_id: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the project's volumes, or those asked for."""
    _learn_of_gone(call)
    if volume_id:
        chosen = [by_id(call, one) for one in volume_id]
    else:
        chosen = [one for one in call.cloud.volumes.values() if one.tenant_id == call.tenant]
    return {"volumeSet": [_entry(call, one) for one in chosen]}


def _learn_of_gone(call: Call) -> None:
    """Have ec2-api notice which volumes are gone, of those that it lists."""
    for number, volume in list(call.cloud.unlisted_volumes.items()):
        if volume.tenant_id == call.tenant:
            del call.cloud.unlisted_volumes[number]


@action(required="volume_id")
def delete_volume(call: Call, /, volume_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete a volume that no server holds."""
    volume = by_id(call, volume_id)
    if volume.status == "in-use":
        text = f"Volume {volume.uuid} is still attached" if call.profile.pretty else "Delete Failed"
        raise NovaError("VolumeState", text)
    del call.cloud.volumes[volume.number]
    if call.profile.ec2api:
        call.cloud.unlisted_volumes[volume.number] = volume
    return {"return": True}


@action(required="volume_id instance_id device")
def attach_volume(call: Call, /, volume_id: Any, instance_id: Any, device: Any, **_ignored: Any) -> dict[str, Any]:
    """Attach a volume to a server; the reply still shows the state from before."""
    volume, server = by_id(call, volume_id), call.server(instance_id)
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
    volume = by_id(call, volume_id)
    if volume.server is None:
        text = f"Volume {volume.uuid} is not attached to anything" if call.profile.pretty else "Detach Volume Failed."
        raise NovaError("VolumeDetachState", text)
    answer = _attachment(call, volume, "attached", volume.server, volume.device, volume.attached)
    if call.profile.detach_lingers:
        volume.status = "detaching"
        volume.due = _soon(call)
    else:
        volume.server, volume.device, volume.status = None, None, "available"
    return answer


@action(required="volume_id")
def create_snapshot(call: Call, /, volume_id: Any, description: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Make a snapshot of a volume."""
    volume = by_id(call, volume_id)
    number = call.cloud.ec2_number("snapshot")
    snapshot = Snapshot(number, call.tenant, volume.number, volume.size, description, call.cloud.now(), _soon(call))
    call.cloud.snapshots[number] = snapshot
    return _snapshot_entry(call, snapshot)


def _soon(call: Call) -> float:
    return time.monotonic() + call.cloud.settings.action_seconds


def _snapshot_entry(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "status": snapshot.status,
        "description": snapshot.description,
        "volumeId": f"vol-{snapshot.volume:08x}",
        "volumeSize": snapshot.size,
        "progress": "100%" if snapshot.status == "completed" else "0%",
        "startTime": _python_time(int(snapshot.created)) if call.profile.ec2api else timestamp(snapshot.created),
        "ownerId": snapshot.tenant_id,
        "snapshotId": f"snap-{snapshot.number:08x}",
    }


@action(also="owner restorable_by")
def describe_snapshots(call: Call, /, snapshot_id: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the project's snapshots, or those asked for."""
    if snapshot_id:
        chosen = [snapshot_by_id(call, one) for one in snapshot_id]
    else:
        chosen = [one for one in call.cloud.snapshots.values() if one.tenant_id == call.tenant]
    return {"snapshotSet": [_snapshot_entry(call, one) for one in chosen]}


@action(required="snapshot_id")
def delete_snapshot(call: Call, /, snapshot_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete a snapshot."""
    snapshot = snapshot_by_id(call, snapshot_id)
    # Nova has no word for a snapshot that is being deleted.
    snapshot.deleting, snapshot.status, snapshot.due = True, "pending", _soon(call)
    return {"return": True}
