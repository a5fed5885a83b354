# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs that schedules are about: small enough that all that can happen to them can be tried."""

from __future__ import annotations

import dataclasses
import typing as t

BATCH = "sim"
MARK = f"ansible-batch-{BATCH}"
PROFILES = ("grizzly", "havana", "icehouse", "juno", "liberty", "ec2api")
OPTIONS: dict[str, t.Any] = {
    "batch": BATCH,
    "image": "ami-00000001",
    "instance_type": "m1.tiny",
    "connect_timeout": 5,
    "read_timeout": 10,
    "wait_timeout": 120,
    "on_error": "replace",
    "max_terminate": 100,
    "progress": False,
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One run: its options, the machine that it runs on (0 is that of the clean run), and when it begins, in seconds.

    ``starts`` are the beginnings that may be chosen; the first is the usual one.
    """

    options: t.Mapping[str, t.Any]
    machine: int = 0
    starts: tuple[float, ...] = (0.0,)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A batch of ``first`` members, the runs that something may happen to, and how many members are wanted in the end.

    ``at_once``: whether the clean run begins as soon as the others are over, with requests of theirs still in flight;
    otherwise it begins when nothing is. ``clean``: what it is asked for besides. ``settings`` are the cloud's.
    ``user``: whose keys the runs have. ``foreign``: whether others have VMs of their own, some with the same mark.
    ``addresses``: whether the members that are there first have floating addresses; the project has one more that is
    at nothing, and with foreign VMs one at one of them. ``profiles``: where it is played, if it is the same elsewhere.
    """

    name: str
    first: int
    wanted: int
    runs: tuple[Run, ...]
    at_once: bool = False
    clean: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    settings: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    user: str = "demo"
    foreign: bool = False
    addresses: bool = False
    profiles: tuple[str, ...] = PROFILES

    @property
    def clean_run(self) -> Run:
        """The run that follows, with nothing in its way."""
        return Run({"count": self.wanted, **self.clean} if "state" not in self.clean else self.clean)

    @property
    def clean_quota(self) -> int:
        """How many VMs the project may have then; -1: any number."""
        return int(self.settings.get("quota_instances", -1))

    @property
    def alone(self) -> bool:
        """Whether all runs are on the machine of the clean run, one after the other or kept apart by its lock."""
        return all(run.machine == 0 for run in self.runs)

    @property
    def most(self) -> int:
        """How many members anybody asked for, those included that come before others go."""
        asked = (run.options.get("count", 0) + run.options.get("max_surge", 0) for run in self.runs)
        return max([self.first, self.wanted, *asked])


def _one(**options: t.Any) -> tuple[Run, ...]:
    return (Run(options),)


# Where a second run begins: with the first, between its requests, while its VMs are built, when it is over.
_MEANWHILE = (0.0, 0.0015, 0.0025, 0.0035, 1.5, 20.0)

ALL: tuple[Scenario, ...] = (
    Scenario("launch", 0, 2, _one(count=2)),
    Scenario("launch-then-at-once", 0, 2, _one(count=2), at_once=True),
    Scenario("grow", 1, 3, _one(count=3), foreign=True),
    Scenario("grow-then-at-once", 1, 3, _one(count=3), at_once=True),
    Scenario("shrink", 3, 1, _one(count=1), foreign=True),
    Scenario("shrink-then-grow-at-once", 3, 3, _one(count=1), at_once=True),
    Scenario(
        "shrink-with-addresses", 3, 1, _one(count=1, release_addresses=True), foreign=True,
        clean={"release_addresses": True}, addresses=True, profiles=("grizzly", "liberty", "ec2api"),
    ),
    Scenario(
        "roll-with-addresses", 2, 2,
        _one(count=2, instance_type="m1.small", update="replace", release_addresses=True), addresses=True,
        clean={"instance_type": "m1.small", "update": "replace", "release_addresses": True}, at_once=True,
        settings={"quota_instances": 2}, profiles=("grizzly", "ec2api"),
    ),
    Scenario("remove", 2, 0, _one(state="absent"), foreign=True, clean={"state": "absent"}),
    Scenario("remove-then-launch-at-once", 2, 2, _one(state="absent"), at_once=True),
    Scenario("replace-failed", 0, 2, _one(count=2), settings={"fail_builds": 1}),
    Scenario("terminate-failed", 0, 2, _one(count=2, on_error="terminate"), settings={"fail_builds": 1}),
    Scenario(
        "roll", 2, 2, _one(count=2, instance_type="m1.small", update="replace"),
        clean={"instance_type": "m1.small", "update": "replace"},
    ),
    Scenario(
        "surge", 2, 2, _one(count=2, instance_type="m1.small", update="replace", max_surge=1, max_unavailable=0),
        clean={"instance_type": "m1.small", "update": "replace"}, at_once=True, foreign=True,
    ),
    Scenario("do-not-wait", 0, 2, _one(count=2, wait=False)),
    Scenario("chunks", 0, 3, _one(count=3, chunk_size=2), at_once=True),
    Scenario("quota", 1, 2, _one(count=3, min_count=2), settings={"quota_instances": 2}, clean={"min_count": 2}),
    Scenario("as-administrator", 1, 2, _one(count=2), user="adminuser", foreign=True),
    Scenario("twice-on-one-machine", 0, 2, (Run({"count": 2}), Run({"count": 2}, 0, _MEANWHILE)), at_once=True),
    Scenario("twice-on-two-machines", 0, 2, (Run({"count": 2}), Run({"count": 2}, 1, _MEANWHILE))),
    Scenario("grow-on-two-machines", 1, 3, (Run({"count": 3}), Run({"count": 3}, 1, _MEANWHILE)), foreign=True),
    Scenario("shrink-on-two-machines", 3, 1, (Run({"count": 1}), Run({"count": 1}, 1, _MEANWHILE))),
)  # fmt: skip
BY_NAME = {scenario.name: scenario for scenario in ALL}
