# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, as ansible-inventory runs it."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROFILES = ["grizzly", "icehouse", "liberty", "ec2api"]
CIRROS = "Cirros-0.3.0-x86_64"
VMS = "DescribeInstances"

every_profile = pytest.mark.parametrize("cloud", PROFILES, indirect=True)


@every_profile
def test_every_vm_is_a_host_with_the_variables_of_instance_info(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: t.Any
) -> None:
    hosts, groups, said = inventory.list()
    assert sorted(hosts) == sorted(vms) == groups["nova_ec2"] == groups["batch_web"]
    assert cloud.actions() == [VMS] and "WARNING" not in said, said
    shown = {view["instance_id"]: view for view in run("instance_info", batch="web")["instances"]}
    for name, variables in hosts.items():
        variables["tags"] = variables.pop("instance_tags")
        assert {key: variables[key] for key in shown[name]} == shown[name]
        assert variables["ansible_host"] == shown[name]["private_ip_address"]
        assert variables["batch"] == "web" and "secret_key" not in variables
    graph = inventory.run("--graph").stdout
    assert "@batch_web" in graph and all(f"--{value}" in graph for value in vms)


def test_hosts_are_named_grouped_and_composed_as_asked(cloud: t.Any, vms: list[str], inventory: t.Any) -> None:
    hosts, groups, _said = inventory.list(
        hostnames=["tag:none", "{{ batch }}-{{ slot }}"],
        hostvars_prefix="vm_",
        compose={"kind": "instance_type | upper", "same": "vm_instance_id == instance_id"},
        groups={"tiny": "instance_type == 'm1.tiny'", "big": "kind == 'M1.LARGE'"},
        keyed_groups=[{"key": "instance_type", "prefix": "type"}, {"key": "state"}],
        leading_separator=False,
    )
    assert sorted(hosts) == ["web-1", "web-2"] == groups["tiny"] == groups["type_m1_tiny"] == groups["running"]
    assert "big" not in groups
    for variables in hosts.values():
        assert variables["kind"] == "M1.TINY" and variables["same"] is True
        assert variables["vm_instance_id"] in vms and "instance_id" not in variables


def test_what_cannot_be_composed_is_left_out_or_an_error(vms: list[str], inventory: t.Any) -> None:
    args = {"compose": {"port": "no_such_variable + 1"}}
    hosts, _groups, _said = inventory.list(**args)
    assert sorted(hosts) == sorted(vms) and all("port" not in variables for variables in hosts.values())
    assert "port" in inventory.fail(**args, strict=True)


@pytest.mark.parametrize("cloud", ["icehouse", "ec2api"], indirect=True)
def test_vms_of_one_name_are_two_hosts_and_none_is_this_machine(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: t.Any
) -> None:
    [third] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.tiny")["instance_ids"]
    assert run("tag", resource=vms, tags={"Name": "web"})["changed"]
    assert run("tag", resource=third, tags={"Name": "localhost"})["changed"]
    hosts, _groups, said = inventory.list()
    assert sorted(hosts) == sorted([f"web-{vms[0]}", f"web-{vms[1]}", f"localhost-{third}"])
    assert "web, localhost" in said or "localhost, web" in said


@pytest.mark.parametrize("cloud", ["icehouse", "ec2api"], indirect=True)
def test_what_the_cloud_says_is_never_a_template(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: t.Any, playbook: t.Any
) -> None:
    bad = "{{ 6 * 7 }}"
    assert run("tag", resource=vms, tags={"Name": bad, "role": bad})["changed"]
    path = inventory.write(keyed_groups=[{"key": "tags.role", "prefix": "role"}], compose={"role": "tags.role"})
    show = {"ansible.builtin.debug": {"msg": "{{ role }} {{ instance_tags.role }} {{ inventory_hostname }}"}}
    done = playbook([{"hosts": "nova_ec2", "gather_facts": False, "tasks": [show]}], "-i", str(path))
    assert done.returncode == 0 and "42" not in done.stdout, done.stdout


