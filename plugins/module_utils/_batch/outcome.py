# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What the module instance returns: the VMs, what was planned, and what came of it."""

from __future__ import annotations

import typing as t

from .._resources.instances import View, id_order
from .facts import Agreed
from .goal import Goal
from .memory import Memory
from .seen import Seen
from .slots import name_of


class Outcome(t.NamedTuple):
    """Everything that a result is made of.

    template: that of the members' names; endpoint: which cloud it is; drift: what differs, by id.
    """

    goal: Goal
    agreed: Agreed
    seen: Seen
    memory: Memory
    template: str | None
    endpoint: str
    drift: t.Mapping[str, t.Sequence[str]] = {}
    drift_unknown: t.Sequence[str] = ()

    def named(self, slot: int | None) -> str | None:
        """The name of a member."""
        return name_of(self.template, self.goal.batch or "", slot) if slot else None

    def shown(self, view: View) -> View:
        """A VM as the result has it: a member with its number and name."""
        if self.goal.batch is None:
            return view
        slot = self.seen.slots.get(view["instance_id"], view.get("slot"))
        return {**view, "slot": slot, "name": self.named(slot)}

    def result(self, views: t.Iterable[View] | None = None) -> dict[str, t.Any]:
        """The module's result, with the VMs as given or as last seen."""
        shown = [self.shown(view) for view in (self.seen.views.values() if views is None else views)]
        shown.sort(key=lambda view: (view.get("slot") or 0, id_order(view)))
        result: dict[str, t.Any] = {
            "instances": shown,
            "instance_ids": [view["instance_id"] for view in shown if view["instance_id"]],
            "states": _by_state(shown),
            "plan": self._plan(),
            "endpoint": self.endpoint,
        }
        if self.goal.releases:
            result["released_addresses"] = list(self.memory.released)
        if self.goal.batch is not None:
            there = self.seen.views
            result["missing"] = max(0, (self.goal.count or 0) - len(shown))
            result["drift"] = {key: list(value) for key, value in sorted(self.drift.items()) if key in there}
            result["drift_unknown"] = list(self.drift_unknown)
        return result

    def report(self, connection: t.Any, timed_out: bool) -> list[dict[str, t.Any]]:
        """What can be told of the VMs that failed, and after a timeout also of those still on their way."""
        good = {self.goal.state} if timed_out else {self.goal.state, "pending", "running", "stopped"}
        bad = [self.shown(view) for view in self.seen.views.values() if view["state"] not in good]
        if not bad:
            return []
        from .._resources.report import failures

        return failures(connection, bad, self.goal.state)

    def _plan(self) -> dict[str, t.Any]:
        memory, plan = self.memory, self.agreed.steps.summary(self.named)
        plan["created"] = list(memory.created)
        plan["replaced"] += [value for value in memory.replaced if value not in plan["replaced"]]
        plan["terminated"] += [value for value in memory.withdrawn if value not in plan["terminated"]]
        plan["tagged"] = list(self.agreed.tag)
        return plan


def _by_state(views: t.Iterable[View]) -> dict[str, list[str]]:
    """The ids of VMs, by state."""
    found: dict[str, list[str]] = {}
    for view in views:
        if view["instance_id"]:
            found.setdefault(view["state"], []).append(view["instance_id"])
    return found
