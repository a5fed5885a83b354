# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the server reads parameters: dotted names become nested data, and the type of every value is guessed."""

from __future__ import annotations

import re
from typing import Any

_WORD_START = re.compile(r"(?<=[a-z])[A-Z]|[A-Z](?![A-Z]|$)")
_BASES = (("0x", 16), ("0b", 2), ("0", 8), ("", 10))
_SMALLEST = 1e-7


def snake_case(name: str) -> str:
    """Return the snake_case form of a CamelCase name, the way the server looks up actions and parameters."""
    return _WORD_START.sub(lambda match: "_" + match.group(0), name).lower().lstrip("_")


def guess(text: str, underscores: bool = False) -> Any:
    """Return what the server takes ``text`` for: None, bool, int, float or str.

    ``underscores`` says whether ``1_000`` counts as a number, as it does in the generation that runs on Python 3.
    """
    if text == "":
        return ""
    if text == "None":
        return None
    lowered = text.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    if "_" in text and not underscores:
        return text
    return _number(text, lowered)


def _number(text: str, lowered: str) -> Any:
    for prefix, base in _BASES:
        if lowered.startswith((prefix, "-" + prefix)):
            try:
                return int(lowered, base)
            except ValueError:
                continue
    try:
        value = float(lowered)
    except ValueError:
        return text
    return 0 if abs(value) < _SMALLEST else value


def nest(flat: dict[str, str], underscores: bool = False) -> dict[str, Any]:
    """Return the keyword arguments of an action.

    ``flat`` holds the parameters as received, without those of the protocol itself. ``A.1.B=v`` gives nested maps; a
    top-level map whose keys are digits becomes a list ordered by the *text* of its keys (1, 10, 11, 2). A plain value
    replaces dotted ones of the same name.
    """
    args: dict[str, Any] = {}
    for name in sorted(flat, key=lambda key: ("." not in key, key)):
        parts = [snake_case(part) for part in name.split(".")]
        _store(args, parts, guess(flat[name], underscores))
    return {name: _as_list(value) for name, value in args.items()}


def _store(args: dict[str, Any], parts: list[str], value: Any) -> None:
    here = args
    for part in parts[:-1]:
        here = here.setdefault(part, {})
        if not isinstance(here, dict):
            raise TypeError(f"{part} is both a value and a map")
    here[parts[-1]] = value


def _as_list(value: Any) -> Any:
    if isinstance(value, dict) and value and next(iter(value)).isdigit():
        return [value[key] for key in sorted(value)]
    return value


def listed(value: Any) -> list[Any]:
    """Return the entries of a nested numbered map such as ``IpRanges.1.CidrIp`` (or of a list), in key order."""
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return list(value or [])
