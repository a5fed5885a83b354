# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The use case of the module instance: read, decide, and carry the steps out in an order that loses nothing."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ._connection import attempt
from ._errors import CloudError
from ._instances import View, id_order, list_instances, mark_of, members_of, tags_supported
from ._launch import Launch, ensure_mark, launch, launch_of, mark_exists, remove_mark
from ._lifecycle import reboot, start, stop, terminate
from ._module import Plan, Session
from ._steps import ABSENT, REBOOTED, RUNNING, STATES, Steps, decide, predict
from ._wait import wait_for

# What only the cloud can tell of a VM.
UNKNOWN_BEFORE = (
    "instance_id",
    "private_ip_address",
    "public_ip_address",
    "private_dns_name",
    "launch_time",
    "reservation_id",
    "root_device_name",
    "root_device_type",
    "owner_id",
    "client_token",
)


@dataclass
class Operation:
    """One run: what was decided, and what has come of it so far. views: the VMs as last seen, by id."""

    session: Session
    wanted: str
    steps: Steps
    launch: Launch | None
    tag: tuple[str, ...]
    unmark: bool
    views: dict[str, View]
    created: list[str] = field(default_factory=list)

    @property
    def needed(self) -> bool:
        """Whether anything has to be done."""
        return self.steps.needed or bool(self.tag) or self.unmark

    def result(self, views: t.Iterable[View] | None = None) -> dict[str, t.Any]:
        """The module's result, with the VMs as given or as last seen."""
        shown = sorted(self.views.values() if views is None else views, key=id_order)
        return {
            "instances": shown,
            "instance_ids": [view["instance_id"] for view in shown if view["instance_id"]],
            "plan": self.steps.summary(self.created, self.tag),
        }

    def saw(self, views: t.Iterable[View]) -> None:
        """Remember VMs as they are now."""
        self.views.update((view["instance_id"], view) for view in views)

    def forget(self, ids: t.Iterable[str]) -> None:
        """Leave out VMs that are gone."""
        for value in ids:
            self.views.pop(value, None)


def plan(session: Session) -> Plan:
    """Find the VMs and decide what has to be done. Reads only."""
    params, connection = session.params, session.connection
    wanted = STATES[params["state"]]
    views = _select(session, wanted)
    steps = decide(wanted, views, params["count"])
    tag = _to_tag(params["tags"], wanted, views, steps)
    if params["tags"] and (steps.launch or tag) and not tags_supported(connection):
        raise CloudError("tags: this cloud has none (Nova has tags since Havana). Leave the option out.")
    operation = Operation(
        session=session,
        wanted=wanted,
        steps=steps,
        launch=launch_of(connection, params, steps.launch) if steps.launch else None,
        tag=tag,
        # While there are members there is a mark; without any it has to be looked for.
        unmark=wanted == ABSENT and _to_unmark(session, views),
        views={view["instance_id"]: view for view in views},
    )
    after = _after(operation, views)
    return Plan(
        before=_shown(params, views),
        after=_shown(params, after),
        result=operation.result(after if operation.needed else views),
        apply=(lambda: _keeping_ids(operation)) if operation.needed or _must_wait(operation) else None,
        changes=operation.needed,
    )


def _select(session: Session, wanted: str) -> list[View]:
    """The VMs that the task is about, by id."""
    params, connection = session.params, session.connection
    if params["batch"] is not None:
        members = members_of(connection, params["batch"])
        if not members and params["count"] is None and wanted != ABSENT:
            session.warn(f"Batch {params['batch']} has no members. Set count to have some launched.")
        return members
    ids = set(params["instance_ids"])
    views = [view for view in list_instances(connection)[0] if view["instance_id"] in ids]
    unknown = sorted(ids - {view["instance_id"] for view in views})
    if unknown and wanted != ABSENT:
        raise CloudError(f"There are no VMs {', '.join(unknown)} (any more). Nothing was changed.", unknown_ids=unknown)
    return views


def _to_unmark(session: Session, views: t.Sequence[View]) -> bool:
    """Whether the mark of the batch is to be removed; not under VMs that are not waited for."""
    params = session.params
    if params["batch"] is None:
        return False
    return bool(params["wait"]) if views else mark_exists(session.connection, params["batch"])


def _to_tag(tags: t.Mapping[str, str], wanted: str, views: t.Sequence[View], steps: Steps) -> tuple[str, ...]:
    """The ids of the VMs that are there, stay, and lack one of the tags."""
    if wanted == ABSENT:
        return ()
    stay = [view for view in views if view["instance_id"] not in steps.terminate]
    return tuple(view["instance_id"] for view in stay if any(view["tags"].get(key) != tags[key] for key in tags))


