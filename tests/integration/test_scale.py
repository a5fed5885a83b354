# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Large clouds, and many clouds at once: what must not grow with them."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import pytest
from clouds import CIRROS, PROFILES

from tests.bench.lab import PEAK

FOREIGN = 3000
VMS = "DescribeInstances"
MIB = 1 << 20


@pytest.mark.needs("quick_vms")
def test_a_large_cloud_is_listed_in_little_memory(
    cloud: t.Any, inventory: t.Any, tmp_path: pathlib.Path, playbook: t.Any, figure: t.Any
) -> None:
    """The module's process holds a small multiple of the answer, and the inventory has every VM."""
    cloud.control("POST", "servers", count=FOREIGN, state="active", reservation_size=3)
    python, log = tmp_path / "python", tmp_path / "peaks"
    python.write_text(PEAK.format(python=sys.executable, log=str(log)))
    python.chmod(0o755)

    def peak() -> float:
        """The most memory of a list of all VMs, in bytes."""
        log.write_text("")
        task = {"nova_ec2.cloud.instance_info": cloud.options()}
        done = playbook(
            [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}],
            ansible_python_interpreter=str(python),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return max(int(line) for line in log.read_text().split()) * 1024

    whole = peak()
    cloud.forget_log()
    hosts, _groups, _said = inventory.list()
    assert len(hosts) == FOREIGN and cloud.actions() == [VMS]
    size = len(json.dumps(list(hosts.values())))
    cloud.control("POST", "reset")
    small = peak()
    times = (whole - small) / size
    figure(
        f"a cloud of {FOREIGN}: instance_info {whole / MIB:.0f} MiB, {small / MIB:.0f} MiB without VMs: "
        f"{times:.1f} times the {size / MIB:.1f} MiB that it tells"
    )
    assert times < 12


@pytest.mark.needs("many_clouds")
def test_many_clouds_in_one_play(
    clouds: t.Any, inventory: t.Any, playbook: t.Any, tmp_path: pathlib.Path, figure: t.Any
) -> None:
    """Each cloud gets its batch, by its own credentials, all at the same time; one inventory shows them all."""
    many = {f"cloud{number}": clouds(profile, "--seed", str(100 + number)) for number, profile in enumerate(PROFILES)}
    for one in many.values():
        one.reset()
    hosts = {name: {"options": one.options()} for name, one in many.items()}
    fixed = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": fixed}}))
    batch = {"batch": "web", "count": 2, "image": CIRROS, "instance_type": "m1.tiny"}
    task = {"nova_ec2.cloud.instance": batch, "module_defaults": {"nova_ec2.cloud.instance": "{{ options }}"}}
    play = {"hosts": "all", "gather_facts": False, "strategy": "ansible.builtin.free", "tasks": [task]}
    done = playbook([play], "-i", str(tmp_path / "hosts.json"), "--forks", str(len(many)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name: len(one.servers()) for name, one in many.items()} == dict.fromkeys(many, 2)
    listed, groups, _said = inventory.list(clouds=[{"name": name, **one.options()} for name, one in many.items()])
    assert len(listed) == len(groups["batch_web"]) == 2 * len(many)
    assert all(len(groups[f"cloud_{name}"]) == 2 for name in many)
    figure(f"{len(many)} clouds in one play: a batch of 2 in each")
