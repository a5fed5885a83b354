# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided in a schedule: a list of choices, all 0 (nothing special happens) but for a few deviations."""

from __future__ import annotations

import random
import typing as t

Deviations = dict[int, int]
MANY = 10


class Choices:
    """Decides by number of the decision, or draws.

    deviations: what is chosen there instead of 0; draw: what draws further ones, at most ``limit``, each with the
    probability ``chance``.
    """

    def __init__(
        self, deviations: t.Mapping[int, int], draw: random.Random | None = None, limit: int = 0, chance: float = 0.0
    ) -> None:
        self._planned = dict(deviations)
        self._draw = draw
        self._limit = limit
        self._chance = chance
        self.taken: Deviations = {}
        self.sizes: list[int] = []
        self.told: list[str] = []

    def choose(self, options: t.Sequence[str]) -> str:
        """One of options; the first is what happens when nothing special does."""
        place = len(self.sizes)
        self.sizes.append(len(options))
        number = self._planned.get(place, 0)
        # Where there is more to choose from it is chosen more often.
        chance = self._chance * min(1.0, len(options) / MANY) if len(options) > 1 else 0.0
        if self._draw is not None and len(self.taken) < self._limit and self._draw.random() < chance:
            number = self._draw.randrange(1, len(options))
        number = number if number < len(options) else 0
        if number:
            self.taken[place] = number
            self.told.append(options[number])
        return options[number]


def written(deviations: t.Mapping[int, int]) -> str:
    """Deviations as text, such as 3:2,7:1."""
    return ",".join(f"{place}:{number}" for place, number in sorted(deviations.items()))


def read(text: str) -> Deviations:
    """Deviations from text. Raises ValueError if it is none."""
    pairs = (part.split(":") for part in text.split(",") if part)
    return {int(place): int(number) for place, number in pairs}


def further(deviations: Deviations, sizes: t.Sequence[int]) -> t.Iterator[Deviations]:
    """All deviations with one more, after the last of those given. sizes: how many options each decision had."""
    for place in range(max(deviations, default=-1) + 1, len(sizes)):
        for number in range(1, sizes[place]):
            yield {**deviations, place: number}


def shorter(deviations: Deviations) -> t.Iterator[Deviations]:
    """Simpler deviations of the same kind, simplest first: one left out, or an earlier option taken."""
    for place in deviations:
        yield {other: number for other, number in deviations.items() if other != place}
    for place, number in deviations.items():
        for smaller in range(1, number):
            yield {**deviations, place: smaller}
