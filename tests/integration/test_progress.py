# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines on the terminal while a batch builds: live, whole, on standard error, and only when they are wanted."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import typing as t

import pytest

# VMs have to take some time for progress to be told of.
pytestmark = pytest.mark.needs("slow_vms")

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE = re.compile(r"(?:\[(?P<host>\w+)\] )?(?P<batch>\w+): .+ \((?P<age>\d+) s\)")
BOOT_SECONDS = 5
# Later versions of ansible-core show what a module was called with only when told to.
INVOCATION = {"ANSIBLE_INJECT_INVOCATION": "1"}


@pytest.fixture
def play(cloud: t.Any, image: str, tmp_path: pathlib.Path) -> t.Callable[..., tuple[list[tuple[float, str]], str]]:
    """play(hosts, task keywords, option=value) returns the lines of standard error with their times, and the output."""
    cloud.settings(boot_seconds=BOOT_SECONDS, quota_instances=100, quota_cores=100, quota_groups=50)

    def start(hosts: list[str], keywords: dict[str, t.Any], **args: t.Any) -> tuple[list[tuple[float, str]], str]:
        options = {"batch": "{{ inventory_hostname }}", "count": 2, "image": image, "instance_type": "m1.tiny", **args}
        task = {"nova_ec2.cloud.instance": options, **keywords}
        defaults = {"group/nova_ec2.cloud.all": cloud.options()}
        book = [{"hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": [task]}]
        (tmp_path / "play.yml").write_text(json.dumps(book))
        (tmp_path / "hosts").write_text("".join(f"{host} ansible_connection=local\n" for host in hosts))
        process = subprocess.Popen(
            [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", "hosts", "-f", "8", "play.yml"],
            stdout=(tmp_path / "out").open("w"),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_NOCOLOR": "1",
                **INVOCATION,
            },
        )
        assert process.stderr is not None
        lines = [(time.monotonic(), line.rstrip("\n")) for line in process.stderr]
        output = (tmp_path / "out").read_text()
        assert process.wait() == 0, (output, lines)
        told = [(when, line) for when, line in lines if "running" in line or "launching" in line]
        return [*told, (time.monotonic(), "end")], output

    return start


def test_lines_come_while_the_batch_builds_and_only_on_standard_error(play: t.Any) -> None:
    lines, output = play(["web"], {})
    *told, (end, _line) = lines
    assert len(told) >= 3 and all(LINE.fullmatch(line) for _when, line in told), told
    assert any("0/2 running, 2 pending" in line for _when, line in told) and "2/2 running" in told[-1][1]
    assert end - told[0][0] > BOOT_SECONDS / 2
    assert "pending" not in output and "launching" not in output


def test_lines_of_several_hosts_stay_whole(play: t.Any) -> None:
    hosts = [f"web{number}" for number in range(6)]
    *told, _end = play(hosts, {})[0]
    matches = [LINE.fullmatch(line) for _when, line in told]
    assert all(matches), told
    assert {match["host"] for match in matches if match} == set(hosts)
    assert all(match["host"] == match["batch"] for match in matches if match)


@pytest.mark.parametrize(
    ("keywords", "args"),
    [
        ({}, {"progress": False}),
        ({}, {"progress": "no"}),
        ({"no_log": True}, {}),
        ({"async": 60, "poll": 1}, {}),
        ({"check_mode": True}, {}),
    ],
    ids=["off", "templated-off", "no_log", "async", "check"],
)
def test_nothing_is_told_when_it_is_not_wanted(play: t.Any, cloud: t.Any, keywords: t.Any, args: t.Any) -> None:
    lines, output = play(["web"], keywords, **args)
    assert len(lines) == 1, lines
    assert "changed=1" in output
    assert len(cloud.servers()) == (0 if "check_mode" in keywords else 2)


def test_the_file_of_the_lines_is_not_shown(play: t.Any, tmp_path: pathlib.Path) -> None:
    _lines, output = play(["web"], {"register": "web", "failed_when": "'nova-ec2-' in web | string"})
    assert "failed=0" in output


def test_an_interrupted_run_leaves_nothing_behind(cloud: t.Any, image: str, tmp_path: pathlib.Path) -> None:
    cloud.settings(boot_seconds=30)
    options = {"batch": "web", "count": 1, "image": image, "instance_type": "m1.tiny", **cloud.options()}
    book = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"nova_ec2.cloud.instance": options}]}]
    (tmp_path / "play.yml").write_text(json.dumps(book))
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "own")}
    process = subprocess.Popen(
        [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "play.yml"],
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
        env={**os.environ, **paths, "TMPDIR": str(tmp_path)},
    )
    assert process.stderr is not None
    assert any("pending" in line for line in process.stderr) and list(tmp_path.rglob("nova-ec2-*"))
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert list(tmp_path.rglob("nova-ec2-*")) == []
