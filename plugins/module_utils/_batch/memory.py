# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What a run has asked for, and what it knows that no list shows. Never changed: each answer makes another."""

from __future__ import annotations

import typing as t

from .._api.errors import NOT_SENT, REFUSED, CloudError
from .._resources.instances import View
from .._resources.journal import LATE_SECONDS
from .actions import Launch, Terminate, Waiting

# For how long VMs are looked for whose launch was not answered.
LOOK_SECONDS = 20.0
NOTHING: frozenset[str] = frozenset()


class Late(t.NamedTuple):
    """What an earlier run that was cut short left open: members to come, VMs to go, and for how many seconds."""

    members: int
    leaving: frozenset[str]
    seconds: float


class Lost(t.NamedTuple):
    """A launch of which the answer was lost. before: who was there; unseen: why there is no list either."""

    launch: Launch
    token: str
    error: CloudError
    before: frozenset[str]
    unseen: CloudError | None = None


class Trouble(t.NamedTuple):
    """A launch that failed. looked: what was found out when it was looked for what became of it."""

    launch: Launch
    error: CloudError
    looked: str = ""


class Memory(t.NamedTuple):
    """One run, as far as it has come.

    - created, launched: the ids of what this run launched; (record, ids) of each launch
    - own, placed: the numbers and the zones that they were launched for, by id
    - leaving, going: VMs that were told to terminate; those of them that are waited for
    - withdrawn, replaced: of these, what failed or was launched twice; what gave way to another
    - accepted: VMs in error that stay
    - shunned, closed: zones in which a number failed, by number; zones that the cloud refuses
    - released: the floating addresses that were given back
    - given_up: how many members are done without
    - refused: why no more are launched; trouble, lost: a launch that failed, or may have
    - marked, mended: whether the mark was just made; made a single one
    - room: how many may still be launched before the others have come up; None for as many as one likes
    - acted: whether anything was done, beside launching
    - asked: which of start, stop, reboot, unmark, tags and records has been asked for
    - rolling: whether members that differ are being replaced; surged: those whose successors have been launched
    - cramped: whether the quota has no room for successors while the others are there
    - unseen: whether something was asked for after the last look
    - took: for how many seconds the cloud is left in peace, as long as the last list took
    - waiting, tired: what is waited for; whether its time is up, and that is put up with
    - crowd: who was there the last time, and since when it has been these
    """

    created: tuple[str, ...] = ()
    launched: tuple[tuple[str, tuple[str, ...]], ...] = ()
    own: t.Mapping[str, int] = {}
    placed: t.Mapping[str, str] = {}
    leaving: frozenset[str] = NOTHING
    going: frozenset[str] = NOTHING
    withdrawn: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    accepted: frozenset[str] = NOTHING
    shunned: t.Mapping[int, frozenset[str]] = {}
    closed: frozenset[str] = NOTHING
    replacements: int = 0
    failed_builds: int = 0
    given_up: int = 0
    refused: CloudError | None = None
    trouble: Trouble | None = None
    lost: Lost | None = None
    late: Late | None = None
    marked: bool = False
    mended: bool = False
    room: int | None = None
    acted: bool = False
    asked: frozenset[str] = NOTHING
    rolling: bool = False
    surged: tuple[str, ...] = ()
    cramped: bool = False
    unseen: bool = False
    took: float = 0.0
    waiting: Waiting | None = None
    tired: bool = False
    crowd: tuple[frozenset[str] | None, float] = (None, 0.0)

    @property
    def changed_something(self) -> bool:
        """Whether anything was done: of a plan that is carried out, the cloud may refuse all."""
        return self.acted or bool(self.created)

    def saw(
        self, ids: t.Iterable[str], lingering: t.Iterable[View], waiting: Waiting, now: float, took: float
    ) -> Memory:
        """After a look for waiting, which took so many seconds, and showed VMs with ids and lingering ones."""
        there = frozenset(ids)
        return self._replace(
            going=self.going & {view["instance_id"] for view in lingering},
            unseen=False,
            took=took,
            waiting=waiting,
            tired=self.tired and self.waiting is not None and self.waiting.what == waiting.what,
            crowd=self.crowd if there == self.crowd[0] else (there, now),
        )

    def launched_for(self, batch: str, launch: Launch, token: str, views: t.Sequence[View]) -> Memory:
        """After VMs were launched, in the order of launch's slots."""
        ids = tuple(view["instance_id"] for view in views)
        zone, refused = launch.zone, self.refused
        if self.lost is None and len(ids) < len(launch.slots):
            refused = CloudError(f"The cloud started {len(ids)} VMs of batch {batch} instead of {len(launch.slots)}.")
        return self._changed()._replace(
            created=self.created + ids,
            launched=(*self.launched, (token, ids)),
            own={**self.own, **dict(zip(ids, launch.slots))},
            placed={**self.placed, **dict.fromkeys(ids, zone)} if zone else self.placed,
            room=None if self.room is None else self.room - len(launch.slots),
            marked=False,
            mended=False,
            refused=refused,
            surged=self.surged + launch.instead_of[: len(ids)],
            rolling=self.rolling or bool(launch.instead_of),
        )

    def looked_for(self, batch: str, views: t.Sequence[View]) -> Memory:
        """After it was looked for what became of a launch. views: what was found, in the order of its slots."""
        launch, token, error, _before, unseen = t.cast(Lost, self.lost)
        memory = self.launched_for(batch, launch, token, views)._replace(lost=None)
        if len(views) == len(launch.slots):
            return memory
        seen = f"was then listed until nothing new had shown up for {LOOK_SECONDS:g} s"
        if unseen is not None:
            seen = f"could then not be listed either ({unseen.message})"
        looked = (
            f" The batch {seen}: {len(views)} of the {len(launch.slots)} VMs showed up. Nothing was sent again. Run "
            f"the task again: within {LATE_SECONDS:g} s it looks for late ones first, takes over whatever bears the "
            "mark of the batch, and launches only what is missing."
        )
        return memory._replace(trouble=Trouble(launch, error, looked))

    def failed_to(self, launch: Launch, error: CloudError, before: t.Iterable[str], now: float) -> Memory:
        """After a launch failed, or was not answered."""
        token = error.details.pop("token", "")
        if error.outcome in (REFUSED, NOT_SENT):
            return self._replace(trouble=Trouble(launch, error))
        there = frozenset(before)
        return self._replace(lost=Lost(launch, token, error, there), crowd=(there, now))

    def told_to_go(
        self, action: Terminate, views: t.Sequence[View], slots: t.Mapping[str, int], waited_for: bool
    ) -> Memory:
        """After VMs were told to terminate; slots: their numbers."""
        ids = tuple(view["instance_id"] for view in views)
        memory = self._replace(leaving=self.leaving | set(ids), acted=self.acted or bool(ids))
        if action.why == "double":
            return memory._replace(withdrawn=self.withdrawn + ids)
        memory = memory._changed()._replace(going=frozenset(ids) if waited_for else NOTHING)
        if action.why == "differing":
            return memory._replace(rolling=True, replaced=self.replaced + ids, surged=())
        return memory._failed(action.why, views, slots) if action.why in ("failed", "replaced") else memory

    def _failed(self, why: str, views: t.Sequence[View], slots: t.Mapping[str, int]) -> Memory:
        """After members that failed were told to terminate."""
        ids, shunned = tuple(view["instance_id"] for view in views), dict(self.shunned)
        for view in views:
            if view["availability_zone"]:
                slot = slots[view["instance_id"]]
                shunned[slot] = shunned.get(slot, NOTHING) | {view["availability_zone"]}
        again = len(ids) if why == "replaced" else 0
        return self._replace(
            withdrawn=self.withdrawn + ids,
            failed_builds=self.failed_builds + len(ids),
            shunned=shunned,
            replacements=self.replacements + again,
            replaced=self.replaced + ids if again else self.replaced,
            given_up=self.given_up + len(ids) - again,
        )

    def did(self, what: str) -> Memory:
        """After something was asked for that is asked for once."""
        return self._replace(asked=self.asked | {what}, acted=True)

    def changed(self, verb: str) -> Memory:
        """After VMs were asked to start, stop or reboot."""
        return self.did(verb)._changed()

    def _changed(self) -> Memory:
        """Something new is to be waited for."""
        return self._replace(unseen=True, waiting=None, tired=False)
