# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Carrying a plan of the module instance out, in an order that loses nothing."""

from __future__ import annotations

import typing as t

from ._connection import attempt
from ._errors import NO_SUCH_ACTION, CloudError, as_error
from ._fill import bring_up, remove
from ._launch import remove_mark
from ._lifecycle import SETTLE_SECONDS, reboot, start, stop
from ._operation import Operation
from ._settle import settle
from ._slots import TAG
from ._steps import ABSENT, REBOOTED, RUNNING
from ._wait import wait_for


def keeping_all(op: Operation) -> dict[str, t.Any]:
    """Carry the steps out; whatever fails, the result tells of every VM seen or started."""
    try:
        _carry_out(op)
        return {**op.result(), "failed_instances": op.report(False), "changed": op.changed}
    except Exception as exc:  # pylint: disable=broad-exception-caught
        # Whatever it is, a fault of ours included.
        error = as_error(exc)
        timed_out = bool(error.details.pop("timed_out", False))
        for view in error.details.pop("instances", []):
            if view["instance_id"] in op.views:
                op.views[view["instance_id"]] = view
        error.details = {**_all_known(op, timed_out), "changed": op.changed, **error.details}
        raise error from exc.__cause__


def _all_known(op: Operation, timed_out: bool) -> dict[str, t.Any]:
    """The result as far as it can be had; the ids in any case."""
    known: dict[str, t.Any] = {"instance_ids": list(dict.fromkeys([*op.views, *op.created]))}
    for more in (op.result, lambda: {"failed_instances": op.report(timed_out)}):
        try:
            known.update(more())
        except Exception:  # pylint: disable=broad-exception-caught
            # What it fails on may be what is being told of.
            continue
    return known


def _carry_out(op: Operation) -> None:
    """Shrink first, because the quota may be needed; start what is stopped before anything is launched."""
    steps, params = op.steps, op.session.params
    failed = [step.instance_id for step in steps.steps if step.action == "replace" and step.state == "error"]
    gone = [*steps.ids("terminate"), *(value for value in failed if value)]
    if gone:
        remove(op, gone)
    if op.unmark:
        remove_mark(op.session.connection, params["batch"], params["wait_timeout"] if params["wait"] else 0)
        op.acted = True
    op.accepted |= {value for value in steps.ids("keep") if op.views[value]["state"] == "error"}
    _change_states(op)
    if op.wanted in (RUNNING, REBOOTED) and op.batch is not None:
        _bring_up(op)
    elif op.wanted != ABSENT and op.views and params["wait"]:
        settle(op, None, False)
    _record(op)
    _set_tags(op)


def _bring_up(op: Operation) -> None:
    """Have all members run, replace those that differ, and judge whether there are enough."""
    steps = op.steps
    target = len(steps.steps) - len(steps.ids("terminate"))
    building = any(view["state"] == "pending" for view in op.views.values())
    if len(op.views) < target or steps.ids("start", "reboot") or (building and op.session.params["wait"]):
        bring_up(op, target)
    if op.refused is None:
        _roll(op, target)
    _judge(op, target if op.goal.count is None else op.goal.count)


def _roll(op: Operation, target: int) -> None:
    """Replace members that differ, at most max_unavailable at a time; the first failure ends it."""
    params = op.session.params
    queue = [value for value in op.steps.ids("replace") if value in op.views]
    total = len(queue)
    while queue:
        part, queue = queue[: params["max_unavailable"]], queue[params["max_unavailable"] :]
        op.progress.say(f"replacing members, {total - len(queue) - len(part)}/{total} done", now=True)
        remove(op, part)
        bring_up(op, target, rolling=True)
        op.replaced += part


def _judge(op: Operation, wanted: int) -> None:
    """Fail if fewer members are there than wanted, unless min_count is content with them."""
    enough = op.session.params["min_count"]
    good = [view for view in op.views.values() if view["state"] != "error"]
    if len(op.views) >= wanted and (enough is None or len(good) >= enough):
        return
    if enough is not None and len(good) >= enough:
        why = f" {op.refused.message}" if op.refused else ""
        op.session.warn(
            f"Batch {op.batch} has {len(good)} of {wanted} members, which min_count is content with.{why} Run the task "
            "again to have the rest launched."
        )
        return
    if op.refused:
        raise op.refused
    raise CloudError(
        f"Batch {op.batch} has {len(good)} good members instead of {wanted if enough is None else enough}: "
        f"{op.failed_builds or len(op.views) - len(good)} failed. Run the task again to have what is missing launched."
    )


def _change_states(op: Operation) -> None:
    session, steps = op.session, op.steps
    patience = (
        session.params["wait_timeout"]
        if session.params["wait"]
        else min(SETTLE_SECONDS, session.params["wait_timeout"])
    )
    op.acted = op.acted or bool(steps.ids("start", "stop", "reboot"))
    if steps.ids("start"):
        start(session.connection, steps.ids("start"), patience, session.warn)
    if steps.ids("stop"):
        building = [value for value in steps.ids("stop") if op.views[value]["state"] == "pending"]
        if building:
            # Nova refuses to stop a VM that is still being built.
            wait_for(session.connection, building, RUNNING, session.params["wait_timeout"])
        stop(session.connection, steps.ids("stop"), patience, session.warn)
    if steps.ids("reboot"):
        reboot(session.connection, steps.ids("reboot"), patience)


def _record(op: Operation) -> None:
    """Keep the numbers in a tag where the server has tags and does not show tokens."""
    records = list(op.records)
    if not op.old and op.session.params["wait"]:
        records += [
            (text, tuple(value for value in ids if value in op.views and op.views[value]["state"] == "running"))
            for text, ids in op.launched
            if not any(op.views[value]["client_token"] for value in ids if value in op.views)
        ]
    for text, ids in records:
        if ids:
            what = f"write down the numbers of {len(ids)} VMs"
            attempt(what, op.session.connection.create_tags, list(ids), {TAG: text}, absent=NO_SUCH_ACTION)
            op.acted = True


def _set_tags(op: Operation) -> None:
    """Tag old and new VMs with one request; those that are still being built cannot be tagged yet."""
    session, tags = op.session, op.session.params["tags"]
    ids = [value for value in (*op.tag, *op.created) if value in op.views] if tags else []
    building = [value for value in ids if op.views[value]["state"] == "pending"]
    if building:
        session.warn(f"{len(building)} VMs are still being built and have no tags yet. Run the task again to set them.")
    ready = [value for value in ids if op.views[value]["state"] in ("running", "stopped")]
    if ready:
        attempt(f"tag {len(ready)} VMs", session.connection.create_tags, ready, tags)
        op.acted = True
        for value in ready:
            op.views[value] = {**op.views[value], "tags": {**op.views[value]["tags"], **tags}}
