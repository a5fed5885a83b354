# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever goes wrong, batches never double and other people's VMs are never touched; a naive launcher doubles."""

from __future__ import annotations

import functools
import itertools
import pathlib
import time
import typing as t

import pytest

from faults import virtual
from faults.play import RUN_SECONDS, Outcome
from faults.schedule import Schedule, derive
from faults.suite import Job, Suite, figures

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 1
# python -m tests.faults plays as many as one likes.
SCHEDULES = 40
NAIVE = 4
VIRTUAL = 200
WORKERS = 12
PATIENCE = {"instance": RUN_SECONDS, "naive": 300.0}
# What makes a launcher that repeats its requests launch twice, whatever is quicker.
DOUBLES = ("drop_after", "http_500_after", "http_503_after")
PROMISES = (
    "duplicates",
    "missing after a clean run",
    "orphans",
    "foreign VMs touched",
    "unaccounted ids",
    "clean runs that failed",
    "runs that hung",
    "schedules that could not be played",
)


def doubles(schedule: Schedule) -> bool:
    """Whether a launcher that repeats its requests ends with VMs too many, whatever is quicker."""
    largest = max(schedule.first, *(moment.count for moment in schedule.moments))
    hangs = any(fault.kind == "hang" for moment in schedule.moments for fault in moment.faults)
    before = schedule.first
    for moment in schedule.moments:
        fault = moment.faults[0] if moment.faults else None
        alone = len(moment.runs) == 1 and moment.runs[0].kill is None and moment.quota is None
        launches = moment.count == largest > before and alone and not moment.failing_builds
        listed = all(one.action not in ("*", "DescribeInstances") for one in moment.faults)
        if fault and launches and listed and not hangs:
            return fault.kind in DOUBLES and fault.action == "RunInstances" and fault.skip == 0
        before = max(before, moment.count)
    return False


def test_no_schedule_doubles_a_batch_or_touches_a_foreign_vm(
    tmp_path: pathlib.Path, figure: t.Callable[[str], None]
) -> None:
    began = time.monotonic()
    schedules = [derive(SEED, number) for number in range(SCHEDULES)]
    found = filter(doubles, map(functools.partial(derive, SEED), itertools.count()))
    jobs = [Job(schedule, "naive") for schedule in itertools.islice(found, NAIVE)]
    jobs += [Job(schedule, "instance") for schedule in schedules]
    suite = Suite(tmp_path, ROOT, WORKERS, PATIENCE)
    suite.play(jobs, lambda done, number: None)
    ours, naive = figures(suite.outcomes["instance"]), figures(suite.outcomes["naive"])
    shown = [f"{number} {name}" for name, number in ours.items() if not name.startswith("faults: ")]
    figure(f"faults: {', '.join(shown)}, {time.monotonic() - began:.0f} s")
    figure(f"faults, naive launcher: {naive['schedules']} schedules, {naive['duplicates']} duplicates")
    broken = sorted(
        (outcome.schedule.number, outcome.broken) for outcome in suite.outcomes["instance"] if outcome.broken
    )
    assert broken == [], f"Again: python -m tests.faults --seed {SEED} --only NUMBER --verbose"
    assert {name: ours[name] for name in PROMISES} == dict.fromkeys(PROMISES, 0)
    assert ours["schedules"] == SCHEDULES
    assert ours["faults injected, all kinds"] > SCHEDULES and ours["runs killed"] > SCHEDULES / 4
    assert naive["schedules"] == NAIVE and naive["duplicates"] >= NAIVE
    real = {outcome.schedule.number: verdict_of(outcome) for outcome in suite.outcomes["instance"]}
    assert {schedule.number: verdict_of(virtual.play(schedule)) for schedule in schedules} == real
    figure(f"faults: {len(real)} schedules have the same verdicts with real processes and on virtual time")


def verdict_of(outcome: Outcome) -> tuple[t.Any, ...]:
    """What is there after a schedule, and what is wrong with it, as numbers."""
    assert outcome.verdict is not None, outcome.problem
    seen = outcome.verdict
    wrong = (seen.duplicates, seen.missing, len(seen.orphans), len(seen.touched), len(seen.unaccounted))
    return (len(seen.members), *wrong, tuple(outcome.broken))


@pytest.mark.parametrize("part", range(2))
def test_no_schedule_does_on_virtual_time_either(part: int, figure: t.Callable[[str], None]) -> None:
    outcomes = [virtual.play(derive(SEED, number)) for number in range(part, VIRTUAL, 2)]
    found = figures(outcomes)
    shown = [f"{number} {name}" for name, number in found.items() if not name.startswith("faults: ")]
    figure(f"faults on virtual time, part {part + 1}: {', '.join(shown)}")
    assert [(outcome.schedule.number, outcome.broken) for outcome in outcomes if outcome.broken] == []
    assert found["schedules"] == VIRTUAL / 2 and found["faults injected, all kinds"] > VIRTUAL / 2
