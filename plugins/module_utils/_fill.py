# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Launching what a batch lacks: each request once, marked, and looked for when its answer is lost."""

from __future__ import annotations

import math
import time
import typing as t

from ._errors import GROUP_AMBIGUOUS, NOT_SENT, QUOTA, REFUSED, ZONE_UNAVAILABLE, CloudError
from ._instances import View
from ._journal import LATE_SECONDS
from ._launch import Launch, advice, by_index, ensure_mark, launch_of, request, single_mark
from ._lifecycle import terminate
from ._operation import Operation
from ._record import recordable
from ._report import quota_in
from ._settle import settle, verify
from ._slots import free
from ._wait import pauses, wait_for
from ._zones import spread

# For how long VMs are looked for whose launch was not answered.
LOOK_SECONDS = 20.0


def bring_up(op: Operation, target: int, *, rolling: bool = False) -> None:
    """Have target members run: launch what is missing, chunk by chunk, wait, and do with failures as on_error says.

    rolling: any failure ends the run.
    """
    params, tolerant = op.session.params, not rolling and op.goal.on_error != "fail"
    while True:
        missing = target - len(op.views)
        if missing > 0 and op.refused is None:
            if not op.views:
                op.acted = ensure_mark(op.session.connection, op.batch or "") or op.acted
            _launch_spread(op, free(set(op.slots.values()), min(missing, params["chunk_size"] or missing)))
        if params["wait"]:
            target -= _deal_with(op, settle(op, min(target, len(op.views)), tolerant))
        if len(op.views) >= target or op.refused is not None:
            break
    if not params["wait"] and op.created:
        verify(op, target)


def look_until(op: Operation, settled: t.Callable[[], bool], seconds: float, most: float = math.inf) -> bool:
    """Look at the batch until it has settled, or nothing has changed for so many seconds. False after most of them.

    ec2-api builds VMs one after the other inside a request, so they may go on showing up for minutes.
    """
    seen, deadline, end = set(op.views), time.monotonic() + seconds, time.monotonic() + most
    for pause in pauses(len(op.views)):
        op.look()
        if seen != set(op.views):
            seen, deadline = set(op.views), time.monotonic() + seconds
        now = time.monotonic()
        left = min(deadline, end) - now
        if settled() or left <= 0:
            return settled() or deadline <= now
        op.progress.say(f"looking what became of a request that was cut short, {len(op.views)} VMs there")
        time.sleep(min(pause, left))
    raise AssertionError("unreachable")


def _launch_spread(op: Operation, slots: t.Sequence[int]) -> None:
    """Launch into zones; a zone that the cloud refuses hands its share to the others."""
    params = op.session.params
    zones = list(params["availability_zones"] or ([params["availability_zone"]] if params["availability_zone"] else []))
    pending = spread(slots, zones, op.views.values(), op.shunned)
    whole = len(pending) == 1 and not params["chunk_size"]
    while pending and op.refused is None:
        zone, numbers = pending.pop(0)
        fit = recordable(numbers)
        if fit < len(numbers):
            pending.insert(0, (zone, numbers[fit:]))
        try:
            _launch(op, zone, numbers[:fit], whole and fit == len(numbers))
        except CloudError as error:
            if not ZONE_UNAVAILABLE.matches(error) or error.outcome != REFUSED or len(zones) < 2:
                raise
            zones.remove(t.cast(str, zone))
            op.session.warn(f"{error.message} The other zones take its share.")
            pending += spread(numbers[:fit], zones, op.views.values(), op.shunned)


def _launch(op: Operation, zone: str | None, slots: t.Sequence[int], whole: bool, mend: bool = True) -> None:
    """One launch request, and what its answer says. whole: it asks for everything that is missing.

    mend: whether it may be sent again after a refusal whose cause could be removed.
    """
    op.launch = op.launch or launch_of(op.session.connection, op.session.params, len(slots))
    enough = op.session.params["min_count"]
    least = len(slots) if enough is None else max(1, min(len(slots), enough - len(op.views))) if whole else 1
    expected = len(op.views) + len(slots)
    if op.journal:
        op.journal.expect(expected)
    op.progress.say(f"launching {len(slots)} VMs", now=True)
    try:
        record, views = request(op.session.connection, op.launch, slots, zone, least, op.views.keys() | op.leaving)
    except CloudError as error:
        token = error.details.pop("token", "")
        if error.outcome not in (REFUSED, NOT_SENT):
            _look(op, slots, zone, token, error)
            return
        if op.journal:
            op.journal.settle()
        if mend and GROUP_AMBIGUOUS.matches(error):
            single_mark(op.session.connection, op.batch or "")
            _launch(op, zone, slots, whole, mend=False)
            return
        _refused(op, error)
        return
    if op.journal:
        op.journal.settle()
    op.started(record, slots, views, zone)
    if len(views) < len(slots):
        op.refused = CloudError(f"The cloud started {len(views)} VMs of batch {op.batch} instead of {len(slots)}.")


