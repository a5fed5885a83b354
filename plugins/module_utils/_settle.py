# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Waiting until a batch is as it shall be, and taking back what two runs at a time launched twice."""

from __future__ import annotations

import time
import typing as t

from ._errors import CloudError
from ._instances import View, states_of
from ._lifecycle import terminate
from ._operation import Operation
from ._slots import number
from ._wait import polls

# For how long after the last change a surplus is left to the run that made it. ec2-api builds VMs one after the other,
# lists each at once, and answers the launch after the last: until then that run takes nothing back.
GRACE_SECONDS = 15.0


def settle(op: Operation, target: int | None, tolerant: bool) -> list[View]:
    """Wait until every VM is in the wanted state; returns those that failed instead (state error).

    target: how many members there shall be, None for VMs by id. tolerant: whether failed ones are left to the caller;
    otherwise they raise CloudError, as do a timeout and VMs that somebody else terminated.
    """
    timeout, surplus = op.session.params["wait_timeout"], Surplus(op, target)
    before = set(op.views)
    for last in polls(len(before), timeout):
        op.look()
        over = surplus.resolve()
        views = list(op.views.values())
        op.progress.states(views, op.goal_state, target if target is not None else len(before))
        failed = [view for view in views if view["state"] == "error" and view["instance_id"] not in op.accepted]
        if failed and not tolerant:
            raise _failed(failed, views)
        _check_vanished(op, before, target)
        waiting = [view for view in views if view["state"] not in (op.goal_state, "error")]
        # Who looks before they are gone would count those that were taken back.
        staying = op.lingering if op.withdrawn else 0
        if not over and not staying and (not waiting or (failed and op.goal.on_error == "replace")):
            return failed
        if last:
            if over or waiting:
                _time_is_up(op, waiting, over, timeout)
            return failed
    return []


def verify(op: Operation, target: int) -> None:
    """Look once after a launch that is not waited for; stay only if another run has launched at the same time."""
    surplus = Surplus(op, target)
    op.look()
    if not surplus.resolve() and not op.withdrawn:
        return
    for last in polls(1, 4 * GRACE_SECONDS):
        op.look()
        over = surplus.resolve()
        if not over and not op.lingering:
            return
        if last and over:
            _time_is_up(op, [], len(op.views) - target, 4 * GRACE_SECONDS)


class Surplus:
    """What another run of the same batch, at the same time, makes too many.

    Each run takes back only what it launched itself. All runs number the members alike, so they agree on which go: the
    highest numbers, those of the launch that came second. A run that was cut short cannot; what it left behind is
    taken by whoever still looks GRACE_SECONDS after the last change, from its own again.
    """

    def __init__(self, op: Operation, target: int | None) -> None:
        self._op = op
        self._target = target
        self._seen: set[str] = set()
        self._changed = 0.0

    def resolve(self) -> int:
        """Terminate what is too much and was launched by this run; returns how many still are too many."""
        op = self._op
        if self._target is None or op.goal.count is None or not op.created:
            return 0
        # While a batch is built in chunks, only what is beyond the whole of it is too much.
        over = len(op.views) - max(self._target, op.goal.count)
        if self._seen != set(op.views):
            self._seen, self._changed = set(op.views), time.monotonic()
        if over <= 0:
            return 0
        # By what every run can see, and nothing else: otherwise each would take its own for the first.
        numbers = number(op.views.values(), {})
        by_number = sorted(op.views, key=lambda value: numbers[value], reverse=True)
        patient = time.monotonic() - self._changed < GRACE_SECONDS
        own = [value for value in (by_number[:over] if patient else by_number) if value in op.own][:over]
        own = op.certain(own)
        if own:
            op.session.warn(
                f"Another run has launched members of batch {op.batch} at the same time. What was launched twice is "
                f"taken back: {', '.join(own)}."
            )
            op.withdrawn += own
            if op.journal:
                op.journal.leaving(own)
            terminate(op.session.connection, own, op.session.warn)
            op.acted = True
            op.left(own)
        return over - len(own)


def _check_vanished(op: Operation, before: set[str], target: int | None) -> None:
    vanished = sorted(before - set(op.views) - op.leaving)
    if vanished and (target is None or len(op.views) < target):
        raise CloudError(
            f"{len(vanished)} of {len(before)} VMs were terminated by somebody else while this task waited for them to "
            f"become {op.goal_state}: {', '.join(vanished[:20])}. Run the task again.",
            vanished_ids=vanished,
        )


def _failed(failed: t.Sequence[View], views: t.Sequence[View]) -> CloudError:
    return CloudError(
        f"{len(failed)} of {len(views)} VMs failed: {states_of(failed)}. on_error says what becomes of such members: "
        "with keep, replace or terminate the next run goes on."
    )


def _time_is_up(op: Operation, waiting: t.Sequence[View], over: int, timeout: float) -> None:
    if over > 0:
        raise CloudError(
            f"Batch {op.batch} has {len(op.views)} members, {over} too many, which this task did not launch: another "
            "run of it is at work, or was cut short. Run the task again when it is done; it terminates what is too "
            "much."
        )
    running, enough = len(op.views) - len(waiting), op.session.params["min_count"]
    said = (
        f"After {timeout:g} s (wait_timeout), {len(waiting)} of {len(op.views)} VMs are not {op.goal_state}: "
        f"{states_of(waiting)}. They go on by themselves; run the task again to wait on."
    )
    if enough is None or running < enough:
        raise CloudError(said, timed_out=True)
    op.session.warn(said)
