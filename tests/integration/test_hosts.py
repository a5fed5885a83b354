# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VMs as hosts of a running play: exactly the members, and never another machine."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest
import yaml
from clouds import CIRROS
from running import ROOT

HERE = {"ansible_connection": "local"}
# What one's own inventory has.
OWN = {
    "north": HERE,
    "south": HERE,
    "prod-1": {"ansible_host": "192.0.2.1"},
    "i-000000aa": {"ansible_host": "192.0.2.2"},
    "192.0.2.3": {},
}


def play(*tasks: t.Any, hosts: str = "localhost", **more: t.Any) -> dict[str, t.Any]:
    """A play of tasks."""
    return {"hosts": hosts, "gather_facts": False, "tasks": list(tasks), **more}


def seen(path: pathlib.Path) -> dict[str, t.Any]:
    """A play that writes down the groups, and where the hosts are."""
    content = {"groups": "{{ groups }}", "at": "{{ at }}"}
    where = "groups.all | map('extract', hostvars) | map(attribute='ansible_host', default='')"
    at = "{{ dict(groups.all | zip(" + where + ")) }}"
    write = {"ansible.builtin.copy": {"dest": str(path), "mode": "0600", "content": "{{ content | to_json }}"}}
    return play({**write, "vars": {"content": content, "at": at}})


def vm(number: int, **more: t.Any) -> dict[str, t.Any]:
    """A VM as modules show it."""
    view = {"instance_id": f"i-{number:08x}", "name": None, "state": "running", "tags": {}}
    return {**view, "public_ip_address": None, "private_ip_address": f"10.0.0.{number}", **more}


def members(batch: str, *views: t.Any, cloud: str = "north", **more: t.Any) -> dict[str, t.Any]:
    """A task that has these be the hosts of a batch."""
    url = f"http://{cloud}.example.com:8773/services/Cloud"
    return {"nova_ec2.cloud.hosts": {"batch": batch, "endpoint": url, "instances": list(views), **more}}


def attempt(word: str, *tasks: t.Any) -> dict[str, t.Any]:
    """Tasks that have to fail; why is told after a word."""
    told = {"ansible.builtin.debug": {"msg": word + ": {{ ansible_failed_result.msg }}"}}
    never = {"ansible.builtin.fail": {"msg": "NOTHING FAILED"}}
    return {"block": [*tasks, never], "rescue": [told]}


@pytest.fixture
def own(tmp_path: pathlib.Path) -> str:
    """An inventory file of one's own."""
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"all": {"hosts": OWN}}))
    return str(path)


def test_the_hosts_of_a_batch_are_its_members_in_plays_of_every_kind(
    playbook: t.Any, own: str, tmp_path: pathlib.Path
) -> None:
    cloud = "{{ inventory_hostname }}"
    both = {"hosts": "north,south"}
    grown = members(cloud + "-vms", vm(1), vm(2, name="{{ 'n' }}ode"), {"instance_id": None}, cloud=cloud)
    changed = members(cloud + "-vms", vm(2, name="node"), vm(3), cloud=cloud)
    named = members("shop", vm(7, name="shop-1"), vm(8, name="shop-2"))
    replaced = members("shop", vm(9, name="shop-1", private_ip_address=None), vm(8, name="shop-2"))
    twice = {"register": "tried", "until": "tried.attempts > 1", "retries": 2, "delay": 0}
    done = playbook(
        [
            play(grown, **both),
            seen(tmp_path / "grown.json"),
            play(changed, **both, strategy="free"),
            # The same ids, and then the same names, in two clouds.
            play(members("db", vm(1), vm(2)), members("web", vm(1), cloud="south"), named),
            play(members("copy", vm(7, name="shop-1"), cloud="south"), members("other", vm(10, name="shop-2"))),
            seen(tmp_path / "changed.json"),
            play({**replaced, **twice}, members("db"), {"ansible.builtin.meta": "refresh_inventory"}),
            seen(tmp_path / "replaced.json"),
        ],
        *("-i", own),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, third = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("grown", "changed", "replaced")
    )
    assert first["groups"]["north_vms"] == ["i-00000001-north", "node-north"]
    assert first["groups"]["south_vms"] == ["i-00000001-south", "node-south"]
    for cloud in ("north", "south"):
        assert second["groups"][f"{cloud}_vms"] == [f"node-{cloud}", f"i-00000003-{cloud}"]
        assert f"i-00000001-{cloud}" not in second["groups"]["all"]
    assert second["groups"]["db"] == ["i-00000001", "i-00000002"]
    assert second["groups"]["web"] == ["i-00000001-south.example.com"]
    assert second["groups"]["shop"] == ["shop-1", "shop-2"]
    assert second["groups"]["copy"] == ["shop-1-south.example.com"]
    assert second["groups"]["other"] == ["shop-2-i-0000000a"]
    # Of the one before, and of one that was removed, nothing is left, nor does it come back.
    assert third["groups"]["shop"] == ["shop-1", "shop-2"] and third["at"]["shop-1"] == ""
    assert not third["groups"].get("db") and "i-00000002" not in third["groups"]["all"]
    assert third["groups"]["web"] == ["i-00000001-south.example.com"]
    for found in (first, second, third):
        assert {name: found["at"][name] for name in OWN} == {
            name: told.get("ansible_host", "") for name, told in OWN.items()
        }


