# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The line of a terminal that tells how far a batch is, and when there is one at all."""

from __future__ import annotations

import os
import pathlib
import types
import typing as t

import pytest
from ansible import constants
from ansible.utils.display import Display
from ansible_collections.nova_ec2.cloud.plugins.action import instance as action
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._bar import Bar
from terminal import Screen

WIDTH = 80


def painted(text: str, color: str) -> str:
    return f"\033[{ {'green': '0;32', 'dark gray': '1;30', 'red': '0;31'}[color] }m{text}\033[0m"


@pytest.fixture
def line() -> Bar:
    """A line without colours."""
    return Bar(lambda text, color: text)


def shown(line: Bar, now: float, width: int = WIDTH) -> str:
    """What the line says."""
    screen = Screen(width)
    screen.feed(line.line(now, width))
    (line,) = screen.lines()
    return line


def test_nothing_is_shown_before_something_was_told(line: Bar) -> None:
    assert not line
    line.told("not of the module", 1)
    assert not line


def test_bar_counts_and_seconds(line: Bar) -> None:
    line.told("web: 5/10 running, 4 pending, 1 error (12 s)", 100)
    assert shown(line, 100) == "web [############------------] 5/10 running, 4 pending, 1 error (12 s)"
    assert shown(line, 103) == "web [############------------] 5/10 running, 4 pending, 1 error (15 s)"


def test_seconds_do_not_go_back(line: Bar) -> None:
    line.told("web: 1/10 running, 9 pending (2 s)", 100)
    assert shown(line, 105).endswith("(7 s)")
    line.told("web: 2/10 running, 8 pending (6 s)", 105.2)
    assert shown(line, 105.2).endswith("(7 s, about 42 s left)")


def test_what_has_no_count_has_no_bar(line: Bar) -> None:
    line.told("web: launching 10 VMs (0 s)", 7)
    assert shown(line, 8) == "web: launching 10 VMs (1 s)"


def test_the_rest_is_estimated_from_the_pace_so_far(line: Bar) -> None:
    line.told("web: 0/10 running, 10 pending (0 s)", 0)
    assert "left" not in shown(line, 9)
    line.told("web: 4/10 running, 6 pending (20 s)", 20)
    assert shown(line, 20).endswith("(20 s, about 30 s left)")
    assert shown(line, 25).endswith("(25 s, about 25 s left)")
    # When the pace turns out to be another one, nothing is made up.
    assert shown(line, 60).endswith("(60 s)")


def test_a_slow_batch_is_estimated_in_minutes(line: Bar) -> None:
    line.told("web: 0/10 running, 10 pending (0 s)", 0)
    line.told("web: 1/10 running, 9 pending (60 s)", 60)
    assert shown(line, 60).endswith("(60 s, about 9 min left)")


def test_another_count_has_a_pace_of_its_own(line: Bar) -> None:
    line.told("web: 0/10 running, 10 pending (0 s)", 0)
    line.told("web: 9/10 running, 1 pending (9 s)", 9)
    line.told("web: 1/20 running, 19 pending (10 s)", 10)
    assert shown(line, 10).endswith("1/20 running, 19 pending (10 s)")


def test_steps_of_a_replacement_are_what_the_bar_is_about(line: Bar) -> None:
    line.told("web: replacing members, 0/4 done (0 s)", 0)
    line.told("web: 3/4 running, 1 pending (2 s)", 2)
    assert "[------" in shown(line, 2, 100) and "0/4 done; 3/4 running, 1 pending" in shown(line, 2, 100)
    line.told("web: replacing members, 1/4 done (10 s)", 10)
    assert shown(line, 10, 100).endswith("replacing members, 1/4 done (10 s, about 30 s left)")
    line.told("web: 4/4 running (40 s)", 40)
    screen = Screen(WIDTH)
    screen.feed(line.last(40, WIDTH))
    assert screen.lines() == ["web [########################] 4/4 running (40 s)", ""]


@pytest.mark.parametrize("width", [1, 3, 20, 39, 40, 79, 80, 200])
def test_whatever_else_is_written_begins_on_the_next_line(line: Bar, width: int) -> None:
    line.told("web: 5/10 running, 5 pending (12 s)", 100)
    screen = Screen(width)
    screen.feed(line.line(100, width))
    screen.feed("a\n")
    screen.feed(line.line(101, width))
    first, other, again = screen.lines()
    assert other == "a" and first[:3] == again[:3] and len(again) <= width


def test_colours_take_no_room() -> None:
    bars = [Bar(lambda text, color: text), Bar(painted)]
    screens = []
    for line in bars:
        line.told("web: 5/10 running, 4 pending, 1 error (12 s)", 100)
        screens.append(Screen(WIDTH))
        screens[-1].feed(line.line(100, WIDTH))
    assert screens[0].lines() == screens[1].lines()
    styles = {cell.style for row in screens[1].rows() for cell in row}
    assert styles == {"", "0;32", "1;30", "0;31"}


def test_nothing_else_steers_the_terminal(line: Bar) -> None:
    line.told("w\x1b]0;b\a: 1/2 ru\x1b[2Jnning, 1 \u202epending (1 s)", 1)
    assert set(line.line(1, WIDTH)) - {"\r"} == {letter for letter in line.line(1, WIDTH)[1:] if letter.isprintable()}


class TestWhenThereIsALine:
    """On a terminal, with one host, and nothing else to be written meanwhile."""

    @pytest.fixture
    def lines(self, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., str]:
        """lines(hosts): the name of what shows progress, on a terminal."""
        monkeypatch.setattr(action, "TERMINAL", 99)

        def kind(hosts: int = 1, diff: bool = False) -> str:
            plugin = action.ActionModule.__new__(action.ActionModule)
            plugin._task = types.SimpleNamespace(diff=diff)
            tail = plugin._tail({"inventory_hostname": "web", "ansible_play_hosts_all": ["web"] * hosts})
            assert tail is not None
            tail.close()
            return type(tail._show).__name__

        return kind

    def test_usually(self, lines: t.Any) -> None:
        assert lines() == "OneLine"

    def test_not_with_several_hosts(self, lines: t.Any) -> None:
        assert lines(hosts=2) == "Lines"

    def test_not_with_diff(self, lines: t.Any) -> None:
        assert lines(diff=True) == "Lines"

    def test_not_with_more_words(self, lines: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Display(), "verbosity", 1)
        assert lines() == "Lines"

    @pytest.mark.parametrize("callback", ["ansible.posix.json", "awx_display", "community.general.dense"])
    def test_not_with_a_callback_that_may_be_a_programs(
        self, lines: t.Any, monkeypatch: pytest.MonkeyPatch, callback: str
    ) -> None:
        monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
        assert lines() == "Lines"

    def test_not_without_a_terminal(self, lines: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(action, "TERMINAL", None)
        assert lines() == "Lines"

    @pytest.mark.parametrize(
        ("term", "one"), [("xterm", True), ("tmux-256color", True), ("dumb", False), ("", False), (None, False)]
    )
    def test_not_on_a_dumb_terminal(self, monkeypatch: pytest.MonkeyPatch, term: str | None, one: bool) -> None:
        monkeypatch.delenv("TERM", raising=False)
        if term is not None:
            monkeypatch.setenv("TERM", term)
        streams = [*os.openpty()]
        found = action.terminal(streams[1])
        assert (found is not None) is one
        for stream in [*streams, found]:
            if stream is not None:
                os.close(stream)

    def test_not_in_a_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
        monkeypatch.setenv("TERM", "xterm")
        with (tmp_path / "file").open("w") as file:
            assert action.terminal(file.fileno()) is None
