# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The plan of the module instance: look, decide, and tell. Nothing is changed before it is carried out."""

from __future__ import annotations

import typing as t

from .._api.errors import CloudError, as_error
from .._module import Plan, Session
from .._resources.instances import View, mark_of, tags_supported
from .._resources.journal import Journal
from .._resources.record import record
from .cloud import Cloud
from .drift import drift_of
from .facts import Agreed
from .goal import ABSENT, REBOOTED, RUNNING, Goal, goal_of
from .loop import Loop
from .outcome import Outcome
from .progress import Progress
from .slots import claim
from .steps import Step, Steps, assess, keep_all, predict

if t.TYPE_CHECKING:
    from .launch import Launch

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
    endpoint = session.connection.endpoint
    journal = Journal(params["batch"], endpoint.url, session.connection.access_key, warn=session.warn)
    journal.open(params["wait_timeout"])
    return journal


def plan(session: Session) -> Plan:
    """Find the VMs and decide what has to be done."""
    params, goal = session.params, goal_of(session.params)
    progress = Progress(params["progress_file"] if params["progress"] else None, goal.batch or "instances")
    cloud = Cloud(session.connection, params, session.warn)
    loop = Loop(cloud, goal, session.held, progress, session.warn)
    loop.begin()
    _check_there(session, loop)
    run = Run(session, loop)
    run.agree()
    return run.plan()


def _check_there(session: Session, loop: Loop) -> None:
    """Warn of a batch without members; refuse VMs by id that are not there."""
    goal, views = loop.goal, loop.seen.views
    if goal.batch is not None:
        if not views and goal.count is None and goal.wanted != ABSENT:
            session.warn(f"Batch {goal.batch} has no members. Set count to have some launched.")
        return
    unknown = sorted(set(session.params["instance_ids"]) - set(views))
    if unknown and goal.wanted != ABSENT:
        raise CloudError(f"There are no VMs {', '.join(unknown)} (any more). Nothing was changed.", unknown_ids=unknown)


