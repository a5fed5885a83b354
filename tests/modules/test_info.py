# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_info, instance_info, keypair_info and region_info: matching is done here, whatever the server ignores."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import ready as _ready
from clouds import CIRROS, PROFILES


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_the_tutorials_image_is_found_with_one_request(cloud: t.Any, run: t.Any) -> None:
    result = run("image_info", name=CIRROS, expect="one")
    assert result["image"]["name"] == CIRROS and result["image"]["type"] == "machine"
    assert result["changed"] is False
    assert cloud.actions() == ["DescribeImages"]


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ({"name": "Cirros-0.?.0*"}, [CIRROS]),
        ({"name_regex": "(?i)^CIRROS-[0-9.]+-x86_64$"}, [CIRROS]),
        ({"name": "cirros*"}, []),
        ({"image_ids": ["ami-00ffffff"]}, []),
        ({"owner_ids": ["nobody"]}, []),
        ({"state": "killed"}, []),
    ],
)
def test_images_are_matched_on_the_client(cloud: t.Any, run: t.Any, args: t.Any, names: list[str]) -> None:
    assert [image["name"] for image in run("image_info", **args)["images"]] == names


def test_kernels_are_left_out_unless_asked_for(cloud: t.Any, run: t.Any) -> None:
    assert {image["type"] for image in run("image_info")["images"]} == {"machine"}
    everything = run("image_info", type="any")["images"]
    assert {image["type"] for image in everything} >= {"machine", "kernel", "ramdisk"}


def test_sort_order_and_limit(cloud: t.Any, run: t.Any) -> None:
    ids = [image["image_id"] for image in run("image_info", type="any", sort="image_id")["images"]]
    last = run("image_info", type="any", sort="image_id", order="descending", limit=1)
    assert ids == sorted(ids) and len(ids) > 1
    assert [image["image_id"] for image in last["images"]] == [ids[-1]]
    assert last["image"]["image_id"] == ids[-1] and last["matched"] == len(ids)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"name": "Cirros-0.3.0", "expect": "one"}, f"Did you mean {CIRROS}"),
        ({"name": "nothing-like-it", "expect": "some"}, "There are: "),
        ({"type": "any", "expect": "one"}, "exactly one is expected"),
    ],
)
def test_expectations_fail_clearly(cloud: t.Any, run: t.Any, args: t.Any, said: str) -> None:
    result = run("image_info", **args)
    assert result["failed"] and said in result["msg"], result


def test_image_facts_is_image_info(cloud: t.Any, run: t.Any) -> None:
    assert run("image_facts", name=CIRROS)["images"] == run("image_info", name=CIRROS)["images"]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_instances_by_batch_id_and_filter(cloud: t.Any, run: t.Any) -> None:
    run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny")
    run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.small")
    everything = run("instance_info")
    web = run("instance_info", batch="web")
    assert len(everything["instances"]) == 3 and len(web["instances"]) == 2
    assert everything["instance_ids"] == sorted(everything["instance_ids"])
    small = run("instance_info", filters={"instance-type": ["m1.small", "m1.large"], "instance-state-name": "run*"})
    assert set(small["instance_ids"]) == set(everything["instance_ids"]) - set(web["instance_ids"])
    one = web["instance_ids"][0]
    known = run("instance_info", instance_ids=[one, "i-00ffffff"])
    assert known["instance_ids"] == [one] and known["unknown_ids"] == ["i-00ffffff"]
    refused = run("instance_info", instance_ids=["i-00ffffff"], fail_on_unknown=True)
    assert refused["failed"] and refused["unknown_ids"] == ["i-00ffffff"]
    assert run("instance_info", filters={"group-name": "ansible-batch-d?"})["instances"] == small["instances"]


