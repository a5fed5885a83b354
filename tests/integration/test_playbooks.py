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


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.needs("removable_rules")
def test_a_batch_with_a_group_and_addresses_comes_and_goes(cloud: t.Any, playbook: t.Any, variables: t.Any) -> None:
    more = {
        **variables,
        "provision_security_group_rules": [{"proto": "tcp", "ports": [22], "cidr_ip": "0.0.0.0/0"}],
        "provision_addresses": True,
        "provision_name_template": "web-{index}",
        "teardown_addresses": True,
        "teardown_security_group": "web-one",
    }
    first = playbook("nova_ec2.cloud.provision", **more)
    assert first.returncode == 0, first.stdout + first.stderr
    assert {"default", "web-one"} < cloud.groups()
    assert all("web-one" in server["groups"] for server in cloud.servers())
    held = cloud.addresses()
    assert len(held) == 3 and sorted(held.values()) == sorted(server["id"] for server in cloud.servers())

    cloud.forget_log()
    second = playbook("nova_ec2.cloud.provision", **more)
    assert recap(second)["changed"] == 0 and recap(second)["failed"] == 0, second.stdout
    # Grizzly is known by the private addresses that it repeats as public ones, or else by asking it for tags.
    assert [action for action in cloud.actions() if action != "DescribeTags"] == [
        "DescribeKeyPairs", "DescribeSecurityGroups", "DescribeInstances", "DescribeImages", "DescribeInstances",
        "DescribeAddresses",
    ]  # fmt: skip

    down = playbook("nova_ec2.cloud.teardown", **more)
    assert down.returncode == 0, down.stdout + down.stderr
    assert cloud.servers() == [] and cloud.addresses() == {} and cloud.groups() <= {"default"}
    again = playbook("nova_ec2.cloud.teardown", **more)
    assert recap(again)["changed"] == 0 and recap(again)["failed"] == 0, again.stdout


@pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
@pytest.mark.needs("volumes")
def test_every_vm_has_its_volumes_until_teardown(cloud: t.Any, playbook: t.Any, variables: t.Any) -> None:
    wanted = [{"device_name": "/dev/vdb", "volume_size": 1}, {"device_name": "/dev/vdc", "volume_size": 2}]
    more = {**variables, "provision_volumes": wanted, "teardown_volumes": ["/dev/vdb", "/dev/vdc"]}
    first = playbook("nova_ec2.cloud.provision", **more)
    assert first.returncode == 0, first.stdout + first.stderr
    held = [(one["instance"], int(one["size"])) for one in cloud.control("GET", "state")["volumes"]]
    assert sorted(held) == sorted((server["id"], size) for server in cloud.servers() for size in (1, 2))

    cloud.forget_log()
    second = playbook("nova_ec2.cloud.provision", **more)
    assert recap(second)["changed"] == 0 and cloud.mutations() == [], second.stdout + second.stderr

    down = playbook("nova_ec2.cloud.teardown", **more)
    assert down.returncode == 0, down.stdout + down.stderr
    assert cloud.servers() == [] and cloud.control("GET", "state")["volumes"] == []
    again = playbook("nova_ec2.cloud.teardown", **more)
    assert recap(again)["changed"] == 0 and recap(again)["failed"] == 0, again.stdout


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_addresses_are_those_of_the_hosts(cloud: t.Any, playbook: t.Any, variables: t.Any) -> None:
    plays = [
        {"hosts": "localhost", "gather_facts": False, "roles": [{"role": "nova_ec2.cloud.provision"}]},
        {
            "hosts": "web_one",
            "gather_facts": False,
            "connection": "local",
            "tasks": [{"ansible.builtin.debug": {"msg": "{{ inventory_hostname }} is at {{ ansible_host }}"}}],
        },
    ]
    done = playbook(plays, provision_addresses=True, provision_name_template="web-{index}", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = dict(re.findall(r"(web-\d) is at ([\d.]+)", done.stdout))
    assert sorted(shown) == ["web-1", "web-2", "web-3"] and sorted(shown.values()) == sorted(cloud.addresses())


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
