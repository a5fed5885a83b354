# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Names that survive the journey: Nova guesses the type of every value it is sent."""

from __future__ import annotations

import re
import typing as t

from .errors import CloudError
from .values import kind_of

NAME = r"[A-Za-z0-9_-](?:[A-Za-z0-9_ -]{0,253}[A-Za-z0-9_-])?\Z"
DESCRIPTION = r"[A-Za-z0-9_ -]{1,255}\Z"
PRINTABLE = r"[!-~](?:[ -~]{0,253}[!-~])?\Z"
BATCH = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z"
NUMBER_OF_OLD = r"[+-]?(?:0[0-9]*|[0-9]+)[lLjJ]?\Z"


def guessed_type(value: str) -> str | None:
    """What Nova would turn value into: 'a number', 'a boolean' or 'nothing'; None if it stays the text it is."""
    text = value.strip()
    if text == "None":
        return "nothing"
    if text.lower() in ("true", "false"):
        return "a boolean"
    for parse in (float, complex, lambda number: int(number, 0)):
        try:
            parse(text)
        except (ValueError, OverflowError):
            continue
        return "a number"
    return "a number" if re.match(NUMBER_OF_OLD, text) else None


def check_text(option: str, value: str) -> str:
    """Refuse a value that Nova would turn into something else. Returns it unchanged."""
    guessed = guessed_type(value)
    if guessed:
        raise CloudError(
            f"{option}: {value!r} cannot be used: Nova's EC2 API guesses types and would read it as {guessed}. "
            f"Choose a value with a letter that cannot be mistaken, such as {'n-' + value.strip()!r}."
        )
    return value


def check_known(option: str, value: str) -> str:
    """Refuse what cannot be the name of anything that exists, or is changed or stumbled over on its way there.

    What others have made may bear names that Nova's EC2 API does not let anybody make. Returns it unchanged.
    """
    said = (
        "cannot be used: give up to 255 characters of ASCII without line breaks or outer spaces. Up to Icehouse, "
        "Nova's EC2 API fails for everybody who lists anything else."
    )
    return _fitting(option, value, PRINTABLE, said)


def check_name(option: str, value: str) -> str:
    """Refuse a name for a new key pair or security group that Nova would refuse or change. Returns it unchanged."""
    said = "is not a name that Nova accepts: 1 to 255 letters (without accents), digits, '-', '_' and inner spaces."
    return _fitting(option, value, NAME, said)


def check_listed(option: str, value: str) -> str:
    """check_known, and no name of a key pair that Nova hides from its listing."""
    if value.endswith("-vpn"):
        raise CloudError(f"{option}: {value!r} cannot be used: Nova hides key pairs whose names end in '-vpn'.")
    return check_known(option, value)


def check_description(option: str, value: str) -> str:
    """Refuse a description of a security group that Nova would refuse or change. Returns it unchanged."""
    check_text(option, value)
    if not re.match(DESCRIPTION, value) or not value.strip():
        raise CloudError(
            f"{option}: {value!r} is not a description that Nova accepts: 1 to 255 letters (without accents), digits, "
            "'-', '_' and spaces."
        )
    return value


def check_batch(option: str, value: str) -> str:
    """Refuse a batch name that is empty or could not be part of its mark. Returns it unchanged."""
    said = (
        "is not a batch name: 1 to 63 letters (without accents), digits, '-' and '_', beginning with a letter or digit "
        "and not ending with '-'."
    )
    return _fitting(option, value, BATCH, said)


def check_tags(option: str, tags: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Tags as text; keys and values that Nova would change, or cannot repeat, are refused."""
    checked = {}
    for key, value in tags.items():
        if isinstance(value, (dict, list)):
            raise CloudError(f"{option}.{key} must be a text, and is {kind_of(value)}.")
        text = "" if value is None else str(value)
        for what, part in ((f"{option} key", str(key)), (f"{option}.{key}", text)):
            if len(part) > 255:
                raise CloudError(f"{what}: longer than 255 characters.")
            if part:
                check_known(what, part)
        if not key:
            raise CloudError(f"{option}: a tag's key must not be empty.")
        checked[str(key)] = text
    return checked


def _fitting(option: str, value: str, form: str, said: str) -> str:
    """A text of a form, unchanged. said: what is wrong with any other."""
    check_text(option, value)
    if not re.match(form, value):
        raise CloudError(f"{option}: {value!r} {said}")
    return value