class Run:
    """What one task has decided, how it is shown, and what comes of it."""

    def __init__(self, session: Session, loop: Loop) -> None:
        self._session = session
        self._loop = loop
        self._goal = loop.goal
        self._drift: dict[str, list[str]] = {}
        self._drift_unknown: list[str] = []
        self._agreed = Agreed()
        self._launch: Launch | None = None

    def agree(self) -> None:
        """Decide what has to be done, and find out all that is needed to say so."""
        loop, goal = self._loop, self._goal
        steps = self._decided()
        if steps.ids(*IRREVERSIBLE) and loop.keep_own():
            # Another project's: nothing of what was decided holds.
            steps = self._decided()
        unmark = goal.wanted == ABSENT and self._to_unmark()
        self._agreed = Agreed(steps, self._to_tag(steps), self._to_record(steps), unmark)
        tagged = goal.tags and (steps.launches or self._agreed.tag)
        if tagged and (loop.seen.old or not tags_supported(self._session.connection)):
            raise CloudError("tags: this cloud has none (Nova has tags since Havana). Leave the option out.")
        if steps.launches:
            self._launch = loop.cloud.wanted(steps.launches)

    def plan(self) -> Plan:
        """The plan, and how to carry it out."""
        agreed, views = self._agreed, list(self._loop.seen.views.values())
        needed = agreed.steps.needed or bool(agreed.tag) or bool(agreed.records) or agreed.unmark
        outcome = self._outcome()
        report = [] if needed else outcome.report(self._session.connection, False)
        return Plan(
            before=self._shown_before(),
            after=self._shown_after(),
            result={**outcome.result(self._after() if needed else views), "failed_instances": report},
            apply=self._carry_out if needed or self._must_wait() else None,
            changes=needed,
            seen_after=self._shown_after,
        )

    def _carry_out(self) -> dict[str, t.Any]:
        """Carry the plan out; whatever fails, the result tells of every VM seen or started."""
        try:
            self._loop.carry_out(self._agreed)
            outcome = self._outcome()
            report = outcome.report(self._session.connection, False)
            return {**outcome.result(), "failed_instances": report, "changed": outcome.memory.changed_something}
        except Exception as exc:  # pylint: disable=broad-exception-caught
            # Whatever it is, a fault of ours included.
            error = as_error(exc)
            timed_out = bool(error.details.pop("timed_out", False))
            error.details.pop("instances", None)
            changed = self._loop.memory.changed_something
            error.details = {**self._all_known(timed_out), "changed": changed, **error.details}
            raise error from exc.__cause__

    def _all_known(self, timed_out: bool) -> dict[str, t.Any]:
        """The result as far as it can be had; the ids in any case."""
        outcome = self._outcome()
        known: dict[str, t.Any] = {
            "instance_ids": list(dict.fromkeys([*outcome.seen.views, *outcome.memory.created])),
        }
        for more in (
            outcome.result,
            lambda: {"failed_instances": outcome.report(self._session.connection, timed_out)},
        ):
            try:
                known.update(more())
            except Exception:  # pylint: disable=broad-exception-caught
                # What it fails on may be what is being told of.
                continue
        return known

    def _outcome(self) -> Outcome:
        loop, template = self._loop, self._session.params["name_template"]
        endpoint = self._session.connection.endpoint.url
        return Outcome(
            self._goal, self._agreed, loop.seen, loop.memory, template, endpoint, self._drift, self._drift_unknown
        )

    def _decided(self) -> Steps:
        """The steps, with the zones that launches go to; a refusal tells all that is known of the VMs."""
        goal, seen = self._goal, self._loop.seen
        views = list(seen.views.values())
        self._find_drift(views)
        try:
            return self._zoned(assess(goal, views, seen.slots, self._drift))
        except CloudError as error:
            self._agreed = Agreed(keep_all(views, seen.slots))
            outcome = self._outcome()
            report = outcome.report(self._session.connection, False)
            error.details = {**outcome.result(), "failed_instances": report}
            raise

    def _find_drift(self, views: t.Sequence[View]) -> None:
        goal = self._goal
        if goal.batch is None or goal.wanted != RUNNING:
            return
        self._drift, self._drift_unknown = drift_of(self._session.connection, self._session.params, views)
        if self._drift and goal.update == "none":
            self._session.warn(
                f"{len(self._drift)} of {len(views)} members of batch {goal.batch} differ from the task (see drift in "
                "the result). They stay as they are; update: replace replaces them."
            )

    def _zoned(self, steps: Steps) -> Steps:
        zones = self._goal.zones
        if not zones:
            return steps
        from .zones import spread

        gone = set(steps.ids("terminate", "replace"))
        stay = [view for key, view in self._loop.seen.views.items() if key not in gone]
        shares = spread(steps.slots("launch", "replace"), zones, stay, {})
        chosen = {slot: zone for zone, slots in shares for slot in slots}
        return Steps(
            tuple(
                step._replace(zone=chosen.get(t.cast(int, step.slot))) if step.action in ("launch", "replace") else step
                for step in steps.steps
            )
        )

    def _to_unmark(self) -> bool:
        """Whether the mark of the batch is to be removed; not under VMs that are not waited for."""
        if self._goal.batch is None:
            return False
        if self._loop.seen.views:
            # While there are members there is a mark; without any it has to be looked for.
            return self._goal.wait
        from .launch import mark_exists

        return mark_exists(self._session.connection, self._goal.batch)

    def _to_tag(self, steps: Steps) -> tuple[str, ...]:
        """The ids of the VMs that are there, stay, and lack one of the tags."""
        tags, gone = self._goal.tags, steps.ids("terminate", "replace")
        if self._goal.wanted == ABSENT:
            return ()
        stay = [view for key, view in self._loop.seen.views.items() if key not in gone]
        return tuple(view["instance_id"] for view in stay if any(view["tags"].get(key) != tags[key] for key in tags))

    def _to_record(self, steps: Steps) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The tags that keep the numbers of members which have no record yet: (record, ids)."""
        goal, seen, gone = self._goal, self._loop.seen, steps.ids("terminate", "replace")
        if seen.old or goal.batch is None or goal.wanted != RUNNING:
            return ()
        launches: dict[str | None, list[View]] = {}
        for view in seen.views.values():
            if claim(view) is None and view["state"] in ("running", "stopped") and view["instance_id"] not in gone:
                launches.setdefault(view["reservation_id"], []).append(view)
        found = []
        for members in launches.values():
            numbers = {view["launch_index"] or 0: seen.slots[view["instance_id"]] for view in members}
            # Tags are short: who has gaps in the launch larger than that is not written down.
            if len(numbers) == len(members) and max(numbers) < len(members) + MOST_GAPS:
                text = record(goal.batch, [numbers.get(index, 0) for index in range(max(numbers) + 1)], None)
                found.append((text, tuple(view["instance_id"] for view in members)))
        # The list does not always tell that there are no tags.
        return tuple(found) if found and tags_supported(self._session.connection) else ()

    def _must_wait(self) -> bool:
        """Whether an earlier run's VMs are still on their way, so that this one waits for them."""
        goal = self._goal
        late = self._loop.seen.states("pending") or (goal.wait_for != "running" and self._loop.facts().underway)
        return goal.wait and goal.wanted in (RUNNING, REBOOTED) and bool(late)

    def _after(self) -> list[View]:
        """The VMs that there will be, with those to be launched as the cloud would show them, without ids."""
        goal, steps = self._goal, self._agreed.steps
        if goal.wanted == ABSENT:
            return []
        there = predict(goal.wanted, list(self._loop.seen.views.values()), steps)
        after = [{**view, "tags": {**view["tags"], **goal.tags}} for view in there]
        if self._launch is not None:
            new = [step for step in steps.steps if step.action in ("launch", "replace")]
            after += [{**_expected(self._launch, goal, step.zone), "slot": step.slot} for step in new]
        return after

    def _shown_before(self) -> dict[str, t.Any]:
        """VMs as a diff shows them, slot by slot."""
        lines, views = {}, self._loop.seen.views
        for step in self._agreed.steps.steps:
            if step.instance_id:
                reason = f" ({step.reason})" if step.action == "keep" and step.reason else ""
                lines[self._label(step)] = f"{step.instance_id} {views[step.instance_id]['state']}{reason}"
        return self._framed(lines, {key: view["tags"] for key, view in views.items()})

    def _shown_after(self) -> dict[str, t.Any]:
        """The same VMs once all is done, with reasons; if the cloud refused some, what came about."""
        lines: dict[str, str] = {}
        tags: dict[str, t.Any] = {}
        seen = self._loop.seen
        there = None if self._loop.memory.refused is None else seen.slots.values()
        for step in self._agreed.steps.steps:
            if there is not None and step.action == "launch" and step.slot not in there:
                continue
            if there is not None and step.action == "replace" and step.instance_id in seen.views:
                step = step._replace(action="keep")
            lines[self._label(step)] = self._line(step)
            if step.instance_id and step.instance_id in seen.views and step.action not in ("terminate", "replace"):
                old = seen.views[step.instance_id]["tags"]
                tags[step.instance_id] = {**old, **self._goal.tags} if step.instance_id in self._agreed.tag else old
        return self._framed(lines, tags)

    def _line(self, step: Step) -> str:
        """What becomes of one slot, and why."""
        why = f" ({step.reason})" if step.reason else ""
        where = f" in zone {step.zone}" if step.zone else ""
        if step.action == "terminate":
            return f"terminated{why}"
        if step.action in ("launch", "replace"):
            return f"a new VM{where}, running{why}"
        state = step.state if step.action == "keep" else self._goal.state
        return f"{step.instance_id} {state}{why}"

    def _framed(self, lines: dict[str, str], tags: dict[str, t.Any]) -> dict[str, t.Any]:
        batch = self._goal.batch
        shown: dict[str, t.Any] = {"batch": batch, "members": lines} if batch is not None else {"instances": lines}
        if self._goal.tags:
            shown["tags"] = tags
        return shown

    def _label(self, step: Step) -> str:
        """How a diff calls a member: by name, number or id."""
        if not step.slot:
            return step.instance_id or ""
        last = max(other.slot or 0 for other in self._agreed.steps.steps)
        return self._outcome().named(step.slot) or f"{step.slot:0{len(str(last))}d}"


def _expected(wanted: Launch, goal: Goal, zone: str | None) -> View:
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
        "tags": goal.tags,
    }
