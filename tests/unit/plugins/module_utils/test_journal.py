# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on one machine tell each other through a file."""

from __future__ import annotations

import pathlib
import stat

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._journal import LATE_SECONDS, Journal


@pytest.fixture(autouse=True)
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def opened(batch: str = "web", timeout: float = 0) -> Journal:
    journal = Journal(batch, "http://cloud", "access")
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


@pytest.mark.parametrize(
    "noted",
    [
        '{"members": 7, "since": 1000000000}',
        '{"members": 7, "si',
        "[1]",
        '{"members": "x", "since": 1e12}',
        '{"leaving": 5, "left": 1e12}',
        '{"members": 7}',
    ],
)
def test_what_is_old_or_damaged_counts_nothing(home: pathlib.Path, noted: str) -> None:
    opened().close()
    file_of(home).write_text(noted)
    members, leaving, seconds = opened().cut_short()
    assert (members, leaving, seconds) == (0, [], 0.0)


def test_without_a_home_runs_go_on_without_it(home: pathlib.Path) -> None:
    (home / ".ansible").write_text("in the way")
    journal = opened()
    journal.expect(3)
    opened().settle()
    assert journal.cut_short()[1:] == ([], pytest.approx(LATE_SECONDS, abs=5))
