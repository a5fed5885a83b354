# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles and playbooks, run by ansible-playbook as users run them."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
import re
import stat
import typing as t

import pytest
from clouds import CIRROS

# One generation of Nova, and the stand-alone service; tests/modules goes through all six.
PROFILES = ["grizzly", "ec2api"]


def recap(done: t.Any) -> dict[str, int]:
    """The counters of the host localhost at the end of a run."""
    found = re.search(r"^localhost\s+: (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {name: int(number) for name, number in (pair.split("=") for pair in found[1].split())}


@pytest.fixture
def variables(cloud: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    """The variables of a batch web of three VMs with a key of its own."""
    monkeypatch.setenv("PWD", str(tmp_path))
    return {
        "provision_rc_file": str(cloud.directory / "ec2rc.sh"),
        "provision_batch": "web-one",
        "provision_count": 3,
        "provision_image": CIRROS,
        "provision_key_name": "web-key",
        # From where one stands, and that is not where the collection is installed.
        "provision_private_key_file": "web.pem",
        "provision_name_template": "web-{index:02d}",
        "teardown_rc_file": str(cloud.directory / "ec2rc.sh"),
        "teardown_batch": "web-one",
        "teardown_key_name": "web-key",
        "teardown_private_key_file": "$PWD/web.pem",
    }


def test_provision_as_a_plan_for_real_and_again(
    cloud: t.Any, playbook: t.Any, variables: t.Any, tmp_path: pathlib.Path
) -> None:
    data = cloud.directory / "user-data.gz"
    data.write_bytes(gzip.compress(b"#!/bin/sh\n"))
    # A survey gives blanks for what nobody filled in.
    variables = {**variables, "provision_user_data_file": str(data), "provision_user_data_base64": ""}
    # Nothing is written in check mode, and no SSH server is expected.
    reachable = {
        "provision_wait_for": "ssh",
        "provision_known_hosts_file": str(tmp_path / "known"),
        "provision_inventory_file": str(tmp_path / "hosts.yml"),
        "provision_addresses": True,
    }
    checked = playbook("nova_ec2.cloud.provision", "--check", "--diff", **variables, **reachable)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert cloud.mutations() == [] and recap(checked)["changed"] > 2
    assert list(tmp_path.iterdir()) == []

    first = playbook("nova_ec2.cloud.provision", "-v", **variables)
    assert first.returncode == 0, first.stdout + first.stderr
    assert [server["vm_state"] for server in cloud.servers()] == ["active"] * 3
    assert {server["key_name"] for server in cloud.servers()} == {"web-key"}
    assert {base64.b64decode(server["user_data"]) for server in cloud.servers()} == {data.read_bytes()}
    assert stat.S_IMODE((tmp_path / "web.pem").stat().st_mode) == 0o600
    secrets = [(tmp_path / "web.pem").read_text().splitlines()[1], cloud.options()["secret_key"]]
    assert not any(secret in first.stdout + first.stderr for secret in secrets)

    cloud.forget_log()
    second = playbook("nova_ec2.cloud.provision", **variables)
    assert recap(second)["changed"] == 0 and recap(second)["failed"] == 0, second.stdout
    assert cloud.actions() == ["DescribeKeyPairs", "DescribeInstances", "DescribeImages"]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.needs("removable_rules", "volumes")
def test_a_batch_with_all_that_it_can_have_comes_and_goes(
    cloud: t.Any, playbook: t.Any, variables: t.Any, tmp_path: pathlib.Path
) -> None:
    wanted = [{"device_name": "/dev/vdb", "volume_size": 1}, {"device_name": "/dev/vdc", "volume_size": 2}]
    more = {
        **variables,
        "provision_security_group_rules": [{"proto": "tcp", "ports": [22], "cidr_ip": "0.0.0.0/0"}],
        "provision_addresses": True,
        "provision_volumes": wanted,
        "teardown_addresses": True,
        "teardown_volumes": ["/dev/vdb", "/dev/vdc"],
        "teardown_security_group": "web-one",
    }
    first = playbook([*provisioned(), shown_to(tmp_path / "seen.json")], **more)
    assert first.returncode == 0, first.stdout + first.stderr
    assert {"default", "web-one"} < cloud.groups()
    assert all("web-one" in server["groups"] for server in cloud.servers())
    held = cloud.addresses()
    ids = sorted(server["id"] for server in cloud.servers())
    assert len(held) == 3 and sorted(held.values()) == ids
    there = [(one["instance"], int(one["size"])) for one in cloud.control("GET", "state")["volumes"]]
    assert sorted(there) == sorted((value, size) for value in ids for size in (1, 2))
    # The VMs are hosts of the next play, at their addresses.
    hosts = json.loads((tmp_path / "seen.json").read_text())
    assert sorted(hosts) == ["web-01", "web-02", "web-03"] and sorted(hosts.values()) == sorted(held)

    if cloud.profile != "grizzly":
        down = playbook("nova_ec2.cloud.teardown", **more)
        assert down.returncode == 0 and nothing_is_left(cloud), down.stdout + down.stderr
        return
    cloud.forget_log()
    second = playbook("nova_ec2.cloud.provision", **more)
    assert recap(second)["changed"] == 0 and recap(second)["failed"] == 0, second.stdout
    assert cloud.mutations() == []
    # Grizzly is known by the private addresses that it repeats as public ones, or else by asking it for tags.
    asked = [action for action in cloud.actions() if action not in ("DescribeTags", "DescribeVolumes")]
    assert asked[:4] == ["DescribeKeyPairs", "DescribeSecurityGroups", "DescribeInstances", "DescribeImages"]
    assert asked[-2:] == ["DescribeInstances", "DescribeAddresses"] and set(asked[4:-2]) <= {"DescribeInstances"}

    both = [{"ansible.builtin.import_playbook": "nova_ec2.cloud.teardown"}] * 2
    down = playbook(both, **more)
    assert down.returncode == 0, down.stdout + down.stderr
    assert nothing_is_left(cloud) and not (tmp_path / "web.pem").exists()
    # Two volumes (one task), VMs with their addresses, group, key pair and private key; nothing the second time.
    assert recap(down)["changed"] == 5 and recap(down)["failed"] == 0, down.stdout


def nothing_is_left(cloud: t.Any) -> bool:
    """Whether there is nothing but the default security group."""
    left = [cloud.servers(), cloud.addresses(), cloud.fingerprints(), cloud.control("GET", "state")["volumes"]]
    return not any(left) and cloud.groups() <= {"default"}


def provisioned() -> list[dict[str, t.Any]]:
    """The playbook that provisions, as part of another."""
    return [{"ansible.builtin.import_playbook": "nova_ec2.cloud.provision"}]


def shown_to(path: pathlib.Path) -> dict[str, t.Any]:
    """A play for the VMs that writes down which hosts it has, and where they are."""
    told = "items2dict(key_name='inventory_hostname', value_name='ansible_host') | to_json"
    content = "{{ ansible_play_hosts | map('extract', hostvars) | " + told + " }}"
    write = {"ansible.builtin.copy": {"dest": str(path), "mode": "0600", "content": content}}
    once = {**write, "run_once": True, "delegate_to": "localhost"}
    return {"hosts": "web_one", "gather_facts": False, "connection": "local", "tasks": [once]}


def test_without_addresses_the_hosts_are_at_their_private_ones_and_a_half_failed_batch_goes(
    cloud: t.Any, playbook: t.Any, variables: t.Any, tmp_path: pathlib.Path
) -> None:
    """One playbook: a role without its batch is refused; a batch comes; another half fails; teardown takes both."""
    down = {name: value for name, value in variables.items() if name.startswith("teardown_")}
    up = {name: value for name, value in variables.items() if name.startswith("provision_")}
    fail = {"ansible.builtin.uri": {"url": f"{cloud.control_url}/settings", "method": "POST", "body_format": "json",
                                    "body": {"fail_builds": 2}}}  # fmt: skip
    plays = [
        steps(attempt("teardown", {"teardown_rc_file": down["teardown_rc_file"]}, "refused")),
        steps(role("provision", up)),
        shown_to(tmp_path / "seen.json"),
        steps(fail, attempt("provision", {**up, "provision_count": 6}, "half")),
        steps(role("teardown", down)),
    ]
    done = playbook(plays)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"refused: .*teardown_batch", done.stdout) and re.search(r"half: .*VMs failed", done.stdout)
    assert cloud.actions()[0] == "DescribeKeyPairs"
    addresses = json.loads((tmp_path / "seen.json").read_text())
    assert sorted(addresses) == ["web-01", "web-02", "web-03"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\.\d+", address) for address in addresses.values())
    assert cloud.ever_started() == 6 and cloud.servers() == [] and cloud.fingerprints() == {}


def steps(*tasks: t.Any) -> dict[str, t.Any]:
    """A play of tasks on localhost."""
    return {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}


def role(name: str, given: dict[str, t.Any]) -> dict[str, t.Any]:
    """A task that is a role of the collection."""
    return {"ansible.builtin.include_role": {"name": f"nova_ec2.cloud.{name}"}, "vars": given}


def attempt(name: str, given: dict[str, t.Any], word: str) -> dict[str, t.Any]:
    """A role that has to fail; why is told after a word."""
    told = {"ansible.builtin.debug": {"msg": word + ": {{ ansible_failed_result.msg }}"}}
    never = {"ansible.builtin.fail": {"msg": f"{word} did not fail"}}
    return {"block": [role(name, given), {**never, "tags": word}], "rescue": [told]}
