# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, loaded by Ansible's own inventory manager in this process; tests/integration has real runs."""

from __future__ import annotations

import json
import pathlib
import typing as t

import ansible.constants
import pytest
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from clouds import CIRROS
from virtual.cloud import VirtualCloud

PROFILES = ["grizzly", "icehouse", "liberty", "ec2api"]
VMS = "DescribeInstances"
# What the inventory manager adds to a host's variables.
OWN = ("inventory_file", "inventory_dir", "inventory_hostname", "inventory_hostname_short", "group_names")

every_profile = pytest.mark.parametrize("cloud", PROFILES, indirect=True)


class Inventory:
    """Files of the plugin in one directory, and what comes of them."""

    def __init__(self, cloud: t.Any, directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._options = cloud.options()
        self._directory = directory
        self._said: list[str] = []
        (directory / "ec2rc.sh").write_text((cloud.directory / "ec2rc.sh").read_text())
        (directory / "ec2rc.sh").chmod(0o600)
        monkeypatch.setattr(Display, "warning", lambda _self, msg, *_more, **_others: self._said.append(str(msg)))
        monkeypatch.setattr(Display, "error_as_warning", self._failed)
        monkeypatch.setattr(ansible.constants, "INVENTORY_UNPARSED_IS_FAILED", True)
        monkeypatch.setattr(ansible.constants, "INVENTORY_ANY_UNPARSED_IS_FAILED", True)

    def _failed(self, msg: str | None, exception: BaseException) -> None:
        self._said.append(f"{msg} {exception}")

    def write(self, name: str = "my.nova_ec2.yml", clouds: t.Any = None, **options: t.Any) -> pathlib.Path:
        """Write a file, with the connection options unless it has some."""
        connection = self._options if clouds is None and "rc_file" not in options else {}
        content = {"plugin": "nova_ec2.cloud.nova_ec2", **connection, **options}
        path = self._directory / name
        path.write_text(json.dumps({**content, **({"clouds": clouds} if clouds else {})}))
        return path

    @property
    def said(self) -> str:
        """What was said, in warnings and errors."""
        return " ".join(self._said)

    def read_beside(self, own: dict[str, t.Any], group: str = "own", **options: t.Any) -> t.Any:
        """The same as read, beside hosts of one's own in a file that is read before."""
        path = self._directory / "a.yml"
        path.write_text(json.dumps({"all": {"children": {group: {"hosts": own}}}}))
        return self.read(path, self.write(**options))

    def read(
        self, *paths: pathlib.Path, cache: bool = True
    ) -> tuple[dict[str, dict[str, t.Any]], dict[str, list[str]]]:
        """Hosts with their variables, and groups with their hosts. AnsibleError if a file cannot be used."""
        self._said.clear()
        found = InventoryManager(DataLoader(), list(map(str, paths)), cache=cache)
        hosts = {
            name: {key: value for key, value in host.get_vars().items() if key not in OWN}
            for name, host in found.hosts.items()
        }
        return hosts, {name: sorted(host.name for host in group.hosts) for name, group in found.groups.items()}

    def list(self, clouds: t.Any = None, **options: t.Any) -> tuple[dict[str, dict[str, t.Any]], dict[str, t.Any], str]:
        """What a file with these options brings, and what was said."""
        hosts, groups = self.read(self.write(clouds=clouds, **options))
        return hosts, groups, " ".join(self._said)

    def fail(self, clouds: t.Any = None, **options: t.Any) -> str:
        """What is said when it fails."""
        with pytest.raises(AnsibleError) as failure:
            self.list(clouds=clouds, **options)
        return " ".join([*self._said, str(failure.value)])


@pytest.fixture
def inventory(cloud: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    """An inventory of the cloud."""
    return Inventory(cloud, tmp_path, monkeypatch)


@every_profile
def test_every_vm_is_a_host_with_the_variables_of_instance_info(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory
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


def test_hosts_are_named_grouped_and_composed_as_asked(cloud: t.Any, vms: list[str], inventory: Inventory) -> None:
    hosts, groups, _said = inventory.list(
        hostnames=["tag:none", "{{ batch }}-{{ slot }}"],
        hostvars_prefix="vm_",
        hostvars_suffix="_of_nova",
        compose={"kind": "instance_type | upper", "same": "vm_instance_id_of_nova == instance_id"},
        groups={"tiny": "instance_type == 'm1.tiny'", "big": "kind == 'M1.LARGE'"},
        keyed_groups=[{"key": "instance_type", "prefix": "type"}, {"key": "state"}],
        leading_separator=False,
    )
    assert sorted(hosts) == ["web-1", "web-2"] == groups["tiny"] == groups["type_m1_tiny"] == groups["running"]
    assert "big" not in groups
    for variables in hosts.values():
        assert variables["kind"] == "M1.TINY" and variables["same"] is True
        assert variables["vm_instance_id_of_nova"] in vms and "instance_id" not in variables


def test_members_of_batches_are_named_by_the_template_and_others_by_hostnames(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory
) -> None:
    cloud.control("POST", "servers", tenant="demo", count=1)
    hosts, groups, _said = inventory.list(name_template="{batch}-{index:03d}")
    assert groups["batch_web"] == ["web-001", "web-002"] and len(hosts) == 3
    cloud.forget_log()
    assert "{index}" in inventory.fail(name_template="{batch}") and cloud.actions() == []


def test_what_cannot_be_composed_is_left_out_or_an_error(vms: list[str], inventory: Inventory) -> None:
    args = {"compose": {"port": "no_such_variable + 1"}}
    hosts, _groups, _said = inventory.list(**args)
    assert sorted(hosts) == sorted(vms) and all("port" not in variables for variables in hosts.values())
    assert "port" in inventory.fail(**args, strict=True)


@pytest.mark.parametrize("cloud", ["icehouse", "ec2api"], indirect=True)
def test_vms_of_one_name_are_two_hosts_and_none_is_this_machine(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory
) -> None:
    [third] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.tiny")["instance_ids"]
    assert run("tag", resource=vms, tags={"Name": "web"})["changed"]
    assert run("tag", resource=third, tags={"Name": "localhost"})["changed"]
    hosts, _groups, said = inventory.list()
    assert sorted(hosts) == sorted([f"web-{vms[0]}", f"web-{vms[1]}", f"localhost-{third}"])
    assert "web, localhost" in said or "localhost, web" in said


def test_addresses_to_connect_to(cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory) -> None:
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
def test_what_is_asked_for_is_matched_here(cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory) -> None:
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
    cloud: t.Any, vms: list[str], inventory: Inventory
) -> None:
    keys = cloud.options("adminuser")
    assert inventory.list(**keys)[0] == {}
    assert sorted(inventory.list(**keys, all_projects=True)[0]) == sorted(vms)


def test_variables_and_groups_of_former_times(cloud: t.Any, vms: list[str], inventory: Inventory) -> None:
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
    cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory, tmp_path: pathlib.Path
) -> None:
    options = {
        "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")
    }  # fmt: skip
    first = inventory.list(**options)[0]
    [new] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.tiny")["instance_ids"]
    cloud.forget_log()
    assert inventory.list(**options)[0] == first and cloud.actions() == []
    assert sorted(inventory.list(**options, batches=["web"])[0]) == sorted(vms) and cloud.actions() == []
    assert new in inventory.read(inventory.write(**options), cache=False)[0] and cloud.actions() == [VMS]
    assert new in inventory.list(**options)[0] and cloud.actions() == [VMS]
    keys = cloud.users["demo"]
    kept = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert keys["secret"] not in kept


