# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Rules of security groups: as users write them, as the clouds show them, and as they are asked for."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .._api.errors import CloudError
from .._api.names import check_known
from .views import text

ANYWHERE = "0.0.0.0/0"
ALL = "all"
PROTOCOLS = {"-1": ALL, "1": "icmp", "6": "tcp", "17": "udp"}
# How Nova shows, and can only show, everything that a group may send.
EVERYTHING = (("icmp", -1, -1), ("tcp", 1, 65535), ("udp", 1, 65535))
PORTS = re.compile(r"\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*\Z")

RULE_OPTIONS: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "proto": {"type": "str", "choices": ["tcp", "udp", "icmp", "all", "-1"], "default": "tcp"},
        "from_port": {"type": "int"},
        "to_port": {"type": "int"},
        "ports": {"type": "list", "elements": "str"},
        "icmp_type": {"type": "int"},
        "icmp_code": {"type": "int"},
        "cidr_ip": {"type": "list", "elements": "str"},
        "group_name": {"type": "list", "elements": "str"},
    },
    "mutually_exclusive": [
        ("cidr_ip", "group_name"),
        ("ports", "from_port", "icmp_type"),
        ("ports", "to_port", "icmp_code"),
    ],
    "required_one_of": [("cidr_ip", "group_name")],
    "required_together": [("from_port", "to_port")],
}


class Rule(t.NamedTuple):
    """One protocol, one range of ports (of ICMP: type and code, -1 for any) and one source.

    Ports are None where the protocol is 'all'. The owner is None for a group of the own project. A source of which the
    cloud tells nothing, which ec2-api does of other projects' groups, has neither cidr_ip nor group_name.
    """

    proto: str
    from_port: int | None
    to_port: int | None
    cidr_ip: str | None
    group_name: str | None
    group_owner_id: str | None = None


def order(rule: Rule) -> list[tuple[bool, t.Any]]:
    """Sort key."""
    return [(part is not None, part) for part in rule]


def line(rule: Rule) -> str:
    """A rule for people: 'tcp 80-90 from group web'."""
    if rule.proto == "icmp":
        parts = ("type", rule.from_port), ("code", rule.to_port)
        ports = "".join(f" {what} {number}" for what, number in parts if number != -1)
    elif rule.from_port is None:
        ports = ""
    else:
        ports = f" {rule.from_port}" + (f"-{rule.to_port}" if rule.to_port != rule.from_port else "")
    source = rule.cidr_ip or (f"group {rule.group_name}" if rule.group_name else "a group that the cloud does not name")
    owner = f" of project {rule.group_owner_id}" if rule.group_owner_id else ""
    return f"{rule.proto}{ports} from {source}{owner}"


def rules_shown(group: t.Any) -> list[Rule]:
    """The rules of boto's group for what comes in, each once."""
    found = set()
    for permission in group.rules:
        shown = text(permission.ip_protocol) or "-1"
        proto = PROTOCOLS.get(shown, shown)
        ports = (None, None) if proto == ALL else (_number(permission.from_port), _number(permission.to_port))
        for grant in permission.grants:
            owner = text(grant.owner_id)
            foreign = owner if owner != text(group.owner_id) else None
            found.add(Rule(proto, *ports, text(grant.cidr_ip), text(grant.name), foreign))
        if not permission.grants:
            # Neutron keeps a rule for everybody without a source, if that is how it was made.
            found.add(Rule(proto, *ports, ANYWHERE, None))
    return sorted(found, key=order)


def _number(value: t.Any) -> int | None:
    shown = text(value) or ""
    return int(shown) if re.match(r"-?\d+\Z", shown) else None


def rules_written(option: str, written: t.Sequence[dict[str, t.Any]]) -> list[Rule]:
    """What the option asks for, one rule for each range of ports and source. Refuses what no cloud can do."""
    rules = []
    for number, entry in enumerate(written, 1):
        where = f"{option}, rule {number}"
        cidrs = [_cidr(where, value) for value in entry["cidr_ip"] or ()]
        names = [check_known(f"{where}, group_name", value) for value in entry["group_name"] or ()]
        if not all(cidrs + names):
            raise CloudError(f"{where}: there is an empty source.")
        if not cidrs and not names:
            raise CloudError(f"{where}: it has no source; give cidr_ip ({ANYWHERE} is everybody) or group_name.")
        for ports in _ports(where, entry):
            rules += [Rule(*ports, cidr, None) for cidr in cidrs] + [Rule(*ports, None, name) for name in names]
    return rules


def _cidr(where: str, value: str) -> str:
    """An IPv4 network as all clouds write it."""
    try:
        return str(ipaddress.IPv4Network(value.strip()))
    except ValueError as exc:
        said = str(exc)
    try:
        network = ipaddress.IPv4Interface(value.strip())
    except ValueError:
        raise CloudError(f"{where}: cidr_ip {value!r} is not an IPv4 network such as 10.0.0.0/8 ({said}).") from None
    raise CloudError(
        f"{where}: cidr_ip {value!r} names a machine and a network at once. Did you mean {network.network} or "
        f"{network.ip}/32?"
    )


