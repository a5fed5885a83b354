# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""One run of the module instance: what was decided, and what has come of it so far."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ._errors import CloudError
from ._instances import Listing, View, certain, id_order, list_instances, members_of
from ._journal import Journal
from ._launch import Launch
from ._module import Session
from ._progress import Progress
from ._report import failures
from ._slots import TAG, name_of, number
from ._steps import REBOOTED, RUNNING, Goal, Steps


@dataclass
class Operation:
    """One run. Everything that is learnt on the way is kept here, so that a failure loses nothing.

    - views, slots: the VMs as last seen, and their numbers, by id
    - own: the numbers of VMs that this run launched; placed: the zones they were asked into
    - launched: (record, ids) of each launch
    - leaving: VMs that were told to terminate; Nova shows them as they were for a while; lingering is how many it shows
    - accepted: VMs in error that stay
    - shunned: zones in which a number failed
    """

    session: Session
    wanted: str
    journal: Journal | None
    progress: Progress
    steps: Steps = field(default_factory=Steps)
    goal: Goal = field(default_factory=Goal)
    launch: Launch | None = None
    tag: tuple[str, ...] = ()
    records: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unmark: bool = False
    drift_unknown: tuple[str, ...] = ()
    old: bool = False
    standalone: bool = False
    lingering: int = 0
    views: dict[str, View] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    placed: dict[str, str] = field(default_factory=dict)
    launched: list[tuple[str, list[str]]] = field(default_factory=list)
    shunned: dict[int, set[str]] = field(default_factory=dict)
    replacements: int = 0
    failed_builds: int = 0
    refused: CloudError | None = None

    @property
    def batch(self) -> str | None:
        """The name of the batch, if it is about one."""
        return t.cast("t.Optional[str]", self.session.params["batch"])

    @property
    def goal_state(self) -> str:
        """The state in which the VMs shall end."""
        return RUNNING if self.wanted == REBOOTED else self.wanted

    @property
    def needed(self) -> bool:
        """Whether anything has to be done."""
        return self.steps.needed or bool(self.tag) or bool(self.records) or self.unmark

    def listing(self) -> Listing:
        """The VMs that the task is about, as the cloud shows them now, with one request."""
        if self.batch is not None:
            return members_of(self.session.connection, self.batch)
        ids = set(self.session.params["instance_ids"])
        found = list_instances(self.session.connection)
        return found._replace(views=[view for view in found.views if view["instance_id"] in ids])

    def look(self) -> list[View]:
        """See the VMs as they are now, without those that are leaving."""
        listing = self.listing()
        self.old, self.standalone = listing.old, listing.standalone
        self.views = {view["instance_id"]: view for view in listing.views if view["instance_id"] not in self.leaving}
        self.lingering = len(listing.views) - len(self.views)
        for value, zone in self.placed.items():
            if value in self.views:
                # Until a VM has a host Nova shows the default zone, wherever it will be.
                self.views[value]["availability_zone"] = zone
        self._number()
        return list(self.views.values())

    def unrecorded(self) -> bool:
        """Whether members have lost their token, as those that are on their way out.

        Nova takes it away as it terminates them. ec2-api shows without it, under new ids, what it takes back of a
        launch that it refused.
        """
        views = list(self.views.values())
        if not self.standalone:
            views = [view for view in views if view["state"] == "running"]
            if not any(view["client_token"] for view in views):
                return False
        return any(not view["client_token"] and TAG not in view["tags"] for view in views)

    def started(self, record: str, slots: t.Sequence[int], views: t.Sequence[View], zone: str | None) -> None:
        """Remember VMs that this run launched for slots in zone."""
        ids = [view["instance_id"] for view in views]
        if zone:
            self.placed.update(dict.fromkeys(ids, zone))
        self.created += ids
        self.launched.append((record, ids))
        self.own.update(zip(ids, slots))
        self.views.update((view["instance_id"], view) for view in views)
        self._number()

    def certain(self, ids: t.Iterable[str]) -> list[str]:
        """Those of ids that are certainly of the caller's own project; a task that names VMs by id has said so.

        Others are not seen any more.
        """
        ids = list(ids)
        if self.batch is None:
            return ids
        own = {view["instance_id"] for view in certain(self.session.connection, self.views.values())}
        for value in self.views.keys() - own:
            del self.views[value]
        self._number()
        return [value for value in ids if value in own]

    def _number(self) -> None:
        # What this run knows of its own VMs is not yet written down; where it never will be, it does not count.
        known = {} if self.old else self.own
        self.slots = number(self.views.values(), known) if self.batch is not None else {}

    def left(self, ids: t.Iterable[str]) -> None:
        """Remember VMs that were told to terminate."""
        for value in ids:
            self.leaving.add(value)
            self.lingering += self.views.pop(value, None) is not None
            self.slots.pop(value, None)

    def named(self, slot: int | None) -> str | None:
        """The name of a member."""
        return name_of(self.session.params["name_template"], self.batch or "", slot) if slot else None

    def shown(self, view: View) -> View:
        """A VM as the result has it: a member with its number and name."""
        if self.batch is None:
            return view
        slot = self.slots.get(view["instance_id"], view.get("slot"))
        return {**view, "slot": slot, "name": self.named(slot)}

    def result(self, views: t.Iterable[View] | None = None) -> dict[str, t.Any]:
        """The module's result, with the VMs as given or as last seen."""
        shown = [self.shown(view) for view in (self.views.values() if views is None else views)]
        shown.sort(key=lambda view: (view.get("slot") or 0, id_order(view)))
        plan = self.steps.summary(self.named)
        plan["created"] = list(self.created)
        plan["replaced"] += [value for value in self.replaced if value not in plan["replaced"]]
        plan["terminated"] += [value for value in self.withdrawn if value not in plan["terminated"]]
        plan["tagged"] = list(self.tag)
        result: dict[str, t.Any] = {
            "instances": shown,
            "instance_ids": [view["instance_id"] for view in shown if view["instance_id"]],
            "states": _by_state(shown),
            "plan": plan,
            "endpoint": self.session.connection.endpoint.url,
        }
        if self.batch is not None:
            result["missing"] = max(0, (self.goal.count or 0) - len(shown))
            result["drift"] = {key: list(value) for key, value in sorted(self.goal.drift.items()) if key in self.views}
            result["drift_unknown"] = list(self.drift_unknown)
        return result

    def report(self, timed_out: bool) -> list[dict[str, t.Any]]:
        """What can be told of the VMs that failed, and after a timeout also of those still on their way."""
        good = {self.goal_state} if timed_out else {self.goal_state, "pending", "running", "stopped"}
        bad = [self.shown(view) for view in self.views.values() if view["state"] not in good]
        return failures(self.session.connection, bad, self.goal_state) if bad else []


def _by_state(views: t.Iterable[View]) -> dict[str, list[str]]:
    """The ids of VMs, by state."""
    found: dict[str, list[str]] = {}
    for view in views:
        if view["instance_id"]:
            found.setdefault(view["state"], []).append(view["instance_id"])
    return found
