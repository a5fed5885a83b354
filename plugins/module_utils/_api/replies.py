# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Answers of the cloud that are not what was asked for, told to people."""

from __future__ import annotations

import email.utils
import time
import typing as t

from .errors import AUTHENTICATION, NO_SUCH_ACTION, QUOTA, UNKNOWN, CloudError, outcome_of
from .promises import SECRET

if t.TYPE_CHECKING:
    from .wire import Reply

ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
# An error is at the beginning of its answer; no more of one is looked at.
LOOKED_AT = 8192
SHOWN = 300
WANTS_VERSION_4 = (
    "aws4", "signature version 2", "signature version 4", "sigv4", "unsupported signature", "unsupported_signature",
    "unsupported-signature", "unsupportedsignature",
)  # fmt: skip
CLOCK_LIMIT = 300


def error_in(reply: Reply, action: str, url: str, signature_version: int) -> CloudError | None:
    """The error that reply is, or None if it is the XML document that action answers with."""
    head = reply.body[:LOOKED_AT]
    root = _root(head)
    if _has_document_type(head):
        return _broken(reply, action, url, "an XML document type, which no EC2 API sends and which is not read")
    if reply.status == 200:
        if not head.strip():
            return _broken(reply, action, url, "nothing at all")
        if root != f"{action}Response":
            said = f"{excerpt(head)!r}" if _may_quote(reply, action) else "something else"
            what = "an HTML page" if root.lower() == "html" else said
            return _broken(reply, action, url, f"{what} instead of a {action}Response")
        return None
    return _refusal(reply, action, url, signature_version, root)


def _root(head: bytes) -> str:
    """The name of the first element of an XML document; '' if it does not begin with one."""
    text = head.lstrip()
    if text.startswith(b"<?xml"):
        text = text.partition(b">")[2].lstrip()
    name = text[1:129].replace(b"/", b" ").replace(b">", b" ").split(None, 1)[:1] if text[:1] == b"<" else []
    found = name[0].decode("latin-1") if name and len(name[0]) < 128 else ""
    return found if found.isascii() and found.isidentifier() else ""


def _has_document_type(head: bytes) -> bool:
    """Whether a document has a type, other than that of a web page."""
    after = head.lower().partition(b"<!doctype")
    return bool(after[1]) and after[2].split(None, 1)[:1] not in ([b"html"], [b"html>"])


def _may_quote(reply: Reply, action: str) -> bool:
    """Whether a part of an answer may be told: not if there may be a secret in it."""
    return action not in SECRET and b"PRIVATE KEY" not in reply.body


def _refusal(reply: Reply, action: str, url: str, signature_version: int, root: str) -> CloudError:
    """An error answer, from its fields where it is XML and from its text otherwise."""
    # Not by a parser: Essex does not escape its messages, so its errors are not well-formed.
    head = b"" if b"PRIVATE KEY" in reply.body else reply.body[:LOOKED_AT]
    code = _field(head, "Code") if root == "Response" else None
    text = _field(head, "Message") if root == "Response" else excerpt(head) if _may_quote(reply, action) else None
    error = CloudError(
        "",
        error_code=code,
        http_status=reply.status,
        request_id=_field(head, "RequestID") or _field(head, "RequestId"),
        endpoint=url,
        action=action,
        outcome=outcome_of(reply.status, code, text or ""),
        cloud_message=text or "",
    )
    error.retry_after = retry_after(reply)
    said = ": ".join(part for part in (code, text) if part) or f"{reply.reason or 'an error'} and no reason"
    where = f"HTTP {reply.status}" + (f", request {error.request_id}" if error.request_id else "")
    error.message = f"{url} answered {action} with {said} ({where})."
    advice = hint(error, reply, signature_version)
    if advice:
        error.message += f" {advice}"
    return error


def _broken(reply: Reply, action: str, url: str, what: str) -> CloudError:
    """An answer that cannot be understood: the request may or may not have been carried out."""
    return CloudError(
        f"{url} answered {action} with HTTP {reply.status} and {what}. Something that is not the EC2 API, such as a "
        "proxy or a web site, may be answering at this address; check endpoint_url.",
        http_status=reply.status,
        endpoint=url,
        action=action,
        outcome=UNKNOWN,
    )


