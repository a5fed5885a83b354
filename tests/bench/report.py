# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as Markdown."""

from __future__ import annotations

import statistics
import typing as t

from .contenders import ALL, AMAZON, OURS
from .jobs import Job, Measured, ratio
from .lab import Run

Figures = t.Mapping[Job, t.Mapping[str, Measured]]
Inventories = dict[tuple[int, str], list[Run]]
Peaks = t.Mapping[tuple[int, str], Run]


def markdown(head: str, figures: Figures, listed: Inventories, peaks: Peaks, goals: t.Iterable[t.Any]) -> str:
    """All tables."""
    parts = [f"{head}. CPU is the task's own, in seconds; wall is that of the whole command, in seconds.", ""]
    parts += _jobs(figures)
    if listed:
        parts += ["", *_inventories(listed)]
    if peaks:
        parts += ["", *_peaks(peaks)]
    parts += ["", "| goal | must be | is | |", "|---|---:|---:|---|"]
    parts += [
        f"| {one.name} | ≤ {one.limit:g} | {one.value:.2f} | {'' if one.reached else 'missed'} |" for one in goals
    ]
    return "\n".join(parts) + "\n"


def _jobs(figures: Figures) -> list[str]:
    names = [contender.name for contender in ALL]
    rows = [
        f"| job | {' | '.join(f'{name}: requests | CPU | wall' for name in names)} |",
        f"|---{'|---:' * 3 * len(names)}|",
    ]
    for job, found in figures.items():
        cells = []
        for name in names:
            one = found.get(name)
            cells += [f"{one.requests}", f"{one.cpu:.2f}", f"{one.wall:.2f}"] if one else ["", "", ""]
        rows.append(f"| {job} | {' | '.join(cells)} |")
    return rows


def _inventories(listed: Inventories) -> list[str]:
    rows = ["| inventory of | by | requests | CPU | wall | MiB |", "|---:|---|---:|---:|---:|---:|"]
    for (size, name), runs in listed.items():
        cpu, wall = statistics.median([run.cpu for run in runs]), statistics.median([run.wall for run in runs])
        memory = statistics.median([run.memory or 0 for run in runs])
        rows.append(f"| {size} | {name} | {runs[0].requests} | {cpu:.2f} | {wall:.2f} | {memory:.0f} |")
    return rows


def _peaks(peaks: Peaks) -> list[str]:
    rows = ["| members, no change | by | MiB of the module's process |", "|---:|---|---:|"]
    return rows + [f"| {size} | {name} | {run.memory or 0:.1f} |" for (size, name), run in peaks.items()]


def share(found: t.Mapping[str, Measured], other: str, what: str) -> float:
    """Our CPU (that of the task, or of all) or wall divided by another's, as the median of paired rounds."""
    ours, theirs = found[OURS.name], found[other]
    if what == "all":
        return ratio(ours.whole_cpu(), theirs.whole_cpu())
    if what == "cpu":
        return ratio(ours.own_cpu(), theirs.own_cpu())
    return ratio([run.wall for run in ours.runs], [run.wall for run in theirs.runs])


def inventory_share(listed: Inventories, size: int, what: str) -> float:
    """Our CPU or memory (what) for an inventory divided by that of amazon.aws."""
    ours, theirs = listed[size, OURS.name], listed[size, AMAZON.name]
    return ratio([getattr(run, what) for run in ours], [getattr(run, what) for run in theirs])
