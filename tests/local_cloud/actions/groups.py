# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups and their rules."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ..errors import NovaError
from ..model import Group, Rule
from ..params import listed
from . import filters
from .call import Call
from .registry import action

_TEXT = re.compile(r"[A-Za-z0-9_\- ]+\Z")
_LONGEST = 255
_EVERYWHERE = "0.0.0.0/0"
_PROTOCOLS = ("tcp", "udp", "icmp")
_ALL_PORTS = (("icmp", -1, -1), ("tcp", 1, 65535), ("udp", 1, 65535))


def requested(call: Call, kwargs: dict[str, Any]) -> list[str]:
    """Return the names of the groups that a launch asks for, by default ``default``; all must exist."""
    names = list(kwargs.get("security_group") or [])
    if call.profile.ec2api:
        names += [_by_id(call, sg_id).name for sg_id in kwargs.get("security_group_id") or []]
    return [call.cloud.group(call.tenant, name).name for name in names or ["default"]]


def _by_id(call: Call, group_id: Any) -> Group:
    for group in call.cloud.groups_of(call.tenant):
        if group_id in (group.sg_id, None) if call.profile.ec2api else group_id == group.number:
            return group
    name = "InvalidGroup" if call.profile.ec2api else "Security group"
    raise NovaError("GroupNotFound", f"{name} {group_id} not found for project {call.tenant}.")


def _find(call: Call, name: Any, group_id: Any) -> Group:
    if name is None and group_id is None:
        raise NovaError("MissingParameter", _text(call, "Not enough parameters", "need group_name or group_id"))
    return _by_id(call, group_id) if name is None else call.cloud.group(call.tenant, name)


def _text(call: Call, opening: str, text: str) -> str:
    return f"{opening}: {text}" if call.profile.pretty else f"{opening}, {text}"


@action(also="max_results next_token")
def describe_security_groups(
    call: Call, /, group_name: Any = None, group_id: Any = None, filter: Any = None, **_ignored: Any
) -> dict[str, Any]:
    """Return the project's groups sorted by name, or those asked for."""
    if group_name is None and group_id is None:
        chosen = call.cloud.groups_of(call.tenant)
    else:
        chosen = [call.cloud.group(call.tenant, name) for name in group_name or []]
        chosen += [_by_id(call, one) for one in group_id or []]
    if call.profile.ec2api:
        chosen = _filtered(chosen, filter)
    return {"securityGroupInfo": [_entry(call, group) for group in sorted(chosen, key=lambda one: one.name)]}


def _filtered(chosen: list[Group], filter_: Any) -> list[Group]:
    known = {"group-name": "name", "group-id": "sg_id", "description": "description", "owner-id": "tenant_id"}
    for name, values in filters.pairs(filter_):
        if name not in known:
            raise NovaError("InvalidParameter", f"The filter '{name}' is invalid")
        chosen = [group for group in chosen if filters.matches([getattr(group, known[name])], values)]
    return chosen


def _entry(call: Call, group: Group) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "ipPermissions": [_permission(call, rule) for rule in group.rules],
        "groupName": group.name,
        "groupDescription": group.description,
        "ownerId": group.tenant_id,
    }
    if call.profile.ec2api:
        entry["groupId"] = group.sg_id
    return entry


def _permission(call: Call, rule: Rule) -> dict[str, Any]:
    source = [] if rule.source is None else [{"groupName": rule.source[1], "userId": rule.source[0]}]
    return {
        "toPort": rule.to_port,
        "ipProtocol": rule.protocol,
        "ipRanges": [] if rule.cidr is None else [{"cidrIp": rule.cidr}],
        "groups": source,
        "fromPort": rule.from_port,
    }


@action(required="group_name group_description")
def create_security_group(call: Call, /, group_name: Any, group_description: Any) -> dict[str, Any]:
    """Make a group. This action takes no parameter beyond its own two, so any other makes it fail."""
    _check_text(call, group_name, "name")
    _check_text(call, group_description, "description")
    mine = call.cloud.groups_of(call.tenant)
    if 0 <= call.cloud.settings.quota_groups <= len(mine):
        raise NovaError("GroupLimit", "Quota exceeded, too many security groups.")
    if any(group.name == group_name for group in mine):
        raise NovaError("GroupExists", f"Security group {group_name} already exists")
    group = call.cloud.add_group(call.tenant, group_name, group_description)
    if call.profile.ec2api:
        return {"return": True, "groupId": group.sg_id}
    return {"securityGroupSet": [_entry(call, group)]}


def _check_text(call: Call, value: Any, what: str) -> None:
    stripped = value.strip()
    if not stripped:
        raise NovaError("InvalidParameter", f"Security group {what} cannot be empty.")
    if len(stripped) > _LONGEST:
        raise NovaError("InvalidParameter", f"Security group {what} should not be greater than {_LONGEST} characters.")
    if not _TEXT.match(stripped):
        raise NovaError(
            "GroupNameInvalid",
            f"Value ({value}) for parameter Group{what.title()} is invalid. "
            "Content limited to Alphanumeric characters, spaces, dashes, and underscores.",
        )


@action()
def delete_security_group(
    call: Call, /, group_name: Any = None, group_id: Any = None, **_ignored: Any
) -> dict[str, Any]:
    """Delete a group that no server uses."""
    group = _find(call, group_name, group_id)
    if group.name == "default":
        reason = "Unable to delete system group 'default'"
        raise NovaError("GroupInUse", f"Group not valid. Reason: {reason}")
    if any(group.name in server.groups for server in call.cloud.servers_of(call.tenant)):
        raise NovaError("GroupInUse", "Group not valid. Reason: In Use")
    call.cloud.groups.remove(group)
    return {"return": True}


