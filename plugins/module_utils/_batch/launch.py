# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The launch request: what it holds, and the mark that it sets."""

from __future__ import annotations

import typing as t

from .._api.connection import attempt
from .._api.errors import (
    FLAVOR_GONE,
    GROUP_DUPLICATE,
    GROUP_GONE,
    GROUP_IN_USE,
    IMAGE_GONE,
    KEY_GONE,
    NOT_SENT,
    REFUSED,
    UNKNOWN,
    ZONE_UNAVAILABLE,
    CloudError,
    may_pass,
)
from .._resources.images import bootable, find_machine_image, suggest
from .._resources.instances import MARK_PREFIX, View, by_index, mark_of
from .._resources.record import record
from .._resources.views import instance_view
from .._resources.wait import insist


class Launch(t.NamedTuple):
    """What to launch. user_data is not encoded; devices are the dicts of the option block_device_mapping."""

    batch: str
    image_id: str
    instance_type: str | None
    key_name: str | None
    security_groups: tuple[str, ...]
    user_data: bytes | None
    kernel_id: str | None
    ramdisk_id: str | None
    devices: tuple[dict[str, t.Any], ...]


def launch_of(connection: t.Any, params: t.Mapping[str, t.Any], number: int) -> Launch:
    """What the options of the module instance ask to launch; the image's id is looked up if it is given by name."""
    if not params["image"]:
        raise CloudError(f"{number} VMs of batch {params['batch']} have to be launched: image is needed for that.")
    return Launch(
        batch=params["batch"],
        image_id=find_machine_image(connection, params["image"]),
        instance_type=params["instance_type"],
        key_name=params["key_name"] or None,
        security_groups=tuple(params["security_groups"] or ()),
        user_data=params["user_data"] or None,
        kernel_id=params["kernel_id"],
        ramdisk_id=params["ramdisk_id"],
        devices=tuple(params["block_device_mapping"] or ()),
    )


def ensure_mark(connection: t.Any, batch: str) -> bool:
    """Make the batch's marker group unless it is there. Returns whether it was made."""
    name = mark_of(batch)
    description = f"Marks the VMs of the Ansible batch {batch}"
    try:
        make = connection.create_security_group
        return attempt(f"mark batch {batch}", make, name, description, absent=GROUP_DUPLICATE) is not None
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT) or not _mark_exists(connection, name):
            raise
        return True


def single_mark(connection: t.Any, batch: str) -> None:
    """Have one marker group of the batch where there are several.

    Two runs on different machines may both have made it: ec2-api then accepts both, and no launch any more, since it
    is told groups by their names. Every run goes through them in the same order, so that all keep the same one.
    """
    what = f"have a single mark of batch {batch}"
    groups = [group for group in attempt(what, connection.get_all_security_groups) if group.name == mark_of(batch)]
    kept = len(groups)
    for group in sorted(groups, key=lambda group: str(group.id), reverse=True):
        if kept > 1:
            try:
                attempt(what, connection.delete_security_group, group_id=group.id, absent=GROUP_GONE)
                kept -= 1
            except CloudError as error:
                # One that VMs are in is kept.
                if error.outcome != REFUSED:
                    raise


def remove_mark(connection: t.Any, batch: str, patience: float) -> None:
    """Delete the batch's marker group.

    The cloud refuses that while a VM bears it, and goes on to for a while after it last showed the VM. patience is for
    how many seconds to wait for that.
    """
    name = mark_of(batch)

    def ask() -> None:
        try:
            attempt(f"remove the mark of batch {batch}", connection.delete_security_group, name)
        except CloudError as error:
            if error.outcome == NOT_SENT or _mark_exists(connection, name):
                raise

    insist(ask, lambda error: may_pass(error, GROUP_IN_USE), patience)


def mark_exists(connection: t.Any, batch: str) -> bool:
    """Whether the batch's marker group is there."""
    return _mark_exists(connection, mark_of(batch))


def _mark_exists(connection: t.Any, name: str) -> bool:
    # Listed whole: asking for an unknown name is an error that differs by generation.
    return name in {group.name for group in attempt("list security groups", connection.get_all_security_groups)}


