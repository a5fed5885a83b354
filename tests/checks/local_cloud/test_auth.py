# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures and the clock."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from local_cloud import auth
from local_cloud.errors import NovaError
from local_cloud.model import User
from local_cloud.profiles import PROFILES

USER = User("demo", "AK", "SK", "demo", "d" * 32, "e" * 32, False)
GRIZZLY = PROFILES["grizzly"]


def signed(host: str = "127.0.0.1", header: str = "127.0.0.1") -> auth.Request:
    """Return a request signed for ``host`` that comes with the Host header ``header``."""
    params = {"AWSAccessKeyId": "AK", "Action": "X", "SignatureVersion": "2", "Value": "a b~ü/"}
    query = "AWSAccessKeyId=AK&Action=X&SignatureVersion=2&Value=a%20b~%C3%BC%2F"
    text = f"POST\n{host}\n/services/Cloud/\n{query}"
    digest = hmac.new(b"SK", text.encode(), hashlib.sha256).digest()
    params["Signature"] = base64.b64encode(digest).decode()
    return auth.Request("POST", "/services/Cloud/", {"host": header}, b"", params)


@pytest.mark.parametrize(("host", "header"), [("h", "h"), ("h:1", "h:1"), ("h", "h:1")])
def test_a_signature_holds_for_the_host_with_or_without_its_port(host: str, header: str) -> None:
    """The server tries both."""
    assert auth.authenticate(GRIZZLY, {"AK": USER}, signed(host, header)) is USER


def test_a_changed_parameter_breaks_the_signature() -> None:
    """Every parameter is signed."""
    request = signed()
    request.params["Value"] = "b"
    with pytest.raises(auth.Unauthorized):
        auth.authenticate(GRIZZLY, {"AK": USER}, request)


def test_version_4_means_no_signature_to_old_servers() -> None:
    """They only look at parameters."""
    request = auth.Request("POST", "/", {"authorization": "AWS4-HMAC-SHA256 Credential=AK"}, b"", {})
    with pytest.raises(NovaError, match="Signature not provided"):
        auth.authenticate(GRIZZLY, {"AK": USER}, request)


@pytest.mark.parametrize(
    ("stamp", "status"),
    [
        ("2013-06-01T00:04:50Z", None),
        ("2013-05-31T23:55:10Z", None),
        ("2013-06-01T00:00:00.123Z", None),
        ("2013-06-01T00:05:10Z", 403),
        ("2013-05-31T23:54:50Z", 403),
        ("2013-06-01T00:00:00", 403),
        ("tomorrow", 403),
    ],
)
def test_the_clock_may_differ_by_five_minutes(stamp: str, status: int | None) -> None:
    """Midnight of 1 June 2013 is 1370044800."""
    request = auth.Request("GET", "/", {}, b"", {"Timestamp": stamp})
    if status is None:
        auth.check_clock(GRIZZLY, request, 1370044800)
        return
    with pytest.raises(auth.PlainError) as refusal:
        auth.check_clock(GRIZZLY, request, 1370044800)
    assert refusal.value.status == status
