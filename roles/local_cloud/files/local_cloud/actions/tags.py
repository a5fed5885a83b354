# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags. Nova keeps them for servers only, as their metadata; item_tags.py has those of ec2-api."""

from __future__ import annotations

from typing import Any

from .. import servers
from ..errors import NovaError
from ..model import Server
from ..profiles import Profile
from . import filters, item_tags
from .call import Call
from .registry import action

_LONGEST = 255
_MOST = 128
_TAGGABLE = ("active", "paused", "suspended", "stopped")


def _exists(profile: Profile) -> bool:
    return profile.tags


def _resources(call: Call, ids: Any, tags: Any) -> list[Server]:
    if not ids or not tags:
        raise NovaError("MissingParameter", "Not enough parameters: resource_id and tag are required")
    for one in ids:
        if not str(one).startswith("i-"):
            raise NovaError("InvalidParameter", "Only instances implemented")
    return [call.server(one) for one in ids]


@action(_exists, required="resource_id tag")
def create_tags(call: Call, /, resource_id: Any = None, tag: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Set tags on servers, replacing values that are there."""
    if call.profile.ec2api:
        return item_tags.create(call, resource_id, tag)
    chosen = _resources(call, resource_id, tag)
    wanted = dict(_pair(one) for one in tag)
    for server in chosen:
        servers.check(server, "update_instance_metadata", _TAGGABLE, tasks=(server.task or "",))
        for key, value in wanted.items():
            _check(key, value)
        if len({**server.tags, **wanted}) > _MOST:
            raise NovaError("TagLimit", "Maximum number of metadata items exceeds 128")
    for server in chosen:
        server.tags.update(wanted)
    return {"return": True}


def _pair(one: dict[str, Any]) -> tuple[Any, Any]:
    key, value = one.get("key"), one.get("value")
    if key is None or value is None:
        raise NovaError("InvalidParameter", "Expected both key and value")
    return key, value


def _check(key: Any, value: Any) -> None:
    # A value that looks like a number or a boolean has been guessed to be one by now.
    if not isinstance(key, str) or not isinstance(value, str):
        raise NovaError("InvalidMetadata", "Invalid metadata: Metadata items must be strings")
    if not key:
        raise NovaError("InvalidMetadata", "Invalid metadata: Metadata property key blank")
    for what, text in (("key", key), ("value", value)):
        if len(text) > _LONGEST:
            text = f"Invalid metadata size: Metadata property {what} greater than {_LONGEST} characters"
            raise NovaError("InvalidMetadataSize", text)


@action(_exists, required="resource_id")
def delete_tags(call: Call, /, resource_id: Any = None, tag: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Remove tags by key, one after the other; values are ignored."""
    if call.profile.ec2api:
        return item_tags.delete(call, resource_id, tag)
    for server in _resources(call, resource_id, tag):
        for one in tag:
            if one.get("key") is None:
                raise NovaError("InvalidParameter", "Expecting key to be set")
            servers.check(server, "delete_instance_metadata", _TAGGABLE, tasks=(server.task or "",))
            if one["key"] not in server.tags and call.profile.absent_tag_fails:
                raise KeyError(one["key"])
            server.tags.pop(one["key"], None)
    return {"return": True}


@action(_exists)
def describe_tags(call: Call, /, filter: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the tags of the project's servers that pass the filters."""
    if call.profile.ec2api:
        return item_tags.describe(call, filter)
    rows = [
        {"value": value, "key": key, "resourceType": "instance", "resourceId": server.ec2_id}
        for server in call.cloud.servers_of(call.tenant)
        for key, value in server.tags.items()
    ]
    for name, values in filters.pairs(filter):
        rows = _filtered(rows, str(name), values)
    return {"tagSet": rows}


def _filtered(rows: list[dict[str, str]], name: str, values: list[Any]) -> list[dict[str, str]]:
    fields = {"resource-id": "resourceId", "key": "key", "value": "value"}
    if name == "resource-type":
        if any(value != "instance" for value in values):
            raise NovaError("InvalidParameter", "Only instances implemented")
        return rows
    if name not in fields:
        return rows
    return [row for row in rows if filters.matches([row[fields[name]]], values)]