def test_addresses_to_connect_to(cloud: t.Any, run: t.Any, vms: list[str], inventory: t.Any) -> None:
    given = run("address", instance_id=vms[0])
    assert given["changed"], given
    public = given["addresses"][0]["public_ip"]
    hosts, _groups, _said = inventory.list()
    assert hosts[vms[0]]["ansible_host"] == public and hosts[vms[1]]["ansible_host"].startswith("10.")
    hosts, _groups, _said = inventory.list(connect_with=["fixed", "floating"])
    assert all(variables["ansible_host"].startswith("10.") for variables in hosts.values())
    hosts, _groups, _said = inventory.list(connect_with=["dns"])
    assert all(variables["ansible_host"] == variables["private_dns_name"] for variables in hosts.values())


@every_profile
def test_what_is_asked_for_is_matched_here(cloud: t.Any, run: t.Any, vms: list[str], inventory: t.Any) -> None:
    [other] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.small")["instance_ids"]
    assert run("instance", instance_ids=[vms[1]], state="stopped")["changed"]

    def found(**options: t.Any) -> list[str]:
        return sorted(inventory.list(**options)[0])

    assert found() == sorted([*vms, other])
    assert found(batches=["web"]) == sorted(vms)
    assert found(states=["stopped"]) == [vms[1]]
    assert found(include_filters=[{"instance-type": "m1.s*"}, {"instance-id": vms[1]}]) == sorted([other, vms[1]])
    assert found(include_filters=[{"instance-type": "m1.s*", "instance-id": vms[1]}]) == []
    assert found(exclude_filters=[{"instance-state-name": ["stopped"]}]) == sorted([vms[0], other])


@pytest.mark.parametrize("cloud", ["grizzly", "icehouse"], indirect=True)
@pytest.mark.needs("all_projects")
def test_an_administrator_gets_the_own_projects_vms_unless_asked(
    cloud: t.Any, vms: list[str], inventory: t.Any
) -> None:
    keys = cloud.options("adminuser")
    assert inventory.list(**keys)[0] == {}
    assert sorted(inventory.list(**keys, all_projects=True)[0]) == sorted(vms)


def test_variables_and_groups_of_former_times(cloud: t.Any, vms: list[str], inventory: t.Any) -> None:
    hosts, groups, _said = inventory.list(use_legacy_names=True)
    for value in vms:
        variables = hosts[value]
        assert variables["ec2_id"] == value and variables["ec2_state"] == "running"
        assert (
            "ansible-batch-web" in variables["ec2_security_group_names"].split(",")
            and variables["ec2_region"] == "nova"
        )
    for name in (
        "ec2",
        "type_m1_tiny",
        "instance_state_running",
        "security_group_ansible_batch_web",
        "tag_none",
        "nova",
    ):
        assert groups[name] == sorted(vms), name


def test_the_cache_is_used_until_it_is_flushed(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: t.Any, tmp_path: pathlib.Path
) -> None:
    options = {
        "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")
    }  # fmt: skip
    first = inventory.list(**options)[0]
    [new] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.tiny")["instance_ids"]
    cloud.forget_log()
    assert inventory.list(**options)[0] == first and cloud.actions() == []
    assert sorted(inventory.list(**options, batches=["web"])[0]) == sorted(vms) and cloud.actions() == []
    inventory.write(**options)
    flushed = inventory.run("--list", "--flush-cache")
    assert new in flushed.stdout and cloud.actions() == [VMS]
    assert new in inventory.list(**options)[0] and cloud.actions() == [VMS]
    keys = cloud.users["demo"]
    kept = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert keys["secret"] not in kept


def test_a_refresh_after_provision_finds_the_new_vms(cloud: t.Any, inventory: t.Any, playbook: t.Any) -> None:
    path = inventory.write(cache=True, cache_plugin="ansible.builtin.memory")
    options = {**cloud.options(), "batch": "web", "count": 2, "image": CIRROS, "instance_type": "m1.tiny"}
    plays = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{"nova_ec2.cloud.instance": options}, {"ansible.builtin.meta": "refresh_inventory"}],
        },
        {
            "hosts": "batch_web",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"msg": "I am {{ slot }}"}}],
        },
    ]
    done = playbook(plays, "-i", str(path))
    assert done.returncode == 0 and "I am 1" in done.stdout and "I am 2" in done.stdout, done.stdout + done.stderr


