# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a security group as ec2-api reads them, and Neutron keeps them."""

from __future__ import annotations

import ipaddress
from typing import Any, Callable

from ..errors import NovaError
from ..model import Group, Rule
from ..params import listed
from .validation import invalid

_ANY = -1
_PROTOCOLS = ("tcp", "udp", "icmp")
_WITH_PORTS = ("tcp", "udp", 6, 17)
_WITH_TYPES = ("icmp", 1)
_HIGHEST_PORT = 65535
_HIGHEST_TYPE = 255
_NO_SOURCE = "The required parameter 'source group or cidr' is missing"
EVERYTHING = Rule("-1", 1, _HIGHEST_PORT)


def check_given(permissions: Any) -> None:
    """Refuse a request that describes no rule at all."""
    if permissions is None:
        raise NovaError("MissingParameter", _NO_SOURCE)


def wanted(permissions: Any, find: Callable[[Any, Any], Group]) -> list[Rule]:
    """Return the rules that a request describes; ``find`` looks a source group up by id and name.

    Of several sources in one rule, only the first counts.
    """
    return [_rule(entry, find) for entry in listed(permissions)]


def _rule(entry: dict[str, Any], find: Callable[[Any, Any], Group]) -> Rule:
    protocol, low, high = (entry.get(name, _ANY) for name in ("ip_protocol", "from_port", "to_port"))
    _check(protocol, low, high)
    ports = _kept(protocol, low, high)
    groups, ranges = listed(entry.get("groups")), listed(entry.get("ip_ranges"))
    if groups:
        source = find(groups[0].get("group_id"), groups[0].get("group_name"))
        return Rule(str(protocol), *ports, source=(source.tenant_id, source.name))
    if ranges:
        return Rule(str(protocol), *ports, cidr=_cidr(ranges[0]["cidr_ip"]))
    raise NovaError("MissingParameter", _NO_SOURCE)


def _check(protocol: Any, low: Any, high: Any) -> None:
    if not isinstance(protocol, int) and protocol not in _PROTOCOLS:
        raise NovaError("InvalidParameter", "Invalid value for IP protocol. Unknown protocol.")
    if not isinstance(low, int) or not isinstance(high, int):
        raise NovaError("InvalidParameter", "Integer values should be specified for ports")
    if protocol in _WITH_PORTS:
        _check_ports(low, high)
    elif protocol in _WITH_TYPES:
        for what, number in (("type", low), ("code", high)):
            if not _ANY <= number <= _HIGHEST_TYPE:
                raise NovaError("InvalidParameter", f"ICMP {what} is out of range.")


def _check_ports(low: int, high: int) -> None:
    if _ANY in (low, high):
        raise NovaError("InvalidParameter", "Must specify both from and to ports with TCP/UDP.")
    if low > high:
        raise NovaError("InvalidParameter", "Invalid TCP/UDP port range.")
    for what, number in (("from", low), ("to", high)):
        if not 0 <= number <= _HIGHEST_PORT:
            raise NovaError("InvalidParameter", f"TCP/UDP {what} port is out of range.")


def _kept(protocol: Any, low: int, high: int) -> tuple[int, int]:
    """Return the ports that are shown afterwards: all of them where none was given, or where all were."""
    if (low, high) not in ((_ANY, _ANY), (1, _HIGHEST_TYPE), (1, _HIGHEST_PORT)):
        return low, high
    return (_ANY, _ANY) if protocol in _WITH_TYPES else (1, _HIGHEST_PORT)


def _cidr(text: Any) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise invalid(text, "cidr_ip", "This is not a valid CIDR block.") from None
