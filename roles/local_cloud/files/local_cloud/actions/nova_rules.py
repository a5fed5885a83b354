# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a security group as Nova reads them."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..errors import NovaError
from ..model import Rule
from ..params import listed
from .call import Call

_EVERYWHERE = "0.0.0.0/0"
_PROTOCOLS = ("tcp", "udp", "icmp")
_ANY = ""
_ALL_PORTS = (("icmp", -1, -1), ("tcp", 1, 65535), ("udp", 1, 65535))


def wanted(call: Call, kwargs: dict[str, Any]) -> list[Rule]:
    """Return the rules that a request describes, in the flat form of old or as IpPermissions."""
    rules: list[Rule] = []
    for entry in listed(kwargs.get("ip_permissions")) or [kwargs]:
        rules += _entry_rules(call, entry)
    if not rules:
        nothing = "Not enough parameters: can't build a valid rule"
        old = "[] Not enough parameters to build a valid rule"
        raise NovaError("MissingParameter", nothing if call.profile.pretty else old)
    return rules


def shown(rules: list[Rule]) -> list[Rule]:
    """Return rules as they are listed: one without a protocol, which can only be removed as such, shows as three."""
    listed_rules: list[Rule] = []
    for rule in rules:
        whole = [Rule(*ports, source=rule.source) for ports in _ALL_PORTS]
        listed_rules += whole if rule.protocol == _ANY else [rule]
    return listed_rules


def _entry_rules(call: Call, entry: dict[str, Any]) -> list[Rule]:
    sources = [_source(call, one) for one in listed(entry.get("groups"))]
    if entry.get("source_security_group_name"):
        owner = entry.get("source_security_group_owner_id") or call.tenant
        sources.append(_checked_source(call, owner, entry["source_security_group_name"]))
    if "ip_protocol" not in entry:
        return [Rule(_ANY, -1, -1, source=source) for source in sources]
    ports = _ports(entry, call.profile.pretty)
    if sources:
        return [Rule(*ports, source=source) for source in sources]
    ranges = [one["cidr_ip"] for one in listed(entry.get("ip_ranges"))] or [entry.get("cidr_ip", _EVERYWHERE)]
    return [Rule(*ports, cidr=_cidr(one)) for one in ranges]


def _source(call: Call, one: dict[str, Any]) -> tuple[str, str]:
    if "group_id" in one:
        raise TypeError("a rule's source cannot be given by id")
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