def _ports(where: str, entry: dict[str, t.Any]) -> list[tuple[str, int | None, int | None]]:
    """Protocol and ranges of ports of one written rule."""
    proto = PROTOCOLS.get(entry["proto"], entry["proto"])
    first, last, ports = entry["from_port"], entry["to_port"], entry["ports"]
    icmp = entry["icmp_type"], entry["icmp_code"]
    if icmp != (None, None) and proto != "icmp":
        raise CloudError(f"{where}: icmp_type and icmp_code are of proto icmp, not {proto}.")
    if ports is not None and proto not in ("tcp", "udp"):
        raise CloudError(f"{where}: ports are of proto tcp or udp, not {proto}.")
    if proto == ALL:
        if (first, last) not in ((None, None), (-1, -1)):
            raise CloudError(f"{where}: proto all has no ports; leave from_port and to_port out.")
        return [(ALL, None, None)]
    if proto == "icmp":
        low, high = (first, last) if first is not None else icmp
        return [("icmp", *_icmp(where, -1 if low is None else low, -1 if high is None else high))]
    if first is None and ports is None:
        raise CloudError(f"{where}: proto {proto} needs ports, or from_port and to_port.")
    ranges = [(first, last)] if ports is None else [_range(where, value) for value in ports]
    for low, high in ranges:
        if not 1 <= low <= high <= 65535:
            raise CloudError(f"{where}: {low}-{high} is not a range of ports between 1 and 65535.")
    return [(proto, low, high) for low, high in ranges]


def _icmp(where: str, low: int, high: int) -> tuple[int, int]:
    if not (-1 <= low <= 255 and -1 <= high <= 255) or (low == -1 and high != -1):
        raise CloudError(f"{where}: {low}/{high} is not a type and code of ICMP: each is 0 to 255, or -1 for any.")
    return low, high


def _range(where: str, value: str) -> tuple[int, int]:
    found = PORTS.match(value)
    if not found:
        raise CloudError(f"{where}: ports {value!r} is neither a port nor a range of ports such as 8000-8100.")
    return int(found[1]), int(found[2] or found[1])


def as_kept(option: str, rules: t.Iterable[Rule], neutron: bool) -> list[Rule]:
    """The rules as the cloud will show them. neutron: whether it is ec2-api, which has Neutron keep them."""
    kept = []
    for rule in rules:
        if neutron and (rule.from_port, rule.to_port) == (1, 255):
            raise CloudError(
                f"{option}: {line(rule)}: ec2-api takes 1 to 255 for everything there is, so that this would open all "
                "ports. Write it as two rules, such as 1 and 2-255."
            )
        if rule.proto == ALL and not neutron:
            kept += [rule._replace(proto=proto, from_port=low, to_port=high) for proto, low, high in EVERYTHING]
        else:
            kept.append(rule)
    return sorted(set(kept), key=order)


def with_wholes(rules: t.Sequence[Rule]) -> list[Rule]:
    """Rules to be removed, and for each group of which everything is, the rule that may be behind it.

    What was allowed without naming a protocol is one rule to Nova, which it shows as three and removes as one.
    """
    wholes = []
    for source in sorted({rule._replace(proto=ALL, from_port=None, to_port=None) for rule in rules}, key=order):
        parts = {source._replace(proto=proto, from_port=low, to_port=high) for proto, low, high in EVERYTHING}
        if source.group_name and parts.issubset(rules):
            wholes.append(source)
    return [*rules, *wholes]


def parameters(rules: t.Sequence[Rule], ids: t.Mapping[str, str | None], neutron: bool) -> dict[str, t.Any]:
    """The rules in a request, in the only form that all generations read: one source each.

    ids: those of the project's groups, by name, which only ec2-api has.
    """
    asked: dict[str, t.Any] = {}
    for number, rule in enumerate(rules, 1):
        at = f"IpPermissions.{number}."
        if rule.proto != ALL:
            asked.update({f"{at}IpProtocol": rule.proto, f"{at}FromPort": rule.from_port, f"{at}ToPort": rule.to_port})
        elif neutron:
            asked[f"{at}IpProtocol"] = "-1"
        if rule.cidr_ip:
            asked[f"{at}IpRanges.1.CidrIp"] = rule.cidr_ip
        elif ids.get(str(rule.group_name)):
            # By name, ec2-api might take another project's group.
            asked[f"{at}Groups.1.GroupId"] = ids[str(rule.group_name)]
        else:
            asked[f"{at}Groups.1.GroupName"] = rule.group_name
            if rule.group_owner_id:
                asked[f"{at}Groups.1.UserId"] = rule.group_owner_id
    return asked
