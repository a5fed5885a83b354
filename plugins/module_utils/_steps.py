# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What has to be done to VMs, and why: a pure decision from what is and what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ._errors import CloudError
from ._instances import View, age_order, states_of
from ._slots import free

RUNNING, STOPPED, REBOOTED, ABSENT = "running", "stopped", "rebooted", "absent"
STATES = {
    "running": RUNNING,
    "present": RUNNING,
    "started": RUNNING,
    "stopped": STOPPED,
    "rebooted": REBOOTED,
    "restarted": REBOOTED,
    "absent": ABSENT,
    "terminated": ABSENT,
}
# What to do with a VM in a state, for a wanted state. A state that is not listed cannot be left through the EC2 API.
MOVES: dict[str, dict[str, str]] = {
    RUNNING: {"running": "keep", "pending": "keep", "stopped": "start"},
    STOPPED: {"running": "stop", "pending": "stop", "stopped": "keep"},
    REBOOTED: {"running": "reboot", "pending": "keep", "stopped": "start"},
}
REASONS = {"start": "it is stopped", "stop": "state is stopped", "reboot": "state is rebooted"}
# Which members a shrinking batch can best do without; the sort key of the last to stay comes first.
REMOVE: dict[str, tuple[str, t.Callable[[View, int], t.Any]]] = {
    "failed_first": ("failed ones, then the highest number", lambda view, slot: (view["state"] == "error", slot)),
    "highest": ("the highest number", lambda view, slot: slot),
    "newest": ("the newest", lambda view, slot: age_order(view)),
    "oldest": ("the oldest", lambda view, slot: _Reversed(age_order(view))),
}


class Step(t.NamedTuple):
    """What happens to one member or VM: keep, start, stop, reboot, terminate, replace or launch."""

    action: str
    slot: int | None
    instance_id: str | None
    reason: str | None
    state: str | None = None
    zone: str | None = None


@dataclass(frozen=True)
class Goal:
    """What a batch shall be like. drift: what is wrong with members, by id."""

    count: int | None = None
    remove: tuple[str, ...] = ("failed_first",)
    max_terminate: int | None = None
    on_error: str = "fail"
    max_replacements: int | None = None
    replace_drifted: bool = False
    drift: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Steps:
    """All steps, by number and id."""

    steps: tuple[Step, ...] = ()

    def ids(self, *actions: str) -> tuple[str, ...]:
        """The VMs that have one of actions."""
        return tuple(step.instance_id for step in self.steps if step.action in actions and step.instance_id)

    def slots(self, *actions: str) -> list[int]:
        """The numbers that have one of actions."""
        return [step.slot for step in self.steps if step.action in actions and step.slot]

    @property
    def needed(self) -> bool:
        """Whether anything has to be done."""
        return any(step.action != "keep" for step in self.steps)

    @property
    def launches(self) -> int:
        """How many VMs are to be launched."""
        return len(self.slots("launch", "replace"))

    def summary(self, name: t.Callable[[int], str | None] = lambda slot: None) -> dict[str, t.Any]:
        """The plan as modules return it; what came of it is added by the run."""
        return {
            "launch": self.launches,
            "created": [],
            "started": list(self.ids("start")),
            "stopped": list(self.ids("stop")),
            "rebooted": list(self.ids("reboot")),
            "terminated": list(self.ids("terminate", "replace")),
            "replaced": list(self.ids("replace")),
            "tagged": [],
            "kept": list(self.ids("keep")),
            "slots": [
                {
                    "slot": step.slot,
                    "name": name(step.slot),
                    "action": step.action,
                    "instance_id": step.instance_id,
                    "reason": step.reason,
                    "availability_zone": step.zone,
                }
                for step in self.steps
                if step.slot
            ],
        }


def decide(
    wanted: str, views: t.Sequence[View], slots: t.Mapping[str, int] | None = None, goal: Goal | None = None
) -> Steps:
    """The steps that bring views to the wanted state and, with a goal, a batch to it. slots: numbers by id.

    A VM in a state that the EC2 API cannot change, and more terminations than are allowed, are errors, raised before
    anything is done.
    """
    slots, goal = slots or {}, goal or Goal()
    if wanted == ABSENT:
        chosen = [_step("terminate", view, slots, "state is absent") for view in views]
    else:
        surplus = _surplus(views, slots, goal)
        chosen = [_step("terminate", view, slots, surplus[view["instance_id"]]) for view in views if _in(surplus, view)]
        rest = [view for view in views if not _in(surplus, view)]
        moves = [(view, _move(wanted, view, goal)) for view in rest]
        _refuse_stuck(wanted, views, [view for view, (action, _reason) in moves if not action])
        chosen += [_step(action, view, slots, reason) for view, (action, reason) in moves]
        if wanted == RUNNING and goal.count is not None:
            missing = free(set(slots.values()), max(0, goal.count - len(views)))
            chosen += [Step("launch", slot, None, f"count is {goal.count}") for slot in missing]
    steps = Steps(tuple(sorted(chosen, key=lambda step: (step.slot or 0, step.instance_id or ""))))
    _brake(wanted, views, steps, goal)
    return steps