_RULE_PARAMETERS = (
    "ip_permissions ip_protocol from_port to_port cidr_ip source_security_group_name source_security_group_owner_id"
)


@action(also=_RULE_PARAMETERS)
def authorize_security_group_ingress(
    call: Call, /, group_name: Any = None, group_id: Any = None, **kwargs: Any
) -> dict[str, Any]:
    """Add rules; one that exists already refuses them all."""
    group = _find(call, group_name, group_id)
    rules = _rules(call, kwargs)
    for rule in rules:
        if rule in group.rules:
            raise NovaError("RuleExists", _exists(call, group, rule))
    group.rules += rules
    return {"return": True}


@action(also=_RULE_PARAMETERS)
def revoke_security_group_ingress(
    call: Call, /, group_name: Any = None, group_id: Any = None, **kwargs: Any
) -> dict[str, Any]:
    """Remove the rules that match; it is an error if none does."""
    group = _find(call, group_name, group_id)
    found = [rule for rule in _rules(call, kwargs) if rule in group.rules]
    if not found:
        raise NovaError("RuleNotFound", "No rule for the specified parameters.")
    group.rules = [rule for rule in group.rules if rule not in found]
    return {"return": True}


@action(lambda profile: profile.ec2api, also=_RULE_PARAMETERS, required="group_id")
def authorize_security_group_egress(call: Call, /, group_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Refuse: rules for outgoing traffic need a VPC, and this cloud has none."""
    _by_id(call, group_id)
    raise NovaError("InvalidParameter", "Only Amazon VPC security groups may be used with this operation.")


@action(lambda profile: profile.ec2api, also=_RULE_PARAMETERS, required="group_id")
def revoke_security_group_egress(call: Call, /, group_id: Any, **kwargs: Any) -> dict[str, Any]:
    """Refuse, as for the opposite action."""
    return authorize_security_group_egress(call, group_id=group_id, **kwargs)


def _exists(call: Call, group: Group, rule: Rule) -> str:
    where = f"'cidr': u'{rule.cidr}'" if rule.cidr is not None else "'group_id': 1"
    text = (
        f"{{'to_port': {rule.to_port}, {where}, 'from_port': {rule.from_port}, 'protocol': '{rule.protocol}', "
        f"'parent_group_id': {group.number}}}"
    )
    if call.profile.pretty:
        return f"Rule already exists in group: {text}"
    return f"{text} - This rule already exists in group"


def _rules(call: Call, kwargs: dict[str, Any]) -> list[Rule]:
    """Return the rules that a request describes, in the flat form of old or as IpPermissions."""
    rules: list[Rule] = []
    for entry in listed(kwargs.get("ip_permissions")) or [kwargs]:
        rules += _entry_rules(call, entry)
    if not rules:
        nothing = "Not enough parameters: can't build a valid rule"
        old = "[] Not enough parameters to build a valid rule"
        raise NovaError("MissingParameter", nothing if call.profile.pretty else old)
    return rules


def _entry_rules(call: Call, entry: dict[str, Any]) -> list[Rule]:
    sources = [_source(call, one) for one in listed(entry.get("groups"))]
    if entry.get("source_security_group_name"):
        owner = entry.get("source_security_group_owner_id") or call.tenant
        sources.append(_checked_source(call, owner, entry["source_security_group_name"]))
    if "ip_protocol" not in entry:
        return [Rule(*ports, source=source) for source in sources for ports in _ALL_PORTS]
    ports = _ports(entry, call.profile.pretty)
    if sources:
        return [Rule(*ports, source=source) for source in sources]
    ranges = [one["cidr_ip"] for one in listed(entry.get("ip_ranges"))] or [entry.get("cidr_ip", _EVERYWHERE)]
    return [Rule(*ports, cidr=_cidr(one)) for one in ranges]


def _source(call: Call, one: dict[str, Any]) -> tuple[str, str]:
    if "group_id" in one and not call.profile.ec2api:
        raise TypeError("a rule's source cannot be given by id")
    if "group_id" in one:
        return call.tenant, _by_id(call, one["group_id"]).name
    return _checked_source(call, one.get("user_id") or call.tenant, one["group_name"])


def _checked_source(call: Call, owner: str, name: str) -> tuple[str, str]:
    return owner, call.cloud.group(owner, name).name


def _cidr(text: Any) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise NovaError("InvalidCidr", "Invalid CIDR") from None


def _ports(entry: dict[str, Any], pretty: bool) -> tuple[str, int, int]:
    protocol = entry["ip_protocol"]
    if not isinstance(protocol, str) or protocol.lower() not in _PROTOCOLS:
        raise NovaError("InvalidProtocol", f"Invalid IP protocol {protocol}{'' if pretty else '.'}")
    protocol = protocol.lower()
    if protocol != "icmp" and ("from_port" not in entry or "to_port" not in entry):
        raise NovaError("InvalidPort", "Invalid port range. Both ports are needed")
    low, high = int(entry.get("from_port", -1)), int(entry.get("to_port", -1))
    if protocol == "icmp":
        if not (-1 <= low <= 255 and -1 <= high <= 255):
            raise NovaError("InvalidPort", f"Invalid port range {low}:{high}. For ICMP, the type:code must be valid")
    elif low > high:
        text = f"Invalid port range {low}:{high}. Former value cannot be greater than the later"
        raise NovaError("InvalidPort", text)
    elif low < 1 or high > 65535:
        name = protocol.upper()
        raise NovaError("InvalidPort", f"Invalid port range {low}:{high}. Valid {name} ports should be between 1-65535")
    return protocol, low, high
