# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``--ssh`` asks for, and what it costs without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from local_cloud import cli, ssh


def test_without_an_sshd_there_is_no_cloud_but_the_names_of_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    """In the foreground and in the background alike."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(ssh, "_PLACES", ())
    for flags in ([], ["--background"]):
        assert cli.main(["--ssh", "--port", "0", "--directory", str(tmp_path / "cloud"), *flags]) == 1
        assert "apt-get install openssh-server openssh-client" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_cloud_without_ssh_does_not_even_load_it() -> None:
    """Its part is imported when it is asked for."""
    program = "import sys, local_cloud.cli; sys.exit('local_cloud.ssh' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=Path(cli.__file__).parents[1], check=True)