def predict(wanted: str, views: t.Sequence[View], steps: Steps) -> list[View]:
    """The VMs that will be there once steps are done, except those yet to be launched."""
    state = RUNNING if wanted == REBOOTED else wanted
    gone = steps.ids("terminate", "replace")
    return [
        {**view, "state": view["state"] if view["state"] == "error" else state}
        for view in views
        if view["instance_id"] not in gone
    ]


def keep_all(views: t.Sequence[View], slots: t.Mapping[str, int]) -> Steps:
    """Steps that leave everything as it is."""
    chosen = [_step("keep", view, slots, None) for view in views]
    return Steps(tuple(sorted(chosen, key=lambda step: (step.slot or 0, step.instance_id or ""))))


class _Reversed(t.NamedTuple):
    key: t.Any

    def __lt__(self, other: t.Any) -> bool:
        return bool(other.key < self.key)


def _step(action: str, view: View, slots: t.Mapping[str, int], reason: str | None) -> Step:
    return Step(action, slots.get(view["instance_id"]), view["instance_id"], reason, view["state"])


def _in(ids: t.Container[str], view: View) -> bool:
    return view["instance_id"] in ids


def _move(wanted: str, view: View, goal: Goal) -> tuple[str, str | None]:
    """What to do with one VM that stays, and why; an empty action if it cannot be brought to the wanted state."""
    state = view["state"]
    if state == "error":
        if goal.on_error == "keep":
            return "keep", "it is in error, which on_error keeps"
        if wanted == RUNNING and goal.on_error in ("replace", "terminate"):
            return goal.on_error, "it is in error"
        return "", None
    drift = goal.drift.get(view["instance_id"])
    if drift and wanted == RUNNING and goal.replace_drifted and state in MOVES[wanted]:
        return "replace", "; ".join(drift)
    action = MOVES[wanted].get(state, "")
    return action, REASONS.get(action) or ("; ".join(drift) if drift else None)


def _surplus(views: t.Sequence[View], slots: t.Mapping[str, int], goal: Goal) -> dict[str, str]:
    """The VMs that a batch can best do without, by id, with the reason."""
    number = 0 if goal.count is None else len(views) - goal.count
    if number <= 0:
        return {}
    if goal.remove[0] in REMOVE:
        said, key = REMOVE[goal.remove[0]]
        last = sorted(views, key=lambda view: key(view, slots.get(view["instance_id"], 0)), reverse=True)
        said = f"count is {goal.count}, and {said} goes first"
    else:
        last = [view for view in views if _in(goal.remove, view)]
        said = f"count is {goal.count}, and remove names it"
        if len(last) < number:
            raise CloudError(
                f"{len(views)} members have to become {goal.count}, but remove names only {len(last)} of them: "
                f"{states_of(last) or 'none'}. Nothing was changed. Name all that may go.",
            )
    return {view["instance_id"]: said for view in last[:number]}


def _brake(wanted: str, views: t.Sequence[View], steps: Steps, goal: Goal) -> None:
    """Refuse to terminate more than is allowed: a wrong count must not take a batch away."""
    gone, limit = len(steps.ids("terminate", "replace")), goal.max_terminate
    failed = len([step for step in steps.steps if step.action == "replace" and step.state == "error"])
    if goal.max_replacements is not None and failed > goal.max_replacements:
        raise CloudError(
            f"{failed} of {len(views)} members are in error, and max_replacements is {goal.max_replacements}. "
            "Nothing was changed."
        )
    if limit is not None and gone > limit:
        said = f"{gone} of {len(views)} VMs would be terminated, and max_terminate is {limit}."
    elif limit is None and wanted != ABSENT and goal.count is not None and 2 * (len(views) - goal.count) > len(views):
        said = (
            f"The batch has {len(views)} members, and to have {goal.count} would terminate {len(views) - goal.count}, "
            f"more than half. If that is meant, set max_terminate to {gone} or more."
        )
    else:
        return
    raise CloudError(f"{said} Nothing was changed.")


def _refuse_stuck(wanted: str, views: t.Sequence[View], stuck: t.Sequence[View]) -> None:
    if not stuck:
        return
    raise CloudError(
        f"{len(stuck)} of {len(views)} VMs cannot be brought to the state {wanted}: {states_of(stuck)}. Nothing was "
        "changed. What becomes of members in error (they failed to build) is said by on_error: keep, replace or "
        "terminate. States such as pause or suspend must be ended through the OpenStack API."
    )
