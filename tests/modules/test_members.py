# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the inventory of a play takes up a batch, in this process; tests/integration/test_hosts.py has real runs."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._hosts import Vm, is_address, is_host_name, label_of
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._members import Members, teach

NORTH, SOUTH = "http://north.example.com:8773/services/Cloud", "https://south.example.com:8774/"


class Manager(InventoryManager):
    """An inventory manager of these tests' own."""


teach(Manager)
teach(Manager)


@pytest.fixture
def manager() -> Manager:
    """An inventory with nothing but this machine."""
    return Manager(DataLoader(), ["localhost,"])


def joined(manager: Manager, *hosts: tuple[str, str], endpoint: str = NORTH, batch: str = "web", **more: t.Any) -> None:
    """Have a batch take part, by names and ids, as a task does."""
    told = [(name, {**Vm(endpoint, value, batch).variables(), **more}) for name, value in hosts]
    said = {"host_vars": Members(Vm(endpoint, "", batch), label_of(endpoint), batch, told).told()}
    # The form of ansible-core 2.21; before, it is a dictionary.
    manager.add_dynamic_host(types.SimpleNamespace(host_name="", **said))


def members(manager: Manager, group: str = "web") -> dict[str, str]:
    """The ids of the members, by name."""
    return {host.name: host.vars["nova_ec2_instance_id"] for host in manager.groups[group].get_hosts()}


def test_names_that_were_given_away_meanwhile_are_left(manager: Manager) -> None:
    manager.add_host("web-1", "all")
    joined(manager, ("web-1", "i-1"), ("web-2", "i-2"))
    assert members(manager) == {"web-1-i-1": "i-1", "web-2": "i-2"} and manager.hosts["web-1"].vars.get("x") is None
    joined(manager, ("web-2", "i-2"), endpoint=SOUTH, batch="other")
    assert members(manager, "other") == {"web-2-south.example.com-8774": "i-2"}
    joined(manager, ("other", "i-3"), ("web-2", "i-4"), ("web-2", "i-5"))
    assert members(manager) == {"other-i-3": "i-3", "web-2": "i-4", "web-2_": "i-5"}


def test_a_host_of_the_play_that_runs_is_taken_from_the_group_and_not_from_under_the_play(manager: Manager) -> None:
    joined(manager, ("web-1", "i-1"), ("web-2", "i-2"), ("web-3", "i-3"))
    manager.restrict_to_hosts([manager.hosts["web-2"]])
    joined(manager, ("web-1", "i-1"))
    assert members(manager) == {"web-1": "i-1"} and "web-2" in manager.hosts and "web-3" not in manager.hosts
    manager.remove_restriction()
    joined(manager)
    assert not members(manager) and not set(manager.hosts) & {"web-1", "web-2"}


def test_nothing_of_the_vm_before_is_left_and_what_was_added_to_a_host_is_kept(manager: Manager) -> None:
    joined(manager, ("web-1", "i-1"), ("web-2", "i-2"), ansible_host="10.0.0.2", ansible_port=22)
    for name in ("web-1", "web-2"):
        manager.hosts[name].set_variable("mine", 1)
    joined(manager, ("web-1", "i-1"), ("web-2", "i-9"))
    assert manager.hosts["web-1"].vars["mine"] == 1 and "ansible_host" not in manager.hosts["web-1"].vars
    assert not {"mine", "ansible_host", "ansible_port"} & set(manager.hosts["web-2"].vars)


def test_after_a_refresh_there_are_the_last_members_and_none_that_was_gone(manager: Manager) -> None:
    joined(manager, ("web-1", "i-1"), ("web-2", "i-2"))
    joined(manager, ("db-1", "i-3"), batch="db")
    joined(manager, ("web-1", "i-1"))
    manager.refresh_inventory()
    assert members(manager) == {"web-1": "i-1"} and members(manager, "db") == {"db-1": "i-3"}
    assert set(manager.hosts) == {"localhost", "web-1", "db-1"}


@pytest.mark.parametrize("name", ["web-1", "Web server 1", "wéb", "10.0.0.2", "2001:db8::1", "a.b_c+d", "i-00000001"])
def test_what_may_name_a_host(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "web:1", "web[1:3]", "a,b", "a b ", " a", "-a", ".a", "a/b", "a\nb", "a\n", "a\u009bb", "*", "a?", "!a"),
        *("@a", "{{ a }}", "a" * 254, "$a", "a;b", "a%b", "~a", "&a", "a=b", "#a", "a'b", 'a"b', "fe80::1%eth0"),
    ],
)
def test_what_may_not(name: str) -> None:
    assert not is_host_name(name)


@pytest.mark.parametrize(
    "value", ["-oProxyCommand=x", "127.0.0.1", "::1", "0.0.0.0", "localhost", "a b", "a\n", "{{ a }}"]
)
def test_what_is_no_address_to_connect_to(value: str) -> None:
    assert not is_address(value)


@pytest.mark.parametrize("value", ["10.0.0.2", "2001:db8::2", "server-1.novalocal", "server_1"])
def test_what_is(value: str) -> None:
    assert is_address(value)
