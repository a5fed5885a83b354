# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The launch request: what it holds, and the mark that it sets."""

from __future__ import annotations

import re
import typing as t

from ._connection import attempt
from ._errors import GROUP_DUPLICATE, NOT_SENT, REFUSED, CloudError
from ._images import find_machine_image
from ._instances import MARK_PREFIX, View, id_order, mark_of
from ._names import check_key_name, check_name, check_text
from ._slots import record
from ._views import instance_view

USER_DATA_BYTES = 49149
GROUP_ID = re.compile(r"sg-[0-9a-f]{8,}\Z")


class Launch(t.NamedTuple):
    """What to launch. user_data is plain text; devices are the dicts of the option block_device_mapping."""

    batch: str
    image_id: str
    instance_type: str | None
    key_name: str | None
    security_groups: tuple[str, ...]
    user_data: str | None
    kernel_id: str | None
    ramdisk_id: str | None
    devices: tuple[dict[str, t.Any], ...]


def check_launch_options(params: t.Mapping[str, t.Any]) -> None:
    """Refuse launch options that Nova would misread, ignore or fail on."""
    for option in ("image", "instance_type", "availability_zone", "kernel_id", "ramdisk_id"):
        if params[option] is not None:
            check_text(option, params[option])
    if params["key_name"]:
        check_key_name("key_name", params["key_name"])
    for zone in params["availability_zones"] or []:
        check_text("availability_zones", zone)
    for group in params["security_groups"] or []:
        if GROUP_ID.match(group):
            raise CloudError(
                f"security_groups: {group} is an id, which Nova ignores (the VM would land in the group default). "
                "Give the group's name."
            )
        if check_name("security_groups", group).startswith(MARK_PREFIX):
            raise CloudError(f"security_groups: {group} is the mark of a batch; give the batch's name as batch.")
    if len((params["user_data"] or "").encode()) > USER_DATA_BYTES:
        raise CloudError(f"user_data: longer than the {USER_DATA_BYTES} bytes that Nova takes.")


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


def ensure_mark(connection: t.Any, batch: str) -> None:
    """Make the batch's marker group unless it is there."""
    name = mark_of(batch)
    description = f"Marks the VMs of the Ansible batch {batch}"
    try:
        attempt(f"mark batch {batch}", connection.create_security_group, name, description, absent=GROUP_DUPLICATE)
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT) or not _mark_exists(connection, name):
            raise


def remove_mark(connection: t.Any, batch: str) -> None:
    """Delete the batch's marker group; the cloud refuses that while a VM bears it."""
    name = mark_of(batch)
    try:
        attempt(f"remove the mark of batch {batch}", connection.delete_security_group, name)
    except CloudError as error:
        if error.outcome == NOT_SENT or _mark_exists(connection, name):
            raise


def mark_exists(connection: t.Any, batch: str) -> bool:
    """Whether the batch's marker group is there."""
    return _mark_exists(connection, mark_of(batch))


def _mark_exists(connection: t.Any, name: str) -> bool:
    # Listed whole: asking for an unknown name is an error that differs by generation.
    return name in {group.name for group in attempt("list security groups", connection.get_all_security_groups)}


def request(
    connection: t.Any, wanted: Launch, slots: t.Sequence[int], zone: str | None, minimum: int
) -> tuple[str, list[View]]:
    """Ask once for VMs for slots in zone, at least minimum. Returns the record they were launched with, and them.

    Raises CloudError, of which the outcome says whether VMs may have been started.
    """
    noted = record(slots, wanted.user_data)
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
    return noted, sorted((instance_view(instance, reservation) for instance in reservation.instances), key=by_index)


def by_index(view: View) -> tuple[int, tuple[int, str]]:
    """Sort key: in the order of the launch."""
    return view["launch_index"] or 0, id_order(view)


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