def test_an_unknown_filter_is_refused_before_any_request(cloud: t.Any, run: t.Any) -> None:
    result = run("instance_info", filters={"colour": "red"})
    assert result["failed"] and "no filter 'colour'" in result["msg"]
    assert cloud.actions() == []


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.needs("quick_vms")
def test_waiting_until_vms_run_and_have_addresses(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(boot_seconds=2.0)
    begun = run("instance", batch="web", count=3, image=CIRROS, instance_type="m1.tiny", wait=False)
    assert {view["state"] for view in begun["instances"]} == {"pending"}
    cloud.forget_log()
    ready = run("instance_info", batch="web", wait_for="address", name_template="web-{index}")
    assert [view["state"] for view in ready["instances"]] == ["running"] * 3
    assert all(view["private_ip_address"] for view in ready["instances"])
    assert sorted(view["name"] for view in ready["instances"]) == ["web-1", "web-2", "web-3"]
    assert set(cloud.actions()) <= {"DescribeInstances", "DescribeTags"} and cloud.actions()
    # What is ready is looked at once.
    cloud.forget_log()
    assert run("instance_info", batch="web", wait_for="running")["instance_ids"] == ready["instance_ids"]
    assert cloud.actions().count("DescribeInstances") == 1


def test_waiting_ends_with_all_vms_seen_when_one_fails_or_is_late(
    cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_hosts: t.Any, _port: int) -> set[str]:
        time.sleep(_ready.ANSWER_SECONDS)
        return set()

    monkeypatch.setattr(_ready, "answering", nobody)
    [one, two] = run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny")["instance_ids"]
    began = time.monotonic()
    late = run("instance_info", batch="web", wait_for="ssh", ssh_port=1, wait_timeout=20)
    # Who is being asked when time is up may still answer.
    assert 20 <= time.monotonic() - began <= 20 + _ready.ANSWER_SECONDS + cloud.slack
    assert late["failed"] and [view["instance_id"] for view in late["instances"]] == [one, two]
    assert "2 of 2 VMs are not running with an SSH server that answers on port 1" in late["msg"]
    assert f"{one} (running, 10." in late["msg"] and "console_info" in late["msg"]
    cloud.control("POST", f"servers/{two}", vm_state="error")
    failed = run("instance_info", batch="web", wait_for="running")
    assert failed["failed"] and failed["msg"].endswith(f"will not be running: {two}.")
    assert [view["instance_id"] for view in failed["instances"]] == [one, two]
    gone = run("instance_info", instance_ids=[one, "i-00ffffff"], wait_for="running")
    assert gone["failed"] and gone["unknown_ids"] == ["i-00ffffff"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"wait_timeout": 0}, "wait_timeout: 0"),
        ({"ssh_port": 70000}, "ssh_port: 70000"),
        ({"batch": "web", "name_template": "web"}, "name_template: 'web'"),
        ({"name_template": "web-{index}"}, "missing parameter(s) required by 'name_template': batch"),
    ],
)
def test_bad_words_about_waiting_are_refused_before_any_request(
    cloud: t.Any, run: t.Any, args: t.Any, said: str
) -> None:
    result = run("instance_info", wait_for="ssh", **args)
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []


@pytest.mark.needs("all_projects")
def test_an_administrator_sees_plain_names(cloud: t.Any, run: t.Any) -> None:
    run("keypair", name="deploy")
    run("instance", batch="web", count=1, image=CIRROS, instance_type="m1.tiny", key_name="deploy")
    mine, theirs = run("instance_info")["instances"], run("instance_info", user="adminuser")["instances"]
    assert mine == theirs and mine[0]["key_name"] == "deploy"


def test_key_pairs_and_regions_are_listed(cloud: t.Any, run: t.Any) -> None:
    run("keypair", name="beta")
    run("keypair", name="alpha")
    listed = run("keypair_info")
    assert {pair["name"]: pair["fingerprint"] for pair in listed["keypairs"]} == cloud.fingerprints()
    assert [pair["name"] for pair in listed["keypairs"]] == ["alpha", "beta"]
    assert run("keypair_info", names=["beta", "gamma"])["unknown_names"] == ["gamma"]
    assert "PRIVATE" not in str(listed)
    region = "RegionOne" if cloud.profile == "ec2api" else "nova"
    assert [found["name"] for found in run("region_info")["regions"]] == [region]
