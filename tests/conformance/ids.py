# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the local cloud's ids stands for which recorded one."""

from __future__ import annotations

import re

ID = re.compile(r"\b(i|ami|aki|ari|vol|snap|sg|eipalloc|eipassoc)-([0-9a-f]{8})\b")
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
IMAGES = {"ami", "aki", "ari"}
# Ids that the recordings made up because nothing has them.
NOBODY = 0x00F00000


class Ids:
    """Learnt pairs of ids.

    Where numbers run in sequence on both sides, an unlearnt id is where its neighbour points. Where they are random, an
    unlearnt one stands for itself.
    """

    def __init__(self, sequential: bool = True) -> None:
        self.sequential = sequential
        self._learnt: dict[str, dict[int, int]] = {}
        self._texts: dict[str, str] = {}
        self._guessed: set[str] = set()

    def guess(self, recorded: str, local: str) -> None:
        """Pair two ids until something better is learnt."""
        self.learn(recorded, local)
        self._guessed.add(recorded)

    def learn(self, recorded: str, local: str) -> None:
        """Pair two ids, or two words such as addresses and reservations."""
        ours, theirs = ID.fullmatch(recorded), ID.fullmatch(local)
        self._guessed.discard(recorded)
        if ours and theirs:
            self._learnt.setdefault(_kind(ours[1]), {})[int(ours[2], 16)] = int(theirs[2], 16)
        else:
            self._texts[recorded] = local

    def local(self, text: str) -> str:
        """text with every recorded id and address replaced by the local one."""
        if text in self._texts:
            return self._texts[text]
        text = ADDRESS.sub(lambda match: self._texts.get(match[0], match[0]), text)
        return ID.sub(lambda match: f"{match[1]}-{self.number(match[1], int(match[2], 16)):08x}", text)

    def number(self, kind: str, recorded: int) -> int:
        """The local number for a recorded one."""
        learnt = self._learnt.get(_kind(kind), {})
        if recorded in learnt or recorded >= NOBODY or not self.sequential:
            return learnt.get(recorded, recorded)
        below = max((number for number in learnt if number < recorded), default=None)
        return recorded if below is None else recorded + learnt[below] - below

    def highest(self, kind: str) -> int | None:
        """The highest recorded number learnt."""
        return max(self._learnt.get(_kind(kind), {}), default=None)

    def knows(self, recorded: str) -> bool:
        """Whether this very id was learnt, and not only guessed."""
        match = ID.fullmatch(recorded)
        learnt = bool(match and int(match[2], 16) in self._learnt.get(_kind(match[1]), {}))
        return learnt and recorded not in self._guessed


def _kind(prefix: str) -> str:
    return "image" if prefix in IMAGES else prefix
