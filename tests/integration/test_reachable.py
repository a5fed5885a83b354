# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole way: from nothing to VMs that Ansible logs in to with their own keys, and back to nothing."""

from __future__ import annotations

import os
import pathlib
import pwd
import re
import sys
import typing as t

import pytest

pytestmark = pytest.mark.needs("ssh")
CIRROS = "Cirros-0.3.0-x86_64"


@pytest.fixture
def variables(cloud: t.Any, tmp_path: pathlib.Path) -> dict[str, t.Any]:
    """The variables of a batch web of three VMs with all that makes them reachable."""
    provision = {
        "rc_file": str(cloud.directory / "ec2rc.sh"),
        "batch": "web",
        "private_key_file": str(tmp_path / "web.pem"),
        "key_name": "web",
        "known_hosts_file": str(tmp_path / "known hosts"),
        "inventory_file": str(tmp_path / "web.yml"),
        "addresses": True,
    }
    return {
        **{f"provision_{name}": value for name, value in provision.items()},
        **{f"teardown_{name}": value for name, value in provision.items()},
        "provision_count": 2,
        "provision_image": CIRROS,
        "provision_name_template": "web-{index}",
        "provision_wait_for": "ssh",
        "provision_ssh_port": cloud.ssh_port,
        "provision_remote_user": pwd.getpwuid(os.geteuid()).pw_name,
    }


@pytest.mark.parametrize("cloud", ["grizzly --ssh"], indirect=True)
def test_from_nothing_to_a_task_on_every_vm_and_back(
    cloud: t.Any, playbook: t.Any, variables: dict[str, t.Any], tmp_path: pathlib.Path
) -> None:
    plays = [
        {"hosts": "localhost", "gather_facts": False, "roles": [{"role": "nova_ec2.cloud.provision"}]},
        {
            "hosts": "web",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": sys.executable},
            "tasks": [
                {"ansible.builtin.ping": None},
                {"ansible.builtin.command": "printenv SSH_CONNECTION", "register": "way"},
                {"ansible.builtin.assert": {"that": "way.stdout.split()[2] == ansible_host"}},
            ],
        },
    ]
    first = playbook(plays, **variables)
    assert first.returncode == 0, first.stdout + first.stderr
    assert all(re.search(rf"^web-{number}\s+: ok=3 ", first.stdout, re.M) for number in (1, 2)), first.stdout

    # A VM that took another's place is known by its own key.
    known = tmp_path / "known hosts"
    before = known.read_text().splitlines()
    [gone, *_others] = [server["id"] for server in cloud.servers()]
    cloud.control("POST", f"servers/{gone}", vm_state="deleted")
    cloud.forget_log()
    done = playbook("nova_ec2.cloud.provision", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    ids = {server["id"] for server in cloud.servers()}
    after = known.read_text().splitlines()
    assert {line.split()[-1] for line in after} == ids and gone not in known.read_text()
    assert {line for line in before if line.split()[-1] != gone} < set(after)
    # One console was asked for, that of the new VM.
    asked = {entry["params"].get("InstanceId.1") for entry in cloud.control("GET", "log")["requests"]
             if entry["action"] == "GetConsoleOutput"}  # fmt: skip
    assert len(asked) == 1 and asked < ids

    cloud.forget_log()
    second = playbook("nova_ec2.cloud.provision", **variables)
    assert second.returncode == 0 and "changed=0" in second.stdout, second.stdout + second.stderr
    assert cloud.mutations() == [] and "GetConsoleOutput" not in cloud.actions()

    down = playbook("nova_ec2.cloud.teardown", **variables)
    assert down.returncode == 0, down.stdout + down.stderr
    assert cloud.servers() == [] and cloud.fingerprints() == {}
    # What the vanished VM had is at nothing now, and may be anybody's.
    assert list(cloud.addresses().values()) == [None]
    assert [path.name for path in tmp_path.glob("*web*")] + [path.name for path in tmp_path.glob("known*")] == []
