# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Values of options as users and their templates write them: made the same once, or refused, before anything else.

What Ansible does with values by itself is kept, where it keeps their meaning.
"""

from __future__ import annotations

import math
import typing as t

from .errors import CloudError

Spec = t.Mapping[str, t.Mapping[str, t.Any]]

# What is taken as it stands, blanks at its ends included.
LITERAL = frozenset({"user_data", "name_regex"})
# Which cloud, and whose: what a template left empty must not be made up for from elsewhere.
NEVER_BLANK = frozenset({"endpoint_url", "access_key", "secret_key", "rc_file"})
# More seconds than anybody has, and as much as any clock can be told.
LARGEST_NUMBER = 2**31 - 1
SHOWN = 60
# By what name people know the types that YAML and templates make.
KINDS: tuple[tuple[t.Any, str], ...] = (
    (bool, "a boolean"),
    (str, "a text"),
    ((int, float), "a number"),
    (dict, "a mapping"),
    ((list, tuple), "a list"),
)


def settled_values(spec: Spec, given: t.Mapping[str, t.Any], where: str = "") -> dict[str, t.Any]:
    """What is given for the options of spec, fit for Ansible's own validation. Raises CloudError.

    White space at the ends is no part of a value. In lists, blank elements are left out, and each is there once. What
    is null is not given. where: what to put before the names of options, such as 'rules, number 1: '.
    """
    names = {alias: name for name, one in spec.items() for alias in (name, *one.get("aliases", ()))}
    found: dict[str, t.Any] = {}
    for key, value in given.items():
        if key not in names:
            found[key] = value
        elif value is not None:
            found[key] = _value(f"{where}{key}", names[key], spec[names[key]], value)
    return found


def _value(label: str, name: str, spec: t.Mapping[str, t.Any], value: t.Any) -> t.Any:
    kind = spec.get("type", "str")
    if kind == "list":
        return _list(label, spec, value)
    if kind == "dict":
        return _dict(label, spec, value)
    if kind in ("int", "float"):
        return _number(label, value)
    if kind in ("str", "path"):
        return _text(label, name, value, secret=bool(spec.get("no_log")))
    return value


def _text(label: str, name: str, value: t.Any, *, secret: bool = False) -> t.Any:
    """A text, or what Ansible makes one of: a number or a boolean."""
    if name == "user_data" and not isinstance(value, str):
        raise CloudError(
            f"{label} must be a text, and is {kind_of(value)}: YAML or a template has made that of it, and what it was "
            "written like is lost. Write it as a block ('|'), with a line such as #cloud-config first, or make a text "
            "of it by the filter to_nice_yaml or to_json."
        )
    if isinstance(value, (list, tuple, dict)):
        raise CloudError(f"{label} must be a text, and is {kind_of(value)}.")
    if not isinstance(value, str):
        return value
    check_characters(label, value, secret=secret)
    found = value if name in LITERAL else value.strip()
    if not found and name in NEVER_BLANK:
        raise CloudError(
            f"{label} is empty. Give it a value, or leave it out; an empty one does not stand for another place to "
            "look."
        )
    return found


def check_characters(label: str, value: str, *, secret: bool = False) -> str:
    """Refuse a text that is none: with NUL, or with half a character. Returns it unchanged."""
    if "\0" in value:
        wrong = "the character NUL"
    elif not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        wrong = "a lone surrogate, which is half a character"
    else:
        return value
    shown = "" if secret or label.startswith("user_data") else f": {value[:SHOWN]!r}"
    raise CloudError(f"{label} holds {wrong}, and so is no text{shown}.")


def _number(label: str, value: t.Any) -> t.Any:
    """A number, or a text that Ansible makes one of."""
    if isinstance(value, (bool, dict, list, tuple)):
        raise CloudError(f"{label} must be a number, and is {kind_of(value)}.")
    if isinstance(value, str):
        check_characters(label, value)
        value = value.strip()
        if not value:
            raise CloudError(f"{label} must be a number, and is empty. Leave it out if it is not meant.")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        if isinstance(value, str):
            # Ansible says what is wrong with it.
            return value
        number = math.inf
    if not math.isfinite(number) or abs(number) > LARGEST_NUMBER:
        raise CloudError(f"{label} must be a number up to {LARGEST_NUMBER}, not {str(value)[:SHOWN]}.")
    if number < 0 and label.endswith("_timeout"):
        raise CloudError(f"{label} must not be less than 0 seconds, and is {str(value)[:SHOWN]}.")
    return value


def _list(label: str, spec: t.Mapping[str, t.Any], value: t.Any) -> t.Any:
    """A list, without blank and repeated elements."""
    if isinstance(value, (bool, dict)):
        if isinstance(value, dict) and spec.get("elements") == "dict":
            value = [value]
        else:
            raise CloudError(f"{label} must be a list, and is {kind_of(value)}.")
    if isinstance(value, (int, float)):
        value = [value]
    if isinstance(value, str):
        value = value.split(",")
    there = [
        (place, element)
        for place, element in enumerate(value, 1)
        if element is not None and not (isinstance(element, str) and not element.strip())
    ]
    if spec.get("elements") == "dict":
        return [_entry(label, place, spec, element) for place, element in there]
    return list(dict.fromkeys(_text(f"{label}, number {place},", "", element) for place, element in there))


def _entry(label: str, place: int, spec: t.Mapping[str, t.Any], element: t.Any) -> t.Any:
    if not isinstance(element, dict):
        return _mapping_written(f"{label}, number {place},", element)
    return settled_values(spec.get("options", {}), element, f"{label}, number {place}: ")


def _dict(label: str, spec: t.Mapping[str, t.Any], value: t.Any) -> t.Any:
    """A mapping; of one whose keys are the user's own, the values are texts, numbers, booleans, or lists of these."""
    if not isinstance(value, dict):
        return _mapping_written(label, value)
    if "options" in spec:
        return settled_values(spec["options"], value, f"{label}.")
    for key, one in value.items():
        if not isinstance(key, str):
            raise CloudError(f"{label}: the key {str(key)[:SHOWN]} is {kind_of(key)} and not a text. Quote it.")
        check_characters(f"{label}, a key,", key)
        for part in one if isinstance(one, list) else [one]:
            check_scalar(f"{label}.{key}", part)
    return value


def _mapping_written(label: str, value: t.Any) -> t.Any:
    """A text that Ansible makes a mapping of, such as 'a=b'."""
    if not isinstance(value, str) or not (value.startswith("{") or "=" in value):
        raise CloudError(f"{label} must be a mapping, and is {kind_of(value)}.")
    return check_characters(label, value)


def check_scalar(label: str, value: t.Any) -> None:
    """Refuse what is neither a text nor a number, a boolean or nothing."""
    if isinstance(value, (dict, list, tuple)):
        raise CloudError(f"{label} must be a text, and is {kind_of(value)}.")
    if isinstance(value, str):
        check_characters(label, value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        _number(label, value)


def kind_of(value: t.Any) -> str:
    """What a value is, in words."""
    return next((name for kind, name in KINDS if isinstance(value, kind)), "neither a text nor a number")
