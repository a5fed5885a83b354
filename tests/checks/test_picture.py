# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README's picture: what a terminal shows, and how its recording is drawn."""

from __future__ import annotations

import pathlib
import re
from xml.etree import ElementTree

import pytest
from picture import rolling
from picture.drawing import STAYS, lines, moments, svg
from terminal import Screen

PICTURE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "images" / "terminal.svg"
SVG = "{http://www.w3.org/2000/svg}"


def words(picture: str) -> dict[str, str | None]:
    """The lines of a picture, and whether they are hidden where nothing moves."""
    texts = ElementTree.fromstring(picture.encode()).iter(f"{SVG}text")
    return {"".join(text.itertext()): text.get("visibility") for text in texts}


def test_a_screen_has_what_a_terminal_would_show() -> None:
    screen = Screen(5)
    for piece in ("ab\r\n", "\033[0;3", "2mgreen", "x\r", "y\033", "[K\r\n", "12345\r678"):
        screen.feed(piece)
    assert screen.lines() == ["ab", "green", "y", "67845"]
    assert {cell.style for cell in screen.rows()[1]} == {"0;32"}


@pytest.mark.parametrize("output", ["\033[2J", "\033[1A", "\033]0;title\007", "\007", "\033[1K", "\x9b2J"])
def test_nothing_else_may_be_sent_to_it(output: str) -> None:
    with pytest.raises(ValueError, match="a terminal was sent"):
        Screen(80).feed(output)


def test_a_line_is_shown_from_when_it_is_written_until_another_is_there() -> None:
    frames, over = moments([(0.0, "one\r\n"), (0.3, "1/2"), (0.6, "\r2/2\r\n"), (0.6, None), (0.7, "three")], 80)
    shown = [("".join(cell.letter for cell in line.row), line.begins, line.ends) for line in lines(frames, over)]
    assert shown == [
        ("one", 0, pytest.approx(0.6 + STAYS)),
        ("three", pytest.approx(0.7 + STAYS), pytest.approx(0.7 + 2 * STAYS)),
        ("1/2", 0.3, pytest.approx(0.6)),
        ("2/2", pytest.approx(0.6), pytest.approx(0.6 + STAYS)),
    ]


def test_where_nothing_moves_the_end_is_shown() -> None:
    picture = svg([(0.0, "first\r"), (0.4, "second <&>\r\n")], 80, "A title", "What it is about")
    assert words(picture) == {"first": "hidden", "second <&>": None}


def test_the_picture_is_small_and_shows_what_it_should() -> None:
    picture = PICTURE.read_text()
    assert len(picture) < 100_000 and not re.search(r"<script|href|url\(|@import|<foreignObject", picture)
    shown = list(words(picture))
    assert any(
        re.match(r"web \[#+-+\] \d+/10 running, \d+ pending \(\d+ s, about \d+ s left\)", line) for line in shown
    )
    assert any("changed=0" in line for line in shown)
    assert any("12/12 running" in line for line in shown) and "were taken over" in " ".join(shown)


def test_a_member_has_its_old_vm_and_its_new_one_in_one_row() -> None:
    picture = rolling.svg([rolling.Life(1, 0, 0, 4), rolling.Life(1, 5, 9, 10), rolling.Life(2, 0, 0, 10)], 10)
    bars = [one for one in ElementTree.fromstring(picture.encode()).iter(f"{SVG}rect") if one.get("height") == "18"]
    rows = [(one.get("class"), one.get("y")) for one in bars]
    first, second = str(rolling.TOP), str(rolling.TOP + rolling.ROW)
    assert rows == [("old", first), ("pending", first), ("new", first), ("old", second)]
    ends = [float(one.get("x", 0)) + float(one.get("width", 0)) for one in bars]
    assert ends[0] < float(bars[1].get("x", 0)) and ends[1] == float(bars[2].get("x", 0)) and ends[2] == ends[3]
