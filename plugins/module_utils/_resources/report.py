# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What is told of VMs that failed, and of quotas that are used up."""

from __future__ import annotations

import datetime
import re
import time
import typing as t

from .._api.errors import CloudError
from .instances import View
from .views import whole

# Each part has a longest length, so that no text takes long.
QUOTA_TEXT = re.compile(
    r"quota exceeded for (?P<what>[\w, ]{1,100}): requested (?P<requested>[0-9, ]{1,40}), but already used "
    r"(?P<used>[0-9, ]{1,40}) of (?P<limit>[0-9, ]{1,40}) (?P<resource>\w{1,40})",
    re.IGNORECASE,
)
CONSOLES = 3
CONSOLE_LINES = 10
CONSOLE_WIDTH = 200
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def quota_in(message: str) -> dict[str, t.Any] | None:
    """The numbers in 'Quota exceeded for instances: Requested 3, but already used 8 of 10 instances'."""
    found = QUOTA_TEXT.search(message)
    if not found:
        return None
    numbers = {name: whole(found[name].split(",")[0]) for name in ("requested", "used", "limit")}
    return None if None in numbers.values() else {"resource": found["resource"], **numbers}


def failures(connection: t.Any, views: t.Sequence[View], goal: str) -> list[dict[str, t.Any]]:
    """What can be told of VMs that did not reach the state goal; of the first three with their last console lines."""
    return [
        {
            **{key: view.get(key) for key in ("instance_id", "slot", "name", "state", "availability_zone")},
            "age": age(view),
            "reason": _reason(view, goal),
            "console": console(connection, view["instance_id"]) if place < CONSOLES else [],
        }
        for place, view in enumerate(views)
    ]


def age(view: View) -> int | None:
    """For how many seconds a VM has existed, by this machine's clock."""
    try:
        launched = datetime.datetime.strptime(view["launch_time"] or "", "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
    return max(0, int(time.time() - launched.replace(tzinfo=datetime.timezone.utc).timestamp()))


def console(connection: t.Any, instance_id: str) -> list[str]:
    """The last lines of a VM's console, without control characters; empty if the cloud has none to give."""
    try:
        output = connection.get_console_output(instance_id).output or b""
    except CloudError:
        return []
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)
    lines = [clean(line) for line in text[-CONSOLE_LINES * 4 * CONSOLE_WIDTH :].splitlines()]
    return [line for line in lines if line][-CONSOLE_LINES:]


def clean(line: str) -> str:
    """A line as a terminal can show it."""
    plain = "".join(char if char.isprintable() else " " for char in ESCAPES.sub("", line))
    return plain.strip()[:CONSOLE_WIDTH]


def _reason(view: View, goal: str) -> str:
    if view["state"] == "error":
        return "The cloud could not build or run it; the EC2 API gives no reason (often no host has room)."
    return f"It did not become {goal} within wait_timeout; it may still, and the next run waits on."
