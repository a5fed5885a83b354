# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told while a batch builds: live, whole, on standard error, and only when it is wanted."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import pathlib
import re
import select
import struct
import subprocess
import sys
import termios
import typing as t

import pytest
from clouds import CIRROS
from terminal import Screen

# VMs have to take some time for progress to be told of.
pytestmark = pytest.mark.needs("slow_vms")

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE = re.compile(r"(?:\[(?P<host>\w+)\] )?(?P<batch>\w+): .+ \((?P<age>\d+) s\)")
# Later versions of ansible-core show what a module was called with only when told to.
INVOCATION = {"ANSIBLE_INJECT_INVOCATION": "1"}
# A last resort against hanging.
PATIENCE = 600


@pytest.fixture
def start(cloud: t.Any, tmp_path: pathlib.Path) -> t.Callable[..., subprocess.Popen[str]]:
    """start(hosts, tasks) has options and keywords of instance, by task, be played; the output goes to a file out."""
    cloud.settings(quota_instances=100, quota_cores=100, quota_groups=50)

    def begin(
        hosts: list[str],
        *tasks: tuple[dict[str, t.Any], dict[str, t.Any]],
        terminal: int | None = None,
        **environment: str,
    ) -> t.Any:
        vm = {"batch": "{{ inventory_hostname }}", "count": 2, "image": CIRROS, "instance_type": "m1.tiny"}
        made = [{"nova_ec2.cloud.instance": {**vm, **options}, **keywords} for options, keywords in tasks]
        defaults = {"group/nova_ec2.cloud.all": cloud.options()}
        book = [{"hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": made}]
        (tmp_path / "play.yml").write_text(json.dumps(book))
        (tmp_path / "hosts").write_text("".join(f"{host} ansible_connection=local\n" for host in hosts))
        with (tmp_path / "out").open("w") as output:
            return subprocess.Popen(
                [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", "hosts", "play.yml"],
                stdout=output if terminal is None else terminal,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE if terminal is None else terminal,
                text=True,
                cwd=tmp_path,
                start_new_session=True,
                env={
                    **os.environ,
                    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                    "ANSIBLE_NOCOLOR": "1",
                    **INVOCATION,
                    **environment,
                },
            )

    return begin


def let_them_run(cloud: t.Any) -> None:
    """Have what is being built be running."""
    for server in cloud.servers():
        if server["vm_state"] == "building":
            cloud.control("POST", f"servers/{server['id']}", vm_state="active")


def ends(process: subprocess.Popen[str]) -> list[str]:
    """What else a run tells on standard error until its end, which has to be a good one."""
    _nothing, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return said.splitlines()


def test_lines_come_while_the_batch_builds_and_only_on_standard_error(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path
) -> None:
    cloud.settings(boot_seconds=-1)
    process = start(["web"], ({}, {}))
    told = []
    for line in process.stderr:
        told.append(line.rstrip("\n"))
        if "0/2 running, 2 pending" in line:
            break
    # It was told before there was anything else to tell.
    let_them_run(cloud)
    told += ends(process)
    told = [line for line in told if "running" in line or "launching" in line]
    assert len(told) >= 3 and all(LINE.fullmatch(line) for line in told), told
    assert "launching" in told[0] and "2/2 running" in told[-1]
    output = (tmp_path / "out").read_text()
    assert "changed=1" in output and "pending" not in output and "launching" not in output


def test_on_a_terminal_one_line_is_written_over_and_over(cloud: t.Any, start: t.Any) -> None:
    """While the VMs are built somebody else writes to the terminal, too."""
    cloud.settings(boot_seconds=-1)
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = start(["web"], ({}, {}), terminal=theirs, TERM="xterm")
    screen = Screen(100)

    def until(words: str) -> None:
        while not any(words in line for line in screen.lines()):
            if select.select([ours], [], [], 1)[0]:
                screen.feed(os.read(ours, 4096).decode())
            else:
                assert process.poll() is None, screen.lines()

    until("] 0/2 running, 2 pending")
    os.write(theirs, b"of somebody else\n")
    until("of somebody else")
    let_them_run(cloud)
    until("failed=0")
    assert process.wait(PATIENCE) == 0
    os.close(theirs)
    os.close(ours)
    lines = screen.lines()
    told = [line for line in lines if line.startswith("web ") and "[" in line]
    assert [re.sub(r"\d+ s\b.*", "", line) for line in told] == [
        "web [------------------------] 0/2 running, 2 pending (",
        "web [########################] 2/2 running (",
    ], lines
    assert lines[lines.index(told[0]) + 1] == "of somebody else"
    assert lines[lines.index(told[1]) + 1] == "changed: [web]"


def test_lines_of_several_hosts_stay_whole(start: t.Any) -> None:
    hosts = [f"web{number}" for number in range(4)]
    told = [line for line in ends(start(hosts, ({}, {}))) if "running" in line or "launching" in line]
    matches = [LINE.fullmatch(line) for line in told]
    assert all(matches), told
    assert {match["host"] for match in matches if match} == set(hosts)
    assert all(match["host"] == match["batch"] for match in matches if match)


def test_nothing_is_told_when_it_is_not_wanted(cloud: t.Any, start: t.Any, tmp_path: pathlib.Path) -> None:
    """One play with a task of each kind; of the last alone progress is told, and the file of its lines is not shown."""
    task: t.Any = functools.partial(dict, count=1)
    process = start(
        ["web"],
        (task(batch="off", progress=False), {}),
        (task(batch="templated", progress="{{ 'no' }}"), {}),
        (task(batch="secret"), {"no_log": True}),
        (task(batch="async"), {"async": PATIENCE, "poll": 1}),
        (task(batch="checked"), {"check_mode": True}),
        (task(batch="told"), {"register": "web", "failed_when": "'nova-ec2-' in web | string"}),
    )
    told = [line for line in ends(process) if "running" in line or "launching" in line]
    assert {match["batch"] for match in map(LINE.fullmatch, told) if match} == {"told"}, told
    assert all(map(LINE.fullmatch, told)) and len(cloud.servers()) == 5
    assert "changed=6" in (tmp_path / "out").read_text()
