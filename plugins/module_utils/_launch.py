# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Launching the VMs of a batch: once, marked, and never twice."""

from __future__ import annotations

import re
import time
import typing as t
import uuid

from ._connection import attempt
from ._errors import GROUP_DUPLICATE, NOT_SENT, REFUSED, CloudError
from ._images import find_machine_image
from ._instances import MARK_PREFIX, View, id_order, mark_of, members_of
from ._names import check_key_name, check_name, check_text
from ._views import instance_view
from ._wait import pauses

LOOK_SECONDS = 20.0
USER_DATA_BYTES = 49149
GROUP_ID = re.compile(r"sg-[0-9a-f]{8,}\Z")


class Launch(t.NamedTuple):
    """What to launch. user_data is plain text; devices are the dicts of the option block_device_mapping."""

    batch: str
    number: int
    image_id: str
    instance_type: str | None
    key_name: str | None
    security_groups: tuple[str, ...]
    user_data: str | None
    availability_zone: str | None
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
        number=number,
        image_id=find_machine_image(connection, params["image"]),
        instance_type=params["instance_type"],
        key_name=params["key_name"] or None,
        security_groups=tuple(params["security_groups"] or ()),
        user_data=params["user_data"] or None,
        availability_zone=params["availability_zone"],
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


def launch(connection: t.Any, wanted: Launch, known: t.Container[str], warn: t.Callable[[str], None]) -> list[View]:
    """Start wanted.number VMs with one request and return them, by id. known: ids of the members before.

    When it cannot be told from the answer whether VMs were started, the request is not sent again: the batch is
    listed until they show up. Raises CloudError with details ``created`` (views) when they do not all do.
    """
    try:
        reservation = attempt(
            f"start {wanted.number} VMs of batch {wanted.batch}",
            connection.run_instances,
            wanted.image_id,
            min_count=wanted.number,
            max_count=wanted.number,
            key_name=wanted.key_name,
            # Naming any group leaves out the default one, which users expect when they name none.
            security_groups=[*(wanted.security_groups or ("default",)), mark_of(wanted.batch)],
            user_data=wanted.user_data,
            instance_type=wanted.instance_type,
            placement=wanted.availability_zone,
            kernel_id=wanted.kernel_id,
            ramdisk_id=wanted.ramdisk_id,
            block_device_map=_device_map(connection, wanted.devices),
            client_token=f"nova-ec2-{uuid.uuid4().hex}",
        )
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT):
            raise
        return _look(connection, wanted, known, error, warn)
    views = sorted((instance_view(instance, reservation) for instance in reservation.instances), key=id_order)
    if len(views) != wanted.number:
        raise CloudError(
            f"The cloud started {len(views)} VMs of batch {wanted.batch} instead of {wanted.number}.", created=views
        )
    return views


def _look(
    connection: t.Any, wanted: Launch, known: t.Container[str], error: CloudError, warn: t.Callable[[str], None]
) -> list[View]:
    """Find the VMs of a launch whose answer was lost."""
    found: list[View] = []
    deadline = time.monotonic() + LOOK_SECONDS
    try:
        for pause in pauses(wanted.number):
            found = [view for view in members_of(connection, wanted.batch) if view["instance_id"] not in known]
            if len(found) >= wanted.number or time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
        seen = f"was then listed for {LOOK_SECONDS:g} s"
    except CloudError as unseen:
        seen = f"could then not be listed either ({unseen.message})"
    if len(found) == wanted.number:
        warn(f"{error.message} All {wanted.number} VMs are there all the same, and were taken over.")
        return found
    error.message += (
        f" The batch {seen}: {len(found)} of the {wanted.number} VMs showed up. "
        "Nothing was sent again. Run the task again: it takes over whatever bears the mark of the batch, and launches "
        "only what is missing."
    )
    error.details["created"] = found
    raise error


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
