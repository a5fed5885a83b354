# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Walking through schedules: all with a few deviations, or drawn ones; and the shortest form of one that fails."""

from __future__ import annotations

import collections
import dataclasses
import random
import typing as t

from .choices import Choices, Deviations, further, read, shorter, written
from .judge import Verdict
from .play import Stage, play
from .scenarios import BY_NAME, Scenario

# How likely a decision is to be another than usual, until there are enough of these.
CHANCE = 0.3


@dataclasses.dataclass
class Found:
    """A schedule that broke a promise."""

    line: str
    told: tuple[str, ...]
    broken: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.line}\n    {'; '.join(self.told)}\n    " + "\n    ".join(self.broken)


@dataclasses.dataclass
class Figures:
    """What came of many schedules."""

    schedules: int = 0
    runs: int = 0
    deviations: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    excused: int = 0
    found: list[Found] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.deviations.most_common())
        return (
            f"{self.schedules} schedules, {self.runs} runs, {len(self.found)} broken, {self.excused} excused; {kinds}"
        )

    def add(self, other: Figures) -> None:
        """Count those of another walk as well."""
        self.schedules += other.schedules
        self.runs += other.runs
        self.deviations += other.deviations
        self.excused += other.excused
        self.found += other.found


def line_of(stage: Stage, deviations: Deviations) -> str:
    """The line from which a schedule replays, such as grizzly/grow/3:2,7:1."""
    return f"{stage.profile}/{stage.scenario.name}/{written(deviations)}"


def staged(line: str) -> tuple[Stage, Deviations]:
    """The stage and the deviations of a line. Raises ValueError or KeyError if it is none."""
    profile, scenario, text = line.strip().split("/")
    return Stage(BY_NAME[scenario], profile), read(text)


class Walk:
    """Schedules of one scenario on one profile. keep_going: whether one that fails does not end it."""

    def __init__(self, stage: Stage, keep_going: bool = False, most: int = 5) -> None:
        self._stage = stage
        self._most = most if keep_going else 1
        self.figures = Figures()

    @property
    def over(self) -> bool:
        """Whether enough have failed."""
        return len(self.figures.found) >= self._most

    def exhaust(self, limit: int) -> None:
        """Play every schedule with at most so many deviations."""
        open_ones: list[Deviations] = [{}]
        while open_ones and not self.over:
            deviations = open_ones.pop()
            choices = self._play(Choices(deviations))
            if len(deviations) < limit:
                open_ones += further(deviations, choices.sizes)

    def draw(self, seed: str, number: int, limit: int) -> None:
        """Play so many schedules with up to limit deviations."""
        source = random.Random(seed)
        for _index in range(number):
            if self.over:
                return
            self._play(Choices({}, source, source.randint(1, limit), CHANCE))

    def _play(self, choices: Choices) -> Choices:
        # The product draws from the shared source, and must not draw from ours.
        verdict = play(self._stage, choices)
        self.figures.schedules += 1
        # The clean one as well.
        self.figures.runs += len(self._stage.scenario.runs) + 1
        self.figures.deviations.update(choices.told)
        self.figures.excused += bool(verdict.excused)
        if verdict.broken:
            self.figures.found.append(self._shortest(choices, verdict))
        return choices

    def _shortest(self, choices: Choices, verdict: Verdict) -> Found:
        """The simplest schedule near this one that breaks a promise too."""
        best, broken = choices, verdict.broken
        simpler = True
        while simpler:
            simpler = False
            for deviations in shorter(best.taken):
                attempt = Choices(deviations)
                verdict = play(self._stage, attempt)
                if verdict.broken:
                    best, broken, simpler = attempt, verdict.broken, True
                    break
        return Found(line_of(self._stage, best.taken), tuple(best.told), broken)


def on(scenario: Scenario, profile: str, walk: t.Callable[[Walk], None], keep_going: bool = False) -> Figures:
    """The figures of a walk through a scenario on a profile."""
    stage = Stage(scenario, profile)
    try:
        walker = Walk(stage, keep_going)
        walk(walker)
        return walker.figures
    finally:
        stage.close()
