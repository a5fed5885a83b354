# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: listing, attributes, registration, making them of servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..errors import NovaError
from ..model import Image
from ..render import timestamp
from . import filters
from .call import Call, image_id
from .registry import action

_TYPES = {"ami": "machine", "aki": "kernel", "ari": "ramdisk"}
_FILTERS = {
    "architecture": "architecture",
    "image-id": "imageId",
    "image-type": "imageType",
    "is-public": "isPublic",
    "kernel-id": "kernelId",
    "name": "name",
    "owner-id": "imageOwnerId",
    "ramdisk-id": "ramdiskId",
    "root-device-type": "rootDeviceType",
    "state": "imageState",
}
# Words of ec2-api for those of Glance; Nova passes these on.
_EC2_STATES = {"queued": "pending", "saving": "pending", "killed": "error"}
_ROOT_DEVICE = "/dev/sda1"


class ObjectStoreError(Exception):
    """The object store that an image should come from cannot be reached."""


ObjectStoreError.__name__ = "error"  # the class name that the servers give away for a refused connection


@action(also="image_id owner executable_by")
def describe_images(call: Call, /, image_id: Any = None, filter: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the visible images, or those asked for by id or name. Owners are ignored, and so are filters by Nova."""
    chosen = call.images() if not image_id else [call.image(one) for one in image_id]
    rows = [_entry(call, image) for image in chosen]
    return {"imagesSet": filters.rows(rows, filter, _FILTERS) if call.profile.ec2api else rows}


def _entry(call: Call, image: Image) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "description": None,
        "imageOwnerId": image.owner,
        "isPublic": image.public,
        "imageId": image_id(image),
        "imageState": "available" if image.state == "active" else image.state,
        "architecture": image.architecture,
        "imageLocation": image.location or f"None ({image.name})",
        "rootDeviceType": "instance-store",
        "rootDeviceName": _ROOT_DEVICE,
        "imageType": _TYPES[image.container],
        "name": image.name,
    }
    if call.profile.ec2api:
        del entry["description"], entry["rootDeviceName"]
        entry["imageState"] = _EC2_STATES.get(entry["imageState"], entry["imageState"])
        entry["creationDate"] = timestamp(call.cloud.began)[:-5] + "Z"
    for key, part in (("kernelId", boot_part(call, image.kernel)), ("ramdiskId", boot_part(call, image.ramdisk))):
        if part is not None:
            entry[key] = image_id(part)
    return entry


def boot_part(call: Call, name: str | None) -> Image | None:
    """Return the kernel or ramdisk called ``name``."""
    return None if name is None else call.image(name)


@action(required="image_id attribute")
def describe_image_attribute(call: Call, /, image_id: Any, attribute: Any, **_ignored: Any) -> dict[str, Any]:
    """Return one attribute of an image."""
    values: dict[str, Callable[[Image], Any]] = {
        "blockDeviceMapping": lambda image: None,
        "launchPermission": lambda image: [{"group": "all"}] if image.public else [],
        "rootDeviceName": lambda image: _ROOT_DEVICE,
        "kernel": lambda image: _part(call, image.kernel),
        "ramdisk": lambda image: _part(call, image.ramdisk),
    }
    if call.profile.ec2api:
        values["description"] = lambda image: {"value": None}
    if attribute not in values:
        raise NovaError("InvalidRequest" if call.profile.ec2api else "InvalidAttribute", unsupported(call, attribute))
    image = call.image(image_id)
    if call.profile.ec2api:
        _check_owner(call, image)
    value = values[attribute](image)
    return {attribute: value, "imageId": image_id} if value is not None else {"imageId": image_id}


def _part(call: Call, name: str | None) -> dict[str, str] | None:
    part = boot_part(call, name)
    return None if part is None else {"value": image_id(part)}


def unsupported(call: Call, attribute: Any) -> str:
    """Return the message for an attribute that cannot be asked for."""
    return f"{'Attribute' if call.profile.pretty else 'attribute'} not supported: {attribute}"


@action(also="launch_permission user_id", required="image_id attribute")
def modify_image_attribute(
    call: Call, /, image_id: Any, attribute: Any, operation_type: Any, user_group: Any = None, **_ignored: Any
) -> dict[str, Any]:
    """Make an image public or private; only its owner may."""
    if call.profile.ec2api:
        image = call.image(image_id)
        _check_publishing(attribute, operation_type, user_group)
        _check_owner(call, image)
        image.public = operation_type == "add"
        return {"return": True}
    if attribute != "launchPermission":
        raise NovaError("InvalidAttribute", unsupported(call, attribute))
    if not user_group:
        raise NovaError("MissingParameter", _missing(call, "user or group not specified"))
    if list(user_group) != ["all"]:
        raise NovaError("InvalidParameter", 'only group "all" is supported')
    if operation_type not in ("add", "remove"):
        raise NovaError("InvalidParameter", "operation_type must be add or remove")
    image = call.image(image_id)
    if image.owner != call.tenant and not call.user.is_admin:
        raise NovaError("ImageNotOwned", f"Not allowed to modify attributes for image {image_id}")
    image.public = operation_type == "add"
    # The servers give the image itself away here, so that its status stands where a plain answer should be.
    return {"id": image.uuid, "name": image.name, "isPublic": image.public, "status": image.state}


def _check_publishing(attribute: Any, operation_type: Any, user_group: Any) -> None:
    """Refuse what ec2-api does: it has looked for the image before."""
    if attribute != "launchPermission":
        raise NovaError("InvalidCombination", "No attributes specified.")
    if not user_group:
        raise NovaError("InvalidCombination", "No operation specified for launchPermission attribute.")
    if operation_type not in ("add", "remove"):
        why = "operation_type must be add or remove"
        raise NovaError("InvalidParameter", _invalid("operation_type", "OperationType", why))


def _check_owner(call: Call, image: Image) -> None:
    """Refuse what is another project's, as ec2-api does, to administrators too."""
    if image.owner != call.tenant:
        raise NovaError("ImageNotAuthorized", f"Not authorized for image:{image.uuid}")


def _invalid(value: Any, parameter: str, why: str) -> str:
    return f"Value ({value}) for parameter {parameter} is invalid. {why}"


@action(required="image_id")
def deregister_image(call: Call, /, image_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete an image; only its owner may."""
    image = call.image(image_id)
    if call.profile.ec2api:
        _check_owner(call, image)
    elif image.owner != call.tenant and not call.user.is_admin:
        raise NovaError("ImageNotAuthorized", f"Not authorized for image {image_id}.")
    call.cloud.images.remove(image)
    return {"return": True}


@action(also="name description architecture root_device_name block_device_mapping kernel_id ramdisk_id")
def register_image(call: Call, /, image_location: Any = None, **kwargs: Any) -> dict[str, Any]:
    """Take an image from the object store, if there is one; fail as for a broken one if not."""
    if image_location is None and not kwargs.get("name"):
        if call.profile.ec2api:
            raise NovaError("InvalidCombination", "Either imageLocation or rootDeviceName must be set.")
        raise NovaError("MissingParameter", _missing(call, "imageLocation is required"))
    if not call.cloud.settings.object_store:
        raise ObjectStoreError("the object store does not answer")
    location = image_location or kwargs["name"]
    return _new(call, kwargs.get("name") or location, location)


@action(also="name description block_device_mapping", required="instance_id")
def create_image(call: Call, /, instance_id: Any, no_reboot: Any = False, **kwargs: Any) -> dict[str, Any]:
    """Make an image of a server, if servers boot from volumes; fail if not."""
    server = call.server(instance_id[0] if isinstance(instance_id, list) else instance_id)
    if call.cloud.settings.volume_backed:
        return _new(call, kwargs.get("name") or f"{server.hostname}-snapshot", None)
    if call.profile.ec2api:
        why = "Instance does not have a volume attached at root (null)."
        raise NovaError("InvalidParameter", _invalid(instance_id, "InstanceId", why))
    raise NovaError(
        "InvalidParameter",
        f"Invalid value '{instance_id}' for instanceId. "
        f"Instance does not have a volume attached at root ({server.root_device})",
    )


def _new(call: Call, name: str, location: str | None) -> dict[str, Any]:
    seconds = call.cloud.settings.image_seconds
    image = Image(call.cloud.new_uuid(), name, "ami", call.tenant, public=False, location=location, state="saving")
    image.number = call.cloud.ec2_number("image")
    if seconds:
        image.due = time.monotonic() + seconds
    else:
        image.state = call.cloud.settings.image_outcome
    call.cloud.images.append(image)
    return {"imageId": image_id(image)}


@action(lambda profile: profile.ec2api, required="image_id attribute")
def reset_image_attribute(call: Call, /, image_id: Any, attribute: Any, **_ignored: Any) -> dict[str, Any]:
    """Make an image private again."""
    if attribute != "launchPermission":
        raise NovaError("InvalidAttribute", unsupported(call, attribute))
    image = call.image(image_id)
    _check_owner(call, image)
    image.public = False
    return {"return": True}


def _missing(call: Call, text: str) -> str:
    return f"Not enough parameters: {text}" if call.profile.pretty else text
