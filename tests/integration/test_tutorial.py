# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody new meets: the tutorial, on a cloud of its own or another, and what is said without boto."""

from __future__ import annotations

import pathlib
import re
import shutil
import socket
import subprocess
import sys
import typing as t
import venv

import pytest
from clouds import CIRROS

ROOT = pathlib.Path(__file__).resolve().parents[2]


class TestTutorial:
    """nova_ec2.cloud.tutorial, and nothing else."""

    @pytest.fixture
    def tutorial(
        self, playbook: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
    ) -> t.Callable[..., subprocess.CompletedProcess[str]]:
        """tutorial(variables...) runs it in an empty home; all that it leaves there is looked for."""
        for name, folder in (("HOME", "home"), ("TMPDIR", "files")):
            (tmp_path / folder).mkdir()
            monkeypatch.setenv(name, str(tmp_path / folder))

        def play(**variables: t.Any) -> subprocess.CompletedProcess[str]:
            done = playbook("nova_ec2.cloud.tutorial", **variables)
            assert list((tmp_path / "files").iterdir()) == []
            return t.cast("subprocess.CompletedProcess[str]", done)

        return play

    @staticmethod
    def own_cloud(done: subprocess.CompletedProcess[str]) -> int:
        """The port of the cloud that a tutorial brought up, which has to be gone by now."""
        port = int(re.findall(r"http://127\.0\.0\.1:(\d+)/services/Cloud speaks", done.stdout)[0])
        with socket.socket() as attempt:
            assert attempt.connect_ex(("127.0.0.1", port)) != 0
        return port

    def test_alone_it_brings_a_cloud_and_stops_it(self, tutorial: t.Any) -> None:
        done = tutorial()
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.own_cloud(done) != 8773
        assert "is pending" in done.stdout and "is running" in done.stdout and CIRROS in done.stdout
        assert "PRIVATE KEY" not in done.stdout and "failed=0" in done.stdout

    def test_its_cloud_is_stopped_when_a_step_fails(self, tutorial: t.Any) -> None:
        done = tutorial(tutorial_image="cirros-0.3.0")
        assert done.returncode != 0 and f"Did you mean {CIRROS}?" in done.stdout + done.stderr, done.stdout
        self.own_cloud(done)

    def test_a_named_cloud_is_used_and_none_is_started(
        self, cloud: t.Any, tutorial: t.Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EC2_URL", cloud.url)
        done = tutorial(tutorial_access_key="wrong", tutorial_secret_key="wrong")
        assert done.returncode != 0 and "belong together" in done.stdout + done.stderr, done.stdout
        assert "Start the cloud" not in done.stdout and "Stop the cloud]" not in done.stdout
        assert cloud.actions() == ["DescribeRegions"]

    @pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
    def test_it_goes_the_whole_way_on_another_cloud(
        self, cloud: t.Any, tutorial: t.Any, tmp_path: pathlib.Path
    ) -> None:
        # From where one stands, and that is not where the collection is installed.
        shutil.copy(cloud.directory / "ec2rc.sh", tmp_path)
        done = tutorial(tutorial_rc_file="ec2rc.sh")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "is pending" in done.stdout and "is running" in done.stdout and CIRROS in done.stdout
        assert "PRIVATE KEY" not in done.stdout and "Start the cloud" not in done.stdout
        assert cloud.servers() == [] and cloud.fingerprints() == {} and cloud.ever_started() == 12

    @pytest.mark.parametrize(
        ("flags", "variables", "said"),
        [
            ((), {"tutorial_local_cloud": "/nonexistent"}, "/nonexistent is missing. Install the collection whole, or"),
            (("--check",), {}, "The tutorial has no check mode"),
        ],
    )
    def test_what_it_cannot_do_it_says(self, playbook: t.Any, flags: t.Any, variables: t.Any, said: str) -> None:
        done = playbook("nova_ec2.cloud.tutorial", *flags, **variables)
        assert done.returncode != 0 and said in " ".join((done.stdout + done.stderr).split()), done.stdout


def test_a_local_cloud_is_started_used_left_alone_and_stopped(playbook: t.Any, tmp_path: pathlib.Path) -> None:
    name, files = "nova_ec2.cloud.local_cloud", tmp_path / ".local-cloud"
    done = playbook(name, local_cloud_ssh=True, local_cloud_profile="havana", local_cloud_options=["--boot-seconds=0"])
    said = done.stdout + done.stderr
    try:
        assert done.returncode == 0 and "changed=1" in said and f"rc_file: {files}/ec2rc.sh" in said, said
        task = {"nova_ec2.cloud.region_info": {"rc_file": ".local-cloud/ec2rc.sh"}}
        assert playbook([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]).returncode == 0
        again = playbook(name).stdout
        assert "runs already, and speaks" in again and "(profile havana)" in again and "changed=0" in again, again
    finally:
        done = playbook(name, local_cloud_state="stopped")
    assert done.returncode == 0 and "changed=1" in done.stdout and not (files / "cloud.json").exists(), done.stdout
    assert "changed=0" in playbook(name, local_cloud_state="stopped").stdout


def test_a_cloud_with_a_lifetime_ends_by_itself(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, str(ROOT / "tests" / "local_cloud"), "--port", "0", "--directory", str(tmp_path)]
    done = subprocess.run([*command, "--lifetime", "0.1"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0 and done.stdout.startswith("ready: "), done.stderr


def test_without_boto_the_python_and_the_command_to_install_it_are_told(
    cloud: t.Any, playbook: t.Any, tmp_path: pathlib.Path
) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = str(tmp_path / "bare" / "bin" / "python")
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"nova_ec2.cloud.region_info": cloud.options()}]}]
    done = playbook(plays, ansible_python_interpreter=python)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0 and f"cannot be imported by {python} (Python 3." in said, said
    assert (
        f"'{python} -m pip install boto==2.49.0', or point ansible_python_interpreter at a Python that has it" in said
    )
    assert cloud.actions() == []
