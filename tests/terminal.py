# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As much of a terminal as Ansible and this collection need: what is on its screen after some output.

It knows lines, columns and colours, and that the cursor waits behind the last column. Anything else is an error, since
nothing else is to be sent.
"""

from __future__ import annotations

import re
import typing as t

PIECE = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|([\r\n])|([^\x00-\x1f\x7f-\x9f])")


class Cell(t.NamedTuple):
    """One character and its style, as parameters of SGR: '0;32', or nothing."""

    letter: str
    style: str


BLANK = Cell(" ", "")


class Screen:
    """The screen, and all that was scrolled out of it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[list[Cell]] = [[]]
        self._column = 0
        self._style = ""
        self._rest = ""

    def feed(self, text: str) -> None:
        """Take in output; a sequence may come in pieces."""
        text, at = self._rest + text, 0
        while at < len(text):
            match = PIECE.match(text, at)
            if match is None:
                break
            at = match.end()
            parameters, verb, control, letter = match.groups()
            if letter:
                self._put(letter)
            elif control == "\r":
                self._column = 0
            elif control == "\n":
                self._rows.append([])
            elif verb == "m":
                self._style = "" if parameters in ("", "0") else parameters
            elif verb == "K" and parameters in ("", "0"):
                del self._rows[-1][self._column :]
            else:
                raise ValueError(f"a terminal was sent {match[0]!r}")
        self._rest = text[at:]
        if self._rest and not re.fullmatch(r"\x1b(\[[\d;]*)?", self._rest):
            raise ValueError(f"a terminal was sent {self._rest[:20]!r}")

    def _put(self, letter: str) -> None:
        if self._column == self._width:
            self._rows.append([])
            self._column = 0
        row = self._rows[-1]
        row.extend([BLANK] * (self._column + 1 - len(row)))
        row[self._column] = Cell(letter, self._style)
        self._column += 1

    def rows(self) -> list[list[Cell]]:
        """All rows so far, with styles."""
        return [list(row) for row in self._rows]

    def lines(self) -> list[str]:
        """All lines so far, without blanks at their ends."""
        return ["".join(cell.letter for cell in row).rstrip() for row in self._rows]
