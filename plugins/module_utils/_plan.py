# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The plan of the module instance: read, decide, and tell. Nothing is changed here."""

from __future__ import annotations

import typing as t

from ._connection import Endpoint
from ._drift import drift_of
from ._errors import CloudError
from ._instances import View, mark_of, tags_supported
from ._journal import Journal
from ._launch import Launch, launch_of, mark_exists
from ._module import Plan, Session
from ._operation import Operation
from ._progress import Progress
from ._record import record
from ._slots import claim
from ._steps import ABSENT, REBOOTED, REMOVE, RUNNING, STATES, Goal, Step, Steps, decide, keep_all, predict
from ._zones import spread

MOST_GAPS = 100
# What is done to no VM unless it is certain whose it is.
IRREVERSIBLE = ("terminate", "replace", "stop", "reboot")
# What only the cloud can tell of a VM.
UNKNOWN_BEFORE = (
    "instance_id",
    "private_ip_address",
    "public_ip_address",
    "private_dns_name",
    "launch_time",
    "launch_index",
    "reservation_id",
    "root_device_name",
    "root_device_type",
    "owner_id",
    "client_token",
)


def hold(session: Session) -> Journal | None:
    """Keep other runs of the batch on this machine waiting until this process ends."""
    params = session.params
    if params["batch"] is None:
        return None
    endpoint: Endpoint = session.connection.endpoint
    journal = Journal(params["batch"], endpoint.url, session.connection.access_key, warn=session.warn)
    journal.open(params["wait_timeout"])
    return journal


def plan(session: Session) -> Plan:
    """Find the VMs and decide what has to be done."""
    params = session.params
    subject = params["batch"] or "instances"
    op = Operation(
        session,
        STATES[params["state"]],
        session.held,
        Progress(params["progress_file"] if params["progress"] else None, subject),
    )
    _see(op)
    views = list(op.views.values())
    op.goal, op.drift_unknown = _goal(op, views)
    op.steps = _zoned(op, _decided(op, views))
    if op.steps.ids(*IRREVERSIBLE) and len(op.certain(op.views)) < len(views):
        # Another project's: nothing of what was decided holds.
        views = list(op.views.values())
        op.goal, op.drift_unknown = _goal(op, views)
        op.steps = _zoned(op, _decided(op, views))
    op.tag = _to_tag(op, views)
    op.records = _to_record(op, views)
    # While there are members there is a mark; without any it has to be looked for.
    op.unmark = op.wanted == ABSENT and _to_unmark(session, views)
    if params["tags"] and (op.steps.launches or op.tag) and (op.old or not tags_supported(session.connection)):
        raise CloudError("tags: this cloud has none (Nova has tags since Havana). Leave the option out.")
    if op.steps.launches:
        op.launch = launch_of(session.connection, params, op.steps.launches)
    after = _after(op, views)
    return Plan(
        before=_shown_before(op, views),
        after=_shown_after(op),
        result={**op.result(after if op.needed else views), "failed_instances": [] if op.needed else op.report(False)},
        apply=(lambda: _carried_out(op)) if op.needed or _must_wait(op) else None,
        changes=op.needed,
        seen_after=lambda: _shown_after(op, None if op.refused is None else op.slots.values()),
    )


def _carried_out(op: Operation) -> dict[str, t.Any]:
    # Compiled only where it is needed: most runs find everything as it should be.
    from ._carry import keeping_all

    return keeping_all(op)


def _see(op: Operation) -> None:
    """List the VMs; after a request that was cut short, until it has had its effect or is too late for that."""
    params = op.session.params
    op.look()
    if op.batch is not None:
        members, leaving, seconds = op.journal.cut_short() if op.journal else (0, [], 0.0)
        if members or leaving or _doubtful(op):
            _see_through(op, members, leaving, seconds)
        if op.journal:
            op.journal.settle()
            op.journal.gone()
        if not op.views and params["count"] is None and op.wanted != ABSENT:
            op.session.warn(f"Batch {params['batch']} has no members. Set count to have some launched.")
        return
    unknown = sorted(set(params["instance_ids"]) - set(op.views))
    if unknown and op.wanted != ABSENT:
        raise CloudError(f"There are no VMs {', '.join(unknown)} (any more). Nothing was changed.", unknown_ids=unknown)


def _see_through(op: Operation, members: int, leaving: t.Collection[str], seconds: float) -> None:
    """Look until a request that was cut short has had its effect, or is too late for that; never beyond wait_timeout.

    What may still come must not be launched again, nor what goes be counted: who has no time for that changes nothing.
    """
    from ._fill import look_until
    from ._lifecycle import SETTLE_SECONDS

    timeout = op.session.params["wait_timeout"]

    def settled() -> bool:
        return len(op.views) >= members and not op.views.keys() & set(leaving) and not _doubtful(op)

    if not look_until(op, settled, seconds or SETTLE_SECONDS, timeout) and (members or leaving):
        raise CloudError(
            f"A run of batch {op.batch} was cut short a moment ago, and what it asked for may still happen. After "
            f"{timeout} s (wait_timeout) that is not certain. Nothing was changed. Run the task again."
        )


