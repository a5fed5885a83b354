# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

from .. import servers
from ..errors import NovaError
from ..model import FLAVORS, Flavor, Server
from . import groups, volumes
from .call import Call
from .images import boot_part
from .instances import View
from .registry import action

_LONGEST_USER_DATA = 65535


@action(
    also="instance_type key_name security_group security_group_id user_data placement kernel_id ramdisk_id"
    " block_device_mapping client_token monitoring subnet_id private_ip_address disable_api_termination"
    " iam_instance_profile network_interface ebs_optimized instance_initiated_shutdown_behavior",
    required="image_id min_count max_count",
)
def run_instances(call: Call, /, **kwargs: Any) -> dict[str, Any]:
    """Start servers and return their reservation; unknown parameters, DryRun included, change nothing."""
    _check_boot_parts(call, kwargs)
    low, high = _counts(call, kwargs)
    token = kwargs.get("client_token")
    if token and call.profile.token_honoured:
        known = [one for one in call.cloud.servers_of(call.tenant) if one.client_token == str(token)]
        if known:
            known = [one for one in call.cloud.servers_of(call.tenant) if one.reservation == known[0].reservation]
            return View(call).reservation(known)
    plan = _plan(call, kwargs)
    if call.profile.ec2api:
        plan["groups"] = groups.requested(call, kwargs)
        _check_key(call, kwargs.get("key_name"))
        return View(call).reservation(_one_by_one(call, _shared(call, kwargs, plan), plan, low, high))
    _check_user_data(kwargs.get("user_data"))
    count = _allowed(call, plan["flavor"], low, high)
    plan["groups"] = groups.requested(call, kwargs)
    _check_key(call, kwargs.get("key_name"))
    batch = _create(call, _shared(call, kwargs, plan), plan, count)
    reply = View(call).reservation(batch)
    # The token is written last of all, so that the reply to the launch itself does not show it.
    for server in batch:
        server.client_token = str(token) if token and call.profile.token_honoured else None
    return reply


def _check_boot_parts(call: Call, kwargs: dict[str, Any]) -> None:
    """Refuse what ec2-api does not pass on to Nova."""
    for name in ("ramdisk_id", "kernel_id") if call.profile.ec2api else ():
        if kwargs.get(name):
            raise NovaError("InvalidAttribute", f"Attribute not supported: {name}")


def _counts(call: Call, kwargs: dict[str, Any]) -> tuple[int, int]:
    if not call.profile.counts_checked:
        low = int(kwargs.get("min_count", 1))
        high = int(kwargs.get("max_count", low))
        # The database gets "at least one" whatever was asked for.
        return min(low, max(high, 1)), max(high, 1)
    if call.profile.ec2api:
        return _counts_of_ec2api(kwargs["min_count"], kwargs["max_count"])
    # What is no number at all fails before anything is checked.
    low = int(kwargs.get("min_count", 1))
    high = int(kwargs.get("max_count", low))
    for number, name in ((low, "min_count"), (high, "max_count")):
        if number < 1:
            raise NovaError("InvalidInput", f"Invalid input received: {name} must be >= 1")
    if low > high:
        raise NovaError("InvalidInput", "min_count must be <= max_count")
    return low, high


def _counts_of_ec2api(low: int, high: int) -> tuple[int, int]:
    for name, number in (("Minimum", low), ("Maximum", high)):
        if number < 1:
            raise NovaError("InvalidParameter", f"{name} instance count must be greater than zero")
    if low > high:
        text = "Maximum instance count must not be smaller than minimum instance count"
        raise NovaError("InvalidParameter", text)
    return low, high


