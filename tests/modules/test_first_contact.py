# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of everything that goes wrong at first."""

from __future__ import annotations

import pathlib
import re
import socket
import typing as t

import pytest
from clouds import CIRROS

PROFILES = ["grizzly", "icehouse", "liberty", "ec2api"]
VM = {"batch": "web", "count": 1, "image": CIRROS, "instance_type": "m1.tiny"}


@pytest.mark.needs("nova")
@pytest.mark.parametrize("cloud", ["grizzly", "icehouse"], indirect=True)
@pytest.mark.parametrize("path", ["/services/Clod", ""])
def test_a_wrong_path_is_told_with_the_right_one(cloud: t.Any, run: t.Any, path: str) -> None:
    url = cloud.url.replace("/services/Cloud", path)
    result = run("region_info", endpoint_url=url)
    assert result["failed"] and f"{url} answered DescribeRegions with 404" in result["msg"], result
    assert "endpoint_url: Nova serves it at /services/Cloud (port 8773)" in result["msg"]


def test_a_port_or_name_without_a_cloud_is_told_with_what_to_check(run: t.Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for host, said in ((f"127.0.0.1:{port}", "connection refused"), ("no-cloud.invalid", "name cannot be resolved")):
        result = run("region_info", endpoint_url=f"http://{host}/services/Cloud")
        assert result["msg"].startswith(f"Could not list regions: http://{host}/services/Cloud cannot be reached: ")
        assert said in result["msg"] and "host and port in endpoint_url" in result["msg"] and "8773" in result["msg"]
        assert "cloud_info" in result["msg"]


def test_without_an_endpoint_all_ways_to_give_one_are_told(run: t.Any, tmp_path: pathlib.Path) -> None:
    result = run("region_info", user=None)
    assert result["failed"] and all(word in result["msg"] for word in ("rc_file", "endpoint_url", "EC2_URL", "ec2rc"))
    wrong = tmp_path / "openrc.sh"
    wrong.write_text("export OS_AUTH_URL=http://127.0.0.1:5000/v2.0\nexport OS_TENANT_NAME=demo\n")
    result = run("region_info", user=None, rc_file=str(wrong))
    assert result["failed"] and f"rc_file {wrong} gives no endpoint" in result["msg"] and "ec2rc.sh" in result["msg"]


def test_an_endpoint_without_keys_is_told_with_where_they_come_from(
    cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EC2_URL", cloud.url)
    result = run("region_info", user=None)
    assert result["failed"] and result["msg"].startswith(f"No credentials for {cloud.url}: "), result
    assert all(word in result["msg"] for word in ("rc_file", "access_key", "EC2_ACCESS_KEY", "ec2 credentials create"))
    assert cloud.actions() == []


def test_a_port_that_has_answered_before_is_not_taken_for_one_with_tls(cloud: t.Any, run: t.Any) -> None:
    cloud.fault("CreateKeyPair", "drop_before")
    result = run("keypair", name="web")
    assert "closed without an answer" in result["msg"] and "TLS" not in result["msg"], result


@pytest.mark.needs("clock")
@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_a_wrong_clock_is_told_and_not_taken_for_a_wrong_key(cloud: t.Any, run: t.Any) -> None:
    for offset, way in ((4000, "behind"), (-4000, "ahead of")):
        cloud.settings(clock_offset=offset)
        result = run("region_info")
        assert result["failed"] and re.search(rf"clock is (3999|400\d) s {way} the server's", result["msg"]), result
        assert "NTP" in result["msg"] and "access_key" not in result["msg"]


@pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
def test_an_unknown_image_is_told_with_near_names(cloud: t.Any, run: t.Any) -> None:
    for asked in ("cirros", "CIRROS*"):
        result = run("image_info", name=asked, expect="one")
        assert result["failed"] and f"No image at {cloud.url} matches name {asked}, " in result["msg"], result
        assert "Did you mean Cirros-0.3.0-x86_64 or Cirros-uec-ami?" in result["msg"]
    for asked in ("cirros-0.3.0", "Ciros-0.3.0-x86-64"):
        result = run("instance", **{**VM, "image": asked})
        assert f"{cloud.url} shows no image named '{asked}'" in result["msg"], result
        assert f"Did you mean {CIRROS}?" in result["msg"]
    assert "RunInstances" not in cloud.actions()


WRONG: dict[str, tuple[dict[str, t.Any], str | None, list[str]]] = {
    "image": ({"image": "ami-00ffffff"}, "DescribeImages", ["ami-00ffffff", f"There are: {CIRROS}", "takes names"]),
    "key": ({"key_name": "depoly"}, "DescribeKeyPairs", ["of this user: alex, deploy.", "module keypair makes"]),
    "group": (
        {"security_groups": ["htpt"]},
        "DescribeSecurityGroups",
        ["'htpt'|group htpt", "of this project: default, http.", "module security_group makes"],
    ),
    "type": ({"instance_type": "m1.tinny"}, None, ["instance_type seems to be unknown", "openstack flavor list"]),
}


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.parametrize("what", WRONG)
def test_what_a_launch_names_wrongly_is_told_with_what_there_is(cloud: t.Any, run: t.Any, what: str) -> None:
    def make() -> None:
        for name in ("deploy", "alex"):
            assert run("keypair", name=name)["changed"]
        assert run("security_group", name="http")["changed"]

    cloud.prepared("names", make)
    wrong, asks, said = WRONG[what]
    result = run("instance", **{**VM, **wrong})
    start = f"Could not start 1 VMs of batch web: {cloud.url} answered RunInstances with {result['error_code']}: "
    assert result["failed"] and result["msg"].startswith(start), result
    assert all(re.search(words, result["msg"]) for words in said), result["msg"]
    assert cloud.ever_started() == 0
    # One more request at most, and only after the refusal.
    actions = cloud.actions()
    assert actions[actions.index("RunInstances") + 1 :] == ([asks] if asks else [])


def test_the_clouds_answer_is_told_when_nothing_more_can_be_learnt(cloud: t.Any, run: t.Any) -> None:
    cloud.fault("DescribeKeyPairs", "http_503", times=-1)
    result = run("instance", **VM, key_name="web")
    assert result["error_code"] == "KeypairNotFound" and "Keypair web not found" in result["msg"], result


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_a_used_up_quota_is_told_with_what_to_do(cloud: t.Any, run: t.Any) -> None:
    result = run("instance", **{**VM, "count": 11})
    assert re.search(r"Quota exceeded for instances: .* of 10 instances \(HTTP", result["msg"]), result
    assert "remove something, ask for fewer, or have the quota raised" in result["msg"]


@pytest.mark.parametrize("cloud", ["icehouse", "ec2api"], indirect=True)
def test_an_unknown_zone_is_told_with_what_lists_them(cloud: t.Any, run: t.Any) -> None:
    result = run("instance", **VM, availability_zone="nowa")
    assert result["failed"] and "in zone nowa: " in result["msg"] and "availability_zone_info" in result["msg"], result
