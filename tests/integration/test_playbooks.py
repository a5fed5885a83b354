# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles and playbooks, run by ansible-playbook as users run them."""

from __future__ import annotations

import json
import pathlib
import re
import stat
import typing as t

import pytest

CIRROS = "Cirros-0.3.0-x86_64"
PROFILES = ["grizzly", "icehouse", "liberty", "ec2api"]


def recap(done: t.Any) -> dict[str, int]:
    """The counters of the host localhost at the end of a run."""
    found = re.search(r"^localhost\s+: (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {name: int(number) for name, number in (pair.split("=") for pair in found[1].split())}


@pytest.fixture
def variables(cloud: t.Any, tmp_path: pathlib.Path) -> dict[str, t.Any]:
    """The variables of a batch web of three VMs with a key of its own."""
    return {
        "provision_rc_file": str(cloud.directory / "ec2rc.sh"),
        "provision_batch": "web-one",
        "provision_count": 3,
        "provision_image": CIRROS,
        "provision_key_name": "web-key",
        "provision_private_key_file": str(tmp_path / "web.pem"),
        "teardown_rc_file": str(cloud.directory / "ec2rc.sh"),
        "teardown_batch": "web-one",
        "teardown_key_name": "web-key",
        "teardown_private_key_file": str(tmp_path / "web.pem"),
    }


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_provision_again_and_teardown(cloud: t.Any, playbook: t.Any, variables: t.Any, tmp_path: pathlib.Path) -> None:
    checked = playbook("nova_ec2.cloud.provision", "--check", "--diff", **variables)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert cloud.mutations() == [] and recap(checked)["changed"] == 2

    first = playbook("nova_ec2.cloud.provision", "-v", **variables)
    assert first.returncode == 0, first.stdout + first.stderr
    assert [server["vm_state"] for server in cloud.servers()] == ["active"] * 3
    assert {server["key_name"] for server in cloud.servers()} == {"web-key"}
    assert stat.S_IMODE((tmp_path / "web.pem").stat().st_mode) == 0o600
    secrets = [(tmp_path / "web.pem").read_text().splitlines()[1], cloud.options()["secret_key"]]
    assert not any(secret in first.stdout + first.stderr for secret in secrets)

    cloud.forget_log()
    second = playbook("nova_ec2.cloud.provision", **variables)
    assert recap(second)["changed"] == 0 and recap(second)["failed"] == 0, second.stdout
    assert cloud.actions() == ["DescribeKeyPairs", "DescribeInstances", "DescribeImages"]

    down = playbook("nova_ec2.cloud.teardown", **variables)
    assert down.returncode == 0, down.stdout + down.stderr
    assert cloud.servers() == [] and cloud.fingerprints() == {} and cloud.groups() <= {"default"}
    assert not (tmp_path / "web.pem").exists()
    again = playbook("nova_ec2.cloud.teardown", **variables)
    assert recap(again)["changed"] == 0 and recap(again)["failed"] == 0, again.stdout


def test_the_vms_are_hosts_of_the_next_play(
    cloud: t.Any, playbook: t.Any, variables: t.Any, tmp_path: pathlib.Path
) -> None:
    seen = tmp_path / "seen.json"
    plays = [
        {"hosts": "localhost", "gather_facts": False, "roles": [{"role": "nova_ec2.cloud.provision"}]},
        {
            "hosts": "web_one",
            "gather_facts": False,
            "connection": "local",
            "tasks": [
                {
                    "ansible.builtin.copy": {
                        "dest": str(seen),
                        "mode": "0600",
                        "content": "{{ ansible_play_hosts | map('extract', hostvars) "
                        "| items2dict(key_name='inventory_hostname', value_name='ansible_host') | to_json }}",
                    },
                    "run_once": True,
                    "delegate_to": "localhost",
                }
            ],
        },
    ]
    done = playbook(plays, provision_name_template="web-{index:02d}", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    addresses = json.loads(seen.read_text())
    assert sorted(addresses) == ["web-01", "web-02", "web-03"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\.\d+", address) for address in addresses.values())


def test_teardown_after_a_half_failed_provision(cloud: t.Any, playbook: t.Any, variables: t.Any) -> None:
    cloud.settings(fail_builds=2)
    failed = playbook("nova_ec2.cloud.provision", **variables)
    assert failed.returncode != 0 and "VMs failed" in failed.stdout + failed.stderr
    down = playbook("nova_ec2.cloud.teardown", **variables)
    assert down.returncode == 0, down.stdout + down.stderr
    assert cloud.servers() == [] and cloud.fingerprints() == {}


def test_a_role_without_its_batch_is_refused(cloud: t.Any, playbook: t.Any) -> None:
    refused = playbook("nova_ec2.cloud.teardown", teardown_rc_file=str(cloud.directory / "ec2rc.sh"))
    assert refused.returncode != 0 and "teardown_batch" in refused.stdout + refused.stderr
    assert cloud.actions() == []


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_the_tutorial(cloud: t.Any, playbook: t.Any) -> None:
    done = playbook("nova_ec2.cloud.tutorial", tutorial_rc_file=str(cloud.directory / "ec2rc.sh"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is pending" in done.stdout and "is running" in done.stdout and CIRROS in done.stdout
    assert "PRIVATE KEY" not in done.stdout
    assert cloud.servers() == [] and cloud.fingerprints() == {} and cloud.ever_started() == 12
