# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong in a schedule, drawn from (seed, number) and nothing else."""

from __future__ import annotations

import dataclasses
import math
import random
import typing as t

PROFILES = ("grizzly", "havana", "icehouse", "juno", "liberty", "ec2api")
BATCH = "faults"
MARK = f"ansible-batch-{BATCH}"
IMAGE = "Cirros-0.3.0-x86_64"
FLAVOR = "m1.tiny"
LARGEST = 6
# For how long after the first run of a moment began something may still happen to it, in seconds.
SPAN = 3.0
LATEST = 2.0

# How often a kind of fault, or an action to suffer it, is chosen.
KINDS = {
    "drop_before": 2,
    "drop_after": 4,
    "http_500_after": 2,
    "http_503_after": 2,
    "unknown_error_after": 2,
    "garbage": 2,
    "truncated": 2,
    "empty_body": 2,
    "late": 4,
    "hang": 1,
    "delay": 3,
    "delay_after": 3,
}
ACTIONS = {
    "RunInstances": 8,
    "DescribeInstances": 3,
    "TerminateInstances": 3,
    "CreateSecurityGroup": 2,
    "*": 3,
}
FOREIGN_STATES = {"active": 4, "stopped": 2, "error": 1}
# Whose a foreign VM is, and which groups it is in: another tenant may have a batch of the same name.
FOREIGN_GROUPS = {
    "own": (("default",), ("default", f"{MARK}-2"), ("default", f"x{MARK}")),
    "other": (("default",), ("default", MARK)),
}


@dataclasses.dataclass(frozen=True)
class Fault:
    """An order for the local cloud's control API; fields as there."""

    kind: str
    action: str
    times: int
    skip: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of the module. start and kill: seconds after the moment began; kill None: it may end by itself."""

    start: float
    kill: float | None
    read_timeout: float
    home: int


@dataclasses.dataclass(frozen=True)
class Foreign:
    """A VM that is not the batch's, made (or one of those that exist, terminated) at a time by somebody else."""

    at: float
    made: bool
    owner: str
    groups: tuple[str, ...]
    state: str
    choice: int


@dataclasses.dataclass(frozen=True)
class Moment:
    """Runs of the same batch at the same time, and what goes wrong meanwhile. quota: (seconds, VMs), or None."""

    runs: tuple[Run, ...]
    faults: tuple[Fault, ...]
    foreign: tuple[Foreign, ...]
    quota: tuple[float, int] | None
    failing_builds: int


@dataclasses.dataclass(frozen=True)
class Schedule:
    """A batch's start, the moments that follow, and whether the clean run waits for what is still in flight."""

    number: int
    seed: int
    profile: str
    user: str
    first: int
    wanted: int
    boot_seconds: float
    action_seconds: float
    latency: float
    foreign: tuple[Foreign, ...]
    moments: tuple[Moment, ...]
    at_once: bool
    new_options: bool


def derive(seed: int, number: int, profile: str = "all", new_options: bool = False) -> Schedule:
    """The schedule of a number. The same arguments give the same schedule, and a profile changes nothing else."""
    draw = random.Random(f"{seed}/{number}")
    first, wanted = draw.randint(0, LARGEST), draw.randint(1, LARGEST)
    if not new_options:
        # A shrink by more than half needs max_terminate.
        wanted = max(wanted, math.ceil(first / 2))
    return Schedule(
        number=number,
        seed=seed,
        profile=PROFILES[number % len(PROFILES)] if profile == "all" else profile,
        user="adminuser" if draw.random() < 0.125 else "demo",
        first=first,
        wanted=wanted,
        boot_seconds=round(draw.uniform(0.2, 1.5), 2),
        action_seconds=round(draw.uniform(0.05, 0.5), 2),
        latency=draw.choice((0.0, 0.0, 0.02, 0.1)),
        foreign=tuple(_foreign(draw, made=True) for _index in range(draw.randint(0, 2))),
        moments=tuple(_moment(draw, new_options) for _index in range(draw.choice((1, 1, 2, 3)))),
        at_once=draw.random() < 0.4,
        new_options=new_options,
    )


def options_of(schedule: Schedule) -> dict[str, t.Any]:
    """The module's options that are the same in every run of a schedule, but for the connection and read_timeout."""
    options = {
        "batch": BATCH,
        "image": IMAGE,
        "instance_type": FLAVOR,
        "connect_timeout": 5,
        "wait_timeout": 60,
    }
    if schedule.new_options:
        options |= {"on_error": "replace", "max_terminate": 100}
    return options


def _moment(draw: random.Random, new_options: bool) -> Moment:
    count = draw.choice((1, 1, 1, 2, 3))
    # As if on different machines, or on one; a single run mostly is where the clean one will be.
    apart = draw.random() < (0.5 if count > 1 else 0.2)
    runs = tuple(_run(draw, index, apart, count) for index in range(count))
    faults = tuple(_fault(draw) for _index in range(draw.choice((1, 1, 2, 3) if count == 1 else (0, 1, 2, 3))))
    events = draw.randint(1, 3) if draw.random() < 0.5 else 0
    foreign = tuple(_foreign(draw, made=draw.random() < 0.6) for _index in range(events))
    quota = (round(draw.uniform(0, 1), 2), draw.randint(0, LARGEST)) if draw.random() < 0.2 else None
    failing = draw.randint(1, 2) if draw.random() < 0.2 else 0
    return Moment(runs, faults, foreign, quota, failing if new_options else 0)


def _run(draw: random.Random, index: int, apart: bool, count: int) -> Run:
    start = 0.0 if index == 0 else round(draw.choice((0.0, 0.0, draw.uniform(0, 1))), 2)
    after = draw.uniform(0, draw.choice((0.5, SPAN)))
    kill = round(start + after, 2) if draw.random() < 0.35 else None
    home = index + (1 if count == 1 else 0) if apart else 0
    return Run(start, kill, round(draw.uniform(2, 3), 1), home)


def _fault(draw: random.Random) -> Fault:
    kind = _weighted(draw, KINDS)
    seconds = round(draw.uniform(0.1, LATEST), 2)
    return Fault(kind, _weighted(draw, ACTIONS), draw.randint(1, 3), draw.choice((0, 0, 1, 2)), seconds)


def _foreign(draw: random.Random, made: bool) -> Foreign:
    owner = draw.choice(sorted(FOREIGN_GROUPS))
    groups = draw.choice(FOREIGN_GROUPS[owner])
    state = _weighted(draw, FOREIGN_STATES)
    return Foreign(round(draw.uniform(0, SPAN), 2), made, owner, groups, state, draw.randrange(1000))


def _weighted(draw: random.Random, weights: dict[str, int]) -> str:
    return draw.choices(list(weights), list(weights.values()))[0]
