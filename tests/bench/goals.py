# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be reached."""

from __future__ import annotations

import pathlib
import typing as t

from ..unit.plugins.rooms import PLUGINS, imported
from .contenders import AMAZON, FLOOR, LOOP, OURS
from .jobs import LATENCY, ROLE, Job
from .report import Figures, Inventories, Peaks, inventory_share, share

REQUESTS = {"from zero": 4, "no change": 1, "grow": 4, "terminate": 3}


class Goal(t.NamedTuple):
    """A figure and what it may be at most."""

    name: str
    limit: float
    value: float

    @property
    def reached(self) -> bool:
        """Whether it is no more than that."""
        return self.value <= self.limit


def check(figures: Figures, listed: Inventories, peaks: Peaks) -> list[Goal]:
    """The goals that something was measured for."""
    found = [*_requests(figures), *_cpu(figures), *_wall(figures)]
    for size in (1000, 10000):
        if (size, OURS.name) in listed:
            found.append(Goal(f"inventory of {size}: CPU ÷ {AMAZON.name}", 0.40, inventory_share(listed, size, "cpu")))
            found.append(
                Goal(f"inventory of {size}: memory ÷ {AMAZON.name}", 0.60, inventory_share(listed, size, "memory"))
            )
    for size, limit in ((100, 34), (500, 42)):
        if (size, OURS.name) in peaks:
            found.append(Goal(f"MiB of the module's process, {size}", limit, peaks[size, OURS.name].memory or 0))
    for module in ("instance", "keypair", "image_info"):
        found.append(Goal(f"KB of module_utils shipped with {module}", 60, shipped(module) / 1000))
    return found


def _requests(figures: Figures) -> list[Goal]:
    limits = {"key pair, no change": 1, "key pair, create": 2, "image": 1, **REQUESTS}
    return [
        Goal(f"requests, {job}", limits[job.kind], found[OURS.name].requests)
        for job, found in figures.items()
        if not job.latency and not job.boot and job.kind != ROLE
    ]


def _cpu(figures: Figures) -> list[Goal]:
    goals = []
    for job, found in figures.items():
        if job.latency or job.boot:
            continue
        if job.kind == ROLE:
            goals.append(Goal(f"CPU of all ÷ floors, {job}", 1.15, share(found, FLOOR.name, "all")))
            continue
        goals.append(Goal(f"CPU ÷ floor, {job}", 1.10, share(found, FLOOR.name, "cpu")))
        if LOOP.name in found:
            goals.append(Goal(f"CPU ÷ {LOOP.name}, {job}", 1.0, share(found, LOOP.name, "cpu")))
        limit = {"no change": 0.30, "from zero": 0.22}.get(job.kind)
        if job.size == 100 and limit:
            goals.append(Goal(f"CPU ÷ {AMAZON.name}, {job}", limit, share(found, AMAZON.name, "cpu")))
    return goals


def _wall(figures: Figures) -> list[Goal]:
    limits = {
        ("no change", 10): 0.27,
        ("no change", 100): 0.07,
        ("from zero", 10): 0.20,
        ("from zero", 100): 0.05,
    }
    goals = []
    for (kind, size), limit in limits.items():
        found = figures.get(Job(kind, size, LATENCY))
        if found:
            goals.append(
                Goal(f"wall ÷ {AMAZON.name}, {Job(kind, size, LATENCY)}", limit, share(found, AMAZON.name, "wall"))
            )
    found = figures.get(Job("from zero", 100, LATENCY))
    if found:
        goals.append(
            Goal(f"wall ÷ {LOOP.name}, {Job('from zero', 100, LATENCY)}", 0.22, share(found, LOOP.name, "wall"))
        )
    booting = Job("from zero", 10, boot=5.0)
    found = figures.get(booting)
    if found:
        goals.append(Goal(f"seconds, {booting}", 7.0, found[OURS.name].wall))
        goals.append(Goal(f"wall ÷ {AMAZON.name}, {booting}", 0.35, share(found, AMAZON.name, "wall")))
    return goals


def shipped(module: str) -> int:
    """Bytes of our module_utils that Ansible sends along with a module: what it imports, wherever it does."""
    found: set[pathlib.Path] = set()
    waiting = [PLUGINS / "modules" / f"{module}.py"]
    while waiting:
        new = imported(waiting.pop()) - found
        found |= new
        waiting += new
    return sum(path.stat().st_size for path in found)
