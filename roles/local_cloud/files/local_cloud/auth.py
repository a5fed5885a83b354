# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed a request, and whether the signature and the time on it hold."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import hmac
import re
import urllib.parse

from .errors import NovaError
from .model import User
from .profiles import Profile

_EXPIRY_SECONDS = 300
_KEYSTONE_SECONDS = 900
_WITH_FRACTION = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$")
_CREDENTIAL = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_V4 = "AWS4-HMAC-SHA256"


class PlainError(Exception):
    """A refusal by the HTTP layer: plain text instead of XML. ``text`` is the body after the status line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Unauthorized(NovaError):
    """Credentials that do not hold, with Keystone's status where a generation has statuses at all."""

    def __init__(self, profile: Profile, known: bool = True) -> None:
        super().__init__("AuthFailure", profile.refused_text if known else profile.unknown_key_text)
        self.status = 401 if known else profile.unknown_key_status


@dataclasses.dataclass
class Request:
    """An EC2 request as received.

    ``params`` are query and form merged; header names are lower-case; ``target`` is what the first line asks for, path
    and query as they came.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    params: dict[str, str]
    target: str = ""

    @property
    def signature_version(self) -> str | None:
        """Return what the request claims: ``"4"``, the SignatureVersion parameter, or None."""
        if self.headers.get("authorization", "").startswith("AWS4-"):
            return "4"
        return self.params.get("SignatureVersion")

    @property
    def access_key(self) -> str:
        """Return the access key that the request names, unchecked; empty if it names none."""
        named = self.params.get("AWSAccessKeyId", "")
        return named or self.headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]


def authenticate(profile: Profile, users: dict[str, User], request: Request) -> User:
    """Return the user who signed the request, or raise."""
    authorization = request.headers.get("authorization", "")
    if profile.sigv4 and authorization.startswith(_V4):
        return _version_4(profile, users, request, dict(_CREDENTIAL.findall(authorization)))
    signature = request.params.get("Signature")
    if not signature:
        raise NovaError("AuthFailure", "Signature not provided")
    access = request.params.get("AWSAccessKeyId")
    if not access:
        raise NovaError("AuthFailure", "Access key not provided")
    user = users.get(access)
    if user is None:
        raise Unauthorized(profile, known=False)
    if not _query_signature_holds(user.secret, request, signature):
        raise Unauthorized(profile)
    return user


def _query_signature_holds(secret: str, request: Request, signature: str) -> bool:
    params = {name: value for name, value in request.params.items() if name != "Signature"}
    version = params.get("SignatureVersion", "0")
    if version == "2":
        host = request.headers.get("host", "")
        # The server tries the header as it came and then without its port.
        wanted = [_version_2(secret, request, params, one) for one in sorted({host, host.partition(":")[0]})]
    elif version == "1":
        text = "".join(name + params[name] for name in sorted(params, key=str.lower))
        wanted = [_digest(secret, text, "sha1")]
    else:
        wanted = [_digest(secret, params.get("Action", "") + params.get("Timestamp", ""), "sha1")]
    return any(hmac.compare_digest(one.encode(), signature.encode()) for one in wanted)


def _version_2(secret: str, request: Request, params: dict[str, str], host: str) -> str:
    pairs = sorted((name.encode(), value.encode()) for name, value in params.items())
    query = "&".join(
        urllib.parse.quote(name, safe="") + "=" + urllib.parse.quote(value, safe="-_~") for name, value in pairs
    )
    return _digest(secret, "\n".join((request.method, host, request.path, query)), "sha256")


def _digest(secret: str, text: str, algorithm: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), algorithm).digest()).decode()


def _version_4(profile: Profile, users: dict[str, User], request: Request, parts: dict[str, str]) -> User:
    scope = parts.get("Credential", "").split("/")
    user = users.get(scope[0])
    if user is None or len(scope) != 5:
        raise Unauthorized(profile, known=user is not None)
    signed = parts.get("SignedHeaders", "").split(";")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed)
    # The servers leave the query out of what is checked, so a signed GET with parameters never holds.
    canonical = "\n".join(
        (request.method, request.path, "", headers, ";".join(signed), hashlib.sha256(request.body).hexdigest())
    )
    date = request.headers.get("x-amz-date", request.headers.get("date", ""))
    text = "\n".join((_V4, date, "/".join(scope[1:]), hashlib.sha256(canonical.encode()).hexdigest()))
    key = ("AWS4" + user.secret).encode()
    for part in scope[1:]:
        key = hmac.new(key, part.encode(), "sha256").digest()
    wanted = hmac.new(key, text.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(wanted, parts.get("Signature", "")):
        raise Unauthorized(profile)
    return user


def check_clock(profile: Profile, request: Request, now: float) -> None:
    """Refuse a request that is too old, too far ahead or expired. ``now`` is in seconds since the epoch."""
    stamp, expires = request.params.get("Timestamp"), request.params.get("Expires")
    if profile.keystone_clock and stamp and not _keystone_takes(stamp, now):
        raise Unauthorized(profile)
    if stamp and expires:
        raise PlainError(400, "\n\nRequest must include either Timestamp or Expires, but cannot contain both\n\n   ")
    try:
        if expires:
            late = _seconds(expires) < now
        else:
            late = bool(stamp) and abs(_seconds(stamp or "") - now) > _EXPIRY_SECONDS
    except ValueError:
        late = True
    if late:
        raise PlainError(403, profile.clock_text)


def _keystone_takes(stamp: str, now: float) -> bool:
    try:
        return _seconds(stamp) > now - _KEYSTONE_SECONDS
    except ValueError:
        return False


def _seconds(text: str) -> float:
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if _WITH_FRACTION.match(text) else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc).timestamp()


_PROTOCOL = ("Action", "Signature", "AWSAccessKeyId", "SignatureMethod", "SignatureVersion", "Version", "Timestamp")


def protocol_free(profile: Profile, request: Request) -> dict[str, str]:
    """Return the parameters meant for the action; refuse the request if one of the protocol's own is missing."""
    needed = _PROTOCOL if profile.timestamp_needed else ("Action", "Version")
    if (
        profile.ec2api
        and "Action" in request.params
        and {"Version", "AWSAccessKeyId"} - set(request.params) == {"Version"}
    ):
        broken = "The server has either erred or is incapable of performing the requested operation."
        raise NovaError("HTTPInternalServerError", broken)
    if any(name not in request.params for name in needed):
        raise PlainError(
            400,
            "\n\nThe server could not comply with the request since it is either malformed or otherwise incorrect."
            "\n\n   ",
        )
    return {name: value for name, value in request.params.items() if name not in _PROTOCOL}
