# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A recording of a terminal as an SVG that moves by CSS, without a script.

Each line is drawn once for as long as it is the same, and shown when its time has come. Where nothing moves, or nobody
wants it to, the last moment is shown.
"""

from __future__ import annotations

import itertools
import typing as t
from html import escape

from terminal import Cell, Screen

COLUMN, ROW, FONT, EDGE = 8.0, 19, 13.3, 16
# Nothing is to be seen while nothing happens: a second of waiting is shown as half a one.
LONGEST = 0.5
# Output that comes at once is one moment.
TOGETHER = 0.06
STAYS = 3.5
COLOURS = {
    "0;32": "green",
    "0;33": "yellow",
    "0;31": "red",
    "1;31": "red",
    "0;36": "cyan",
    "1;35": "magenta",
    "1;30": "gray",
    "1": "bold",
}
HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<!--
Copyright (c) 2026, The nova_ec2.cloud authors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->
"""
STYLE = """
  rect { fill: #16191d; }
  text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13.3px;
    fill: #d6dadf; white-space: pre; }
  .green { fill: #7ec87a; } .yellow { fill: #d9b25f; } .red { fill: #e8736c; } .cyan { fill: #62c4cf; }
  .magenta { fill: #c792d9; } .gray { fill: #5c636b; } .bold { fill: #ffffff; font-weight: bold; }
"""

# (seconds, output); None as output clears the screen.
Recording = t.Sequence[tuple[float, str | None]]
Row = tuple[Cell, ...]


class Shown(t.NamedTuple):
    """A line for as long as it is the same."""

    row: Row
    line: int
    begins: float
    ends: float


def moments(recording: Recording, width: int) -> tuple[list[tuple[float, list[Row]]], float]:
    """What is on the screen from when on, and when all is over."""
    found: list[tuple[float, list[Row]]] = [(0.0, [])]
    screen, now, before = Screen(width), 0.0, 0.0
    for at, output in recording:
        now += STAYS if output is None else min(at - before, LONGEST)
        before = at
        if output is None:
            screen = Screen(width)
        else:
            screen.feed(output)
        rows = [tuple(row) for row in screen.rows()]
        if now - found[-1][0] < TOGETHER:
            found[-1] = (found[-1][0], rows)
        else:
            found.append((now, rows))
    return found, now + STAYS


def lines(frames: list[tuple[float, list[Row]]], over: float) -> list[Shown]:
    """Each line for as long as it is the same."""
    found = []
    for number in range(max(len(rows) for _at, rows in frames)):
        alike = itertools.groupby(frames, key=lambda frame: frame[1][number] if number < len(frame[1]) else ())
        groups = [(row, next(group)[0]) for row, group in alike]
        ends = [begins for _row, begins in groups[1:]] + [over]
        for (row, begins), end in zip(groups, ends, strict=True):
            if any(cell.letter != " " for cell in row):
                found.append(Shown(row, number, begins, end))
    return found


def svg(recording: Recording, width: int, title: str, description: str) -> str:
    """The picture."""
    frames, over = moments(recording, width)
    shown = lines(frames, over)
    height = max(len(rows) for _at, rows in frames)
    times = sorted({(line.begins, line.ends) for line in shown})
    rules = "".join(_rule(number, begins, ends, over) for number, (begins, ends) in enumerate(times))
    texts = "".join(_text(line, times.index((line.begins, line.ends)), line.ends == over) for line in shown)
    size = f"{2 * EDGE + width * COLUMN:.0f}", f"{2 * EDGE + height * ROW}"
    return (
        f'{HEAD}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" '
        f'height="{size[1]}" role="img">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        f"<style>{STYLE}  text {{ animation: {over:.2f}s step-end infinite; }}\n"
        "  @media (prefers-reduced-motion: reduce) { text { animation: none; } }\n"
        f"{rules}</style>\n"
        f'<rect width="{size[0]}" height="{size[1]}" rx="8"/>\n{texts}</svg>\n'
    )


def _rule(number: int, begins: float, ends: float, over: float) -> str:
    def at(seconds: float) -> str:
        return f"{100 * seconds / over:.2f}%"

    first = f"0%{{visibility:hidden}}{at(begins)}{{visibility:visible}}" if begins else "0%{visibility:visible}"
    last = f"{at(ends)}{{visibility:hidden}}" if ends < over else "100%{visibility:visible}"
    return f"  @keyframes m{number} {{{first}{last}}} .m{number} {{animation-name:m{number}}}\n"


def _text(line: Shown, number: int, at_the_end: bool) -> str:
    row = line.row
    while row and row[-1].letter == " ":
        row = row[:-1]
    pieces = []
    for style, cells in itertools.groupby(row, key=lambda cell: COLOURS.get(cell.style, "")):
        words = escape("".join(cell.letter for cell in cells), quote=False)
        pieces.append(f'<tspan class="{style}">{words}</tspan>' if style else words)
    hidden = "" if at_the_end else ' visibility="hidden"'
    place = f'x="{EDGE}" y="{EDGE + (line.line + 1) * ROW - 5}" textLength="{len(row) * COLUMN:.0f}"'
    return f'<text class="m{number}" {place} xml:space="preserve"{hidden}>{"".join(pieces)}</text>\n'
