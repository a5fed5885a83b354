# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on one machine tell each other through a file."""

from __future__ import annotations

import os
import pathlib
import stat
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.journal import LATE_SECONDS, Journal


@pytest.fixture(autouse=True)
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def opened(batch: str = "web", timeout: float = 0, warn: t.Callable[[str], None] = lambda text: None) -> Journal:
    journal = Journal(batch, "http://cloud", "access", warn=warn)
    journal.open(timeout)
    return journal


def file_of(home: pathlib.Path) -> pathlib.Path:
    (found,) = (home / ".ansible" / "nova_ec2").iterdir()
    return found


def test_one_run_at_a_time_and_only_of_the_same_batch() -> None:
    first = opened()
    opened("db").close()
    with pytest.raises(CloudError, match="Another run has been at work on batch web"):
        opened()
    first.close()
    opened().close()


def test_what_was_cut_short_is_known_to_the_next_run(home: pathlib.Path) -> None:
    first = opened()
    first.expect(7)
    first.leaving(["i-00000001"])
    first.close()
    members, leaving, seconds = opened().cut_short()
    assert (members, leaving) == (7, ["i-00000001"]) and LATE_SECONDS - 5 < seconds <= LATE_SECONDS
    assert stat.S_IMODE(file_of(home).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(home).parent.stat().st_mode) == 0o700
    assert b"access" not in file_of(home).read_bytes()


def test_what_came_to_an_end_is_forgotten(home: pathlib.Path) -> None:
    first = opened()
    first.expect(7)
    first.leaving(["i-00000001"])
    first.settle()
    first.gone()
    first.close()
    assert opened().cut_short() == (0, [], 0.0) and file_of(home).read_bytes() == b""


def test_what_is_old_counts_nothing(home: pathlib.Path) -> None:
    opened().close()
    file_of(home).write_text('{"members": 7, "since": 1000000000}')
    warned: list[str] = []
    assert opened(warn=warned.append).cut_short() == (0, [], 0.0) and not warned


@pytest.mark.parametrize(
    "noted",
    [
        '{"members": 7, "si',
        "[1]",
        "[" * 100_000,
        '{"a":' * 100_000,
        "x" * 2_000_000,
        "\0" * 100,
        "\xff",
        '{"members": Infinity, "since": 1000000000}',
        '{"members": 7, "since": NaN}',
        '{"members": 7, "since": 1e999}',
        '{"members": 7, "since": 1e12}',
        '{"members": true, "since": 1000000000}',
        '{"members": 7.5, "since": 1000000000}',
        '{"members": -1, "since": 1000000000}',
        f'{{"members": {10**20}, "since": 1000000000}}',
        f'{{"members": {"9" * 5000}, "since": 1000000000}}',
        '{"members": "x", "since": 1000000000}',
        '{"leaving": 5, "left": 1000000000}',
        '{"leaving": [5], "left": 1000000000}',
        '{"leaving": ["i-00000001"]}',
        '{"members": 7}',
        '{"volumes": "vol-00000001"}',
        '{"volumes": {"vol-00000001": 5}}',
    ],
    ids=lambda text: text[:40],
)
def test_what_makes_no_sense_is_set_aside_with_a_warning(home: pathlib.Path, noted: str) -> None:
    opened().close()
    file_of(home).write_text(noted, encoding="latin-1")
    warned: list[str] = []
    journal = opened(warn=warned.append)
    assert journal.cut_short() == (0, [], 0.0) and journal.recall("volumes") == {}
    assert len(warned) == 1 and "makes no sense, and is set aside" in warned[0]
    journal.close()
    assert file_of(home).read_bytes() == b""
    opened(warn=warned.append).close()
    assert len(warned) == 1


def test_what_a_killed_run_left_of_a_longer_note_does_not_count(home: pathlib.Path) -> None:
    first = opened()
    first.leaving([f"i-{number:08x}" for number in range(50)])
    first.close()
    with file_of(home).open("rb+") as stream:
        stream.write(b'{"leaving": ["i-00000001"], "left": 1000000000}\n')
    warned: list[str] = []
    assert opened(warn=warned.append).cut_short()[:2] == (0, []) and not warned


@pytest.mark.parametrize("place", ["in the way", "no home", "a relative home", "nobody's home", "a pipe"])
def test_without_a_file_runs_go_on_and_say_so_once_something_is_under_way(
    home: pathlib.Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    if place == "in the way":
        (home / ".ansible").write_text("")
    elif place == "no home":
        monkeypatch.setenv("HOME", "")
    elif place == "a relative home":
        monkeypatch.setenv("HOME", "here")
    elif place == "a pipe":
        opened().close()
        path = file_of(home)
        path.unlink()
        os.mkfifo(path)
    else:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    there = sorted(home.rglob("*"))
    warned: list[str] = []
    journal = opened(warn=warned.append)
    opened().settle()
    assert warned == []
    journal.expect(3)
    journal.leaving(["i-00000001"])
    assert journal.cut_short() == (3, ["i-00000001"], pytest.approx(LATE_SECONDS, abs=5))
    assert len(warned) == 1 and "No note can be taken of what is done to batch web" in warned[0]
    assert sorted(home.rglob("*")) == there
