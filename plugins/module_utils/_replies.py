# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Answers of the cloud that are not what was asked for, told to people."""

from __future__ import annotations

import email.utils
import re
import time
import typing as t

from ._errors import AUTHENTICATION, NO_SUCH_ACTION, QUOTA, UNKNOWN, CloudError, outcome_of

if t.TYPE_CHECKING:
    from ._wire import Reply

ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>)?\s*<([A-Za-z_][A-Za-z0-9_]*)[\s/>]")
DOCTYPE = re.compile(rb"<!DOCTYPE(?!\s+html)", re.IGNORECASE)
FIELD = {
    name: re.compile(rf"<{name}>(.*?)</{name}>".encode(), re.DOTALL) for name in ("Code", "Message", "RequestI[dD]")
}
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
SHOWN = 300
CLOCK_LIMIT = 300


def error_in(reply: Reply, action: str, url: str, signature_version: int) -> CloudError | None:
    """The error that reply is, or None if it is the XML document that action answers with."""
    kind = ROOT.match(reply.body)
    root = kind[1].decode() if kind else ""
    if DOCTYPE.search(reply.body, 0, 4096):
        return _broken(reply, action, url, "an XML document type, which no EC2 API sends and which is not read")
    if reply.status == 200:
        if not reply.body.strip():
            return _broken(reply, action, url, "nothing at all")
        if root != f"{action}Response":
            what = "an HTML page" if root.lower() == "html" else f"{excerpt(reply.body)!r}"
            return _broken(reply, action, url, f"{what} instead of a {action}Response")
        return None
    return _refusal(reply, action, url, signature_version, root)


def _refusal(reply: Reply, action: str, url: str, signature_version: int, root: str) -> CloudError:
    """An error answer, from its fields where it is XML and from its text otherwise."""
    # By pattern, not parser: Essex does not escape its messages, so its errors are not well-formed.
    code = _field(reply.body, "Code") if root == "Response" else None
    text = _field(reply.body, "Message") if root == "Response" else excerpt(reply.body)
    error = CloudError(
        "",
        error_code=code,
        http_status=reply.status,
        request_id=_field(reply.body, "RequestI[dD]"),
        endpoint=url,
        action=action,
        outcome=outcome_of(reply.status, code),
        cloud_message=text or "",
    )
    said = ": ".join(part for part in (code, text) if part) or f"{reply.reason} and no reason"
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
    if signature_version == 2 and re.search(r"aws4|signature version (2|4)|sigv4|unsupported.?signature", text):
        return "This server wants signature version 4: set signature_version to 4."
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
    parsed = email.utils.parsedate_tz(reply.headers.get("Date", ""))
    return None if parsed is None else time.time() - email.utils.mktime_tz(parsed)


def excerpt(body: bytes) -> str:
    """The beginning of a body as one line of plain text."""
    text = re.sub(r"<[^>]*>", " ", body[: 4 * SHOWN].decode("utf-8", "replace"))
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text[:SHOWN] + ("..." if len(text) > SHOWN else "")


def _field(body: bytes, name: str) -> str | None:
    found = FIELD[name].search(body)
    if not found:
        return None
    text = found[1].decode("utf-8", "replace").strip()
    for entity, char in ENTITIES:
        text = text.replace(entity, char)
    return text or None