@pytest.mark.needs("many_clouds")
def test_several_clouds_in_one_file(
    cloud: VirtualCloud, vms: list[str], inventory: Inventory, tmp_path: pathlib.Path
) -> None:
    other = VirtualCloud(cloud.world, tmp_path / "other", "icehouse", port=8774)
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
    cloud: t.Any, vms: list[str], inventory: Inventory, tmp_path: pathlib.Path
) -> None:
    options = {
        "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache"),
        "unreachable": "warn",
    }  # fmt: skip
    cloud.fault(VMS, "drop_before", times=3)
    assert inventory.list(**options)[0] == {}
    assert sorted(inventory.list(**options)[0]) == sorted(vms)


def test_keys_come_from_files_templates_and_the_environment(
    cloud: t.Any, vms: list[str], inventory: Inventory, monkeypatch: pytest.MonkeyPatch
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
def test_bad_input_is_refused_before_any_request(cloud: t.Any, inventory: Inventory, options: t.Any, said: str) -> None:
    assert said in inventory.fail(**options)
    assert cloud.actions() == []


def test_only_files_named_for_it_are_taken(inventory: Inventory, vms: list[str]) -> None:
    assert sorted(inventory.read(inventory.write("nova_ec2.yaml"))[0]) == sorted(vms)
    with pytest.raises(AnsibleError):
        inventory.read(inventory.write("hosts.yml"))


class TestWritten:
    """What files say, and what templates in them came to."""

    def test_a_file_of_keys_is_never_completed_from_the_environment(
        self, inventory: Inventory, cloud: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = cloud.users["demo"]
        for name, value in (("URL", cloud.url), ("ACCESS_KEY", keys["access"]), ("SECRET_KEY", keys["secret"])):
            monkeypatch.setenv(f"EC2_{name}", value)
        rc_file = tmp_path / "prod.sh"
        for text, said in (
            ("$ANSIBLE_VAULT;1.1;AES256\n61\n", "is encrypted by ansible-vault"),
            ("export OS_AUTH_URL=http://x:5000/v3\n", "a file for Keystone"),
            ("EC2_URL=http://127.0.0.1:9/\n", "gives no keys"),
        ):
            rc_file.write_text(text)
            assert said in inventory.fail(rc_file=str(rc_file))
            told = inventory.fail(clouds=[{"name": "north", "rc_file": str(rc_file)}])
            assert said in told and "clouds: north: " in told
        assert "rc_file is empty" in inventory.fail(rc_file="{{ '' }}")
        assert "endpoint_url is empty" in inventory.fail(clouds=[{"name": "north", "endpoint_url": " "}])
        assert cloud.actions() == []

    def test_what_came_to_nothing_selects_nothing(self, inventory: Inventory, vms: list[str]) -> None:
        for option in ("batches", "states", "include_filters"):
            assert set(inventory.list(**{option: None})[0]) == set(inventory.list()[0]) != set()
            assert inventory.list(**{option: []})[0] == {}
        assert inventory.list(batches=["", " "])[0] == {}
        assert set(inventory.list(batches="db, web")[0]) == set(vms)

    def test_what_cannot_be_meant_is_refused_in_words(self, inventory: Inventory, cloud: t.Any) -> None:
        for options, said in (
            ({"include_filters": [{"image-id": None}]}, "include_filters: image-id is null"),
            ({"exclude_filters": [{"image-id": {"a": "b"}}]}, "exclude_filters: image-id must be a text"),
            ({"include_filters": [{"1": 2}]}, "no filter '1'"),
            ({"clouds": [{"name": "a", "read_timeout": False}]}, "read_timeout must be a number, and is a boolean"),
            ({"clouds": [{"name": "a", "rc_file": ["x"]}]}, "rc_file must be a text, and is a list"),
            ({"clouds": [{"name": "a", "rc_file": "a\0b"}]}, "rc_file holds the character NUL"),
            ({"clouds": [{"name": "a", "connect_timeout": 10**20}]}, "must be a number up to"),
        ):
            told = inventory.fail(**options)
            assert said in told and "Traceback" not in told, told
        assert cloud.actions() == []


def test_a_vm_takes_no_other_hosts_place(cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory) -> None:
    address = {
        view["instance_id"]: view["private_ip_address"] for view in run("instance_info", batch="web")["instances"]
    }
    for own in (
        {vms[0]: {"ansible_host": "192.0.2.1"}},
        {"prod": {"ansible_host": address[vms[0]]}},
        {address[vms[0]]: {}},
    ):
        [name] = own
        with pytest.raises(AnsibleError):
            inventory.read_beside(own)
        assert name in inventory.said and vms[0] in inventory.said, inventory.said
    # It says itself that it is this VM, and keeps what it had.
    hosts, _groups = inventory.read_beside({vms[0]: {"nova_ec2_instance_id": vms[0], "mine": 1}})
    assert hosts[vms[0]]["mine"] == 1 and hosts[vms[0]]["ansible_host"] == address[vms[0]]


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_a_vm_is_no_group_and_has_no_name_that_ansible_splits_or_that_is_anothers(
    cloud: t.Any, run: t.Any, vms: list[str], inventory: Inventory
) -> None:
    first, second = vms
    keyed = {"keyed_groups": [{"key": "instance_type", "prefix": "type"}], "leading_separator": False}
    for name in ("prod", "batch_web", "type_m1_tiny", "nova_ec2", second, "all"):
        assert run("tag", resource=first, tags={"Name": name})["changed"]
        hosts, groups = inventory.read_beside({"db": {"ansible_host": "192.0.2.1"}}, group="prod", **keyed)
        assert set(hosts) - {"db"} == {f"{name}-{first}", second if name != second else f"{second}-{second}"} or (
            name == second and set(hosts) - {"db"} == {f"{second}-{first}", second}
        ), (name, hosts)
        assert hosts["db"]["ansible_host"] == "192.0.2.1" and groups["prod"] == ["db"]
        assert len(groups["type_m1_tiny"]) == 2 and name in inventory.said
    for name in ("web:1", "web[1:3]", "a,b", "web*", "!web", "&web", "~web", "@web", "-web", "a/b", "a;b", "{{ x }}"):
        assert run("tag", resource=first, tags={"Name": name})["changed"]
        hosts, _groups, said = inventory.list()
        assert sorted(hosts) == sorted(vms) and "is no name for a host" in said, name
    assert run("tag", resource=first, tags={"Name": "Jones's web server 1".replace("'", "")})["changed"]
    assert "Joness web server 1" in inventory.list()[0]


@pytest.mark.needs("many_clouds")
def test_the_same_ids_in_two_files_of_two_clouds_are_two_hosts(
    cloud: VirtualCloud, vms: list[str], inventory: Inventory, tmp_path: pathlib.Path
) -> None:
    other = VirtualCloud(cloud.world, tmp_path / "other", "icehouse", port=8774)
    other.control("POST", "servers", tenant="demo", count=2)
    north = inventory.write("north.nova_ec2.yml")
    south = inventory.write("south.nova_ec2.yml", **other.options())
    again = inventory.write("zenith.nova_ec2.yml", batches=["web"], compose={"mine": "1"})
    hosts, _groups = inventory.read(north, south, again)
    assert sorted(hosts) == sorted([*vms, *(f"{value}-127.0.0.1-8774" for value in vms)])
    assert [hosts[value]["nova_ec2_endpoint"] for value in vms] == [cloud.url] * 2
    assert all(hosts[f"{value}-127.0.0.1-8774"]["nova_ec2_endpoint"] == other.url for value in vms)
    assert all(("mine" in variables) is (name in vms) for name, variables in hosts.items())


def test_what_makes_no_sense_in_a_cache_is_asked_for_again(
    cloud: t.Any, vms: list[str], inventory: Inventory, tmp_path: pathlib.Path
) -> None:
    options = {
        "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")
    }  # fmt: skip
    assert sorted(inventory.list(**options)[0]) == sorted(vms)
    [kept] = (tmp_path / "cache").iterdir()
    good = json.loads(json.loads(kept.read_text())["__payload__"])
    [at] = good
    odd = [[], {at: None}, {at: {"instances": [{}], "own": None}}, {at: {"instances": [3]}}, {at: {"own": None}}]
    for text in ('{"__payload__": null}', *(json.dumps({"__payload__": json.dumps(one)}) for one in odd)):
        kept.write_text(text)
        cloud.forget_log()
        assert sorted(inventory.list(**options)[0]) == sorted(vms) and cloud.actions() == [VMS]
    # Nor does an address that is none, or this machine's, become one to connect to.
    for number, address in enumerate(("-oProxyCommand=x", "127.0.0.1")):
        good[at]["instances"][number]["private_ip_address"] = address
    kept.write_text(json.dumps({"__payload__": json.dumps(good)}))
    cloud.forget_log()
    assert all("ansible_host" not in variables for variables in inventory.list(**options)[0].values())
    assert cloud.actions() == []
