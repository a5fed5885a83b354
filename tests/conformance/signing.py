# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of requests: checking recorded ones, and making them anew after ids and times have changed."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import re
import urllib.parse

from .recording import Exchange

STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(.*)\Z")
UNRESERVED = "-_~"


def signature(secret: str, verb: str, host: str, path: str, parameters: dict[str, str]) -> str:
    """Query signature version 2 with HMAC-SHA256."""
    query = "&".join(
        f"{urllib.parse.quote(key, safe='')}={urllib.parse.quote(parameters[key], safe=UNRESERVED)}"
        for key in sorted(parameters)
        if key != "Signature"
    )
    text = f"{verb}\n{host}\n{path}\n{query}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def signed_host(exchange: Exchange, secrets: dict[str, str]) -> str | None:
    """The host that a recorded request was signed for; None if its signature is wrong, on purpose, or missing."""
    parameters = exchange.parameters
    secret = secrets.get(parameters.get("AWSAccessKeyId", ""))
    if secret is None or "Signature" not in parameters:
        return None
    verb, target = exchange.request.start.split(" ")[:2]
    header = exchange.request.header("Host") or ""
    for host in (header, header.partition(":")[0]):
        if signature(secret, verb, host, urllib.parse.urlsplit(target).path, parameters) == parameters["Signature"]:
            return host
    return None


def shifted(stamp: str, recorded_at: datetime.datetime, now: datetime.datetime) -> str:
    """A time stamp as far from now as it was from the time of its recording, in the form it had."""
    match = STAMP.match(stamp)
    if not match:
        return stamp
    moved = now + (datetime.datetime.fromisoformat(match[1]) - recorded_at)
    return moved.strftime("%Y-%m-%dT%H:%M:%S") + match[2]
