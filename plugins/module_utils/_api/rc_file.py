# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What a shell file such as Horizon's ec2rc.sh says, read and never executed."""

from __future__ import annotations

import re
import typing as t

from .errors import CloudError
from .files import read_text_and_mode
from .source import KEY_FAMILIES, URL_VARIABLES, Source

ASSIGNMENT = re.compile(
    r"\s*(?:(?:export|readonly|declare\s+-\w+|typeset\s+-\w+)\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL
)
WORD = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:[^\s'"\\;&|<>#]|\\.|(?<=\S)#)+)""", re.DOTALL)
UNTOLD = re.compile(r"(?<!\\)\$[({]")
REFERENCE = re.compile(r"(?<!\\)\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
# What is assigned between these is assigned perhaps.
OPENING = re.compile(r"\s*(?:if|case|for|while|until|select)\b|.*\{\s*\Z")
CLOSING = re.compile(r"(?:\A|[;\s])(?:fi|esac|done|\})\s*(?:\Z|[;#&|<>)])")
HERE = re.compile(r"<<-?\s*['\"]?([A-Za-z_]\w*)")
NAMED = re.compile(r"(?<![\w$])([A-Za-z_][A-Za-z0-9_]*)=")
ELSEWHERE = re.compile(r"\s*(?:source|\.)\s+\S")
VAULT = "$ANSIBLE_VAULT;"


def read_rc_file(path: str, warn: t.Callable[[str], None]) -> Source:
    """The variables that a shell file such as Horizon's ec2rc.sh assigns plainly. Nothing is executed.

    Understood are ``[export] NAME=value`` with either quotes, trailing comments, and references to variables that the
    file itself assigned before. Anything else, such as a command substitution or an assignment under a condition,
    leaves the name unset, whatever was assigned to it before.
    """
    text, mode = read_text_and_mode("rc_file", path)
    if text.lstrip().startswith(VAULT):
        raise CloudError(
            f"rc_file {path} is encrypted by ansible-vault, and modules read files as they are. Decrypt it, or keep "
            "endpoint_url, access_key and secret_key as variables in an encrypted file of variables."
        )
    found, untold = _assigned(text.splitlines())
    if mode & 0o077 and any(name in found for family in KEY_FAMILIES for name in family[1]):
        warn(f"rc_file {path} holds a secret key and can be read by others (mode {mode & 0o777:04o}); make it 0600.")
    return Source(f"rc_file {path}", found, untold, _told_of(text, found))


def _told_of(text: str, found: t.Mapping[str, str]) -> str:
    """What a file is if it is not what was asked for."""
    if any(found.get(name, "").strip() == "None" for name in URL_VARIABLES):
        return " It says None, as Horizon writes when the cloud's catalogue has no EC2 service: ask for the address."
    if re.search(r"\bOS_(?:AUTH_URL|USERNAME|PROJECT_NAME|TENANT_NAME|APPLICATION_CREDENTIAL_ID)\b", text):
        return (
            " It is a file for Keystone (openrc.sh), not ec2rc.sh: Horizon has that as 'EC2 Credentials', and "
            "'openstack ec2 credentials create' makes the keys."
        )
    if any(ELSEWHERE.match(line) for line in text.splitlines()):
        return " It reads another file, which is not followed: name that one."
    return "" if text.strip() else " It is empty."


def _assigned(lines: t.Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """What lines assign for certain, and the names to which they may assign something else."""
    found: dict[str, str] = {}
    untold: set[str] = set()
    depth, here = 0, None
    for line in lines:
        if here is not None or line.lstrip().startswith("#"):
            # A comment, or a text that is the input of a command.
            here = None if line.strip() == here else here
            continue
        opened = HERE.search(line)
        here = opened[1] if opened else None
        depth += bool(OPENING.match(line))
        values = None if depth else _values(line, found)
        if values is None:
            values = dict.fromkeys(NAMED.findall(line))
        if re.match(r"\s*unset\s", line):
            values.update((name, "") for name in line.split()[1:])
        for name, value in values.items():
            found.pop(name, None)
            untold.discard(name)
            if value is None:
                untold.add(name)
            else:
                found[name] = value
        depth -= bool(depth and CLOSING.search(line))
    return found, untold


def _values(line: str, known: t.Mapping[str, str]) -> dict[str, str | None] | None:
    """What a line of assignments assigns; None of what cannot be told. None if the line is something else."""
    values: dict[str, str | None] = {}
    match = ASSIGNMENT.match(line)
    while match:
        value, rest = _value(match[2], {**known, **{name: one for name, one in values.items() if one is not None}})
        values[match[1]] = value
        if value is None:
            return {**dict.fromkeys(NAMED.findall(line)), **values}
        rest = rest.lstrip()
        if not rest or rest.startswith("#"):
            return values
        if not rest.startswith(";") and not ASSIGNMENT.match(rest):
            # It is set for one command only.
            return None
        match = ASSIGNMENT.match(rest.lstrip("; \t"))
        if not match:
            return {**dict.fromkeys(NAMED.findall(rest)), **values}
    return None


def _value(text: str, known: t.Mapping[str, str]) -> tuple[str | None, str]:
    """What the shell would assign for the text after '=', and what follows it.

    None if that cannot be told without running it.
    """
    at, parts = 0, []
    while at < len(text) and not text[at].isspace() and text[at] != ";":
        match = WORD.match(text, at)
        if not match:
            return None, ""
        single, double, bare = match.groups()
        at = match.end()
        if single is not None:
            parts.append(single)
            continue
        part = double if double is not None else bare
        if "`" in part or UNTOLD.search(REFERENCE.sub("", part)):
            return None, ""
        if any(name not in known for name in _references(part)):
            return None, ""
        part = REFERENCE.sub(lambda reference: known[reference[1] or reference[2]], part)
        parts.append(re.sub(r'\\([$`"\\])' if double is not None else r"\\(.)", r"\1", part))
    return "".join(parts), text[at:]


def _references(part: str) -> list[str]:
    return [braced or plain for braced, plain in REFERENCE.findall(part)]
