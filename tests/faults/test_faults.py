# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever goes wrong, batches never double and other people's VMs are never touched; a naive launcher doubles."""

from __future__ import annotations

import pathlib
import time
import typing as t

from faults.schedule import derive
from faults.suite import Job, Suite, figures

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 1
SCHEDULES = 200
NAIVE = 20
WORKERS = 32
PATIENCE = {"instance": 150.0, "naive": 20.0}
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


def test_no_schedule_doubles_a_batch_or_touches_a_foreign_vm(
    tmp_path: pathlib.Path, figure: t.Callable[[str], None]
) -> None:
    began = time.monotonic()
    schedules = [derive(SEED, number) for number in range(SCHEDULES)]
    jobs = [Job(schedule, "naive") for schedule in schedules[:NAIVE]]
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
    assert naive["duplicates"] > 0
