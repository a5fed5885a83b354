# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Host keys that a VM prints on its console, and lines of a known_hosts file made of them.

What a console shows is what somebody in the VM wanted it to show. So a key counts only whole, inside a block that has
both its ends, and nothing but its type and its bytes, encoded anew here, gets into a known_hosts line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
import struct
import typing as t

from .views import text

# What precedes a line, depending on how it got to the console: the kernel's clock, the priority, the time and host of
# syslog, and the name by which cloud-init, or ec2-init before it, calls its logger.
TIME = r"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-][\d:]+)?)"
TAG = r"(?:ec2|cloud-init)(?:\[\d+\])?:"
BEFORE = re.compile(rf"\A(?:\[ *\d+\.\d+\] ?)?(?:<\d{{1,3}}>)?(?:{TIME} (?:[A-Za-z0-9.-]+ (?={TAG}))?)?(?:{TAG} ?)?")
BEGIN = "-----BEGIN SSH HOST KEY KEYS-----"
END = "-----END SSH HOST KEY KEYS-----"
LONGEST_LINE = 20000
LONGEST_COMMENT = 200
# The curve that a key names again, and how many strings follow its type.
TYPES: dict[str, tuple[str | None, int]] = {
    "ecdsa-sha2-nistp256": ("nistp256", 2),
    "ecdsa-sha2-nistp384": ("nistp384", 2),
    "ecdsa-sha2-nistp521": ("nistp521", 2),
    "ssh-dss": (None, 4),
    "ssh-ed25519": (None, 1),
    "ssh-rsa": (None, 2),
}
ED25519_BYTES = 32
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*\Z")

HostKey = dict[str, str]


class Shown(t.NamedTuple):
    """What a console shows of host keys: ``complete``, ``unfinished``, ``cut_off`` or ``none``; keys if complete.

    refused: how many lines of the block look like a key and are none.
    """

    state: str
    keys: list[HostKey]
    refused: int = 0


def host_keys_in(lines: t.Iterable[str]) -> Shown:
    """The keys of the last block that has begun and ended in lines of a console."""
    block: list[str] | None = None
    last: list[str] | None = None
    cut_off = False
    for line in lines:
        if block is None and "SSH HOST KEY KEYS" not in line:
            continue
        bare = BEFORE.sub("", line).strip()
        if bare == BEGIN:
            block = []
        elif bare == END and block is not None:
            last, block = block, None
        elif bare == END:
            # Of a console only the end is kept: an end alone had a beginning once.
            cut_off = True
        elif block is not None and bare:
            block.append(bare)
    if last is None:
        return Shown("unfinished" if block is not None else "cut_off" if cut_off else "none", [])
    return _judged(last)


def _judged(block: t.Iterable[str]) -> Shown:
    """The keys among the lines of a whole block."""
    found: dict[tuple[str, str], HostKey] = {}
    refused = 0
    for line in block:
        key = host_key(line)
        if key:
            found.setdefault((key["type"], key["key"]), key)
        else:
            refused += line.startswith(("ssh-", "ecdsa-"))
    keys = [found[place] for place in sorted(found)]
    return Shown("complete" if keys else "none", keys, refused)


def host_key(line: str) -> HostKey | None:
    """The key that a line of a .pub file is; None if it is none, or damaged, or more than one line."""
    words = line.split(" ", 2)
    if len(line) > LONGEST_LINE or len(words) < 2 or not line.isprintable() or words[0] not in TYPES:
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
        fits = is_key(words[0], blob)
    except (binascii.Error, ValueError, struct.error):
        return None
    encoded = base64.b64encode(blob).decode()
    if not fits or encoded != words[1]:
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    comment = words[2].strip()[:LONGEST_COMMENT] if len(words) > 2 else ""
    return {"type": words[0], "key": encoded, "comment": comment, "fingerprint": f"SHA256:{digest}"}


def is_key(kind: str, blob: bytes) -> bool:
    """Whether blob is a public key of a type that it names itself, with nothing missing and nothing behind it."""
    curve, count = TYPES[kind]
    parts = []
    while blob:
        (length,) = struct.unpack(">I", blob[:4])
        if len(blob) < 4 + length:
            return False
        parts.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    if len(parts) != 1 + count or parts[0] != kind.encode() or not all(parts):
        return False
    if kind == "ssh-ed25519":
        return len(parts[1]) == ED25519_BYTES
    return curve is None or parts[1] == curve.encode()


def hosts_of(view: t.Mapping[str, t.Any], wanted: t.Iterable[str]) -> list[str]:
    """The addresses and names of a VM that may stand in a known_hosts file."""
    found = []
    for name in wanted:
        value = text(view.get(name)) or ""
        if is_address(value) or (name == "private_dns_name" and HOST_NAME.match(value)):
            found.append(value.lower())
    return list(dict.fromkeys(found))


def is_address(value: str) -> bool:
    """Whether value is an IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def known_hosts(hosts: t.Iterable[str], keys: t.Iterable[HostKey], port: int, instance_id: str) -> list[str]:
    """Lines of a known_hosts file, one for each host and key, with the VM's id behind the key."""
    marked = [marked_host(host, port) for host in hosts]
    return sorted({f"{host} {key['type']} {key['key']} {instance_id}" for host in marked for key in keys})


def still_known(lines: t.Iterable[str], hosts: t.Iterable[str], port: int, instance_id: str) -> list[str]:
    """Those of lines that known_hosts made for this VM. None if they lack one of its hosts."""
    wanted = {marked_host(host, port) for host in hosts}
    found = {}
    for line in lines:
        host, _space, rest = line.partition(" ")
        key = host_key(rest)
        if host in wanted and key and key["comment"] == instance_id:
            found[f"{host} {key['type']} {key['key']} {instance_id}"] = host
    return sorted(found) if wanted and wanted == set(found.values()) else []


def marked_host(host: str, port: int) -> str:
    """A host as a known_hosts file has it."""
    return host if port == 22 else f"[{host}]:{port}"
