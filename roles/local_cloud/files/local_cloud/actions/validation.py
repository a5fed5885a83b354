# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ec2-api checks of parameters before it looks at anything else: the form of ids, lengths and kinds of values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from ..errors import NovaError

_LONGEST = 255
_PRINTABLE = re.compile(r"[\x20-\x7e]+\Z")
_ONE_OR_SEVERAL = ("get_console_output", "get_password_data")


def check(action: str, args: dict[str, Any]) -> None:
    """Refuse values that do not have the form which their parameter demands."""
    for name, value in args.items():
        if value is None:
            continue
        if name in _IDS:
            _check_ids(action, name, value)
        elif name in _CHECKS:
            _CHECKS[name](name, value)


def invalid(value: Any, name: str, reason: str) -> NovaError:
    """Return the refusal of a value."""
    return NovaError("InvalidParameter", f"Value ({value}) for parameter {name} is invalid. {reason}")


def _check_ids(action: str, name: str, value: Any) -> None:
    prefixes = _IDS[name]
    if action == "run_instances" and name == "image_id":
        prefixes = prefixes[:1]
    values = value if isinstance(value, list) else [value]
    if not isinstance(value, list) and (action, name) in _LISTS:
        raise invalid(value, name, "Expected a list here")
    if isinstance(value, list) and action in _ONE_OR_SEVERAL:
        values = value[:1]
    for one in values:
        if not _is_id(one, prefixes):
            raise invalid(one, name, f"Expected: {prefixes[0]}-...")


def _is_id(value: Any, prefixes: tuple[str, ...]) -> bool:
    if not isinstance(value, str):
        return False
    prefix, _dash, number = value.rpartition("-")
    try:
        return int(number, 16) >= 0 and prefix in prefixes
    except ValueError:
        return False


def _integer(name: str, value: Any) -> None:
    if not isinstance(value, int):
        raise NovaError("ValidationError", "", f"Expected an integer value for parameter {name}")


def _text(name: str, value: Any) -> None:
    for one in value if isinstance(value, list) else [value]:
        # What was guessed to be a number or a boolean has no length, which is told as if it were too long.
        if not isinstance(one, str) or len(one) > _LONGEST:
            raise NovaError("ValidationError", "", f"{name} should not be greater than {_LONGEST} characters.")


def _group(name: str, value: Any) -> None:
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str):
            raise UnboundLocalError("a group's name that was guessed to be no text")
        if not one.strip():
            raise NovaError("ValidationError", "", f"Security group {name} cannot be empty.")
        if not _PRINTABLE.match(one.strip()):
            text = f"Specified value for parameter Group{name} is invalid. Content limited to 'allowed'."
            raise NovaError("ValidationError", "", text)
        if len(one.strip()) > _LONGEST:
            text = f"Security group {name} should not be greater than {_LONGEST} characters."
            raise NovaError("ValidationError", "", text)


def _address(name: str, value: Any) -> None:
    for one in value if isinstance(value, list) else [value]:
        try:
            ipaddress.IPv4Address(one)
        except ValueError:
            raise invalid(one, name, "Not a valid IP address") from None


def _filters(_name: str, value: Any) -> None:
    for one in value:
        if not one.get("name") or not isinstance(one.get("value"), (list, dict)):
            raise NovaError("InvalidFilter", "The filter is invalid.")


_IDS: dict[str, tuple[str, ...]] = {
    "allocation_id": ("eipalloc",),
    "group_id": ("sg",),
    "image_id": ("ami", "ari", "aki"),
    "instance_id": ("i",),
    "kernel_id": ("aki",),
    "ramdisk_id": ("ari",),
    "security_group_id": ("sg",),
    "snapshot_id": ("snap",),
    "subnet_id": ("subnet",),
    "volume_id": ("vol",),
    "vpc_id": ("vpc",),
}
_LISTS = {
    *((f"{verb}_instances", "instance_id") for verb in ("describe", "start", "stop", "reboot", "terminate")),
    ("describe_images", "image_id"),
    ("describe_security_groups", "group_id"),
    ("describe_volumes", "volume_id"),
}
_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "filter": _filters,
    "group_description": _group,
    "group_name": _group,
    "key_name": _text,
    "max_count": _integer,
    "max_results": _integer,
    "min_count": _integer,
    "private_ip_address": _address,
    "public_ip": _address,
    "security_group": _group,
    "size": _integer,
}
