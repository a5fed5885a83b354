# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong in a schedule, drawn from (seed, number) and nothing else."""

from __future__ import annotations

import dataclasses
import random
import typing as t

PROFILES = ("grizzly", "havana", "icehouse", "juno", "liberty", "ec2api")
BATCH = "faults"
MARK = f"ansible-batch-{BATCH}"
IMAGE = "Cirros-0.3.0-x86_64"
FLAVOR = "m1.tiny"
LARGEST = 6
# Every VM costs an OpenStack seconds of processor time, and a batch of three meets all that can happen to larger ones.
BED_LARGEST = 3
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
    """One run of the module.

    It starts ``start`` seconds after the moment began. It is killed ``kill`` seconds after that, or after the cloud has
    received ``kill_on`` if that is an action; None: it may end by itself. ``home`` is the machine that it runs on; the
    clean run is on 0.
    """

    start: float
    kill: float | None
    kill_on: str | None
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
    """Runs of the same batch at the same time, in the order of their start, and what goes wrong meanwhile.

    ``count`` is what the runs ask for. ``quota`` is when it runs out and to how many VMs, (seconds, number), or None.
    """

    count: int
    runs: tuple[Run, ...]
    faults: tuple[Fault, ...]
    foreign: tuple[Foreign, ...]
    quota: tuple[float, int] | None
    failing_builds: int


@dataclasses.dataclass(frozen=True)
class Schedule:
    """A batch's start, the moments that follow, and whether the clean run waits for what is still in flight.

    largest: how many VMs were asked for at most.
    """

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
    largest: int


def derive(seed: int, number: int, profile: str = "all", largest: int = LARGEST) -> Schedule:
    """The schedule of a number, of a batch of at most so many VMs.

    The same arguments give the same schedule, and a profile changes nothing else.
    """
    draw = random.Random(f"{seed}/{number}")
    at_once = draw.random() < 0.4
    moments = draw.choice((1, 1, 1, 2) if at_once else (1, 1, 2, 3))
    counts = _counts(draw, moments, largest)
    first, wanted = counts[0], counts[-1]
    # On one machine where the clean run begins at once: what another one has left in flight, nobody can know.
    played = [_moment(draw, count, largest, may_part=not at_once) for count in counts[1:]]
    if at_once:
        played[-1] = _cut_short(draw, played[-1], grows=wanted > counts[-2])
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
        moments=tuple(played),
        at_once=at_once,
        largest=largest,
    )


def options_of() -> dict[str, t.Any]:
    """The module's options that are the same in every run of a schedule, but for the connection and read_timeout."""
    return {
        "batch": BATCH,
        "image": IMAGE,
        "instance_type": FLAVOR,
        "connect_timeout": 5,
        "wait_timeout": 60,
        "on_error": "replace",
        "max_terminate": 100,
    }


def _counts(draw: random.Random, moments: int, largest: int) -> list[int]:
    """How many members there are at first, and how many each moment asks for; the last is what is wanted."""
    counts = [draw.randint(0, largest)]
    same = draw.randint(1, largest) if draw.random() < 0.5 else None
    for _index in range(moments):
        counts.append(same or draw.randint(1, largest))
    return counts


def _moment(draw: random.Random, count: int, largest: int, may_part: bool) -> Moment:
    number = draw.choice((1, 1, 1, 2, 3))
    # As if on different machines, or on one; a single run mostly is where the clean one will be.
    apart = draw.random() < (0.5 if number > 1 else 0.2) and may_part
    runs = tuple(sorted((_run(draw, index, apart, number) for index in range(number)), key=lambda run: run.start))
    faults = tuple(_fault(draw) for _index in range(draw.choice((1, 1, 2, 3) if number == 1 else (0, 1, 2, 3))))
    events = draw.randint(1, 3) if draw.random() < 0.5 else 0
    foreign = tuple(_foreign(draw, made=draw.random() < 0.6) for _index in range(events))
    quota = (round(draw.uniform(0, 1), 2), draw.randint(0, largest)) if draw.random() < 0.2 else None
    failing = draw.randint(1, 2) if draw.random() < 0.2 else 0
    return Moment(count, runs, faults, foreign, quota, failing)


def _run(draw: random.Random, index: int, apart: bool, number: int) -> Run:
    start = 0.0 if index == 0 else round(draw.choice((0.0, 0.0, draw.uniform(0, 1))), 2)
    kill = round(draw.uniform(0, draw.choice((0.5, SPAN))), 2)
    kill_on = None
    if draw.random() < 0.3:
        kill, kill_on = round(draw.uniform(0, 0.2), 2), draw.choice([name for name in ACTIONS if name != "*"])
    home = index + (1 if number == 1 else 0) if apart else 0
    return Run(start, kill if draw.random() < 0.35 else None, kill_on, round(draw.uniform(2, 3), 1), home)


def _cut_short(draw: random.Random, moment: Moment, grows: bool) -> Moment:
    """A moment whose first run is killed while its most important request is under way."""
    action = "RunInstances" if grows else "TerminateInstances"
    fault = Fault(draw.choice(("late", "delay")), action, 1, 0, round(draw.uniform(0.5, LATEST), 2))
    first = dataclasses.replace(moment.runs[0], kill=round(draw.uniform(0, 0.2), 2), kill_on=action)
    return dataclasses.replace(moment, runs=(first, *moment.runs[1:]), faults=(fault, *moment.faults))


def _fault(draw: random.Random) -> Fault:
    kind, action = _weighted(draw, KINDS), _weighted(draw, ACTIONS)
    # What changes something is mostly sent once.
    skip = draw.choice((0, 0, 1, 2) if action in ("*", "DescribeInstances") else (0, 0, 0, 0, 1))
    return Fault(kind, action, draw.randint(1, 3), skip, round(draw.uniform(0.1, LATEST), 2))


def _foreign(draw: random.Random, made: bool) -> Foreign:
    owner = draw.choice(sorted(FOREIGN_GROUPS))
    groups = draw.choice(FOREIGN_GROUPS[owner])
    state = _weighted(draw, FOREIGN_STATES)
    return Foreign(round(draw.uniform(0, SPAN), 2), made, owner, groups, state, draw.randrange(1000))


def _weighted(draw: random.Random, weights: dict[str, int]) -> str:
    return draw.choices(list(weights), list(weights.values()))[0]
