# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.faults``: whatever goes wrong, batches never double and other people's VMs are never touched.

Schedules of lost, broken and late answers, killed and concurrent runs, exhausted quotas and other people's VMs are
played on local clouds, each followed by one clean run, and then by a look at what there is. Each can be repeated by its
seed and number.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
import time

from .play import BED_RUN_SECONDS, RUN_SECONDS, Outcome
from .schedule import BED_LARGEST, LARGEST, PROFILES, derive
from .suite import Job, Suite, progress_bar, table

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Play the schedules and print the figures. 1 if a promise does not hold, or if the naive launcher holds it too."""
    options = _options(arguments)
    began = time.monotonic()
    outcomes = play(options, began)
    broken = [outcome for outcome in outcomes["instance"] if outcome.broken]
    for outcome in sorted(broken, key=lambda outcome: outcome.schedule.number):
        print(_told(outcome), end="\n\n")
    if options.verbose:
        for outcome in [*outcomes["instance"], *outcomes["naive"]]:
            print(_whole(outcome), end="\n\n")
    print(table(outcomes, time.monotonic() - began))
    if broken:
        print(f"\n{len(broken)} schedules broke a promise.")
    naive = sum(outcome.verdict.duplicates for outcome in outcomes["naive"] if outcome.verdict)
    if outcomes["naive"] and not naive:
        print("\nThe naive launcher made no duplicate either: these schedules prove nothing.")
    return 1 if broken or (outcomes["naive"] and not naive) else 0


def play(options: argparse.Namespace, began: float) -> dict[str, list[Outcome]]:
    """Outcomes by launcher."""
    numbers = range(options.schedules) if options.only is None else [options.only]
    schedules = [derive(options.seed, number, options.profile, options.largest) for number in numbers]
    # The naive launcher comes first, since it is the slowest.
    jobs = [Job(schedule, "naive") for schedule in schedules[: options.naive]]
    jobs += [Job(schedule, "instance") for schedule in schedules]
    patience = {"instance": RUN_SECONDS if options.bed is None else BED_RUN_SECONDS, "naive": options.naive_seconds}
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        suite = Suite(pathlib.Path(folder), options.collection, options.workers, patience, options.bed)
        suite.play(jobs, progress_bar(began))
    return suite.outcomes


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    add = parser.add_argument
    add("--schedules", type=int, default=200, help="how many to play")
    add("--seed", type=int, default=1, help="what they are drawn from")
    add("--profile", choices=("all", *PROFILES), default="all", help="generation of the clouds; all: one after another")
    add("--largest", type=int, help=f"how many VMs a batch has at most; {LARGEST}, or {BED_LARGEST} on an OpenStack")
    add("--workers", type=int, default=24, help="how many are played at the same time; they mostly sleep")
    add("--naive", type=int, help="how many are also played with a naive launcher; 60, or none with --only")
    add("--naive-seconds", type=float, default=60.0, help="after which a run of the naive launcher is killed")
    add("--only", type=int, metavar="NUMBER", help="play this schedule alone")
    add("--verbose", action="store_true", help="tell all about every schedule")
    add("--collection", type=pathlib.Path, default=ROOT, help="the tree whose plugins are tested")
    add("--bed", type=pathlib.Path, help="directory of an OpenStack to play on instead of local clouds")
    options = parser.parse_args(arguments)
    if options.bed is not None:
        options.profile = "ec2api"
    if options.largest is None:
        options.largest = LARGEST if options.bed is None else BED_LARGEST
    if options.naive is None:
        options.naive = 60 if options.only is None else 0
    return options


def _told(outcome: Outcome) -> str:
    """A schedule: how to repeat it, every request, and what runs said. Times are not the same again; all is told."""
    schedule = outcome.schedule
    flags = f"--seed {schedule.seed} --profile {schedule.profile} --largest {schedule.largest}"
    head = [
        f"Schedule {schedule.number}, {schedule.profile}: {'; '.join(outcome.broken) or 'all promises hold'}",
        f"  {schedule.first} VMs at first, {schedule.wanted} wanted, as {schedule.user}; clean run "
        f"begun with {'requests' if outcome.in_flight else 'nothing'} in flight",
        f"  again: python -m tests.faults {flags} --only {schedule.number} --verbose",
    ]
    requests = [
        f"  {entry['time'] - outcome.started:6.2f} s: {entry['action']} {_shown(entry['params'])}"
        f" -> {entry.get('status')} {entry.get('code') or ''} ({entry.get('seconds', 0):.2f} s)"
        for entry in outcome.log
    ]
    return "\n".join([*head, *requests, *(f"  {message}" for message in outcome.messages)])


def _whole(outcome: Outcome) -> str:
    """What was drawn for a schedule, and all that came of it."""
    drawn = json.dumps(dataclasses.asdict(outcome.schedule), indent=1)
    return f"{drawn}\n{_told(outcome)}\n  {outcome.verdict}"


def _shown(params: dict[str, str]) -> str:
    shown = ("Count", "InstanceId", "GroupName", "SecurityGroup", "ResourceId", "ClientToken")
    return " ".join(f"{name}={value}" for name, value in sorted(params.items()) if any(one in name for one in shown))


if __name__ == "__main__":
    sys.exit(main())
