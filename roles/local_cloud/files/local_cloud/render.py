# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies and errors as the text that goes over the wire."""

from __future__ import annotations

import datetime
from typing import Any
from xml.sax.saxutils import escape

_NAMESPACE = "http://ec2.amazonaws.com/doc/%s/"
_ATTRIBUTE = {'"': "&quot;"}
_ERROR = {'"': "&quot;", "'": "&apos;"}


def timestamp(seconds: float) -> str:
    """Return UTC ``seconds`` since the epoch as ``2013-05-14T08:27:13.000Z``, always with three decimals."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def reply(action: str, version: str, request_id: str, data: dict[str, Any], pretty: bool) -> str:
    """Return the body of a success reply: one line with a declaration, or indented without one."""
    name = f"{action}Response"
    namespace = escape(_NAMESPACE % version, _ATTRIBUTE)
    # Some replies hold the request id a second time.
    children = [("requestId", request_id), *data.items()]
    parts: list[str] = []
    if pretty:
        parts.append(f'<{escape(name)} xmlns="{namespace}">\n')
        for key, value in children:
            _indented(parts, key, value, 1)
        parts.append(f"</{name}>\n")
    else:
        parts.append(f'<?xml version="1.0" ?><{name} xmlns="{namespace}">')
        for key, value in children:
            _compact(parts, key, value)
        parts.append(f"</{name}>")
    return "".join(parts)


def error(code: str, message: str, request_id: str) -> str:
    """Return the body of an error reply; it has the same form in every generation."""
    return (
        '<?xml version="1.0"?>\n<Response><Errors><Error>'
        f"<Code>{escape(code, _ERROR)}</Code><Message>{escape(message, _ERROR)}</Message>"
        f"</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    )


def text_of(value: Any) -> str:
    """Return a plain value as the server writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _children(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [("item", entry) for entry in value]
    pairs: list[tuple[str, Any]] = []
    for key, entry in value.items():
        # A tuple stands for an element that is repeated.
        pairs.extend((key, one) for one in (entry if isinstance(entry, tuple) else (entry,)))
    return pairs


def _compact(parts: list[str], name: str, value: Any) -> None:
    if value is None or value == [] or value == {}:
        parts.append(f"<{name}/>")
    elif isinstance(value, (list, dict)):
        parts.append(f"<{name}>")
        for key, entry in _children(value):
            _compact(parts, key, entry)
        parts.append(f"</{name}>")
    else:
        text = text_of(value)
        parts.append(f"<{name}>{text if text.isalnum() else escape(text, _ATTRIBUTE)}</{name}>")


def _indented(parts: list[str], name: str, value: Any, depth: int) -> None:
    pad = "  " * depth
    if value is None or value == "" or value == [] or value == {}:
        parts.append(f"{pad}<{name}/>\n")
    elif isinstance(value, (list, dict)):
        parts.append(f"{pad}<{name}>\n")
        for key, entry in _children(value):
            _indented(parts, key, entry, depth + 1)
        parts.append(f"{pad}</{name}>\n")
    else:
        parts.append(f"{pad}<{name}>{escape(text_of(value))}</{name}>\n")
