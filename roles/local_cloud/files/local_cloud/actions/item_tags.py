# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags as ec2-api keeps them: in its own database, of anything that has an id."""

from __future__ import annotations

from typing import Any, Callable

from ..errors import NovaError
from . import filters, groups, volumes
from .call import Call
from .validation import invalid

_LONGEST_KEY = 127
_LONGEST_VALUE = 255
_RESOURCES = {
    "ami": "image",
    "aki": "image",
    "ari": "image",
    "i": "instance",
    "sg": "security-group",
    "snap": "snapshot",
    "vol": "volume",
}
# How a thing is looked up that must exist. Any image's id will do.
_FINDERS: dict[str, Callable[[Call, Any], Any]] = {
    "i": lambda call, ec2_id: call.server(ec2_id),
    "sg": groups.by_id,
    "snap": volumes.snapshot_by_id,
    "vol": volumes.by_id,
}
_FILTERS = {
    "key": "key",
    "tag-key": "key",
    "resource-id": "resourceId",
    "resource-type": "resourceType",
    "value": "value",
    "tag-value": "value",
}


def create(call: Call, ids: list[Any], tags: list[dict[str, Any]]) -> dict[str, Any]:
    """Set tags, replacing values that are there."""
    for tag in tags:
        reason = _fault(tag)
        if reason:
            raise invalid(tag, "Tag", reason)
    for ec2_id in ids:
        kind = _kind(ec2_id)
        if kind not in _RESOURCES:
            raise NovaError("InvalidId", f"The ID '{ec2_id}' is not valid")
        if kind in _FINDERS:
            _FINDERS[kind](call, ec2_id)
    for ec2_id in ids:
        _held(call, ec2_id).update((tag["key"], tag["value"]) for tag in tags)
    return {"return": True}


def _fault(tag: dict[str, Any]) -> str:
    """Return what is wrong with a tag. A key or value that was guessed to be a number has no length, and fails."""
    key = tag.get("key")
    if not key:
        return "Not empty key must be present"
    if len(key) > _LONGEST_KEY:
        return f"Tag key exceeds the maximum length of {_LONGEST_KEY} characters"
    if key.startswith("aws:"):
        return "Tag keys starting with 'aws:' are reserved for internal use"
    if "value" not in tag:
        return "Value must be present"
    if len(tag["value"]) > _LONGEST_VALUE:
        return f"Tag value exceeds the maximum length of {_LONGEST_VALUE} characters"
    return ""


def delete(call: Call, ids: list[Any], tags: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Remove tags by what is given of key and value, or all of them; nothing needs to exist."""
    for ec2_id in ids:
        held = _held(call, ec2_id)
        for key, value in list(held.items()):
            if tags is None or any(_meant(tag, key, value) for tag in tags):
                del held[key]
    return {"return": True}


def _meant(tag: dict[str, Any], key: str, value: str) -> bool:
    return tag.get("key", key) == key and tag.get("value", value) == value


def describe(call: Call, filter_: Any) -> dict[str, Any]:
    """Return all tags of the project that pass the filters."""
    held = {server.ec2_id: server.tags for server in call.cloud.servers_of(call.tenant)}
    held |= {ec2_id: tags for (tenant, ec2_id), tags in call.cloud.tags.items() if tenant == call.tenant}
    rows = [
        {"resourceType": _RESOURCES[_kind(ec2_id)], "resourceId": ec2_id, "key": key, "value": value}
        for ec2_id, tags in held.items()
        for key, value in tags.items()
    ]
    return {"tagSet": filters.rows(rows, filter_, _FILTERS)}


def _held(call: Call, ec2_id: str) -> dict[str, str]:
    """Return the tags of a thing, to be changed in place."""
    server = call.cloud.by_ec2_id.get(ec2_id)
    if server is not None and server.tenant_id == call.tenant:
        return server.tags
    return call.cloud.tags.setdefault((call.tenant, ec2_id), {})


def _kind(ec2_id: str) -> str:
    return ec2_id.partition("-")[0]
