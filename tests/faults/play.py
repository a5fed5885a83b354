# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playing one schedule: a clean start, the moments, a clean run, and the look at what is there."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import pathlib
import queue
import shutil
import time
import typing as t

from . import naive
from .cloud import Cloud
from .runs import Nursery, Run
from .schedule import BATCH, FLAVOR, IMAGE, MARK, Foreign, Moment, Schedule, options_of
from .schedule import Run as Planned
from .verdict import Sight, Verdict, judge, judge_naive

# No run may take longer than this, whatever happens to it, and however slow the machine is.
RUN_SECONDS = 900.0
BED_RUN_SECONDS = 1200.0
# A clean run must not fail because the machine is slow.
CLEAN = {"read_timeout": 120.0, "connect_timeout": 120, "wait_timeout": 600}
END_SECONDS = 300.0
# How often it is looked whether the request came after which a run is to be killed.
WATCH_SECONDS = 0.03
UNTAGGED = ("grizzly",)
Event = tuple[float, t.Callable[[], t.Any]]


@dataclasses.dataclass
class Outcome:
    """What came of a schedule. messages: what runs said, or what happened to them, in order; log: GET /log.

    ``started`` is when, in seconds since the epoch.
    """

    schedule: Schedule
    started: float = dataclasses.field(default_factory=time.time)
    verdict: Verdict | None = None
    runs: int = 0
    kills: int = 0
    clean_failed: int = 0
    hung: int = 0
    in_flight: bool = False
    surplus: int = 0
    applied: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    messages: list[str] = dataclasses.field(default_factory=list)
    log: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    problem: str | None = None

    @property
    def broken(self) -> list[str]:
        """Which promises do not hold, in words."""
        found = list(self.verdict.broken) if self.verdict else []
        found += [f"{self.clean_failed} clean runs failed"] if self.clean_failed else []
        found += [f"{self.hung} runs hung"] if self.hung else []
        return found + ([f"the schedule could not be played: {self.problem}"] if self.problem else [])


