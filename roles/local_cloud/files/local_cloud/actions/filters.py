# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters and pages. Nova knows next to none: what it does not know it ignores, and so must a faithful copy."""

from __future__ import annotations

import base64
import fnmatch
from typing import Any, Callable

from .. import servers
from ..errors import NovaError
from ..model import Server
from ..params import listed
from ..render import text_of
from .call import Call, image_id
from .validation import invalid

_LARGEST_PAGE = 1000
_SMALLEST_PAGE = 5

_EC2API: dict[str, Callable[[Server], list[Any]]] = {
    "availability-zone": lambda one: [one.zone],
    "client-token": lambda one: [one.client_token],
    "image-id": lambda one: [image_id(one.image, "ami")],
    "instance-id": lambda one: [one.ec2_id],
    "instance-state-code": lambda one: [str(servers.visible_state(one)[0])],
    "instance-state-name": lambda one: [servers.visible_state(one)[1]],
    "instance-type": lambda one: [one.flavor.name],
    "key-name": lambda one: [one.key_name],
    "launch-index": lambda one: [str(one.index)],
    "owner-id": lambda one: [one.tenant_id],
    "private-ip-address": lambda one: [one.fixed_ip],
    "reservation-id": lambda one: [one.reservation],
    "root-device-type": lambda one: ["instance-store"],
    "tag-key": lambda one: list(one.tags),
    "tag-value": lambda one: list(one.tags.values()),
    "group-name": lambda one: one.groups,
    "instance.group-name": lambda one: one.groups,
}


def pairs(filter_: Any) -> list[tuple[Any, list[Any]]]:
    """Return a request's filters as names with their values."""
    return [(one.get("name"), listed(one.get("value"))) for one in listed(filter_) if isinstance(one, dict)]


def rows(found: list[dict[str, Any]], filter_: Any, fields: dict[str, str]) -> list[dict[str, Any]]:
    """Return the entries of a reply that pass ec2-api's filters; ``fields`` has the elements that filters stand for.

    A filter that nobody knows is noticed only where there is something to filter.
    """
    for name, values in pairs(filter_):
        if found and name not in fields:
            raise invalid(name, "filter", "invalid filter")
        found = [row for row in found if matches([row.get(fields[name])], values)]
    return found


def instances(call: Call, chosen: list[Server], filter_: Any) -> list[Server]:
    """Return the servers that pass the filters which this generation knows."""
    if call.profile.ec2api:
        return _by_ec2api(chosen, pairs(filter_))
    return _by_tags(chosen, pairs(filter_)) if call.profile.tags else chosen


def _by_tags(chosen: list[Server], wanted: list[tuple[Any, list[Any]]]) -> list[Server]:
    either: list[tuple[str, list[Any]]] = []
    for name, values in wanted:
        name = str(name)
        if name.startswith("tag:"):
            chosen = [one for one in chosen if one.tags.get(name[4:]) in values]
        elif name in ("tag-key", "tag-value"):
            either.append((name, values))
        elif name.startswith("tag-"):
            raise NovaError("InvalidParameter", f"Invalid filter {name}")
    if either:
        chosen = [one for one in chosen if any(set(_tag_side(one, name)) & set(values) for name, values in either)]
    return chosen


def _tag_side(server: Server, name: str) -> list[str]:
    return list(server.tags) if name == "tag-key" else list(server.tags.values())


def _by_ec2api(chosen: list[Server], wanted: list[tuple[Any, list[Any]]]) -> list[Server]:
    for name, values in wanted:
        if str(name).startswith("tag:"):
            key = name[4:]
            chosen = [one for one in chosen if key in one.tags and matches([one.tags[key]], values)]
        elif name in _EC2API:
            chosen = [one for one in chosen if matches(_EC2API[name](one), values)]
        elif chosen:
            raise invalid(name, "filter", "invalid filter")
    return chosen


def matches(found: list[Any], patterns: list[Any]) -> bool:
    """Return whether any value found matches any pattern; ``*`` and ``?`` are wildcards."""
    return any(
        value is not None and fnmatch.fnmatchcase(str(value), text_of(pattern).replace("[", "[[]"))
        for value in found
        for pattern in patterns
    )


def page(chosen: list[Server], kwargs: dict[str, Any], by_id: bool) -> tuple[list[Server], dict[str, str]]:
    """Return one page of servers sorted by id, and the token of the next page as a field of the reply."""
    size = kwargs["max_results"]
    if by_id:
        text = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise NovaError("InvalidCombination", text)
    if size < _SMALLEST_PAGE:
        text = f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value greater than {_SMALLEST_PAGE}."
        raise NovaError("InvalidParameter", text)
    # A token tells, in base64, how many were shown already.
    token = kwargs.get("next_token")
    begin = int(base64.b64decode(str(token)).decode()) if token else 0
    end = begin + min(size, _LARGEST_PAGE)
    following = {"nextToken": base64.b64encode(str(end).encode()).decode()} if end < len(chosen) else {}
    return chosen[begin:end], following
