# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The connection options: what a task says, then the rc file it names, then the environment."""

from __future__ import annotations

import os
import re
import typing as t

from ._connection import Endpoint, connect
from ._errors import CloudError
from ._files import read_text_and_mode

CONNECTION_OPTIONS: dict[str, dict[str, t.Any]] = {
    "endpoint_url": {"type": "str", "aliases": ["ec2_url", "url", "aws_endpoint_url"]},
    "access_key": {
        "type": "str",
        "no_log": False,
        "aliases": ["ec2_access_key", "aws_access_key", "aws_access_key_id"],
    },
    "secret_key": {
        "type": "str",
        "no_log": True,
        "aliases": ["ec2_secret_key", "aws_secret_key", "aws_secret_access_key"],
    },
    "rc_file": {"type": "path"},
    "region": {"type": "str", "default": "nova", "aliases": ["ec2_region", "aws_region"]},
    "validate_certs": {"type": "bool", "default": True},
    "ca_bundle": {"type": "path", "aliases": ["aws_ca_bundle", "ca_cert"]},
    "connect_timeout": {"type": "float", "default": 10},
    "read_timeout": {"type": "float", "default": 120},
    "signature_version": {"type": "int", "choices": [2, 4], "default": 2},
}

URL_VARIABLES = ("EC2_URL", "AWS_URL", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")
# Per family, in order: the names of the access key and of the secret key. A pair always comes from one family.
KEY_FAMILIES = (
    (("EC2_ACCESS_KEY",), ("EC2_SECRET_KEY",)),
    (("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")),
)
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
WORD = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:[^\s'"\\;&|<>#]|\\.|(?<=\S)#)+)""", re.DOTALL)
UNTOLD = re.compile(r"(?<!\\)\$[({]")
REFERENCE = re.compile(r"(?<!\\)\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def connect_with(options: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> t.Any:
    """A connection from plain options, as modules and plugins have them. Raises CloudError before anything is sent."""
    return connect(**settled(options, warn))


def settled(options: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> dict[str, t.Any]:
    """The arguments of connect: the options, completed from files and the environment."""
    for name in ("connect_timeout", "read_timeout"):
        if not options[name] > 0:
            raise CloudError(f"{name} must be more than 0 seconds, not {options[name]:g}.")
    sources = _sources(options.get("rc_file"), warn)
    endpoint = Endpoint.parse(_url(options, sources))
    access_key, secret_key = _keys(options, sources, endpoint.url)
    if not options["validate_certs"] and options.get("ca_bundle"):
        warn("ca_bundle has no effect because validate_certs is false.")
    return {
        "endpoint": endpoint,
        "access_key": access_key,
        "secret_key": secret_key,
        "region": options["region"],
        "validate_certs": options["validate_certs"],
        "ca_bundle": options.get("ca_bundle") or os.environ.get("AWS_CA_BUNDLE") or None,
        "connect_timeout": options["connect_timeout"],
        "read_timeout": options["read_timeout"],
        "signature_version": options["signature_version"],
    }


def _sources(rc_file: str | None, warn: t.Callable[[str], None]) -> list[tuple[str, t.Mapping[str, str]]]:
    """Where to look after the task's own options: (name for messages, variables), best first."""
    sources: list[tuple[str, t.Mapping[str, str]]] = []
    if rc_file:
        sources.append((f"rc_file {rc_file}", read_rc_file(rc_file, warn)))
    return [*sources, ("the environment", os.environ)]


def _url(options: t.Mapping[str, t.Any], sources: list[tuple[str, t.Mapping[str, str]]]) -> str:
    if options.get("endpoint_url"):
        return str(options["endpoint_url"])
    for _where, variables in sources:
        for name in URL_VARIABLES:
            # Horizon writes the word None when the cloud's catalogue has no EC2 service.
            if variables.get(name, "").strip() not in ("", "None"):
                return variables[name]
    raise CloudError(
        "No endpoint: give rc_file (Horizon's ec2rc.sh), or endpoint_url (such as "
        f"http://cloud.example.com:8773/services/Cloud), or set {' or '.join(URL_VARIABLES)}. There is no default."
        + (f" {sources[0][0]} sets none of these: it must be ec2rc.sh, not openrc.sh." if sources[1:] else "")
    )


def _keys(options: t.Mapping[str, t.Any], sources: list[tuple[str, t.Mapping[str, str]]], url: str) -> tuple[str, str]:
    given = (options.get("access_key"), options.get("secret_key"))
    if all(given):
        return t.cast("tuple[str, str]", given)
    if any(given):
        missing = "secret_key" if given[0] else "access_key"
        raise CloudError(f"{missing} is missing: access_key and secret_key must be given together.")
    for where, variables in sources:
        for family in KEY_FAMILIES:
            pair = [next((variables[name] for name in names if variables.get(name)), "") for names in family]
            if all(pair):
                return pair[0], pair[1]
            if any(pair):
                has, lacks = (0, 1) if pair[0] else (1, 0)
                raise CloudError(
                    f"{where.capitalize()} has {family[has][0]} but not {family[lacks][0]}: the two belong together "
                    "and are never combined with keys from elsewhere."
                )
    raise CloudError(
        f"No credentials for {url}: give rc_file (Horizon's ec2rc.sh), or access_key and secret_key, or set "
        "EC2_ACCESS_KEY and EC2_SECRET_KEY (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY). 'openstack ec2 "
        "credentials create' makes a pair."
    )


def read_rc_file(path: str, warn: t.Callable[[str], None]) -> dict[str, str]:
    """The variables that a shell file such as Horizon's ec2rc.sh assigns plainly. Nothing is executed.

    Understood are ``[export] NAME=value`` with either quotes, trailing comments, and references to variables that the
    file itself assigned before; anything else, such as a command substitution, leaves the name unset.
    """
    data, mode = read_text_and_mode("rc_file", path)
    lines = data.splitlines()
    found: dict[str, str] = {}
    for line in lines:
        match = ASSIGNMENT.match(line)
        if match:
            value = _value(match[2], found)
            found.pop(match[1], None)
            if value is not None:
                found[match[1]] = value
    if mode & 0o077 and any(name in found for family in KEY_FAMILIES for name in family[1]):
        warn(f"rc_file {path} holds a secret key and can be read by others (mode {mode & 0o777:04o}); make it 0600.")
    return found


def _value(text: str, known: t.Mapping[str, str]) -> str | None:
    """What the shell would assign for the text after '=', or None if that cannot be told without running it."""
    at, parts = 0, []
    while at < len(text) and not text[at].isspace() and text[at] != ";":
        match = WORD.match(text, at)
        if not match:
            return None
        single, double, bare = match.groups()
        at = match.end()
        if single is not None:
            parts.append(single)
            continue
        part = double if double is not None else bare
        if "`" in part or UNTOLD.search(REFERENCE.sub("", part)):
            return None
        if any(name not in known for name in _references(part)):
            return None
        part = REFERENCE.sub(lambda reference: known[reference[1] or reference[2]], part)
        parts.append(re.sub(r'\\([$`"\\])' if double is not None else r"\\(.)", r"\1", part))
    return "".join(parts)


def _references(part: str) -> list[str]:
    return [braced or plain for braced, plain in REFERENCE.findall(part)]