class Play:
    """One schedule on one cloud. launcher: ``instance`` (the module) or ``naive``."""

    def __init__(
        self,
        schedule: Schedule,
        cloud: Cloud,
        nursery: Nursery,
        folder: pathlib.Path,
        launcher: str,
        patience: float,
        made: t.Callable[[], t.Any] = queue.Queue,
    ) -> None:
        self.schedule = schedule
        self.cloud = cloud
        self.nursery = nursery
        self.folder = folder
        self.naive = launcher == "naive"
        self.launcher = launcher
        self.patience = patience
        self.queue = made
        self.outcome = Outcome(schedule)
        self.foreign: dict[str, str | None] = {}
        self.began = time.monotonic()

    def run(self) -> Outcome:
        """Play the schedule; what keeps it from being played is told as its problem."""
        try:
            self._play()
        except (OSError, ValueError, RuntimeError, KeyError) as problem:
            self.outcome.problem = f"{type(problem).__name__}: {problem}"
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return self.outcome

    def _play(self) -> None:
        schedule, cloud = self.schedule, self.cloud
        times = {name: getattr(schedule, name) for name in ("boot_seconds", "action_seconds", "latency")}
        cloud.begin(**times, launch_seconds=schedule.latency)
        for event in schedule.foreign:
            self._meddle(event)
        if self.naive:
            self._clean(0, prepare=True)
        if schedule.first:
            self._clean(schedule.first)
        for moment in schedule.moments:
            self._live(moment)
        if not schedule.at_once:
            cloud.settle()
        self.outcome.in_flight = cloud.in_flight() > 0
        # No promise, since runs may have been cut short; but it tells what the clean run had to mend.
        self.outcome.surplus = self._verdict(False).duplicates
        succeeded = self._clean(schedule.wanted)
        cloud.settle()
        self.outcome.applied = collections.Counter(cloud.applied)
        self.outcome.verdict = self._verdict(succeeded)

    def _verdict(self, clean: bool) -> Verdict:
        schedule, cloud = self.schedule, self.cloud
        self.outcome.log = cloud.log()
        # The naive launcher never terminates anything, so what it had before is no duplicate.
        earlier = [schedule.first, *(moment.count for moment in schedule.moments)]
        wanted = max(earlier) if self.naive else schedule.wanted
        project = cloud.users[schedule.user]["tenant_id"]
        state = cloud.control("GET", "state")
        sight = Sight(state, self.outcome.log, project, MARK, wanted, self.foreign, clean)
        tag = None if schedule.profile in UNTAGGED else naive.TAG
        return judge_naive(sight, tag) if self.naive else judge(sight)

    # Runs --------------------------------------------------------------------------------------------------------

    def _clean(self, count: int, **more: t.Any) -> bool:
        """One run with nothing in its way; whether it succeeded."""
        done = self.queue()
        run = self._start(count, 0, done, {**CLEAN, **more})
        try:
            done.get(timeout=self.patience)
        except queue.Empty:
            self._give_up([run], done)
        failed = self._report(run, "clean run")
        self.outcome.clean_failed += failed
        return not failed

    def _live(self, moment: Moment) -> None:
        """Have a moment's runs, and all that happens to them, take place."""
        for fault in moment.faults:
            self.cloud.fault(**dataclasses.asdict(fault))
        if moment.failing_builds:
            self.cloud.control("POST", "settings", fail_builds=moment.failing_builds)
        done = self.queue()
        started: list[Run] = []
        events = list(self._events(moment, started, done))
        watched = {number: run for number, run in enumerate(moment.runs) if run.kill is not None and run.kill_on}
        begun = self.cloud.last_request()
        began = time.monotonic()
        over = 0
        while over < len(moment.runs):
            passed = time.monotonic() - began
            for number in self._seen(watched, begun):
                events.append((passed + (watched.pop(number).kill or 0.0), self._kill(started, number)))
            due = sorted((event for event in events if event[0] <= passed), key=lambda event: event[0])
            events = [event for event in events if event[0] > passed]
            for _at, happen in due:
                happen()
            if passed > self.patience:
                self._give_up([run for run in started if run.alive], done)
                break
            until = min([passed + (WATCH_SECONDS if watched else self.patience), *(at for at, _happen in events)])
            with contextlib.suppress(queue.Empty):
                done.get(timeout=max(0.0, until - passed))
                over += 1
        for number, run in enumerate(started):
            self._report(run, f"run {number}")
        self.cloud.end_faults()
        self.cloud.control("POST", "settings", quota_instances=-1, fail_builds=0)

    def _seen(self, watched: dict[int, Planned], begun: int) -> list[int]:
        """Of the runs to be killed when the cloud has received an action, those for which it has."""
        if not watched:
            return []
        seen = {entry["action"] for entry in self.cloud.log(begun)}
        return [number for number, run in watched.items() if run.kill_on in seen]

    def _events(self, moment: Moment, started: list[Run], done: t.Any) -> t.Iterator[Event]:
        """What is to happen at a certain time, in seconds after the moment's beginning."""
        for number, run in enumerate(moment.runs):
            yield run.start, self._begin(moment, run, started, done)
            if run.kill is not None and run.kill_on is None:
                yield run.start + run.kill, self._kill(started, number)
        for event in moment.foreign:
            yield event.at, functools.partial(self._meddle, event)
        if moment.quota is not None:
            at, number = moment.quota
            yield at, functools.partial(self.cloud.control, "POST", "settings", quota_instances=number)

    def _begin(self, moment: Moment, run: Planned, started: list[Run], done: t.Any) -> t.Callable[[], None]:
        return lambda: started.append(self._start(moment.count, run.home, done, {"read_timeout": run.read_timeout}))

    def _kill(self, started: list[Run], number: int) -> t.Callable[[], None]:
        def kill() -> None:
            for run in started[number : number + 1]:
                self.nursery.kill(run)

        return kill

    def _start(self, count: int, home: int, done: t.Any, more: t.Mapping[str, t.Any]) -> Run:
        keys = self.cloud.users[self.schedule.user]
        options: dict[str, t.Any] = {"endpoint_url": self.cloud.url, "count": count}
        options |= {"access_key": keys["access"], "secret_key": keys["secret"]}
        if self.naive:
            tags = self.schedule.profile not in UNTAGGED
            options |= {"batch": BATCH, "image": IMAGE, "instance_type": FLAVOR, "tags": tags, **more}
        else:
            options |= {**options_of(), **more}
            options["read_timeout"] *= self.cloud.pace
        self.outcome.runs += 1
        output = self.folder / f"run-{self.outcome.runs}"
        return self.nursery.start(self.launcher, options, self.folder / f"home-{home}", output, done)

    def _give_up(self, runs: list[Run], done: t.Any) -> None:
        """Kill runs that take too long; of the naive launcher that is expected, as somebody would press Ctrl-C."""
        for run in runs:
            self.nursery.kill(run)
            self.outcome.messages.append("a run took too long and was killed")
            self.outcome.hung += not self.naive
        for _run in runs:
            done.get(timeout=END_SECONDS)

    def _report(self, run: Run, name: str) -> bool:
        """Note what a run said; whether it failed."""
        when = f"{time.monotonic() - self.began:6.2f} s: {name}"
        if run.killed:
            self.outcome.kills += 1
            self.outcome.messages.append(f"{when} was killed")
            return True
        if self.naive:
            said = run.errors()
            self.outcome.messages.append(f"{when}: {said or 'ok'}")
            return bool(said)
        result = run.result()
        failed = bool(result.get("failed"))
        told = result.get("msg") if failed else f"ok, plan {result.get('plan')}"
        self.outcome.messages.append(f"{when}: {'failed: ' if failed else ''}{told}")
        return failed

    # Others ------------------------------------------------------------------------------------------------------

    def _meddle(self, event: Foreign) -> None:
        """Make a VM behind the API, or terminate one of those made so."""
        if event.made:
            other = "other" if self.schedule.user == "demo" else "demo"
            tenant = self.schedule.user if event.owner == "own" else other
            order = {"tenant": tenant, "state": event.state, "groups": list(event.groups), "instance_type": FLAVOR}
            made = self.cloud.control("POST", "servers", **order)["servers"]
            self.foreign.update((server["id"], event.state) for server in made)
            return
        there = [value for value, state in self.foreign.items() if state is not None]
        if there:
            value = there[event.choice % len(there)]
            try:
                self.cloud.control("POST", f"servers/{value}", vm_state="deleted")
                self.foreign[value] = None
            except ValueError:
                # Gone already, which nobody but us may do to it: the verdict will say so.
                self.outcome.messages.append(f"foreign VM {value} was gone")
