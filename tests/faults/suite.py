# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many schedules at the same time, and the figures of them all."""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import sys
import threading
import time
import typing as t

from .cloud import Cloud, front, local_cloud
from .play import Outcome, Play
from .runs import Nursery
from .schedule import PROFILES, Schedule

BAR = 40
TOLD_SECONDS = 30.0
LAUNCHERS = {"instance": "nova_ec2.cloud", "naive": "naive launcher"}


@dataclasses.dataclass(frozen=True)
class Job:
    """A schedule to be played, with which launcher."""

    schedule: Schedule
    launcher: str


class Suite:
    """Plays jobs with many workers, each of which has a local cloud of its own, or tenants of its own on a real one.

    patience: seconds by launcher; bed: the directory of an OpenStack to use instead of local clouds.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        collection: pathlib.Path,
        workers: int,
        patience: t.Mapping[str, float],
        bed: pathlib.Path | None = None,
    ) -> None:
        self._bed = bed
        self._folder = folder
        self._workers = workers
        self._patience = patience
        self._lock = threading.Lock()
        self._left: dict[str, collections.deque[Job]] = {profile: collections.deque() for profile in PROFILES}
        self._nursery = Nursery(folder, collection)
        self._failure: BaseException | None = None
        self.outcomes: dict[str, list[Outcome]] = {launcher: [] for launcher in LAUNCHERS}

    def play(self, jobs: t.Sequence[Job], told: t.Callable[[int, int], None]) -> None:
        """Play them all; told (done, all) is called now and then."""
        for job in jobs:
            self._left[job.schedule.profile].append(job)
        wanted = [profile for profile in PROFILES if self._left[profile]]
        threads = [
            threading.Thread(target=self._work, args=(number, wanted[number % len(wanted)]), daemon=True)
            for number in range(min(self._workers, len(jobs)))
        ]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                told(self._done(), len(jobs))
                time.sleep(0.5)
            told(self._done(), len(jobs))
        finally:
            self._nursery.stop()
        if self._failure is not None:
            raise self._failure

    def _done(self) -> int:
        return sum(len(outcomes) for outcomes in self.outcomes.values())

    def _work(self, number: int, profile: str) -> None:
        """One worker: first what its cloud's profile is for, then what is left of others."""
        folder = self._folder / f"worker-{number}"
        cloud: Cloud | None = None
        played = 0
        try:
            while (job := self._next(profile)) is not None:
                profile = job.schedule.profile
                if cloud is None or cloud.profile != profile:
                    if cloud is not None:
                        cloud.stop()
                    cloud = self._cloud(_made(folder / f"cloud-{played}"), profile, number)
                played += 1
                place = _made(folder / f"play-{played}")
                patience = self._patience[job.launcher]
                outcome = Play(job.schedule, cloud, self._nursery, place, job.launcher, patience).run()
                with self._lock:
                    self.outcomes[job.launcher].append(outcome)
        except BaseException as failure:
            self._failure = failure
        finally:
            if cloud is not None:
                cloud.stop()

    def _cloud(self, folder: pathlib.Path, profile: str, number: int) -> Cloud:
        if self._bed is None:
            return Cloud(folder, local_cloud(profile))
        return Cloud(folder, front(self._bed, number))

    def _next(self, profile: str) -> Job | None:
        with self._lock:
            if self._failure is not None:
                return None
            if not self._left[profile]:
                profile = max(PROFILES, key=lambda name: len(self._left[name]))
            return self._left[profile].popleft() if self._left[profile] else None


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def figures(outcomes: t.Sequence[Outcome]) -> dict[str, int]:
    """The counters of a launcher's outcomes, in the order in which they are shown."""
    verdicts = [outcome.verdict for outcome in outcomes if outcome.verdict]
    applied: collections.Counter[str] = sum((outcome.applied for outcome in outcomes), collections.Counter())
    return {
        "schedules": len(outcomes),
        "module runs": sum(outcome.runs for outcome in outcomes),
        **{f"faults: {kind}": count for kind, count in sorted(applied.items())},
        "faults injected, all kinds": sum(applied.values()),
        "runs killed": sum(outcome.kills for outcome in outcomes),
        "clean runs begun with requests in flight": sum(outcome.in_flight for outcome in outcomes),
        "VMs too many before the clean run": sum(outcome.surplus for outcome in outcomes),
        "duplicates": sum(verdict.duplicates for verdict in verdicts),
        "missing after a clean run": sum(verdict.missing for verdict in verdicts),
        "orphans": sum(len(verdict.orphans) for verdict in verdicts),
        "foreign VMs touched": sum(len(verdict.touched) for verdict in verdicts),
        "unaccounted ids": sum(len(verdict.unaccounted) for verdict in verdicts),
        "clean runs that failed": sum(outcome.clean_failed for outcome in outcomes),
        "runs that hung": sum(outcome.hung for outcome in outcomes),
        "schedules that could not be played": sum(outcome.problem is not None for outcome in outcomes),
    }


def table(outcomes: t.Mapping[str, t.Sequence[Outcome]], seconds: float) -> str:
    """All counters as a Markdown table, a column for each launcher that was played."""
    columns = {launcher: figures(found) for launcher, found in outcomes.items() if found}
    # All of them, in the order of whichever has most.
    rows = list(dict.fromkeys(row for found in sorted(columns.values(), key=len, reverse=True) for row in found))
    lines = [["", *(LAUNCHERS[launcher] for launcher in columns)], ["---", *("---:" for _column in columns)]]
    lines += [[row, *(str(found.get(row, 0)) for found in columns.values())] for row in rows]
    lines += [["seconds, all", f"{seconds:.0f}", *("" for _column in list(columns)[1:])]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def progress_bar(began: float) -> t.Callable[[int, int], None]:
    """What tells of progress on standard error: a bar on a terminal, and else a line now and then."""
    told = [began]

    def tell(done: int, number: int) -> None:
        seconds = time.monotonic() - began
        if sys.stderr.isatty():
            full = BAR * done // max(1, number)
            end = "\n" if done == number else ""
            print(f"\r[{'#' * full}{'.' * (BAR - full)}] {done}/{number} {seconds:.0f} s", end=end, file=sys.stderr)
            sys.stderr.flush()
        elif time.monotonic() - told[0] >= TOLD_SECONDS:
            told[0] = time.monotonic()
            print(f"{done}/{number} schedules, {seconds:.0f} s", file=sys.stderr, flush=True)

    return tell