def _doubtful(op: Operation) -> bool:
    """Whether VMs that would be counted as members may be on their way out."""
    return op.wanted == RUNNING and op.unrecorded()


def _goal(op: Operation, views: t.Sequence[View]) -> tuple[Goal, tuple[str, ...]]:
    """What the options ask of the batch, drift looked up; and the options that cannot be compared."""
    params = op.session.params
    if op.batch is None:
        return Goal(max_terminate=params["max_terminate"]), ()
    drift, unknown = ({}, []) if op.wanted != RUNNING else drift_of(op.session.connection, params, views)
    if drift and params["update"] == "none":
        op.session.warn(
            f"{len(drift)} of {len(views)} members of batch {op.batch} differ from the task (see drift in the result). "
            "They stay as they are; update: replace replaces them."
        )
    goal = Goal(
        count=params["count"],
        remove=tuple(params["remove"]),
        max_terminate=params["max_terminate"],
        on_error=params["on_error"],
        max_replacements=params["max_replacements"],
        replace_drifted=params["update"] == "replace",
        drift=drift,
    )
    return goal, tuple(unknown)


def _decided(op: Operation, views: t.Sequence[View]) -> Steps:
    """The steps; a refusal tells all that is known of the VMs."""
    try:
        return decide(op.wanted, views, op.slots, op.goal)
    except CloudError as error:
        op.steps = keep_all(views, op.slots)
        error.details = {**op.result(), "failed_instances": op.report(False)}
        raise


def _zoned(op: Operation, steps: Steps) -> Steps:
    """The steps, with the zones that launches go to."""
    params = op.session.params
    zones = params["availability_zones"] or ([params["availability_zone"]] if params["availability_zone"] else [])
    if not zones:
        return steps
    gone = set(steps.ids("terminate", "replace"))
    stay = [view for view in op.views.values() if view["instance_id"] not in gone]
    chosen = {slot: zone for zone, slots in spread(steps.slots("launch", "replace"), zones, stay, {}) for slot in slots}
    return Steps(
        tuple(
            step._replace(zone=chosen.get(t.cast(int, step.slot)) if step.action in ("launch", "replace") else None)
            for step in steps.steps
        )
    )


def _to_unmark(session: Session, views: t.Sequence[View]) -> bool:
    """Whether the mark of the batch is to be removed; not under VMs that are not waited for."""
    params = session.params
    if params["batch"] is None:
        return False
    return bool(params["wait"]) if views else mark_exists(session.connection, params["batch"])


def _to_tag(op: Operation, views: t.Sequence[View]) -> tuple[str, ...]:
    """The ids of the VMs that are there, stay, and lack one of the tags."""
    tags, gone = op.session.params["tags"], op.steps.ids("terminate", "replace")
    if op.wanted == ABSENT:
        return ()
    stay = [view for view in views if view["instance_id"] not in gone]
    return tuple(view["instance_id"] for view in stay if any(view["tags"].get(key) != tags[key] for key in tags))


