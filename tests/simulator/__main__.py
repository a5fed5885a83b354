# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.simulator``: batches never double, lose or take what is not theirs, whatever goes wrong.

Schedules are drawn from a seed, or all of those with a few deviations are played. Each that breaks a promise is printed
in its shortest form, with the line from which ``--replay`` plays it again, request by request.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import os
import pathlib
import sys
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALL_OF_THEM = "all"


def main(arguments: list[str] | None = None) -> int:
    """Play, and print the figures. 1 if a promise does not hold."""
    options = _options(arguments)
    _collection()
    if options.replay:
        return _replay(options.replay)
    began = time.monotonic()
    figures = play(options)
    seconds = time.monotonic() - began
    for found in figures.found:
        print(found)
        print(f"    again: python -m tests.simulator --replay {found.line}\n")
    print(figures)
    print(f"{seconds:.0f} s, {figures.runs / seconds:.0f} runs a second")
    return 1 if figures.found else 0


def play(options: argparse.Namespace) -> t.Any:
    """The figures of all that the options ask for."""
    from .explore import Figures
    from .scenarios import BY_NAME, PROFILES

    profiles = PROFILES if options.profile == ALL_OF_THEM else (options.profile,)
    jobs = [(name, profile) for name, one in BY_NAME.items() for profile in profiles if profile in one.profiles]
    parts = _parts(options, jobs)
    figures, told, done = Figures(), time.monotonic(), 0
    with concurrent.futures.ProcessPoolExecutor(options.workers, initializer=_collection) as pool:
        for part in concurrent.futures.as_completed([pool.submit(_walk, *one) for one in parts]):
            figures.add(part.result())
            done += 1
            if time.monotonic() - told > options.tell:
                told = time.monotonic()
                print(f"{done}/{len(parts)}: {figures.schedules} schedules, {len(figures.found)} broken", flush=True)
    return figures


def _parts(options: argparse.Namespace, jobs: list[tuple[str, str]]) -> list[tuple[t.Any, ...]]:
    """The work in pieces of at most some thousand schedules: scenario, profile, seed, number, deviations."""
    if options.schedules == ALL_OF_THEM:
        return [(*job, None, 0, options.deviations) for job in jobs]
    each = -(-int(options.schedules) // len(jobs))
    chunks = range(0, each, 2000)
    return [(*job, f"{options.seed}/{at}", min(2000, each - at), options.deviations) for at in chunks for job in jobs]


def _walk(scenario: str, profile: str, seed: str | None, number: int, deviations: int) -> t.Any:
    from .explore import on
    from .scenarios import BY_NAME

    if seed is None:
        return on(BY_NAME[scenario], profile, lambda walk: walk.exhaust(deviations), keep_going=True)
    whole = f"{seed}/{profile}/{scenario}"
    return on(BY_NAME[scenario], profile, lambda walk: walk.draw(whole, number, deviations), keep_going=True)


def _replay(line: str) -> int:
    from .choices import Choices
    from .explore import staged
    from .play import play as play_one

    stage, deviations = staged(line)
    try:
        choices = Choices(deviations)
        verdict = play_one(stage, choices)
        for entry in stage.cloud.log():
            shown = {name: value for name, value in entry["params"].items() if name.startswith(_TELLING)}
            print(
                f"{entry['time'] - stage.now:8.3f} s {entry['action']} {shown} {entry.get('status', 'not carried out')}"
            )
    finally:
        stage.close()
    print(f"{'; '.join(choices.told) or 'nothing special'}: {'; '.join(verdict.broken) or 'all promises hold'}")
    if verdict.excused:
        print(f"excused: {'; '.join(verdict.excused)}")
    return 1 if verdict.broken else 0


_TELLING = ("InstanceId", "MinCount", "MaxCount", "ClientToken", "GroupName", "SecurityGroup")


@functools.cache
def _collection() -> None:
    """Have the collection be importable, from this tree."""
    from ansible.plugins.loader import init_plugin_loader

    place = ROOT / "collections" / "ansible_collections" / "nova_ec2"
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "cloud").exists():
        (place / "cloud").symlink_to(ROOT)
    init_plugin_loader([str(ROOT / "collections")])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    add = parser.add_argument
    add("--schedules", default="20000", help="how many to draw, or 'all' for every one with so many deviations")
    add("--seed", default="1", help="what they are drawn from")
    add("--profile", default=ALL_OF_THEM, help="generation of the cloud, or 'all'")
    add("--deviations", type=int, help="how many things go wrong in a schedule at most; 3, or 1 with 'all'")
    add("--replay", metavar="LINE", help="play this one, and show its requests")
    add("--workers", type=int, default=os.cpu_count(), help="processes")
    add("--tell", type=float, default=30.0, help="seconds between lines of progress")
    options = parser.parse_args(arguments)
    if options.deviations is None:
        options.deviations = 1 if options.schedules == ALL_OF_THEM else 3
    return options


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    # As the tests import it.
    from simulator.__main__ import main as start

    sys.exit(start())
