# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstances, and the form in which servers and reservations appear in every reply."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import servers
from ..model import Group, Server, Volume
from ..render import timestamp
from . import filters
from . import groups as security_groups
from .call import Call, image_id
from .registry import action

_DEFAULT_ROOT = "/dev/sda1"


@action(also="instance_id max_results next_token")
def describe_instances(call: Call, /, instance_id: Any = None, filter: Any = None, **kwargs: Any) -> dict[str, Any]:
    """Return servers by reservation: those asked for, or all of the project (of all projects for administrators)."""
    if call.profile.ec2api:
        _learn_of_gone(call, instance_id)
        security_groups.meet(call)
    if instance_id:
        named = dict.fromkeys(instance_id) if call.profile.ec2api else instance_id
        chosen = [call.listed_server(one) for one in named]
    elif call.user.is_admin and call.cloud.settings.admin_sees_all and not call.profile.ec2api:
        chosen = list(call.cloud.servers.values())
    else:
        chosen = call.cloud.servers_of(call.tenant)
    kept = filters.instances(call, chosen, filter)
    answer: dict[str, Any] = {"reservationSet": reservations(call, kept)}
    if call.profile.ec2api and kwargs.get("max_results") is not None:
        kept, token = filters.page(sorted(kept, key=lambda one: one.ec2_id), kwargs, bool(instance_id))
        answer = {"reservationSet": reservations(call, kept), **token}
    return answer


def _learn_of_gone(call: Call, instance_id: Any) -> None:
    """Have ec2-api notice which servers are gone, of those that it lists."""
    for ec2_id, server in list(call.cloud.unlisted.items()):
        if server.tenant_id == call.tenant and (not instance_id or ec2_id in instance_id):
            del call.cloud.unlisted[ec2_id]


@action(lambda profile: not profile.ec2api)
def describe_instances_v6(call: Call, /, **kwargs: Any) -> dict[str, Any]:
    """Return the same as DescribeInstances."""
    return describe_instances(call, **kwargs)


def reservations(call: Call, chosen: Iterable[Server]) -> list[dict[str, Any]]:
    """Return the servers as a list of reservations, whose order means nothing and may be random."""
    grouped: dict[str, list[Server]] = {}
    for server in chosen:
        grouped.setdefault(server.reservation, []).append(server)
    batches = list(grouped.values())
    if call.cloud.settings.random_order:
        call.cloud.random.shuffle(batches)
    view = View(call)
    return [view.reservation(batch) for batch in batches]


class View:
    """Servers as they appear in replies, with what is looked up once for all of them."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._floating = call.cloud.floating_by_server()
        known_early = call.profile.root_device_after_boot if call.profile.ec2api else None
        self._default_root = known_early or _DEFAULT_ROOT
        self._volumes: dict[int, list[Volume]] = {}
        for volume in call.cloud.volumes.values():
            if volume.server is not None:
                self._volumes.setdefault(volume.server, []).append(volume)

    def reservation(self, batch: list[Server]) -> dict[str, Any]:
        """Return the fields of one reservation, whose servers are ``batch``, oldest first.

        Groups are those of any server on Nova, and of the youngest on ec2-api, which may not show its own yet.
        """
        groups = self._groups(batch[-1])
        return {
            "ownerId": batch[0].tenant_id,
            "groupSet": groups,
            "reservationId": batch[0].reservation,
            "instancesSet": [self._shuffled(self.instance(server)) for server in batch],
        }

    def _groups(self, server: Server) -> list[dict[str, str]]:
        if not self._call.profile.ec2api:
            return [{"groupId": name} for name in server.groups]
        if not servers.has_port(server):
            return []
        known = {group.name: group for group in self._call.cloud.groups_of(server.tenant_id)}
        return [group_reference(known[name]) for name in server.groups if name in known]

    def _shuffled(self, entry: dict[str, Any]) -> dict[str, Any]:
        if not self._call.cloud.settings.random_order:
            return entry
        keys = list(entry)
        self._call.cloud.random.shuffle(keys)
        return {key: entry[key] for key in keys}

    def instance(self, server: Server) -> dict[str, Any]:
        """Return the fields of one server."""
        code, name = servers.visible_state(server)
        entry: dict[str, Any] = {
            "placement": {"availabilityZone": self._zone(server)},
            "keyName": self._key_name(server),
            "instanceId": server.ec2_id,
            "instanceState": {"code": code, "name": name},
            "imageId": image_id(server.image, "ami"),
            "productCodesSet": None,
            "privateDnsName": server.hostname,
            "launchTime": self._launch_time(server),
            "amiLaunchIndex": server.index,
            "rootDeviceName": server.root_device or self._default_root,
            "rootDeviceType": "instance-store",
            "instanceType": server.flavor.name,
            "privateIpAddress": server.fixed_ip if servers.has_port(server) else None,
        }
        if self._call.profile.ec2api and server.state == "building" and server.task == "scheduling":
            del entry["rootDeviceName"], entry["rootDeviceType"]
        self._add_addresses(entry, server)
        self._add_optional(entry, server)
        return entry

    def _zone(self, server: Server) -> str:
        known = server.host is not None or self._call.profile.asked_zone_shown
        return server.zone if known else self._call.cloud.settings.zones[0]

    def _launch_time(self, server: Server) -> str:
        text = timestamp(server.created)
        return text[:-5] + "Z" if self._call.profile.ec2api else text

    def _key_name(self, server: Server) -> str | None:
        if not self._call.mangles:
            return server.key_name
        return f"{server.key_name} ({server.tenant_id}, {server.host})"

    def _add_addresses(self, entry: dict[str, Any], server: Server) -> None:
        floating = self._floating.get(server.number)
        if self._call.profile.public_dns:
            entry["publicDnsName"] = floating
            entry["dnsName"] = floating or server.hostname
            entry["ipAddress"] = floating or server.fixed_ip
            return
        entry["dnsName"] = floating
        if floating:
            entry["ipAddress"] = floating

    def _add_optional(self, entry: dict[str, Any], server: Server) -> None:
        profile = self._call.profile
        if server.kernel is not None:
            entry["kernelId"] = image_id(server.kernel, "aki")
        if server.ramdisk is not None:
            entry["ramdiskId"] = image_id(server.ramdisk, "ari")
        if server.number in self._volumes:
            entry["blockDeviceMapping"] = [_mapping(volume) for volume in self._volumes[server.number]]
        if profile.tags and (server.tags or not profile.ec2api):
            entry["tagSet"] = [{"key": key, "value": value} for key, value in server.tags.items()]
        if profile.token_shown and server.client_token is not None:
            entry["clientToken"] = server.client_token
        groups = self._groups(server) if profile.ec2api else []
        if groups:
            entry["groupSet"] = groups


def group_reference(group: Group) -> dict[str, str]:
    """Return how ec2-api names a security group."""
    return {"groupId": group.sg_id, "groupName": group.name}


def _mapping(volume: Volume) -> dict[str, Any]:
    ebs = {
        "volumeId": f"vol-{volume.number:08x}",
        "status": "attached",
        "deleteOnTermination": False,
        "attachTime": timestamp(volume.attached),
    }
    return {"deviceName": volume.device, "ebs": ebs}
