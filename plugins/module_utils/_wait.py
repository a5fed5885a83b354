# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Waiting for VMs: one list call per poll for the whole batch, quick at first, then slower."""

from __future__ import annotations

import time
import typing as t

from ._errors import CloudError
from ._instances import View, list_instances, states_of

FIRST_PAUSE = 1.0
GROWTH = 1.3
LONGEST_PAUSE = 5.0
DEAD_END = frozenset({"error"})


def pauses(number: int) -> t.Iterator[float]:
    """Seconds between polls: from 1 to 5, longer for a large batch, whose list is costly for the cloud to make."""
    pause, longest = FIRST_PAUSE, max(LONGEST_PAUSE, number / 50)
    while True:
        yield pause
        pause = min(pause * GROWTH, longest)


def wait_for(connection: t.Any, ids: t.Sequence[str], wanted: str | None, timeout: float) -> list[View]:
    """Poll until every id is in the state wanted, or gone if wanted is None. Returns the VMs still there, by id.

    Raises CloudError with the last states seen as details ``instances`` when timeout (seconds) is over, and at once
    when a VM is in error or has vanished so that the goal cannot be reached.
    """
    expected, views = set(ids), t.cast("list[View]", [])
    deadline = time.monotonic() + timeout
    for pause in pauses(len(expected)):
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
        views = [view for view in list_instances(connection)[0] if view["instance_id"] in expected]
        if wanted is None:
            missing = views
        else:
            _give_up_early(wanted, expected, views)
            missing = [view for view in views if view["state"] != wanted]
        if not missing:
            return views
        if time.monotonic() >= deadline:
            goal = wanted or "terminated"
            raise CloudError(
                f"After {timeout:g} s (wait_timeout), {len(missing)} of {len(expected)} VMs are not {goal}: "
                f"{states_of(missing)}. They go on by themselves; run the task again to wait on.",
                instances=views,
            )
    return views


def _give_up_early(wanted: str, expected: set[str], views: t.Sequence[View]) -> None:
    failed = [view for view in views if view["state"] in DEAD_END]
    vanished = sorted(expected - {view["instance_id"] for view in views})
    if failed:
        raise CloudError(
            f"{len(failed)} of {len(expected)} VMs will not become {wanted}: {states_of(failed)}. The cloud could not "
            "build them; it gives no reason through the EC2 API (often no host has room).",
            instances=list(views),
        )
    if vanished:
        raise CloudError(
            f"{len(vanished)} of {len(expected)} VMs were terminated by somebody else while this task waited for them "
            f"to become {wanted}: {', '.join(vanished[:20])}.",
            instances=list(views),
        )