@pytest.mark.needs("nova")
def test_several_clouds_in_one_file(clouds: t.Any, cloud: t.Any, vms: list[str], inventory: t.Any) -> None:
    other = clouds("icehouse")
    other.reset()
    other.control("POST", "servers", tenant="demo", count=1)
    pair = [{"name": "north", **cloud.options()}, {"name": "south", **other.options()}]
    hosts, groups, said = inventory.list(clouds=pair)
    assert len(hosts) == 3 and len(groups["cloud_north"]) == 2 and len(groups["cloud_south"]) == 1
    # Ids begin anew in each cloud.
    [same] = {server["id"] for server in other.servers()} & set(vms)
    assert {f"{same}-north", f"{same}-south"} < set(hosts) and same in said
    assert hosts[f"{same}-south"]["cloud"] == "south"
    down = [pair[0], {**pair[1], "name": "down", "endpoint_url": "http://127.0.0.1:1/services/Cloud"}]
    assert "http://127.0.0.1:1" in inventory.fail(clouds=down)
    hosts, _groups, said = inventory.list(clouds=down, unreachable="warn")
    assert sorted(hosts) == sorted(vms) and "VMs of down are missing" in " ".join(said.split())


def test_a_cloud_that_did_not_answer_is_not_kept_as_empty(
    cloud: t.Any, vms: list[str], inventory: t.Any, tmp_path: pathlib.Path
) -> None:
    options = {
        "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache"),
        "unreachable": "warn",
    }  # fmt: skip
    cloud.fault(VMS, "drop_before", times=3)
    assert inventory.list(**options)[0] == {}
    assert sorted(inventory.list(**options)[0]) == sorted(vms)


def test_keys_come_from_files_templates_and_the_environment(
    cloud: t.Any, vms: list[str], inventory: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sorted(inventory.list(rc_file="ec2rc.sh")[0]) == sorted(vms)
    options = cloud.options()
    monkeypatch.setenv("MY_SECRET", options["secret_key"])
    template = "{{ lookup('ansible.builtin.env', 'MY_SECRET') }}"
    assert sorted(inventory.list(secret_key=template)[0]) == sorted(vms)
    monkeypatch.setenv("EC2_URL", options["endpoint_url"])
    monkeypatch.setenv("EC2_ACCESS_KEY", options["access_key"])
    monkeypatch.setenv("EC2_SECRET_KEY", options["secret_key"])
    assert sorted(inventory.list(endpoint_url=None, access_key=None, secret_key=None)[0]) == sorted(vms)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"include_filters": [{"vpc-id": "x"}]}, "there is no filter 'vpc-id'"),
        ({"connect_with": ["bridge"]}, "connect_with"),
        ({"rc_file": "missing.sh"}, "cannot be read"),
        ({"access_key": None}, "access_key is missing"),
        ({"read_timeout": 0}, "read_timeout"),
        ({"clouds": [{"rc_file": "ec2rc.sh"}]}, "needs a name of its own"),
        ({"clouds": [{"name": "a", "rc_file": "ec2rc.sh", "keys": 1}]}, "keys"),
        ({"clouds": [{"name": "a", "rc_file": "x"}], "endpoint_url": "http://127.0.0.1:1/"}, "says this for itself"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, inventory: t.Any, options: t.Any, said: str) -> None:
    assert said in inventory.fail(**options)
    assert cloud.actions() == []


def test_only_files_named_for_it_are_taken(inventory: t.Any, vms: list[str]) -> None:
    assert vms[0] in inventory.run("--list", path=inventory.write("nova_ec2.yaml")).stdout
    other = inventory.run("--list", path=inventory.write("hosts.yml"))
    assert vms[0] not in other.stdout