def request(
    connection: t.Any, wanted: Launch, slots: t.Sequence[int], zone: str | None, minimum: int, known: t.Container[str]
) -> tuple[str, list[View]]:
    """Ask once for VMs for slots in zone, at least minimum. Returns the record they were launched with, and them.

    known: the ids of VMs that cannot be among them. Raises CloudError, of which the outcome says whether VMs may have
    been started.
    """
    noted = record(wanted.batch, slots, wanted.user_data)
    where = f" in zone {zone}" if zone else ""
    try:
        reservation = attempt(
            f"start {len(slots)} VMs of batch {wanted.batch}{where}",
            connection.run_instances,
            wanted.image_id,
            min_count=minimum,
            max_count=len(slots),
            key_name=wanted.key_name,
            # Naming any group leaves out the default one, which users expect when they name none.
            security_groups=[*(wanted.security_groups or ("default",)), mark_of(wanted.batch)],
            user_data=wanted.user_data,
            instance_type=wanted.instance_type,
            placement=zone,
            kernel_id=wanted.kernel_id,
            ramdisk_id=wanted.ramdisk_id,
            block_device_map=_device_map(connection, wanted.devices),
            client_token=noted,
        )
    except CloudError as error:
        error.details["token"] = noted
        raise
    views = sorted((instance_view(instance, reservation) for instance in reservation.instances), key=by_index)
    wrong = _not_ours(views, noted, len(slots), known)
    if wrong:
        raise CloudError(
            f"{connection.endpoint.url} answered RunInstances with a damaged reply ({wrong}).",
            endpoint=connection.endpoint.url,
            action="RunInstances",
            outcome=UNKNOWN,
            token=noted,
        )
    connection.project = connection.project or views[0]["owner_id"]
    return noted, views


def _not_ours(views: t.Sequence[View], token: str, number: int, known: t.Container[str]) -> str | None:
    """How an answer cannot be the one to a launch of a number of VMs; known: the ids of those there before."""
    if len(views) > number:
        return "more VMs than were asked for"
    if any(view["instance_id"] in known for view in views):
        return "VMs that were there before"
    if any(view["client_token"] not in (None, token) for view in views):
        return "VMs of another launch"
    return "indexes beyond their number" if any((view["launch_index"] or 0) >= number for view in views) else None


def advice(connection: t.Any, wanted: Launch, error: CloudError) -> str:
    """What a refused launch may name instead; for that the cloud is asked once more."""
    try:
        if IMAGE_GONE.matches(error) and wanted.image_id in error.cloud_message:
            return f" Ids differ between clouds; image takes names as well. {suggest('', bootable(connection))}"
        if KEY_GONE.matches(error):
            return _choice("key pairs of this user", connection.get_all_key_pairs(), "keypair")
        if GROUP_GONE.matches(error):
            return _choice("security groups of this project", connection.get_all_security_groups(), "security_group")
    except CloudError:
        return ""
    if FLAVOR_GONE.matches(error):
        return (
            " instance_type seems to be unknown. EC2 cannot list the types: 'openstack flavor list' can, and many "
            "clouds have m1.tiny, m1.small, m1.medium, m1.large and m1.xlarge."
        )
    return " The module availability_zone_info lists the zones." if ZONE_UNAVAILABLE.matches(error) else ""


def _choice(what: str, found: t.Iterable[t.Any], module: str) -> str:
    names = sorted(one.name for one in found if not one.name.startswith(MARK_PREFIX))
    return f" The {what}: {', '.join(names) or 'none'}. The module {module} makes others."


def _device_map(connection: t.Any, devices: t.Sequence[dict[str, t.Any]]) -> t.Any:
    if not devices:
        return None
    mapping_class, device_class = connection.block_device_types
    mapping = mapping_class()
    for device in devices:
        mapping[device["device_name"]] = device_class(
            ephemeral_name=device["virtual_name"],
            no_device=bool(device["no_device"]),
            snapshot_id=device["snapshot_id"],
            size=device["volume_size"],
            delete_on_termination=device["delete_on_termination"],
        )
    return mapping