def hint(error: CloudError, reply: Reply, signature_version: int) -> str | None:
    """What to do next about error, where that is known."""
    text = f"{error.error_code} {error.cloud_message}".lower()
    if "signature not provided" in text and signature_version == 4:
        return "This server only knows signature version 2: set signature_version to 2."
    if signature_version == 2 and any(word in text for word in WANTS_VERSION_4):
        return "This server wants signature version 4: set signature_version to 4."
    if error.throttled:
        return "The cloud takes no more requests at the moment. Run the task again later, or fewer of them at a time."
    if reply.status == 403 and not error.error_code:
        return clock_hint(reply)
    if error.error_code is None and reply.status == 404:
        return (
            "There is no EC2 API at this path of endpoint_url: Nova serves it at /services/Cloud (port 8773), ec2-api "
            "at / (8788)."
        )
    if error.error_code is None and reply.status == 400:
        return "This is not an EC2 error; check that endpoint_url is the EC2 API, and http or https as it serves."
    if AUTHENTICATION.matches(error) or reply.status == 401:
        # Keystone, which ec2-api asks, says no more of a time stamp that is too old.
        if abs(ahead(reply) or 0) > CLOCK_LIMIT:
            return clock_hint(reply)
        return (
            "Check that access_key and secret_key belong together and to this cloud ('openstack ec2 credentials "
            "list'), and that signature_version suits the server."
        )
    if QUOTA.matches(error):
        return "The project's quota does not allow that: remove something, ask for fewer, or have the quota raised."
    if NO_SUCH_ACTION.matches(error) and "request is invalid" in text:
        return f"This generation of the server may not have {error.action}."
    return None


def clock_hint(reply: Reply) -> str:
    """Advice on a refused time stamp, with the difference of the clocks where the server shows its own."""
    by = ahead(reply)
    advice = "Clouds refuse requests whose time differs by more than 5 minutes"
    if by is None:
        return f"{advice}: compare the clocks of this machine and of the server."
    if abs(by) < 60:
        return f"{advice}, but the clocks agree within a minute: the user may not be allowed to do this."
    where = "ahead of" if by > 0 else "behind"
    return f"{advice}: this machine's clock is {abs(by):.0f} s {where} the server's. Set the wrong one, best by NTP."


def ahead(reply: Reply) -> float | None:
    """By how many seconds this machine's clock is ahead of the server's, where that shows its own."""
    told = clock_of(reply)
    return None if told is None else time.time() - told


def clock_of(reply: Reply) -> float | None:
    """The server's time, as seconds since 1970, where it shows it and it is one."""
    return _moment((reply.headers.get("Date") or "")[:100])


def _moment(text: str) -> float | None:
    """A time of day as HTTP writes it, as seconds since 1970, if it is one."""
    try:
        parsed = email.utils.parsedate_tz(text)
        return None if parsed is None else float(email.utils.mktime_tz(parsed))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def retry_after(reply: Reply) -> float | None:
    """For how many seconds the server asks to be left alone, if it does; it tells the number, or the time."""
    said = (reply.headers.get("Retry-After") or "").strip()[:100]
    if said.isascii() and said.isdecimal():
        return float(said)
    until = _moment(said)
    return None if until is None else max(0.0, until - (clock_of(reply) or time.time()))


def excerpt(body: bytes) -> str:
    """The beginning of a body as one line of plain text."""
    parts = body[: 4 * SHOWN].decode("utf-8", "replace").split("<")
    text = " ".join([parts[0], *(part.partition(">")[2] if ">" in part else part for part in parts[1:])])
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text[:SHOWN] + ("..." if len(text) > SHOWN else "")


def _field(head: bytes, name: str) -> str | None:
    """The text of the first element of a name, as far as it may be told; None if it has none, or no end."""
    found, end = head.partition(f"<{name}>".encode())[2].partition(f"</{name}>".encode())[:2]
    if not end:
        return None
    text = found.decode("utf-8", "replace").strip()
    for entity, char in ENTITIES:
        text = text.replace(entity, char)
    return text[: 4 * SHOWN] or None