def _plan(call: Call, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Look up everything that a launch names, in the order in which the server does."""
    kernel = call.image(kwargs["kernel_id"]) if kwargs.get("kernel_id") else None
    ramdisk = call.image(kwargs["ramdisk_id"]) if kwargs.get("ramdisk_id") else None
    for mapping in kwargs.get("block_device_mapping") or []:
        volumes.check_mapping(call, mapping)
    image = call.image(kwargs["image_id"])
    if image.state != "active":
        raise NovaError("ImageNotReady", "Image must be available")
    if call.profile.ec2api and kwargs.get("subnet_id"):
        raise NovaError("SubnetNotFound", f"The subnet ID '{kwargs['subnet_id']}' does not exist")
    placement = kwargs.get("placement") or {}
    zone = placement.get("availability_zone") if isinstance(placement, dict) else None
    zone = str(zone or call.cloud.settings.zones[0]).partition(":")[0]
    zone_known = zone in call.cloud.settings.zones
    if not zone_known and call.profile.zone_checked:
        refused = "LaunchRefused" if call.profile.ec2api else "InvalidRequest"
        raise NovaError(refused, "The requested availability zone is not available")
    return {
        "image": image,
        "kernel": kernel or boot_part(call, image.kernel),
        "ramdisk": ramdisk or boot_part(call, image.ramdisk),
        "flavor": flavor(call, kwargs.get("instance_type")),
        "zone": zone,
        "zone_known": zone_known and zone not in call.cloud.settings.full_zones,
    }


def flavor(call: Call, name: Any) -> Flavor:
    """Return a flavor by name, or the default one of generations that have it."""
    wanted = call.profile.default_flavor if name is None else name
    if wanted not in FLAVORS:
        raise NovaError("FlavorNotFound", f"{call.profile.flavor_text} with name {wanted} could not be found.")
    return FLAVORS[wanted]


def _check_user_data(data: Any) -> None:
    if not data:
        return
    if len(data) > _LONGEST_USER_DATA:
        raise NovaError("InstanceUserDataTooLarge", "User data too large.")
    try:
        binascii.a2b_base64(data)
    except ValueError:
        raise NovaError("InstanceUserDataMalformed", "User data needs to be valid base 64.") from None


def _check_key(call: Call, key: Any) -> None:
    if key and (call.user.user_id, key) not in call.cloud.keypairs:
        if call.profile.ec2api:
            raise NovaError("LaunchRefused", "Invalid key_name provided.")
        raise NovaError("KeyNotFound", f"Keypair {key} not found for user {call.user.user_id}")


def _allowed(call: Call, size: Flavor, low: int, high: int) -> int:
    """Return how many servers the quota lets through: ``high`` or, if less, at least ``low``."""
    settings = call.cloud.settings
    mine = call.cloud.servers_of(call.tenant)
    used = {
        "cores": sum(one.flavor.vcpus for one in mine),
        "instances": len(mine),
        "ram": sum(one.flavor.ram for one in mine),
    }
    each = {"cores": size.vcpus, "instances": 1, "ram": size.ram}
    quota = {"cores": settings.quota_cores, "instances": settings.quota_instances, "ram": settings.quota_ram}
    over = [name for name in sorted(quota) if 0 <= quota[name] < used[name] + high * each[name]]
    if not over:
        return high
    room = min((quota[name] - used[name]) // each[name] for name in quota if quota[name] >= 0)
    if room > 0 and low <= room:
        return room
    asked = low * each[over[0]]
    raise NovaError(
        "TooManyInstances",
        f"Quota exceeded for {','.join(over)}: Requested {asked}, but already used {used[over[0]]} of "
        f"{quota[over[0]]} {over[0]}",
    )


def _shared(call: Call, kwargs: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that the servers of a launch have in common."""
    return {
        "reservation": call.cloud.reservation_id(),
        "tenant_id": call.tenant,
        "user_id": call.user.user_id,
        "image": plan["image"],
        "flavor": plan["flavor"],
        "kernel": plan["kernel"],
        "ramdisk": plan["ramdisk"],
        "key_name": kwargs.get("key_name") or None,
        "user_data": kwargs.get("user_data") or None,
        "zone": plan["zone"],
        "shutdown_behavior": _shutdown(call, kwargs),
        "client_token": _early_token(call, kwargs),
        "launched_by": call.number,
    }


def _create(call: Call, shared: dict[str, Any], plan: dict[str, Any], count: int) -> list[Server]:
    batch = [new_server(call, shared, index, count) for index in range(count)]
    for server in batch:
        _build(call, server, plan)
    return batch


def _build(call: Call, server: Server, plan: dict[str, Any]) -> None:
    server.groups = list(plan["groups"])
    call.cloud.add_server(server)
    servers.build(call.cloud, server, plan["zone_known"])


def _one_by_one(call: Call, shared: dict[str, Any], plan: dict[str, Any], low: int, high: int) -> list[Server]:
    """Ask for one server after the other, as ec2-api does.

    What Nova refuses ends that: ``low`` servers are enough for an answer without an error, fewer are taken back.
    """
    batch: list[Server] = []
    for index in range(high):
        try:
            _allowed(call, plan["flavor"], 1, 1)
        except NovaError:
            if index >= low:
                break
            _take_back(call, batch)
            raise
        batch.append(new_server(call, shared, index, high))
        _build(call, batch[-1], plan)
        _let_others_in(call)
    return batch


def _let_others_in(call: Call) -> None:
    """Have others see what there is so far, for as long as one server takes."""
    seconds, began = call.cloud.settings.launch_seconds, call.cloud.began
    if not seconds:
        return
    with call.unlocked():
        time.sleep(seconds)
    if call.cloud.began != began:
        raise RuntimeError("the cloud was reset in the midst of a launch")
    call.cloud.advance()


def _take_back(call: Call, batch: list[Server]) -> None:
    """Delete servers and forget their ids: until they are gone ec2-api lists them as strangers, under new ones."""
    for server in batch:
        if server.deleted is None:
            server.rolled_back = True
            call.cloud.estrange(server)
            servers.begin(call.cloud, server, "deleting", "deleted", call.cloud.settings.action_seconds)


def new_server(call: Call, shared: dict[str, Any], index: int, count: int) -> Server:
    """Return a server that is not yet part of the cloud; ``shared`` holds the fields common to its batch."""
    cloud = call.cloud
    number = cloud.number("server")
    name = cloud.new_uuid()
    hostname = f"server-{name}"
    if cloud.profile.ec2api:
        hostname = f"{shared['reservation']}-{index}"
    elif count > 1:
        hostname = f"server-{name}-{name}"  # the name of a batch gets the uuid once more
    ec2_id = cloud.random_id("i") if cloud.profile.ec2api else f"i-{number:08x}"
    return Server(number, ec2_id, name, created=cloud.now(), hostname=hostname, index=index, **shared)


def _early_token(call: Call, kwargs: dict[str, Any]) -> str | None:
    """Return the token that a launch gives its servers from their beginning, which is ec2-api's way."""
    token = kwargs.get("client_token")
    return str(token) if token and call.profile.ec2api else None


def _shutdown(call: Call, kwargs: dict[str, Any]) -> str:
    wanted = kwargs.get("instance_initiated_shutdown_behavior")
    return "terminate" if wanted == "terminate" and call.profile.reports_changes else "stop"


def decoded_user_data(server: Server) -> str:
    """Return the user data of a server as text; a server without any fails as it does on the servers."""
    if server.user_data is None:
        raise TypeError("no user data")
    return base64.b64decode(server.user_data).decode("utf-8")
