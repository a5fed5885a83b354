# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The connection options: what a task says, then the rc file it names, or else the environment."""

from __future__ import annotations

import os
import re
import typing as t

from .connection import Endpoint, connect
from .errors import CloudError
from .files import read_text_and_mode

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


class Source(t.NamedTuple):
    """Where endpoint and keys are looked for, as people know it, and what is set there.

    untold are names that are set by what would have to be executed. told_of is what else is to be said of a file in
    which something is missing.
    """

    where: str
    variables: t.Mapping[str, str]
    untold: t.Collection[str] = ()
    told_of: str = ""

    def first(self, names: t.Iterable[str]) -> str:
        """The value of the first of names that has one, without white space around it; '' if none has."""
        return next((found for found in (self.variables.get(name, "").strip() for name in names) if found), "")

    def lacks(self, names: t.Iterable[str]) -> str:
        """Why none of names has a value here, where that is known."""
        computed = [name for name in names if name in self.untold]
        if computed:
            return (
                f" It sets {' and '.join(computed)} by what would have to be executed (a command, a condition, or a "
                "variable that it does not set), and it is only read: write the value itself there."
            )
        return self.told_of


def connect_with(options: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> t.Any:
    """A connection from plain options, as modules and plugins have them. Raises CloudError before anything is sent."""
    return connect(**settled(options, warn))


def settled(options: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> dict[str, t.Any]:
    """The arguments of connect: the options, completed from files and the environment."""
    for name in ("connect_timeout", "read_timeout"):
        if not options[name] > 0:
            raise CloudError(f"{name} must be more than 0 seconds, not {options[name]:g}.")
    source = _source(options.get("rc_file"), warn)
    endpoint = Endpoint.parse(_url(options, source))
    access_key, secret_key = _keys(options, source, endpoint.url)
    if not options["validate_certs"] and options.get("ca_bundle"):
        warn("ca_bundle has no effect because validate_certs is false.")
    return {
        "endpoint": endpoint,
        "access_key": access_key,
        "secret_key": secret_key,
        "region": options["region"],
        "validate_certs": options["validate_certs"],
        "ca_bundle": options.get("ca_bundle") or os.environ.get("AWS_CA_BUNDLE", "").strip() or None,
        "connect_timeout": options["connect_timeout"],
        "read_timeout": options["read_timeout"],
        "signature_version": options["signature_version"],
    }


def _source(rc_file: str | None, warn: t.Callable[[str], None]) -> Source:
    """Where to look for what the task's own options do not say: the file that it names, or else the environment.

    Never in both. What a file lacks would come from another cloud's file that was sourced once.
    """
    return read_rc_file(rc_file, warn) if rc_file else Source("the environment", os.environ)


def _url(options: t.Mapping[str, t.Any], source: Source) -> str:
    if options.get("endpoint_url"):
        return str(options["endpoint_url"])
    for name in URL_VARIABLES:
        if name in source.untold:
            break
        # Horizon writes the word None when the cloud's catalogue has no EC2 service.
        if source.first([name]) not in ("", "None"):
            return source.first([name])
    raise CloudError(
        "No endpoint: give rc_file (Horizon's ec2rc.sh), or endpoint_url (such as "
        f"http://cloud.example.com:8773/services/Cloud), or set {' or '.join(URL_VARIABLES)}. There is no default."
        if source.variables is os.environ
        else f"{source.where} gives no endpoint: none of {', '.join(URL_VARIABLES)}.{source.lacks(URL_VARIABLES)} "
        "What it lacks is not taken from the environment; endpoint_url can say it."
    )


def _keys(options: t.Mapping[str, t.Any], source: Source, url: str) -> tuple[str, str]:
    given = [options.get("access_key"), options.get("secret_key")]
    if any(given) and not all(given):
        missing = "secret_key" if given[0] else "access_key"
        raise CloudError(f"{missing} is missing: access_key and secret_key must be given together.")
    if all(given):
        return _key("access_key", str(given[0])), _key("secret_key", str(given[1]))
    for family in KEY_FAMILIES:
        if any(name in source.untold for names in family for name in names):
            break
        pair = [source.first(names) for names in family]
        if all(pair):
            names = [f"{source.where}, {names[0]}" for names in family]
            return _key(names[0], pair[0]), _key(names[1], pair[1])
        if any(pair):
            has, lacks = (0, 1) if pair[0] else (1, 0)
            raise CloudError(
                f"{source.where[:1].upper()}{source.where[1:]} has {family[has][0]} but not {family[lacks][0]}: the "
                f"two belong together and are never combined with keys from elsewhere.{source.lacks(family[lacks])}"
            )
    if source.variables is not os.environ:
        names = [name for family in KEY_FAMILIES for names in family for name in names]
        raise CloudError(
            f"{source.where} gives no keys: neither EC2_ACCESS_KEY and EC2_SECRET_KEY nor "
            f"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.{source.lacks(names)} What it lacks is not taken from "
            "the environment; access_key and secret_key can say it."
        )
    raise CloudError(
        f"No credentials for {url}: give rc_file (Horizon's ec2rc.sh), or access_key and secret_key, or set "
        "EC2_ACCESS_KEY and EC2_SECRET_KEY (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY). 'openstack ec2 "
        "credentials create' makes a pair."
    )


def _key(where: str, value: str) -> str:
    """A key as it is sent. What is wrong with it is told without showing it."""
    value = value.strip()
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise CloudError(
            f"{where} holds white space, or a character that no key has. Copy it again, on one line and without "
            "quotes; a secret made by 'echo' ends in a line break, which is no part of it."
        )
    return value


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