def test_no_vm_becomes_another_machine_and_nothing_of_a_cloud_is_a_template_or_a_command(
    playbook: t.Any, own: str, tmp_path: pathlib.Path
) -> None:
    bad = "{{ '{' ~ '{ 6 * 7 }' ~ '}' }}"
    refused = {
        "split": members("web", vm(1, name="web:1")),
        "range": members("web", vm(1, name="web[1:3]")),
        "comma": members("web", vm(1, name="web,db")),
        "pattern": members("web", vm(1, name="web-*")),
        "template": members("web", vm(1, name=bad)),
        "line": members("web", vm(1, name="web\n1")),
        "here": members("web", vm(1, name="localhost")),
        "group": members("web", vm(1), group="web,db"),
        "path": members("web", vm(1, instance_id="i-00000001/../x")),
        "id-line": members("web", vm(1, instance_id="i-00000001\n")),
        "control": members("web", vm(1, instance_id="i-0000000\u009b1")),
        "name": members("web", vm(1, name="prod-1")),
        "id": members("web", vm(0xAA)),
        "address": members("web", vm(1, private_ip_address="192.0.2.1")),
        "named-by-it": members("web", vm(1, private_ip_address="192.0.2.3")),
        "ahead": {"nova_ec2.cloud.hosts": {"batch": "web", "name_template": "prod-{index}", "count": 3}},
        "ahead-split": {"nova_ec2.cloud.hosts": {"batch": "web", "name_template": "web:{index}", "count": 1}},
        "ahead-same": {"nova_ec2.cloud.hosts": {"batch": "web", "name_template": "web", "count": 2}},
    }
    hostile = [
        vm(1, private_ip_address="-oProxyCommand=touch${IFS}" + str(tmp_path / "proof"), tags={"role": bad}),
        vm(2, public_ip_address="127.0.0.1", private_ip_address="10.0.0.2"),
        vm(3, private_ip_address=bad, state=bad),
    ]
    show = {
        "ansible.builtin.debug": {"msg": "it says {{ nova_ec2_instance.tags.role | default(nova_ec2_instance.state) }}"}
    }
    reach = {"ansible.builtin.raw": "true", "ignore_unreachable": True}
    done = playbook(
        [
            play(*(attempt(word, task) for word, task in refused.items())),
            play(members("web", *hostile, variables={"ansible_user": "me", "ansible_port": None})),
            seen(tmp_path / "seen.json"),
            play(show, hosts="web"),
            play(reach, hosts="i-00000001", vars={"ansible_ssh_common_args": "-o ConnectTimeout=1"}),
        ],
        *("-i", own),
    )
    assert "NOTHING FAILED" not in done.stdout and "42" not in done.stdout, done.stdout + done.stderr
    said = dict(re.findall(r'"msg": "([a-z-]+): (.*)"', done.stdout))
    for word in refused:
        assert word in said, (word, done.stdout)
    assert "prod-1 (at 192.0.2.1)" in said["name"] and "i-00000001" in said["name"]
    assert "host i-000000aa (at 192.0.2.2)" in said["id"]
    assert "host prod-1" in said["address"] and "the address 192.0.2.1" in said["address"]
    assert "prod-1" in said["ahead"] and "cannot name a host" in said["ahead-split"] and "{index}" in said["ahead-same"]
    found = json.loads((tmp_path / "seen.json").read_text())
    assert found["groups"]["web"] == ["i-00000001", "i-00000002", "i-00000003"]
    assert [found["at"][name] for name in found["groups"]["web"]] == ["", "10.0.0.2", ""]
    assert found["at"]["prod-1"] == "192.0.2.1" and done.stdout.count("it says {{ 6 * 7 }}") == 2
    assert not (tmp_path / "proof").exists()


