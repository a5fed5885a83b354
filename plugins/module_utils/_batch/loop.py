# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The loop: look, decide, carry out one action, remember, and again. Nothing else asks, notes or tells anything."""

from __future__ import annotations

import contextlib
import time
import typing as t

from .._api.errors import NOT_SENT, REFUSED, CloudError
from .._resources.journal import Journal
from . import actions as do
from .cloud import Cloud
from .facts import LOOKING, Agreed, Facts, Rule, decide
from .goal import Goal
from .memory import Late, Memory
from .progress import Progress
from .seen import Seen, seen_in

# For how long to look for what an earlier run left open, if it did not say.
SETTLE_SECONDS = 15.0
# A cloud that takes long to list its VMs is left in peace for as long, since it may be building them meanwhile; but a
# list may also have taken long because it had to be asked for again.
LONGEST_PEACE = 10.0


class Loop:
    """One run. seen and memory are what is known so far; whatever fails, they tell of every VM."""

    def __init__(
        self,
        cloud: Cloud,
        goal: Goal,
        journal: Journal | None,
        progress: Progress,
        warn: t.Callable[[str], None],
    ) -> None:
        self.cloud = cloud
        self.goal = goal
        self.agreed = Agreed()
        self.seen = Seen(batch=goal.batch is not None)
        self.memory = Memory()
        self._journal = journal
        self._progress = progress
        self._warn = warn

    def begin(self) -> None:
        """See the VMs; after a request that was cut short, until it has had its effect or is too late for that."""
        self._look(do.Waiting("first"))
        if self.goal.batch is None:
            return
        members, leaving, seconds = self._journal.cut_short() if self._journal else (0, [], 0.0)
        late = Late(members, frozenset(leaving), seconds or SETTLE_SECONDS)
        self.memory = self.memory._replace(late=late)
        self.run(LOOKING)
        if self._journal:
            self._journal.settle()
            self._journal.gone()

    def keep_own(self) -> bool:
        """Forget VMs that are certainly not of the caller's own project; whether there were any."""
        own = {view["instance_id"] for view in self.cloud.certain(self.seen.views.values())}
        foreign = self.seen.views.keys() - own
        if foreign:
            self.seen = self.seen.without(foreign, self.memory)
        return bool(foreign)

    def carry_out(self, agreed: Agreed) -> None:
        """Do what was agreed on."""
        from .rules import RULES

        self.agreed = agreed
        kept = (value for value in agreed.steps.ids("keep") if self.seen.views[value]["state"] == "error")
        self.memory = self.memory._replace(accepted=frozenset(kept))
        self.run(RULES)

    def facts(self) -> Facts:
        """What is known now."""
        return Facts(self.goal, self.agreed, self.seen, self.memory, time.monotonic())

    def run(self, rules: t.Sequence[Rule]) -> None:
        """Decide and carry out until all is done."""
        while True:
            action = decide(self.facts(), rules)
            if isinstance(action, do.Done):
                return
            CARRIED_OUT[type(action)](self, action)

    def _wait(self, action: do.Look) -> None:
        if action.pause > 0:
            time.sleep(action.pause)
        try:
            self._look(action.waiting)
        except CloudError as error:
            if self.memory.lost is None:
                raise
            self.memory = self.memory._replace(lost=self.memory.lost._replace(unseen=error))

    def _look(self, waiting: do.Waiting) -> None:
        going = self.memory.going
        # Where numbers go by age, those of VMs that stay must not move up before others were launched for the gaps.
        kept = self.seen.slots if going and self.facts().missing else None
        answering = self.seen.answering
        asked = time.monotonic()
        listing = self.cloud.look()
        took = min(time.monotonic() - asked, LONGEST_PEACE)
        self.seen = seen_in(listing, self.memory, self.goal.batch is not None, kept)
        if self.goal.port is not None:
            hosts = self.seen.hosts()
            answering = (answering & hosts) | self.cloud.answering(hosts - answering, self.goal.port)
            self.seen = self.seen._replace(answering=answering)
        self.memory = self.memory.saw(self.seen.views, self.seen.lingering, waiting, time.monotonic(), took)
        if going and not self.memory.going and self._journal:
            self._journal.gone()
        self._tell(waiting)

    def _tell(self, waiting: do.Waiting) -> None:
        total = len(waiting.ids)
        if waiting.what == "settled":
            self._progress.states(self.seen.views.values(), self.goal.state, total)
        elif waiting.what == "gone":
            self._progress.say(f"{total - len(self.memory.going)}/{total} terminated", now=not self.memory.going)
        elif waiting.what == "room":
            self._progress.say("waiting until the quota has room")
        elif waiting.what in ("late", "lost"):
            there = len(self.seen.views)
            self._progress.say(f"looking what became of a request that was cut short, {there} VMs there")

    def _launch(self, action: do.Launch) -> None:
        # Whatever is wrong with the options is told before anything is noted.
        self.cloud.wanted(len(action.slots))
        from .._resources.report import quota_in

        before = self.seen.views.keys()
        if self._journal:
            self._journal.expect(action.expected)
        self._progress.say(f"launching {len(action.slots)} VMs", now=True)
        try:
            token, views = self.cloud.launch(action, before | self.memory.leaving)
        except CloudError as error:
            quota = quota_in(error.cloud_message)
            if quota:
                error.details["quota"] = quota
            self.memory = self.memory.failed_to(action, error, before, time.monotonic())
        else:
            self.memory = self.memory.launched_for(self.goal.batch or "", action, token, views)
            self.seen = self.seen.joined(views, self.memory)
        if self._journal:
            # Of an answer that was lost, late VMs are looked for from when that was known.
            self._journal.settle() if self.memory.lost is None else self._journal.expect(action.expected)

    def _take_over(self, action: do.Found) -> None:
        error = self.memory.lost.error if self.memory.lost else None
        views = [self.seen.views[value] for value in action.ids]
        self.memory = self.memory.looked_for(self.goal.batch or "", views)
        self.seen = self.seen.joined(views, self.memory)
        if self.memory.trouble is None:
            if self._journal:
                self._journal.settle()
            self._warn(f"{error} All {len(views)} VMs are there all the same, and were taken over.")

    def _terminate(self, action: do.Terminate) -> None:
        self.keep_own()
        views = [self.seen.views[value] for value in action.ids if value in self.seen.views]
        ids = [view["instance_id"] for view in views]
        if action.warning and ids:
            self._warn(action.warning)
        if action.why == "differing":
            done, total = len(self.memory.replaced), len(self.agreed.steps.ids("replace"))
            self._progress.say(f"replacing members, {done}/{total} done", now=True)
        self._release(ids)
        if self._journal:
            self._journal.leaving(ids)
        with self._in_doubt():
            try:
                self.cloud.terminate(ids)
            except CloudError as error:
                if self._journal and error.outcome in (REFUSED, NOT_SENT):
                    self._journal.gone()
                raise
        self.memory = self.memory.told_to_go(action, views, self.seen.slots, self.goal.wait)
        self.seen = self.seen.left(ids)

    @contextlib.contextmanager
    def _in_doubt(self) -> t.Iterator[None]:
        """What fails, and may have been done all the same, is a change."""
        try:
            yield
        except CloudError as error:
            if error.outcome not in (REFUSED, NOT_SENT):
                self.memory = self.memory._replace(acted=True)
            raise

    def _release(self, ids: t.Sequence[str]) -> None:
        try:
            released = self.cloud.release_addresses(ids)
        except CloudError as error:
            # Some were taken away from their VMs, or may have been.
            self.memory = self.memory._replace(acted=self.memory.acted or "addresses" in error.details)
            raise
        self.memory = self.memory._replace(
            released=self.memory.released + tuple(released), acted=self.memory.acted or bool(released)
        )

    def _change(self, action: do.Change) -> None:
        with self._in_doubt():
            self.cloud.change(action)
        self.memory = self.memory.changed(action.verb)

    def _tag(self, action: do.Tag) -> None:
        with self._in_doubt():
            self.cloud.tag(action)
        self.memory = self.memory.did("tags" if action.vital else next(iter(action.tags.values())))
        if action.vital:
            self.seen = self.seen.tagged(action.ids, action.tags)

    def _mark(self, _action: do.Mark) -> None:
        made = self.cloud.mark()
        self.memory = self.memory._replace(marked=True, acted=self.memory.acted or made)

    def _single_mark(self, _action: do.SingleMark) -> None:
        self.cloud.single_mark()
        self.memory = self.memory._replace(mended=True, trouble=None)

    def _unmark(self, _action: do.Unmark) -> None:
        self.cloud.unmark()
        self.memory = self.memory.did("unmark")

    def _note(self, action: do.Note) -> None:
        if action.warning:
            self._warn(action.warning)
        self.memory = self.memory._replace(**action.known)

    def _refuse(self, action: do.Refuse) -> None:
        if action.advise:
            action.error.message += self.cloud.advice(action.error)
        raise action.error


CARRIED_OUT: dict[type, t.Callable[[Loop, t.Any], None]] = {
    do.Look: Loop._wait,
    do.Launch: Loop._launch,
    do.Found: Loop._take_over,
    do.Terminate: Loop._terminate,
    do.Change: Loop._change,
    do.Tag: Loop._tag,
    do.Mark: Loop._mark,
    do.SingleMark: Loop._single_mark,
    do.Unmark: Loop._unmark,
    do.Note: Loop._note,
    do.Refuse: Loop._refuse,
}
