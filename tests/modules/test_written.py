# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users and their templates write: the right thing is done, or it is said what is wrong, before any request."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pathlib
import time
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.options import CONNECTION_OPTIONS, connect_with
from clouds import CIRROS
from local_cloud.actions import groups, keypairs
from option_values import MODULES, NEEDED, options_of

LAUNCH = {"image": CIRROS, "instance_type": "m1.tiny"}
GZIPPED = gzip.compress(b"#!/bin/sh\n" + bytes(range(256)), mtime=0)
INFO = [name for name in MODULES if name.endswith("_info")]


def refused(cloud: t.Any, result: dict[str, t.Any]) -> str:
    """What is said of bad input, of which the cloud has heard nothing."""
    assert result.get("failed"), result
    assert "A fault in" not in result["msg"] and "Traceback" not in str(result), result
    assert cloud.actions() == []
    return str(result["msg"])


class TestRcFile:
    """A named file is all there is beside the task's own options."""

    @pytest.fixture
    def staging(self, cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The environment of somebody who has sourced the file of a cloud that works."""
        keys = cloud.users["demo"]
        for name, value in (("URL", cloud.url), ("ACCESS_KEY", keys["access"]), ("SECRET_KEY", keys["secret"])):
            monkeypatch.setenv(f"EC2_{name}", value)
            monkeypatch.setenv(f"AWS_{name}", value)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "is encrypted by ansible-vault"),
            ("\n$ANSIBLE_VAULT;1.2;AES256;prod\n6162\n", "is encrypted by ansible-vault"),
            ("export OS_AUTH_URL=http://x:5000/v3\nexport OS_USERNAME=me\n", "a file for Keystone (openrc.sh)"),
            (
                "EC2_URL=$(vault read url)\nEC2_ACCESS_KEY=a\nEC2_SECRET_KEY=b\n",
                "sets EC2_URL by what",
            ),
            (
                "EC2_URL=$(get)\nAWS_URL=http://127.0.0.1:9/\nEC2_ACCESS_KEY=a\nEC2_SECRET_KEY=b\n",
                "sets EC2_URL by what",
            ),
            (
                "EC2_URL=http://127.0.0.1:9/\nEC2_ACCESS_KEY=`a`\nEC2_SECRET_KEY=$B\n",
                "sets EC2_ACCESS_KEY and",
            ),
            (
                "EC2_URL=http://127.0.0.1:9/\nEC2_ACCESS_KEY=a\nEC2_SECRET_KEY=$(b)\n",
                "sets EC2_SECRET_KEY by",
            ),
            ("EC2_URL=http://127.0.0.1:9/\n", "gives no keys"),
            ("EC2_URL=http://x/\nEC2_ACCESS_KEY=$A\nAWS_ACCESS_KEY=a\nAWS_SECRET_KEY=b\n", "sets EC2_ACCESS_KEY by"),
            ("EC2_URL=http://127.0.0.1:9/\nEC2_ACCESS_KEY=a\n", "has EC2_ACCESS_KEY but not EC2_SECRET_KEY"),
            ("EC2_ACCESS_KEY=a\nEC2_SECRET_KEY=b\n", "gives no endpoint"),
            ("EC2_URL=None\nEC2_ACCESS_KEY=a\nEC2_SECRET_KEY=b\n", "It says None, as Horizon writes"),
            (". ~/other.sh\n", "reads another file"),
            (
                "if prod; then\n  EC2_URL=http://a/\nelse\n  EC2_URL=http://127.0.0.1:9/\nfi\n",
                "sets EC2_URL by what would",
            ),
            ("", "It is empty"),
        ],
    )
    def test_what_it_lacks_is_an_error_and_never_taken_from_the_environment(
        self, cloud: t.Any, run: t.Any, staging: None, tmp_path: pathlib.Path, text: str, said: str
    ) -> None:
        rc_file = tmp_path / "prod.sh"
        rc_file.write_text(text)
        assert said in refused(cloud, run("instance", user=None, rc_file=str(rc_file), batch="web", state="absent"))

    def test_binary_files_and_folders_are_told_as_what_they_are(
        self, cloud: t.Any, run: t.Any, staging: None, tmp_path: pathlib.Path
    ) -> None:
        rc_file = tmp_path / "prod.sh.gpg"
        rc_file.write_bytes(b"\x85\x02\x0c\x03")
        assert "it is not a text in UTF-8" in refused(cloud, run("region_info", user=None, rc_file=str(rc_file)))
        assert "not a regular file" in refused(cloud, run("region_info", user=None, rc_file=str(tmp_path)))
        os.mkfifo(tmp_path / "pipe")
        assert "not a regular file" in refused(cloud, run("region_info", user=None, rc_file=str(tmp_path / "pipe")))

    def test_options_of_the_task_complete_it(self, cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
        given, rc_file = cloud.options(), tmp_path / "rc.sh"
        rc_file.write_text(f"EC2_URL={cloud.url}\n")
        keys = {name: given[name] for name in ("access_key", "secret_key")}
        assert run("keypair_info", user=None, rc_file=str(rc_file), **keys)["keypairs"] == []
        rc_file.write_text(f"EC2_ACCESS_KEY={keys['access_key']}\nEC2_SECRET_KEY={keys['secret_key']}\n")
        rc_file.chmod(0o600)
        assert run("keypair_info", user=None, rc_file=str(rc_file), endpoint_url=cloud.url)["keypairs"] == []

    @pytest.mark.parametrize("option", ["rc_file", "endpoint_url", "access_key", "secret_key"])
    def test_what_a_template_left_empty_is_not_made_up_for(
        self, cloud: t.Any, run: t.Any, staging: None, option: str
    ) -> None:
        assert f"{option} is empty" in refused(cloud, run("region_info", user=None, **{option: " "}))
        assert run("region_info", user=None, **{option: None})["regions"]


class TestKeys:
    """White space around keys and addresses is no part of them; what is in them is told, and never shown."""

    def test_in_options_files_and_variables(
        self, cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given, keys = cloud.options(), cloud.users["demo"]
        assert run("region_info", user=None, **{name: f" {value}\r\n" for name, value in given.items()})["regions"]
        rc_file = tmp_path / "rc.sh"
        lines = [f"EC2_URL='{cloud.url} '", f'EC2_ACCESS_KEY="{keys["access"]} "', f"EC2_SECRET_KEY={keys['secret']}"]
        rc_file.write_bytes("\r\n".join(["\ufeff# mine", *lines, ""]).encode())
        assert run("region_info", user=None, rc_file=str(rc_file))["regions"]
        for name, value in (("EC2_URL", cloud.url), ("EC2_ACCESS_KEY", keys["access"])):
            monkeypatch.setenv(name, f"{value}\r")
        monkeypatch.setenv("EC2_SECRET_KEY", f"{keys['secret']}\n")
        assert run("region_info", user=None)["regions"]

    @pytest.mark.parametrize("wrong", ["ab cd", "ab\ncd", "ab\u00a0cd", "abcdé"])
    def test_what_no_key_has_is_named_and_the_key_is_not_shown(self, cloud: t.Any, run: t.Any, wrong: str) -> None:
        result = run("region_info", secret_key=wrong)
        assert "secret_key holds white space" in refused(cloud, result)
        assert wrong not in json.dumps(result, ensure_ascii=False)

    @pytest.mark.parametrize("url", ["http://cloud.example.com:8773/services/Cl oud", "http://ex\u00e4mple.com/"])
    def test_what_no_url_has_is_told(self, cloud: t.Any, run: t.Any, url: str) -> None:
        assert "a character that a URL writes otherwise" in refused(cloud, run("region_info", endpoint_url=url))


class TestText:
    """What the server could not repeat is never sent: from then on every list would fail."""

    @pytest.mark.parametrize("cloud", ["icehouse", "liberty"], indirect=True)
    @pytest.mark.parametrize(
        ("module", "args"),
        [
            ("instance", {"batch": "web", "count": 1, "tags": {"owner": "Jörg"}, **LAUNCH}),
            ("instance", {"batch": "web", "count": 1, "tags": {"Eigentümer": "web"}, **LAUNCH}),
            ("instance", {"batch": "web", "count": 1, "tags": {"owner": "a\nb"}, **LAUNCH}),
            ("instance", {"batch": "wéb", "count": 1, **LAUNCH}),
            ("instance", {"batch": "web", "count": 1, **LAUNCH, "instance_type": "größe"}),
            ("instance", {"batch": "web", "count": 1, "key_name": "Jörg", **LAUNCH}),
            ("instance", {"batch": "web", "count": 1, "security_groups": ["wéb"], **LAUNCH}),
            ("instance", {"batch": "web", "count": 1, "availability_zones": ["süd"], **LAUNCH}),
            ("instance", {"batch": "web", "count": 1, "block_device_mapping": [{"device_name": "/dév"}], **LAUNCH}),
            ("tag", {"resources": ["i-00000001"], "tags": {"owner": "Jörg"}}),
            ("keypair", {"name": "Jörg"}),
            ("security_group", {"name": "wéb"}),
            ("security_group", {"name": "web", "description": "für alle"}),
            ("security_group", {"name": "web", "rules": [{"ports": 22, "group_name": "wéb"}]}),
            ("image", {"name": "web", "instance_id": "i-00000001", "description": "für alle"}),
            ("image", {"name": "web", "image_location": "büro/m.xml"}),
            ("volume", {"instance_id": "i-00000001", "device_name": "/dev/vdb", "availability_zone": "süd"}),
        ],
    )
    def test_it_is_refused_before_anything_is_sent(
        self, cloud: t.Any, run: t.Any, module: str, args: dict[str, t.Any]
    ) -> None:
        refused(cloud, run(module, **args))

    @pytest.mark.parametrize("cloud", ["icehouse"], indirect=True)
    def test_names_for_new_things_are_refused_before_anything_is_changed(
        self, cloud: t.Any, run: t.Any, vms: list[str]
    ) -> None:
        volume = run("volume", instance_id=vms[0], device_name="/dev/vdc", volume_size=1)["volumes"][0]["volume_id"]
        cloud.forget_log()
        for module, args, said in (
            ("image", {"name": "café", "instance_id": vms[0]}, "ASCII"),
            ("image", {"name": "0x10", "instance_id": vms[0]}, "read it as a number"),
            ("snapshot", {"volume_id": volume, "description": "für alle"}, "ASCII"),
            ("snapshot", {"volume_id": volume, "description": "007"}, "read it as a number"),
            ("keypair", {"name": "a/b"}, "not a name that Nova accepts"),
            ("security_group", {"name": "a/b"}, "not a name that Nova accepts"),
        ):
            for check in (True, False):
                result = run(module, check=check, **args)
                assert result.get("failed") and said in result["msg"], result
        assert cloud.mutations() == []


@pytest.mark.needs("forged")
class TestExisting:
    """Rules for making names are not applied to naming what exists."""

    @pytest.fixture
    def others(self, cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A group and a key pair that another client made."""
        options = {name: spec.get("default") for name, spec in CONNECTION_OPTIONS.items()}
        connection = connect_with({**options, **cloud.options()}, pytest.fail)
        with monkeypatch.context() as patch:
            patch.setattr(groups, "_TEXT", groups.re.compile("."))
            patch.setattr(keypairs, "_NAME", keypairs.re.compile("."))
            connection.create_security_group("web.prod", "made by others")
            connection.create_key_pair("me@laptop")
        cloud.forget_log()

    @pytest.mark.parametrize("cloud", ["grizzly", "icehouse", "ec2api"], indirect=True)
    def test_groups_and_key_pairs(self, cloud: t.Any, run: t.Any, others: None) -> None:
        named = {"security_groups": "web.prod", "key_name": "me@laptop"}
        made = run("instance", batch="web", count=1, update="replace", **named, **LAUNCH)
        assert not made.get("failed"), made
        assert {"web.prod"} < set(made["instances"][0]["security_groups"])
        assert run("instance", batch="web", count=1, update="replace", **named, **LAUNCH)["changed"] is False
        assert run("keypair", name="me@laptop")["changed"] is False
        rules = [{"ports": 22, "group_name": "web.prod"}]
        assert run("security_group", name="web.prod", rules=rules)["changed"]
        run("instance", batch="web", state="absent")
        for module, name in (("keypair", "me@laptop"), ("security_group", "web.prod")):
            gone = run(module, name=name, state="absent")
            assert gone["changed"] and not gone.get("failed"), gone
        assert cloud.groups() <= {"default"} and cloud.fingerprints() == {}

    def test_an_image_is_looked_up_by_whatever_name_it_has(self, cloud: t.Any, run: t.Any, image: str) -> None:
        for name, written in (("14.04", "14.04"), ("14.04", 14.04), ("007", "007"), ("größe", "größe")):
            cloud.forge("DescribeImages", lambda reply, name=name: renamed(reply, CIRROS, name))
            assert run("image_info", name=written, expect="one")["image"]["image_id"] == image
            told = run("instance", batch="web", count=1, image=written, instance_type="m1.tiny", check=True)
            assert told["instances"][0]["image_id"] == image, told


def renamed(reply: bytes, old: str, new: str) -> bytes:
    """A reply with a name replaced."""
    body = reply.partition(b"\r\n\r\n")[2].replace(old.encode(), new.encode())
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class TestLists:
    """Options are made the same once, before anything is compared or sent."""

    @pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
    def test_groups_in_any_order_and_number_are_no_drift(self, cloud: t.Any, run: t.Any) -> None:
        for name in ("ssh", "web"):
            run("security_group", name=name)
        for written in (
            ["default", "ssh", "web", "ssh"],
            "web, ssh,default , ",
            [" web", "default", "ssh\n", None, ""],
        ):
            result = run("instance", batch="web", count=1, update="replace", security_groups=written, **LAUNCH)
            assert not result.get("failed") and result["drift"] == {}, result
        assert cloud.ever_started() == 1

    def test_elements_of_every_list_are_stripped_and_there_once(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        one, two = vms
        for written in (f"{one}, {two}", [f" {one}", two, one, ""], f"{two},{one},"):
            assert run("instance_info", instance_ids=written)["instance_ids"] == vms
        run("keypair", name="a")
        listed = run("keypair_info", names="a, b ,a")
        assert [pair["name"] for pair in listed["keypairs"]] == ["a"] and listed["unknown_names"] == ["b"]
        asked = run(
            "console_info", instance_ids=[one], host_keys=True, known_hosts_for="public_ip_address, private_ip_address"
        )
        assert not asked.get("failed"), asked
        rules = [{"ports": "22, 80", "cidr_ip": "10.0.0.0/8, 10.0.0.0/8"}, {"ports": "22", "cidr_ip": " 10.0.0.0/8"}]
        assert len(run("security_group", name="web", rules=rules)["security_group"]["rules"]) == 2

    def test_white_space_around_a_text_is_no_part_of_it(self, cloud: t.Any, run: t.Any, image: str) -> None:
        made = run("instance", batch=" web\n", count=" 1 ", image=f"{image}\n", instance_type="m1.tiny ")
        assert made["plan"]["launch"] == 1 and run("instance_info", batch="web")["instance_ids"] == made["instance_ids"]

    def test_null_is_not_given(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        for module, args in (
            ("instance_info", {"instance_ids": None, "filters": None, "batch": None, "wait_timeout": None}),
            ("image_info", {"image_ids": None, "name": None, "type": None, "limit": None, "owner_ids": None}),
            ("address_info", {"public_ips": None, "filters": None}),
            ("instance", {"batch": "web", "instance_ids": None, "wait": None, "tags": None, "on_error": None}),
            ("console_info", {"instance_ids": None, "batch": "web", "known_hosts": None}),
        ):
            args = {**args, "availability_zone": None, "availability_zones": None} if module == "instance" else args
            assert not run(module, **args).get("failed"), (module, run(module, **args))
        assert "one of the following is required" in run("console_info", instance_ids=None, batch=None)["msg"]


class TestSelectors:
    """What came to nothing selects nothing."""

    @pytest.mark.parametrize(
        ("module", "option", "key"),
        [
            ("address_info", "public_ips", "addresses"),
            ("address_info", "instance_ids", "addresses"),
            ("availability_zone_info", "names", "availability_zones"),
            ("console_info", "instance_ids", "consoles"),
            ("image_info", "image_ids", "images"),
            ("image_info", "owner_ids", "images"),
            ("instance_info", "instance_ids", "instances"),
            ("keypair_info", "names", "keypairs"),
            ("security_group_info", "names", "security_groups"),
            ("snapshot_info", "snapshot_ids", "snapshots"),
            ("snapshot_info", "volume_ids", "snapshots"),
            ("snapshot_info", "descriptions", "snapshots"),
            ("snapshot_info", "states", "snapshots"),
            ("volume_info", "volume_ids", "volumes"),
            ("volume_info", "instance_ids", "volumes"),
            ("volume_info", "states", "volumes"),
        ],
    )
    def test_lists(self, cloud: t.Any, run: t.Any, vms: list[str], module: str, option: str, key: str) -> None:
        run("keypair", name="a")
        volume = run("volume", batch="web", device_name="/dev/vdc", volume_size=1)["volumes"][0]["volume_id"]
        run("address", instance_id=vms[0])
        assert not run("snapshot", volume_id=volume, description="day").get("failed") or module != "snapshot_info"
        if module != "console_info":
            assert run(module)[key] != [] or module == "snapshot_info"
        for nothing in ([], "", [""], [None], ["", " "]):
            result = run(module, **{option: nothing})
            assert result.get(key) == [] and not result.get("failed"), result

    def test_every_list_of_an_info_module_that_selects_is_in_that_table(self) -> None:
        marks = [mark for mark in TestSelectors.test_lists.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
        told = {row[:2] for row in marks[0].args[1]} | {
            ("console_info", "known_hosts"),
            ("console_info", "known_hosts_for"),
        }
        lists = {(name, key) for name in INFO for key, spec in options_of(name).items() if spec["type"] == "list"}
        assert lists == told

    def test_filters(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        run("address", instance_id=vms[0])
        for module, key, name in (
            ("instance_info", "instances", "image-id"),
            ("instance_info", "instances", "tag:role"),
            ("address_info", "addresses", "domain"),
            ("security_group_info", "security_groups", "group-name"),
            ("availability_zone_info", "availability_zones", "state"),
        ):
            assert run(module)[key] != []
            assert run(module, filters={name: []})[key] == []
            for value in (None, [None]):
                result = run(module, filters={name: value})
                assert result["failed"] and f"filters: {name} is null" in result["msg"], result
            for value in ({"a": "b"}, [["a"]], float("inf")):
                result = run(module, filters={name: value})
                assert result["failed"] and f"filters.{name} must be a" in result["msg"], result
            assert run(module, filters={"1": 2})["msg"].startswith("filters: there is no filter '1'")

    def test_an_empty_regular_expression_is_refused(self, cloud: t.Any, run: t.Any) -> None:
        assert "name_regex is empty" in refused(cloud, run("image_info", name_regex=""))

    def test_the_members_of_a_batch_are_not_chosen_by_nothing(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        for state in ("absent", "present"):
            result = run("address", instance_ids=[], state=state)
            assert result["changed"] is False and not result.get("failed"), result
        assert run("tag", resources=[], tags={"a": "b"})["msg"] == "resources: no VM is named."


class TestUserData:
    """Sent as it was meant, kept to itself, and nothing else is blotted out because of it."""

    @pytest.mark.parametrize("written", [{"runcmd": ["ls"]}, ["a", "b"], 7, True, 1.5])
    def test_what_yaml_made_of_it_is_refused(self, cloud: t.Any, run: t.Any, written: t.Any) -> None:
        said = refused(cloud, run("instance", batch="web", count=1, user_data=written, **LAUNCH))
        assert said.startswith("user_data must be a text, and is a") and "to_nice_yaml" in said

    @pytest.mark.parametrize("cloud", ["grizzly", "icehouse", "ec2api"], indirect=True)
    def test_bytes_from_base64_and_from_a_file_are_the_same(
        self, cloud: t.Any, run: t.Any, tmp_path: pathlib.Path
    ) -> None:
        path = tmp_path / "data.gz"
        path.write_bytes(GZIPPED)
        wrapped = base64.encodebytes(GZIPPED).decode()
        made = run("instance", batch="web", count=1, user_data_base64=wrapped, **LAUNCH)
        assert not made.get("failed"), made
        (server,) = cloud.servers()
        assert base64.b64decode(server["user_data"]) == GZIPPED
        for option in ("user_data_file", "user_data_path"):
            again = run("instance", batch="web", count=1, update="replace", **{option: str(path)}, **LAUNCH)
            assert again["changed"] is False and again["drift"] == {}, again

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            ({"user_data_base64": "no base64!"}, "is not base64"),
            ({"user_data_base64": "YWJj", "user_data": "abc"}, "say the same thing"),
            ({"user_data_base64": base64.b64encode(b"x" * 49150).decode()}, "longer than the 49149 bytes"),
            ({"user_data_file": "/nonexistent/data"}, "cannot be read: No such file"),
            ({"user_data_file": "/dev/zero"}, "not a regular file"),
            ({"user_data_file": "/tmp"}, "not a regular file"),
            ({"user_data": "x" * 49150}, "longer than the 49149 bytes"),
        ],
    )
    def test_what_cannot_be_sent_is_refused(self, cloud: t.Any, run: t.Any, args: t.Any, said: str) -> None:
        assert said in refused(cloud, run("instance", batch="web", count=1, **args, **LAUNCH))

    def test_it_is_in_no_result_and_blots_nothing_out(self, cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
        (tmp_path / "data").write_text("secret-word")
        plain = run("instance", batch="one", count=1, **LAUNCH)
        for number, args in enumerate((
            {"user_data": "1"},
            {"user_data": "running"},
            {"user_data": "secret-word"},
            {"user_data_base64": base64.b64encode(b"secret-word").decode()},
            {"user_data_file": str(tmp_path / "data")},
        )):  # fmt: skip
            result = run("instance", batch=f"b{number}", count=1, diff=True, **args, **LAUNCH)
            assert "secret-word" not in str(result) and "c2VjcmV0" not in str(result)
            assert result["instances"][0]["state"] == "running" and result["instance_ids"][0].startswith("i-0000000")
            assert set(result["instances"][0]) == set(plain["instances"][0]) and "********" not in str(result["plan"])
            shown = result["invocation"]["module_args"]
            assert all(shown[name] not in args.values() for name in ("user_data", "user_data_base64"))
        refused_one = run("instance", batch="web", count=-1, user_data="secret-word", secret_key="k" * 20, **LAUNCH)
        assert "secret-word" not in str(refused_one) and "k" * 20 not in str(refused_one)
        odd = run("instance", batch="web", count=False, user_data="secret-word", secret_key="k" * 20, **LAUNCH)
        assert odd["failed"] and "secret-word" not in str(odd) and "k" * 20 not in str(odd)


class TestThrottled:
    """Too many requests: reads wait and come again within the task's time; what changes something is sent once."""

    @pytest.mark.parametrize("kind", ["http_429", "http_413", "over_limit"])
    def test_a_read_comes_again_when_it_may(self, cloud: t.Any, run: t.Any, kind: str) -> None:
        cloud.fault("DescribeKeyPairs", kind, seconds=7)
        began = time.monotonic()
        assert run("keypair_info")["keypairs"] == []
        assert 7 <= time.monotonic() - began <= 7 + cloud.slack
        assert cloud.actions() == ["DescribeKeyPairs"] * 2

    @pytest.mark.needs("slow_vms")
    def test_a_task_that_waits_goes_on_waiting(self, cloud: t.Any, run: t.Any) -> None:
        cloud.settings(boot_seconds=30)
        cloud.fault("DescribeInstances", "http_429", skip=2, seconds=0)
        result = run("instance", batch="web", count=2, **LAUNCH)
        assert not result.get("failed") and {view["state"] for view in result["instances"]} == {"running"}, result

    def test_a_console_is_asked_for_again_too(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        cloud.fault("GetConsoleOutput", "http_429", seconds=2)
        assert not run("console_info", instance_ids=[vms[0]]).get("failed")
        assert cloud.actions().count("GetConsoleOutput") == 2

    def test_it_ends_with_the_tasks_own_time(self, cloud: t.Any, run: t.Any) -> None:
        cloud.fault("DescribeInstances", "http_429", times=-1, seconds=20)
        began = time.monotonic()
        result = run("instance_info", wait_for="running", wait_timeout=10)
        assert result["failed"] and "takes no more requests at the moment" in result["msg"], result
        assert time.monotonic() - began <= 10 + cloud.slack and cloud.actions() == ["DescribeInstances"]

    @pytest.mark.parametrize("kind", ["http_429", "http_413", "over_limit"])
    def test_what_changes_something_is_sent_once_and_looked_for(self, cloud: t.Any, run: t.Any, kind: str) -> None:
        cloud.fault("RunInstances", kind, seconds=1)
        result = run("instance", batch="web", count=2, **LAUNCH)
        assert result["failed"] and "Nothing was sent again" in result["msg"], result
        assert cloud.actions().count("RunInstances") == 1 and cloud.servers() == []
        assert len(run("instance", batch="web", count=2, **LAUNCH)["instance_ids"]) == 2

    @pytest.mark.parametrize("cloud", ["havana", "liberty"], indirect=True)
    def test_a_quota_that_has_the_same_status_is_a_refusal(self, cloud: t.Any, run: t.Any) -> None:
        began = time.monotonic()
        result = run("instance", batch="web", count=11, **LAUNCH)
        assert result["http_status"] == 413 and "quota does not allow" in result["msg"], result
        assert time.monotonic() - began <= cloud.slack and "showed up" not in result["msg"]


# Values that no option of a type can have. Ansible itself refuses to read half a character.
NUMBERS = [
    True,
    False,
    float("inf"),
    float("nan"),
    -float("inf"),
    10**20,
    -(10**20),
    1e300,
    [1],
    {"a": 1},
    "",
    " ",
    "x",
]
TEXTS = ["a\0b", {"a": "b"}, [["a"]]]
ODD: dict[str, list[t.Any]] = {
    "int": [*NUMBERS, 1.5, "1e400", "9" * 3000, "nan"],
    "float": [*NUMBERS, "1e400", "nan"],
    "str": TEXTS,
    "path": TEXTS,
    "list": ["a\0b", ["a", "b\0"], {"a": "b"}, [["a"]], [{"a": "b"}], True],
    "dict": ["x", 1, True, ["a"], {"a\0": "b"}, {"a": {"b": "c"}}, {"a": "b\0"}, {"a": ["b\0"]}],
    "bool": ["x", "", 2, float("nan"), 10**20, [True], {"a": True}],
}


@pytest.mark.parametrize("module", MODULES)
def test_every_option_refuses_in_words_what_cannot_be_meant(cloud: t.Any, run: t.Any, module: str) -> None:
    for option, spec in options_of(module).items():
        values = list(ODD[spec["type"]])
        if spec.get("elements") == "dict":
            values = [value for value in values if value != {"a": "b"}]
        for value in values:
            result = run(module, **{**NEEDED.get(module, {}), option: value})
            said = refused(cloud, result)
            assert option in said and len(said) < 1000, (option, value, said)


@pytest.mark.parametrize("module", MODULES)
def test_no_timeout_is_negative(cloud: t.Any, run: t.Any, module: str) -> None:
    for option in options_of(module):
        if option.endswith("_timeout"):
            assert "less than 0" in refused(cloud, run(module, **{**NEEDED.get(module, {}), option: -1}))


def test_numbers_beyond_memory_are_refused(cloud: t.Any, run: t.Any) -> None:
    for args in ({"count": 200_000}, {"count": 2**31 - 1}):
        assert "at most 100000" in refused(cloud, run("instance", batch="web", **args, **LAUNCH))
    device = {"device_name": "/dev/vdb", "volume_size": -1}
    said = refused(cloud, run("instance", batch="web", count=1, block_device_mapping=[device], **LAUNCH))
    assert "volume_size must be at least 1" in said


@pytest.mark.parametrize("module", ["instance", "tag"])
def test_tags_have_texts_as_values(cloud: t.Any, run: t.Any, module: str) -> None:
    for value in (["a"], {"a": "b"}, [], {}):
        said = refused(cloud, run(module, **{**NEEDED[module], "tags": {"role": value}}))
        assert said.startswith("tags.role must be a text"), said