def spec(role: str) -> dict[str, t.Any]:
    """The optional variables of a role."""
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text()
    options = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return {name: option for name, option in options.items() if not option.get("required")}


@pytest.mark.needs("many_clouds")
def test_the_roles_with_a_cloud_for_each_host_and_all_that_is_optional_blank(
    clouds: t.Any, cloud: t.Any, playbook: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One playbook: what cannot be is refused before anything is done; VMs of two clouds come, and all of them go."""
    monkeypatch.setenv("HOME", str(tmp_path))
    other = clouds("icehouse")
    other.reset()
    given: dict[str, dict[str, t.Any]] = {}
    for name, one, blank in (("north", cloud, ""), ("south", other, None)):
        given[name] = {**HERE, **dict.fromkeys([*spec("provision"), *spec("teardown")], blank)}
        for role in ("provision", "teardown"):
            given[name][f"{role}_batch"] = f"vms-{name}"
            given[name][f"{role}_rc_file"] = str(one.directory / "ec2rc.sh")
        given[name].update(provision_count=2, provision_image=CIRROS)
    given["south"]["provision_private_key_file"] = given["south"]["teardown_private_key_file"] = (
        "$HOME/keys/../south.pem"
    )
    given["south"]["provision_key_name"] = given["south"]["teardown_key_name"] = "south"
    given["south"]["provision_inventory_file"] = "south.yml"
    (tmp_path / "own.json").write_text(json.dumps({"all": {"hosts": {**OWN, **given}}}))

    def role(name: str, **more: t.Any) -> dict[str, t.Any]:
        return {"ansible.builtin.include_role": {"name": f"nova_ec2.cloud.{name}"}, "vars": more}

    wrong = {
        "number": {"provision_chunk_size": "many"},
        "choice": {"provision_on_error": "ignore"},
        "bool": {"provision_addresses": "perhaps"},
        "split": {"provision_name_template": "web:{index}"},
        "prod": {"provision_name_template": "prod-{index}"},
    }
    key = {"ansible.builtin.debug": {"msg": "{{ inventory_hostname }} {{ ansible_ssh_private_key_file }}"}}
    done = playbook(
        [
            play(*(attempt(word, role("provision", **more)) for word, more in wrong.items()), hosts="north"),
            play(role("provision"), hosts="north,south"),
            seen(tmp_path / "up.json"),
            play(key, hosts="vms_south"),
            play(role("provision", provision_count=1), hosts="north,south", strategy="free"),
            seen(tmp_path / "fewer.json"),
            play(role("teardown"), hosts="north,south"),
            seen(tmp_path / "down.json"),
        ],
        *("-i", str(tmp_path / "own.json")),
    )
    assert done.returncode == 0 and "NOTHING FAILED" not in done.stdout, done.stdout + done.stderr
    said = dict(re.findall(r'"msg": "([a-z-]+): (.*)"', done.stdout))
    assert sorted(said) == sorted(wrong) and all(word in said["prod"] for word in ("prod-1", "192.0.2.1")), said
    assert "provision_chunk_size" in said["number"] and "provision_on_error" in said["choice"]
    assert cloud.actions()[0] == "DescribeInstances" and other.actions()[0] == "DescribeKeyPairs"
    up, fewer, down = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("up", "fewer", "down"))
    for name, one in (("north", cloud), ("south", other)):
        assert one.ever_started() == 2 and one.servers() == []
        assert len(up["groups"][f"vms_{name}"]) == 2 and len(fewer["groups"][f"vms_{name}"]) == 1
        assert set(fewer["groups"]["all"]) - set(OWN) == set(
            fewer["groups"]["vms_north"] + fewer["groups"]["vms_south"]
        )
        assert all(up["at"][host].startswith("10.") for host in up["groups"][f"vms_{name}"])
        assert not down["groups"].get(f"vms_{name}") and set(down["groups"]["all"]) == set(OWN)
    assert f"south {tmp_path / 'south.pem'}" in done.stdout
    assert not (tmp_path / "south.pem").exists() and (tmp_path / "south.yml").exists()
    assert str(tmp_path / "south.pem") in (tmp_path / "south.yml").read_text()
