# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Consoles: one request for each VM, as there is no other way to ask, and what they show as plain text."""

from __future__ import annotations

import base64
import re
import typing as t

from .._api.connection import attempt
from .._api.errors import CONSOLE_NOT_READY, INSTANCE_GONE, SERVER_TROUBLE, CloudError
from .instances import View
from .report import ESCAPES
from .views import moment

LINE_ENDS = re.compile(r"\r+\n|\n|\r")


class Console(t.NamedTuple):
    """What came for a VM: its console, as bytes and as clean lines; or why it has none; or what failed, as cause."""

    output: bytes | None = None
    lines: tuple[str, ...] = ()
    timestamp: str | None = None
    error: str | None = None
    cause: CloudError | None = None


def read_console(connection: t.Any, view: View) -> Console:
    """Ask for the console of a VM. What may concern this VM alone is part of the answer, and raises nothing."""
    instance_id, state = view["instance_id"], view["state"]
    if state == "pending":
        return Console(error="The VM is pending, and has no console yet.")
    try:
        shown = attempt(f"get the console of {instance_id}", connection.get_console_output, instance_id)
    except CloudError as error:
        if INSTANCE_GONE.matches(error):
            return Console(error="The VM is gone.")
        if CONSOLE_NOT_READY.matches(error) or (state == "error" and SERVER_TROUBLE.matches(error)):
            return Console(error=f"The VM is {state}, and has no console: it is on no host. {error.message}")
        return Console(error=error.message, cause=error)
    output = shown.output or b""
    return Console(output, tuple(clean_lines(output)), moment(shown.timestamp))


def clean_lines(output: bytes) -> list[str]:
    """The lines of a console as a page of text has them: no escapes, no control characters, no blanks at the end."""
    lines = [clean(line) for line in LINE_ENDS.split(output.decode("utf-8", "replace"))]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def clean(line: str) -> str:
    """A line without what would control a terminal."""
    shown = [char if char.isprintable() or char == "\t" else " " * char.isspace() for char in ESCAPES.sub("", line)]
    return "".join(shown).expandtabs().rstrip()


def console_view(view: View, console: Console, tail: int | None, raw: bool) -> View:
    """A VM and its console. tail: how many lines to show."""
    lines = list(console.lines)
    if tail is not None:
        lines = lines[-tail:] if tail else []
    shown = {
        "instance_id": view["instance_id"],
        "name": view["tags"].get("Name"),
        "state": view["state"],
        "timestamp": console.timestamp,
        "lines": lines,
        "output": None if console.output is None else "".join(f"{line}\n" for line in lines),
        "error": console.error,
    }
    if raw:
        shown["raw"] = None if console.output is None else base64.b64encode(console.output).decode()
    return shown