def _refused(op: Operation, error: CloudError) -> None:
    """A launch that the cloud refused: the batch may be large enough without."""
    quota = quota_in(error.cloud_message)
    if quota:
        error.details["quota"] = quota
    enough = op.session.params["min_count"]
    if enough is None or not QUOTA.matches(error) or len(op.views) < enough:
        error.message += advice(op.session.connection, t.cast(Launch, op.launch), error)
        raise error
    op.refused = error


def _look(op: Operation, slots: t.Sequence[int], zone: str | None, token: str, error: CloudError) -> None:
    """Find the VMs of a launch whose answer was lost. It is not sent again."""
    before, number = set(op.views), len(slots)
    expected = len(before) + number
    if op.journal:
        op.journal.expect(expected)
    try:
        look_until(op, lambda: len(op.views) >= expected, LOOK_SECONDS)
        seen = f"was then listed until nothing new had shown up for {LOOK_SECONDS:g} s"
    except CloudError as unseen:
        seen = f"could then not be listed either ({unseen.message})"
    new = [view for key, view in op.views.items() if key not in before]
    # Where the cloud shows tokens, they tell this launch from that of another run.
    found = ([view for view in new if view["client_token"] == token] or new)[:number]
    op.started(token, slots, sorted(found, key=by_index), zone)
    if len(found) == number:
        if op.journal:
            op.journal.settle()
        op.session.warn(f"{error.message} All {number} VMs are there all the same, and were taken over.")
        return
    enough = op.session.params["min_count"]
    if enough is not None and len(op.views) >= enough:
        op.refused = error
        return
    error.message += (
        f" The batch {seen}: {len(found)} of the {number} VMs showed up. Nothing was sent again. Run the task again: "
        f"within {LATE_SECONDS:g} s it looks for late ones first, takes over whatever bears the mark of the batch, "
        "and launches only what is missing."
    )
    raise error


def _deal_with(op: Operation, failed: t.Sequence[View]) -> int:
    """Do with failed members as on_error says; returns by how many the batch is to be smaller."""
    if not failed:
        return 0
    ids, policy, params = [view["instance_id"] for view in failed], op.goal.on_error, op.session.params
    op.failed_builds += len(failed)
    if params["chunk_size"] and op.failed_builds > params["max_failures"]:
        raise CloudError(
            f"{op.failed_builds} VMs have failed, and max_failures is {params['max_failures']}: no more are launched."
        )
    if policy == "keep":
        op.accepted.update(ids)
        op.session.warn(f"{len(ids)} members are in error and are kept, as on_error says: {', '.join(ids)}.")
        return 0
    if policy == "replace":
        _count_replacements(op, failed)
    for view in failed:
        if view["availability_zone"]:
            op.shunned.setdefault(op.slots[view["instance_id"]], set()).add(view["availability_zone"])
    remove(op, ids)
    op.replaced += ids if policy == "replace" else []
    op.withdrawn += ids
    return 0 if policy == "replace" else len(ids)


def _count_replacements(op: Operation, failed: t.Sequence[View]) -> None:
    limit = op.goal.max_replacements
    op.replacements += len(failed)
    limit = len(op.views) if limit is None else limit
    if op.replacements > limit:
        raise CloudError(f"{op.replacements} members would have to be replaced, and max_replacements is {limit}.")


def remove(op: Operation, ids: t.Sequence[str]) -> None:
    """Terminate VMs, and wait until they are gone if the task waits at all."""
    session, ids = op.session, op.certain(ids)
    if op.journal:
        op.journal.leaving(ids)
    try:
        terminate(session.connection, ids, session.warn)
        op.acted = op.acted or bool(ids)
    except CloudError as error:
        if op.journal and error.outcome in (REFUSED, NOT_SENT):
            op.journal.gone()
        raise
    op.left(ids)
    if session.params["wait"]:
        wait_for(session.connection, ids, None, session.params["wait_timeout"], op.progress.say)
        if op.journal:
            op.journal.gone()