def _must_wait(operation: Operation) -> bool:
    """Whether an earlier run's VMs are still on their way, so that this one waits for them."""
    building = any(view["state"] == "pending" for view in operation.views.values())
    return bool(operation.session.params["wait"]) and operation.wanted in (RUNNING, REBOOTED) and building


def _after(operation: Operation, views: t.Sequence[View]) -> list[View]:
    """The VMs that there will be, with those to be launched as the cloud would show them, without ids."""
    if operation.wanted == ABSENT:
        return []
    after = predict(operation.wanted, views, operation.steps)
    tags = operation.session.params["tags"]
    after = [{**view, "tags": {**view["tags"], **tags}} for view in after]
    if operation.launch is not None:
        after += [_expected(operation.launch, tags)] * operation.launch.number
    return after


def _expected(wanted: Launch, tags: dict[str, str]) -> View:
    return {
        **dict.fromkeys(UNKNOWN_BEFORE),
        "state": "running",
        "image_id": wanted.image_id,
        "instance_type": wanted.instance_type,
        "key_name": wanted.key_name,
        "security_groups": sorted([*(wanted.security_groups or ("default",)), mark_of(wanted.batch)]),
        "availability_zone": wanted.availability_zone,
        "kernel_id": wanted.kernel_id,
        "ramdisk_id": wanted.ramdisk_id,
        "block_devices": [],
        "tags": tags,
    }


def _shown(params: t.Mapping[str, t.Any], views: t.Sequence[View]) -> dict[str, t.Any]:
    """VMs as a diff shows them: each one's state, and how many are still to be launched."""
    shown: dict[str, t.Any] = {"batch": params["batch"]} if params["batch"] is not None else {}
    shown["instances"] = {view["instance_id"]: view["state"] for view in views if view["instance_id"]}
    if params["tags"]:
        shown["tags"] = {view["instance_id"]: view["tags"] for view in views if view["instance_id"]}
    shown["to_launch"] = sum(1 for view in views if not view["instance_id"])
    return shown


def _keeping_ids(operation: Operation) -> dict[str, t.Any]:
    """Carry the steps out; whatever fails, the result tells of every VM seen or started."""
    try:
        _carry_out(operation)
    except CloudError as error:
        operation.saw(error.details.pop("instances", []))
        created = error.details.pop("created", [])
        operation.saw(created)
        operation.created += [view["instance_id"] for view in created]
        error.details = {**operation.result(), **error.details}
        raise
    return operation.result()


def _carry_out(operation: Operation) -> None:
    """Shrink first, because the quota may be needed; launch before starting, because only a launch can be refused."""
    session, steps = operation.session, operation.steps
    connection, wait, timeout = session.connection, session.params["wait"], session.params["wait_timeout"]
    if steps.terminate:
        terminate(connection, steps.terminate, session.warn)
        if wait:
            wait_for(connection, steps.terminate, None, timeout)
        operation.forget(steps.terminate)
    if operation.unmark:
        remove_mark(connection, session.params["batch"])
    if operation.launch is not None:
        if not operation.views:
            ensure_mark(connection, operation.launch.batch)
        views = launch(connection, operation.launch, operation.views, session.warn)
        operation.saw(views)
        operation.created += [view["instance_id"] for view in views]
    _change_states(operation)
    if wait and operation.views and operation.wanted != ABSENT:
        goal = RUNNING if operation.wanted == REBOOTED else operation.wanted
        operation.saw(wait_for(connection, list(operation.views), goal, timeout))
    _set_tags(operation)


def _change_states(operation: Operation) -> None:
    session, steps = operation.session, operation.steps
    connection = session.connection
    if steps.start:
        start(connection, steps.start, session.warn)
    if steps.stop:
        building = [value for value in steps.stop if operation.views[value]["state"] == "pending"]
        if building:
            # Nova refuses to stop a VM that is still being built.
            wait_for(connection, building, RUNNING, session.params["wait_timeout"])
        stop(connection, steps.stop, session.warn)
    if steps.reboot:
        reboot(connection, steps.reboot)


def _set_tags(operation: Operation) -> None:
    """Tag old and new VMs with one request; those that are still being built cannot be tagged yet."""
    session, tags = operation.session, operation.session.params["tags"]
    ids = [*operation.tag, *operation.created] if tags else []
    building = [value for value in ids if operation.views[value]["state"] == "pending"]
    if building:
        session.warn(f"{len(building)} VMs are still being built and have no tags yet. Run the task again to set them.")
    ready = [value for value in ids if value not in building]
    if ready:
        attempt(f"tag {len(ready)} VMs", session.connection.create_tags, ready, tags)
        operation.saw({**operation.views[value], "tags": {**operation.views[value]["tags"], **tags}} for value in ready)