def _to_record(op: Operation, views: t.Sequence[View]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The tags that keep the numbers of members which have no record yet: (record, ids)."""
    gone = op.steps.ids("terminate", "replace")
    if op.old or op.batch is None or op.wanted != RUNNING:
        return ()
    launches: dict[str | None, list[View]] = {}
    for view in views:
        if claim(view) is None and view["state"] in ("running", "stopped") and view["instance_id"] not in gone:
            launches.setdefault(view["reservation_id"], []).append(view)
    found = []
    for members in launches.values():
        numbers = {view["launch_index"] or 0: op.slots[view["instance_id"]] for view in members}
        # Tags are short: who has gaps in the launch larger than that is not written down.
        if len(numbers) == len(members) and max(numbers) < len(members) + MOST_GAPS:
            text = record(op.batch, [numbers.get(index, 0) for index in range(max(numbers) + 1)], None)
            found.append((text, tuple(view["instance_id"] for view in members)))
    # The list does not always tell that there are no tags.
    return tuple(found) if found and tags_supported(op.session.connection) else ()


def _must_wait(op: Operation) -> bool:
    """Whether an earlier run's VMs are still on their way, so that this one waits for them."""
    building = any(view["state"] == "pending" for view in op.views.values())
    return bool(op.session.params["wait"]) and op.wanted in (RUNNING, REBOOTED) and building


def _after(op: Operation, views: t.Sequence[View]) -> list[View]:
    """The VMs that there will be, with those to be launched as the cloud would show them, without ids."""
    if op.wanted == ABSENT:
        return []
    tags = op.session.params["tags"]
    after = [{**view, "tags": {**view["tags"], **tags}} for view in predict(op.wanted, views, op.steps)]
    if op.launch is not None:
        steps = [step for step in op.steps.steps if step.action in ("launch", "replace")]
        after += [{**_expected(op.launch, tags, step.zone), "slot": step.slot} for step in steps]
    return after


def _expected(wanted: Launch, tags: dict[str, str], zone: str | None) -> View:
    return {
        **dict.fromkeys(UNKNOWN_BEFORE),
        "state": "running",
        "image_id": wanted.image_id,
        "instance_type": wanted.instance_type,
        "key_name": wanted.key_name,
        "security_groups": sorted([*(wanted.security_groups or ("default",)), mark_of(wanted.batch)]),
        "availability_zone": zone,
        "kernel_id": wanted.kernel_id,
        "ramdisk_id": wanted.ramdisk_id,
        "block_devices": [],
        "tags": tags,
    }


def _shown_before(op: Operation, views: t.Sequence[View]) -> dict[str, t.Any]:
    """VMs as a diff shows them, slot by slot."""
    by_id = {view["instance_id"]: view for view in views}
    lines = {}
    for step in op.steps.steps:
        if step.instance_id:
            reason = f" ({step.reason})" if step.action == "keep" and step.reason else ""
            lines[_label(op, step)] = f"{step.instance_id} {by_id[step.instance_id]['state']}{reason}"
    return _framed(op, lines, {view["instance_id"]: view["tags"] for view in views})


def _shown_after(op: Operation, there: t.Collection[int] | None = None) -> dict[str, t.Any]:
    """The same VMs once all is done, with reasons. there: the numbers that are, if the cloud refused some."""
    lines, tags = {}, {}
    for step in op.steps.steps:
        if there is not None and step.action == "launch" and step.slot not in there:
            continue
        if there is not None and step.action == "replace" and step.instance_id in op.views:
            step = step._replace(action="keep")
        lines[_label(op, step)] = _line(op, step)
        if step.instance_id in op.views and step.action not in ("terminate", "replace"):
            old = op.views[step.instance_id]["tags"]
            tags[step.instance_id] = {**old, **op.session.params["tags"]} if step.instance_id in op.tag else old
    return _framed(op, lines, tags)


def _line(op: Operation, step: Step) -> str:
    """What becomes of one slot, and why."""
    why = f" ({step.reason})" if step.reason else ""
    where = f" in zone {step.zone}" if step.zone else ""
    if step.action == "terminate":
        return f"terminated{why}"
    if step.action in ("launch", "replace"):
        return f"a new VM{where}, running{why}"
    state = step.state if step.action == "keep" else op.goal_state
    return f"{step.instance_id} {state}{why}"


def _framed(op: Operation, lines: dict[str, str], tags: dict[str, t.Any]) -> dict[str, t.Any]:
    shown: dict[str, t.Any] = {"batch": op.batch, "members": lines} if op.batch is not None else {"instances": lines}
    if op.session.params["tags"]:
        shown["tags"] = tags
    return shown


def _label(op: Operation, step: Step) -> str:
    """How a diff calls a member: by name, number or id."""
    if not step.slot:
        return step.instance_id or ""
    width = len(str(max([0, *op.steps.slots("keep", "start", "stop", "reboot", "terminate", "replace", "launch")])))
    return op.named(step.slot) or f"{step.slot:0{width}d}"


def check_policies(params: t.Mapping[str, t.Any]) -> None:
    """Refuse options for batches that contradict each other."""
    if params["batch"] is None:
        for option, default in (("min_count", None), ("name_template", None), ("update", "none"), ("on_error", "fail")):
            if params[option] != default:
                raise CloudError(f"{option} is about the members of a batch: name it as batch.")
    for option, least in (("min_count", 0), ("chunk_size", 1), ("max_unavailable", 1), ("max_failures", 0)):
        if params[option] is not None and params[option] < least:
            raise CloudError(f"{option} must be {least} or more, not {params[option]}.")
    for option in ("max_terminate", "max_replacements"):
        if params[option] is not None and params[option] < 0:
            raise CloudError(f"{option} must be 0 or more, not {params[option]}.")
    if params["min_count"] is not None and (params["count"] is None or params["min_count"] > params["count"]):
        raise CloudError("min_count is the least to be content with of the members that count asks for: at most count.")
    if params["update"] == "replace" and (not params["wait"] or not params["image"]):
        raise CloudError("update: replace goes step by step: it needs image, and wait must not be false.")
    if params["on_error"] == "replace" and not params["image"]:
        raise CloudError("on_error: replace launches VMs: image is needed for that.")
    if not params["remove"] or (params["remove"][0] in REMOVE and len(params["remove"]) > 1):
        raise CloudError(f"remove is one of {', '.join(REMOVE)}, or a list of instance ids.")
