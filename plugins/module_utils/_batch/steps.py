# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What has to become of each VM, and why: a pure decision from what is seen and what is wanted.

This is what check mode and diff show. MEMBER_RULES says it for one VM; in which order it is carried out is said by
rules.py.
"""

from __future__ import annotations

import typing as t

from .._api.errors import CloudError
from .._resources.instances import View, age_order, states_of
from .goal import ABSENT, REBOOTED, RUNNING, STOPPED, Goal
from .slots import free

# What to do with a VM in a state, for a wanted state. A state that is not listed cannot be left through the EC2 API.
MOVES: dict[str, dict[str, str]] = {
    RUNNING: {"running": "keep", "pending": "keep", "stopped": "start"},
    STOPPED: {"running": "stop", "pending": "stop", "stopped": "keep"},
    REBOOTED: {"running": "reboot", "pending": "keep", "stopped": "start"},
}
REASONS = {"start": "it is stopped", "stop": "state is stopped", "reboot": "state is rebooted"}
# Which members a shrinking batch can best do without; the sort key of the last to stay comes first.
FIRST_TO_GO: dict[str, tuple[str, t.Callable[[View, int], t.Any]]] = {
    "failed_first": ("failed ones, then the highest number", lambda view, slot: (view["state"] == "error", slot)),
    "highest": ("the highest number", lambda view, slot: slot),
    "newest": ("the newest", lambda view, slot: age_order(view)),
    "oldest": ("the oldest", lambda view, slot: _Reversed(age_order(view))),
}


class Step(t.NamedTuple):
    """What becomes of one VM: keep, start, stop, reboot, terminate, replace or launch."""

    action: str
    slot: int | None
    instance_id: str | None
    reason: str | None
    state: str | None = None
    zone: str | None = None


class Steps(t.NamedTuple):
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

    @property
    def members(self) -> int:
        """How many VMs there are once all is done."""
        return len(self.steps) - len(self.ids("terminate"))

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


class Case(t.NamedTuple):
    """One VM, and what has been found out about it. drift: in what it differs from the task."""

    view: View
    slot: int | None
    surplus: str | None
    drift: str | None


Verdict = t.Optional[tuple[str, t.Optional[str]]]


def absent(goal: Goal, _case: Case) -> Verdict:
    """No VM is wanted: it is terminated."""
    return ("terminate", "state is absent") if goal.wanted == ABSENT else None


def too_many(_goal: Goal, case: Case) -> Verdict:
    """The batch is too large, and can best do without this one: it is terminated."""
    return ("terminate", case.surplus) if case.surplus else None


def failed(goal: Goal, case: Case) -> Verdict:
    """The cloud could not build or run it: what becomes of it is said by on_error."""
    if case.view["state"] != "error":
        return None
    if goal.on_error == "keep":
        return "keep", "it is in error, which on_error keeps"
    if goal.wanted == RUNNING and goal.on_error in ("replace", "terminate"):
        return goal.on_error, "it is in error"
    return "", None


def differing(goal: Goal, case: Case) -> Verdict:
    """It differs from what the task says now: it is replaced if update and partition say so."""
    wanted = goal.wanted == RUNNING and goal.update == "replace" and (case.slot or 0) >= goal.partition
    return ("replace", case.drift) if case.drift and wanted and case.view["state"] in MOVES[RUNNING] else None


def in_state(goal: Goal, case: Case) -> Verdict:
    """It is brought to the wanted state; an empty action if that cannot be."""
    action = MOVES[goal.wanted].get(case.view["state"], "")
    return action, REASONS.get(action) or case.drift


MEMBER_RULES = (absent, too_many, failed, differing, in_state)
"""What becomes of one VM: the first that has an answer decides."""


def assess(
    goal: Goal,
    views: t.Sequence[View],
    slots: t.Mapping[str, int] | None = None,
    drift: t.Mapping[str, t.Sequence[str]] | None = None,
) -> Steps:
    """The steps that bring views to the goal. slots: numbers by id; drift: what is wrong with members, by id.

    A VM in a state that the EC2 API cannot change, and more terminations than are allowed, are errors, raised before
    anything is done.
    """
    slots, drift = slots or {}, drift or {}
    surplus = {} if goal.wanted == ABSENT else _surplus(goal, views, slots)
    chosen, stuck = [], []
    for view in views:
        value = view["instance_id"]
        case = Case(view, slots.get(value), surplus.get(value), "; ".join(drift.get(value, ())) or None)
        action, reason = next(verdict for verdict in (rule(goal, case) for rule in MEMBER_RULES) if verdict)
        chosen.append(Step(action, case.slot, value, reason, view["state"]))
        if not action:
            stuck.append(view)
    _refuse_stuck(goal.wanted, views, stuck)
    if goal.wanted == RUNNING and goal.count is not None:
        missing = free(set(slots.values()), max(0, goal.count - len(views)))
        chosen += [Step("launch", slot, None, f"count is {goal.count}") for slot in missing]
    steps = _in_order(chosen)
    _brake(goal, views, steps)
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


def keep_all(views: t.Iterable[View], slots: t.Mapping[str, int]) -> Steps:
    """Steps that leave everything as it is."""
    return _in_order(
        [Step("keep", slots.get(view["instance_id"]), view["instance_id"], None, view["state"]) for view in views]
    )


class _Reversed(t.NamedTuple):
    key: t.Any

    def __lt__(self, other: t.Any) -> bool:
        return bool(other.key < self.key)


def _in_order(steps: t.Iterable[Step]) -> Steps:
    return Steps(tuple(sorted(steps, key=lambda step: (step.slot or 0, step.instance_id or ""))))


def _surplus(goal: Goal, views: t.Sequence[View], slots: t.Mapping[str, int]) -> dict[str, str]:
    """The VMs that a batch can best do without, by id, with the reason."""
    number = 0 if goal.count is None else len(views) - goal.count
    if number <= 0:
        return {}
    if goal.remove[0] in FIRST_TO_GO:
        said, key = FIRST_TO_GO[goal.remove[0]]
        last = sorted(views, key=lambda view: key(view, slots.get(view["instance_id"], 0)), reverse=True)
        said = f"count is {goal.count}, and {said} goes first"
    else:
        last = [view for view in views if view["instance_id"] in goal.remove]
        said = f"count is {goal.count}, and remove names it"
        if len(last) < number:
            raise CloudError(
                f"{len(views)} members have to become {goal.count}, but remove names only {len(last)} of them: "
                f"{states_of(last) or 'none'}. Nothing was changed. Name all that may go.",
            )
    return {view["instance_id"]: said for view in last[:number]}


def _brake(goal: Goal, views: t.Sequence[View], steps: Steps) -> None:
    """Refuse to terminate more than is allowed: a wrong count must not take a batch away."""
    gone, limit = len(steps.ids("terminate", "replace")), goal.max_terminate
    broken = len([step for step in steps.steps if step.action == "replace" and step.state == "error"])
    if goal.max_replacements is not None and broken > goal.max_replacements:
        raise CloudError(
            f"{broken} of {len(views)} members are in error, and max_replacements is {goal.max_replacements}. "
            "Nothing was changed."
        )
    many = goal.wanted != ABSENT and goal.count is not None and 2 * (len(views) - goal.count) > len(views)
    if limit is not None and gone > limit:
        said = f"{gone} of {len(views)} VMs would be terminated, and max_terminate is {limit}."
    elif limit is None and many:
        said = (
            f"The batch has {len(views)} members, and to have {goal.count} would terminate "
            f"{len(views) - t.cast(int, goal.count)}, more than half. If that is meant, set max_terminate to {gone} or "
            "more."
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
