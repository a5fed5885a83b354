# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What a decision is made from, how it is made, and what is done before there is a plan.

A run that finds everything as it should be needs no more than this; the rules of all others are in rules.py.
"""

from __future__ import annotations

import math
import typing as t

from .._api.errors import CloudError
from .._resources.instances import View, host_of
from .actions import Action, Done, Look, Note, Refuse, Waiting
from .goal import RUNNING, Goal
from .memory import Memory
from .seen import Seen
from .steps import Steps


class Agreed(t.NamedTuple):
    """What the plan said, and a diff shows: no other VM is touched, but for those that this run launches itself.

    tag, records: which VMs lack tags; (record, ids) whose numbers are not written down yet; unmark: whether the mark of
    the batch goes.
    """

    steps: Steps = Steps()
    tag: tuple[str, ...] = ()
    records: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unmark: bool = False


class Facts(t.NamedTuple):
    """All that a decision is made from. now: the monotonic clock."""

    goal: Goal
    agreed: Agreed
    seen: Seen
    memory: Memory
    now: float

    @property
    def target(self) -> int:
        """How many members there shall be."""
        return self.agreed.steps.members - self.memory.given_up + len(self.memory.surged)

    @property
    def missing(self) -> int:
        """How many members are still to be launched: never more in a run than were agreed on, and failed since."""
        if not self.goal.fills or self.memory.refused is not None:
            return 0
        left = self.agreed.steps.launches + self.memory.replacements - len(self.memory.created)
        return max(0, min(self.target - len(self.seen.views), left))

    @property
    def surplus(self) -> int:
        """How many members another run, at the same time, has made too many.

        While a batch is built in chunks, only what is beyond the whole of it is too much.
        """
        if self.goal.count is None or not self.memory.created:
            return 0
        return max(0, len(self.seen.views) - self.goal.count - len(self.memory.surged))

    @property
    def failed(self) -> list[View]:
        """VMs in error that nobody has agreed to keep."""
        return [view for view in self.seen.states("error") if view["instance_id"] not in self.memory.accepted]

    @property
    def underway(self) -> list[View]:
        """VMs that are not yet as they shall be."""
        return [view for view in self.seen.views.values() if view["state"] != "error" and not self.is_well(view)]

    def is_well(self, view: View) -> bool:
        """Whether a VM is as it shall be."""
        goal = self.goal
        if view["state"] != goal.state or goal.state != RUNNING or goal.wait_for == "running":
            return bool(view["state"] == goal.state)
        return host_of(view) is not None if goal.port is None else host_of(view) in self.seen.answering

    @property
    def tolerant(self) -> bool:
        """Whether failed members are dealt with, and do not fail the run."""
        return self.goal.fills and self.goal.on_error != "fail" and not self.memory.rolling


Rule = t.Callable[[Facts], t.Optional[Action]]


def decide(facts: Facts, rules: t.Sequence[Rule]) -> Action:
    """What is to be done next."""
    for rule in rules:
        action = rule(facts)
        if action is not None:
            return action
    return Done()


def late_ones(facts: Facts) -> Action | None:
    """An earlier run was cut short: look until what it asked for has come or gone, or is too late for that.

    ec2-api builds VMs one after the other inside a request, so they may go on showing up for minutes.
    """
    late, seen = facts.memory.late, facts.seen
    if late is None:
        return None
    # VMs that would be counted as members may be on their way out.
    doubtful = facts.goal.wanted == RUNNING and seen.missing_tokens()
    if len(seen.views) >= late.members and not seen.views.keys() & late.leaving and not doubtful:
        return Note({"late": None})
    look = until_quiet(facts, "late", late.seconds, most=facts.goal.timeout)
    if look is not None or not (late.members or late.leaving) or _is_quiet(facts, late.seconds):
        return look or Note({"late": None})
    # What may still come must not be launched again, nor what goes be counted.
    return Refuse(
        CloudError(
            f"A run of batch {facts.goal.batch} was cut short a moment ago, and what it asked for may still happen. "
            f"After {facts.goal.timeout:g} s (wait_timeout) that is not certain. Nothing was changed. Run the task "
            "again."
        )
    )


LOOKING: tuple[Rule, ...] = (late_ones,)
"""What is done before there is a plan."""


def until_quiet(facts: Facts, what: str, seconds: float, at_once: bool = False, most: float = math.inf) -> Look | None:
    """The next look, or None if nothing has changed for so many seconds, or most of them are over.

    at_once: whether the first is made at once.
    """
    from .._resources.wait import growing

    waiting, (_crowd, since) = facts.memory.waiting, facts.memory.crowd
    if waiting is None or waiting.what != what:
        waiting = Waiting(what, facts.now + most, 0, frozenset(facts.seen.views))
    left = min(since + seconds, waiting.until) - facts.now
    if waiting.rounds and left <= 0:
        return None
    pauses = waiting.rounds - at_once
    pause = min(max(growing(pauses, len(waiting.ids)), facts.memory.took), left) if pauses >= 0 else 0.0
    return Look(max(0.0, pause), waiting._replace(rounds=waiting.rounds + 1))


def _is_quiet(facts: Facts, seconds: float) -> bool:
    return facts.memory.crowd[1] + seconds <= facts.now
