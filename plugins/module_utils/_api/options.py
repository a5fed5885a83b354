# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The connection options: what a task says, then the rc file it names, or else the environment."""

from __future__ import annotations

import os
import typing as t

from .connection import Endpoint, connect
from .errors import CloudError
from .source import KEY_FAMILIES, URL_VARIABLES, Source

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
    if not rc_file:
        return Source("the environment", os.environ)
    from .rc_file import read_rc_file

    return read_rc_file(rc_file, warn)


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
