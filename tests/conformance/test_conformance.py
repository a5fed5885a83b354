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


@pytest.mark.parametrize(
    ("folder", "profile"),
    [("nova-2013.1.5", "grizzly"), ("nova-2014.1.5", "icehouse"), ("ec2api-17.0.0", "ec2api")],
)
def test_at_least_95_per_cent_agree(folder: str, profile: str, figure: t.Callable[[str], None]) -> None:
    command = [sys.executable, str(TESTS / "conformance"), str(TESTS / "fixtures" / "wire" / folder)]
    done = subprocess.run([*command, "--profile", profile], capture_output=True, text=True, check=False)
    figures = done.stdout.splitlines()[-3:]
    figure(f"{folder} against {profile}: {', '.join(figures)}")
    assert done.returncode == 0, done.stdout + done.stderr
    share = re.fullmatch(r"share: ([\d.]+) %", figures[-1])
    assert share and float(share[1]) >= 95
