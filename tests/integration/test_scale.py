# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Large clouds, large batches, and many clouds at once: what must not grow with them."""

from __future__ import annotations

import collections
import json
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

from tests.bench.lab import PEAK

IMAGE = "ami-00000001"
FOREIGN = 9000
LAUNCH = {"image": IMAGE, "instance_type": "m1.tiny"}
VMS = "DescribeInstances"
MIB = 1 << 20
# Seconds: a list of thousands of VMs takes the cloud seconds here.
PATIENCE = 600


@pytest.fixture
def large(cloud: t.Any, image: str) -> t.Any:
    """A cloud with 9,000 VMs of the project that belong to no batch of ours, and no quotas."""
    cloud.settings(quota_instances=-1, quota_cores=-1, quota_ram=-1, boot_seconds=1.0, action_seconds=1.0)
    cloud.control("POST", "servers", count=FOREIGN, state="active", reservation_size=3)
    cloud.forget_log()
    return cloud


@pytest.mark.needs("quick_vms")
def test_a_batch_of_thousands_in_a_cloud_of_ten_thousand(large: t.Any, run: t.Any, figure: t.Any) -> None:
    """Each job lists once, asks once, and then only polls."""
    foreign = {server["id"] for server in large.servers()}
    jobs: dict[str, tuple[dict[str, t.Any], list[str], int]] = {
        "1000 from zero": ({"count": 1000}, ["CreateSecurityGroup", "RunInstances"], 1000),
        "1000, no change": ({"count": 1000}, [], 1000),
        "1000 to 2000": ({"count": 2000}, ["RunInstances"], 2000),
        "2000 stopped": ({"state": "stopped"}, ["StopInstances"], 2000),
        "2000 started": ({"state": "running"}, ["StartInstances"], 2000),
        "2000 to none": ({"count": 0, "max_terminate": 2000}, ["TerminateInstances"], 0),
    }
    for job, (args, mutations, left) in jobs.items():
        large.forget_log()
        began = time.monotonic()
        result = run("instance", batch="big", wait_timeout=PATIENCE, **{**LAUNCH, **args})
        seconds = time.monotonic() - began
        assert not result.get("failed"), result
        counted = collections.Counter(large.actions())
        shown = ", ".join(f"{count} {action}" for action, count in counted.items())
        figure(f"a cloud of {FOREIGN + 1000}: {job}: {seconds:.0f} s: {shown}")
        assert large.mutations() == mutations and set(counted) <= {VMS, *mutations}, (job, counted)
        assert counted[VMS] == 1 if not mutations else counted[VMS] <= 6, (job, counted)
        assert len(result["instances"]) == left
        assert {server["id"] for server in large.servers()} >= foreign
    assert len(large.servers()) == FOREIGN


@pytest.mark.needs("quick_vms")
def test_a_cloud_of_ten_thousand_is_listed_in_little_memory(
    large: t.Any, inventory: t.Any, tmp_path: pathlib.Path, playbook: t.Any, figure: t.Any
) -> None:
    """The module's process holds a small multiple of the answer, and the inventory has every VM."""
    python, log = tmp_path / "python", tmp_path / "peaks"
    python.write_text(PEAK.format(python=sys.executable, log=str(log)))
    python.chmod(0o755)

    def peak(batch: str | None) -> float:
        """The most memory of a list of the VMs of a batch, or of all, in bytes."""
        log.write_text("")
        task = {"nova_ec2.cloud.instance_info": {**large.options(), **({"batch": batch} if batch else {})}}
        done = playbook(
            [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}],
            ansible_python_interpreter=str(python),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return max(int(line) for line in log.read_text().split()) * 1024

    whole = peak(None)
    large.forget_log()
    began = time.monotonic()
    hosts, _groups, _said = inventory.list()
    seconds = time.monotonic() - began
    assert len(hosts) == FOREIGN and large.actions() == [VMS]
    size = len(json.dumps(list(hosts.values())))
    large.control("POST", "reset")
    small = peak(None)
    times = (whole - small) / size
    figure(
        f"a cloud of {FOREIGN}: inventory {seconds:.0f} s; instance_info {whole / MIB:.0f} MiB, {small / MIB:.0f} MiB "
        f"without VMs: {times:.1f} times the {size / MIB:.1f} MiB that it tells"
    )
    assert times < 12


@pytest.mark.needs("many_clouds")
def test_twenty_clouds_in_one_play(
    clouds: t.Any, cloud: t.Any, inventory: t.Any, playbook: t.Any, tmp_path: pathlib.Path, figure: t.Any
) -> None:
    """Each cloud gets its batch, by its own credentials, all at the same time; one inventory shows them all."""
    profiles = ["grizzly", "icehouse", "liberty", "ec2api"]
    many = {f"cloud{number}": clouds(profiles[number % 4], "--seed", str(100 + number)) for number in range(20)}
    for one in many.values():
        one.reset()
    hosts = {name: {"options": one.options()} for name, one in many.items()}
    (tmp_path / "hosts.json").write_text(
        json.dumps({"all": {"hosts": hosts, "vars": {"ansible_connection": "local", **_python()}}})
    )
    batch = {"batch": "web", "count": 2, "image": "Cirros-0.3.0-x86_64", "instance_type": "m1.tiny"}
    task = {"nova_ec2.cloud.instance": batch, "module_defaults": {"nova_ec2.cloud.instance": "{{ options }}"}}
    play = {"hosts": "all", "gather_facts": False, "strategy": "ansible.builtin.free", "tasks": [task]}
    began = time.monotonic()
    done: subprocess.CompletedProcess[str] = playbook([play], "-i", str(tmp_path / "hosts.json"), "--forks", "20")
    seconds = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name: len(one.servers()) for name, one in many.items()} == dict.fromkeys(many, 2)
    listed, groups, _said = inventory.list(clouds=[{"name": name, **one.options()} for name, one in many.items()])
    assert len(listed) == len(groups["batch_web"]) == 40
    assert all(len(groups[f"cloud_{name}"]) == 2 for name in many)
    figure(f"20 clouds in one play, a batch of 2 in each: {seconds:.0f} s")


def _python() -> dict[str, str]:
    return {"ansible_python_interpreter": sys.executable}
