# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin as ansible-inventory and plays run it; tests/modules/test_inventory_plugin.py has the rest."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from clouds import CIRROS

VMS = "DescribeInstances"


def test_every_vm_is_a_host_and_the_cache_is_used_until_it_is_flushed(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: t.Any, tmp_path: pathlib.Path
) -> None:
    kept = tmp_path / "cache"
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(kept)}
    hosts, groups, said = inventory.list(**options)
    assert sorted(hosts) == sorted(vms) == groups["nova_ec2"] == groups["batch_web"]
    assert cloud.actions() == [VMS] and "WARNING" not in said, said
    shown = {view["instance_id"]: view for view in run("instance_info", batch="web")["instances"]}
    for name, variables in hosts.items():
        variables["tags"] = variables.pop("instance_tags")
        assert {key: variables[key] for key in shown[name]} == shown[name]
        assert variables["ansible_host"] == shown[name]["private_ip_address"]

    [new] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.tiny")["instance_ids"]
    cloud.forget_log()
    graph = inventory.run("--graph").stdout
    assert "@batch_web" in graph and all(f"--{value}" in graph for value in vms) and new not in graph
    assert cloud.actions() == []
    assert new in inventory.run("--list", "--flush-cache").stdout and cloud.actions() == [VMS]
    assert new in inventory.list(**options)[0] and cloud.actions() == [VMS]
    assert cloud.users["demo"]["secret"] not in "".join(path.read_text() for path in kept.iterdir())


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_a_refresh_after_provision_finds_the_new_vms_and_nothing_they_say_is_a_template(
    cloud: t.Any, inventory: t.Any, playbook: t.Any
) -> None:
    bad = "{{ 6 * 7 }}"
    more = {"keyed_groups": [{"key": "tags.role", "prefix": "role"}], "compose": {"role": "tags.role"}}
    path = inventory.write(cache=True, cache_plugin="ansible.builtin.memory", **more)
    options = {**cloud.options(), "batch": "web", "count": 2, "image": CIRROS, "instance_type": "m1.tiny"}
    tag = {**cloud.options(), "resource": "{{ web.instance_ids }}", "tags": "{{ {'Name': bad, 'role': bad} }}"}
    plays = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"bad": "{{ '{' ~ '{ 6 * 7 }' ~ '}' }}"},
            "tasks": [
                {"nova_ec2.cloud.instance": options, "register": "web"},
                {"nova_ec2.cloud.tag": tag},
                {"ansible.builtin.meta": "refresh_inventory"},
            ],
        },
        {
            "hosts": "batch_web",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.debug": {"msg": "I am {{ slot }}"}},
                {"ansible.builtin.debug": {"msg": "{{ role }} {{ instance_tags.role }} {{ inventory_hostname }}"}},
            ],
        },
    ]
    done = playbook(plays, "-i", str(path))
    assert done.returncode == 0 and "I am 1" in done.stdout and "I am 2" in done.stdout, done.stdout + done.stderr
    assert {str(server["tags"]["role"]) for server in cloud.servers()} == {bad}
    assert f"{bad} {bad} " in done.stdout and "42" not in done.stdout, done.stdout


def test_a_cloud_that_cannot_be_reached_is_an_error(inventory: t.Any) -> None:
    assert "http://127.0.0.1:1" in inventory.fail(endpoint_url="http://127.0.0.1:1/services/Cloud")
