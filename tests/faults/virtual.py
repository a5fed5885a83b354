# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same schedules in one process, on a clock that only moves when everybody waits."""

from __future__ import annotations

import functools
import os
import pathlib
import queue
import tempfile
import typing as t
from unittest import mock

from virtual.cloud import VirtualCloud
from virtual.task import Begun, Task
from virtual.world import World

from .cloud import UNLIMITED, Cloud
from .play import RUN_SECONDS, Outcome, Play
from .schedule import Schedule

# Where nothing takes any time, a wait that ends a rounding error too early would be repeated for ever.
TICK = 0.001


class WorldQueue:
    """The runs that are to end, and that come out when they have; waiting for that lets things happen."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.runs: list[WorldRun] = []

    def get(self, timeout: float) -> WorldRun:
        """A run that is over; queue.Empty if none is within timeout seconds."""
        self._world.run_until(lambda: any(not run.alive for run in self.runs), self._world.now + timeout + TICK)
        for run in self.runs:
            if not run.alive:
                self.runs.remove(run)
                return run
        raise queue.Empty


class WorldCloud(Cloud):
    """A cloud of a world, as schedules need it."""

    def __init__(self, world: World, directory: pathlib.Path, profile: str) -> None:
        self._inner = VirtualCloud(world, directory, profile, **UNLIMITED)
        self._take(self._inner.users, self._inner.url, profile)

    def control(self, method: str, path: str, **body: t.Any) -> t.Any:
        """One request to the control API."""
        return self._inner.control(method, path, **body)


class WorldRun:
    """One run of the module, as :class:`runs.Run` tells of it."""

    killed = False

    def __init__(self, begun: Begun) -> None:
        self.begun = begun

    @property
    def alive(self) -> bool:
        """Whether it is not over."""
        return not self.killed and not self.begun.over

    def result(self) -> dict[str, t.Any]:
        """What it returned."""
        return self.begun.result()


class WorldNursery:
    """Where runs begin and are killed."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(
        self, job: str, options: dict[str, t.Any], home: pathlib.Path, output: pathlib.Path, done: WorldQueue
    ) -> WorldRun:
        """Start a run of the module instance."""
        home.mkdir(parents=True, exist_ok=True)
        run = WorldRun(Task(job, options, home=home).begin(self._world))
        done.runs.append(run)
        return run

    def kill(self, run: WorldRun) -> None:
        """Kill it, if it is not over."""
        if run.alive:
            run.killed = True
            run.begun.kill()


def play(schedule: Schedule) -> Outcome:
    """What comes of a schedule."""
    with tempfile.TemporaryDirectory(prefix="faults-") as place, World().entered() as world:
        folder = pathlib.Path(place)
        cloud = WorldCloud(world, folder / "cloud", schedule.profile)
        with mock.patch.dict(os.environ, HOME=place):
            nursery: t.Any = WorldNursery(world)
            made = functools.partial(WorldQueue, world)
            return Play(schedule, cloud, nursery, folder / "play", "instance", RUN_SECONDS, made).run()
