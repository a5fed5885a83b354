# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""How far a batch is, as one line of a terminal that is written over and over.

The line is as wide as the terminal, so that whatever anybody else writes begins on the next one: after its last column
a terminal waits for the next character before it goes on. Nobody needs to be asked, or told to keep quiet.
"""

from __future__ import annotations

import re
import typing as t

BAR = 24
LEAST = 5
TOLD = re.compile(r"(?P<subject>.*?): (?P<text>.*) \((?P<age>\d+) s\)")
COUNTED = re.compile(r"(?P<before>.*?)(?P<done>\d+)/(?P<total>\d+) (?P<what>.*)")
TROUBLE = re.compile(r"\d+ error\b")
# Members are replaced a few at a time; between that the batch is told of as at any other time.
STEPS = "replacing"

Paint = t.Callable[[str, str], str]


class Count(t.NamedTuple):
    """So many of so many: 7/10 running, 3 pending."""

    before: str
    done: int
    total: int
    what: str

    @property
    def kind(self) -> tuple[str, int, str]:
        """What is counted: counts of one kind have one pace."""
        return self.before, self.total, self.what.partition(",")[0]


class Pace:
    """How long the rest will take if it goes on as it went so far."""

    def __init__(self, count: Count, now: float) -> None:
        self.count = count
        self._first = self._last = (now, count.done)

    def saw(self, count: Count, now: float) -> None:
        """Take in another count."""
        self.count = count
        if count.done > self._last[1]:
            self._last = (now, count.done)

    def left(self, now: float) -> float | None:
        """Seconds left, or None if nothing can be said."""
        (began, done), (rose, more) = self._first, self._last
        if more <= done:
            return None
        left = (rose - began) / (more - done) * (self.count.total - more) - (now - rose)
        return left if left >= 1 else None


class Bar:
    """The line: what the module told the last time, with seconds that go on."""

    def __init__(self, paint: Paint) -> None:
        self._paint = paint
        self._subject = self._text = ""
        self._began: float | None = None
        self._pace: Pace | None = None
        self._steps: Pace | None = None

    def told(self, line: str, now: float) -> None:
        """Take in a line of the module: 'web: 7/10 running, 3 pending (12 s)'."""
        match = TOLD.fullmatch(line)
        if match is None:
            return
        self._subject, self._text = match["subject"], match["text"]
        # Lines come a little late, and their seconds are rounded: those shown never go back.
        began = now - int(match["age"])
        self._began = began if self._began is None else min(began, self._began)
        counted = COUNTED.fullmatch(self._text)
        if counted is None:
            self._pace = None
            return
        count = Count(counted["before"], int(counted["done"]), int(counted["total"]), counted["what"])
        if count.before.startswith(STEPS):
            self._steps = _paced(self._steps, count, now)
        else:
            self._pace = _paced(self._pace, count, now)

    def line(self, now: float, width: int) -> str:
        """What to write to have the line say how it is now; the cursor stays behind its last column."""
        return f"\r{self._shown(now, width, self._steps or self._pace)}"

    def last(self, now: float, width: int) -> str:
        """What to write in the end: the line stays, and the cursor is below it."""
        return f"\r\033[K{self._shown(now, width, self._pace).rstrip(' ')}\n"

    def __bool__(self) -> bool:
        return bool(self._text)

    def _shown(self, now: float, width: int, pace: Pace | None) -> str:
        left = pace.left(now) if pace else None
        age = f" ({now - (self._began or 0):.0f} s{f', about {_span(left)} left' if left else ''})"
        if pace is None:
            return _fit(f"{self._subject}: {self._text}{age}", width)
        count = pace.count
        text = f"{count.before}{count.done}/{count.total} {count.what}"
        if pace is self._steps and self._pace is not None:
            text += f"; {self._text}" if self._text != text else ""
        room = min(BAR, width - len(f"{self._subject} [] {text}{age}"))
        if room < LEAST or not count.total:
            return _fit(f"{self._subject}: {text}{age}", width)
        full = room * min(count.done, count.total) // count.total
        plain = _fit(f"{self._subject} [{'#' * full}{'-' * (room - full)}] {text}{age}", width)
        head = len(self._subject) + 2
        drawn = self._paint("#" * full, "green") + self._paint("-" * (room - full), "dark gray")
        return plain[:head] + drawn + TROUBLE.sub(lambda found: self._paint(found[0], "red"), plain[head + room :])


def _paced(pace: Pace | None, count: Count, now: float) -> Pace:
    if pace is None or pace.count.kind != count.kind:
        return Pace(count, now)
    pace.saw(count, now)
    return pace


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _fit(text: str, width: int) -> str:
    """A text of one column for each character, as wide as the terminal."""
    text = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)
    return text.ljust(width) if len(text) <= width else (text[: max(width - 3, 0)] + "...")[:width]
