# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud answers as the recorded ones did."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]


# Of the two recordings of Nova every fifth reply was kept back, so another fifth is judged on.
@pytest.mark.parametrize(
    ("folder", "profile", "judge"),
    [("nova-2013.1.5", "grizzly", 3), ("nova-2014.1.5", "icehouse", 3), ("ec2api-17.0.0", "ec2api", 0)],
)
def test_at_least_95_per_cent_agree(folder: str, profile: str, judge: int, figure: t.Callable[[str], None]) -> None:
    command = [sys.executable, str(TESTS / "conformance"), str(TESTS / "fixtures" / "wire" / folder)]
    options = ["--profile", profile, "--judge", str(judge)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    figures = done.stdout.splitlines()[-3:]
    figure(f"{folder} against {profile}: {'; '.join(figures)}")
    assert done.returncode == 0, done.stdout + done.stderr
    shares = [re.fullmatch(r"([a-z ]+): (\d+) of (\d+), ([\d.]+) %", line) for line in figures]
    assert [found[1] for found in shares if found] == ["developed on", "judged on", "share"]
    assert all(found and int(found[3]) > 60 and float(found[4]) >= 95 for found in shares)
