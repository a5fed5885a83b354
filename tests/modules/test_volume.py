# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of volume, batches of them, and what is left after a failure; volume_info."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from clouds import CIRROS, PROFILES

VMS, LIST = "DescribeInstances", "DescribeVolumes"
MAKE, ATTACH, DETACH, DELETE = "CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume"

pytestmark = pytest.mark.needs("volumes")
every_profile = pytest.mark.parametrize("cloud", PROFILES, indirect=True)


def volumes(cloud: t.Any, tenant: str = "demo") -> list[tuple[str | None, str | None, int]]:
    """Where each of a project's volumes is, by the last letter of its device, and its size: the cloud's own truth."""
    project = cloud.users[tenant]["tenant_id"]
    found = [one for one in cloud.control("GET", "state")["volumes"] if one["tenant_id"] == project]
    return sorted(((one["instance"], (one["device"] or "")[-1:] or None, int(one["size"])) for one in found), key=str)


def give(run: t.Any, instance_id: str, device: str = "/dev/vdb", size: int = 2) -> str:
    """Have a VM have a volume; its id."""
    made = run("volume", instance_id=instance_id, device_name=device, volume_size=size)
    assert not made.get("failed"), made
    return str(made["volume_ids"][0])


def free(run: t.Any, instance_id: str) -> str:
    """Have a volume that is at no VM; its id."""
    value = give(run, instance_id, "/dev/vdz")
    assert run("volume", volume_id=value, instance_id="")["changed"]
    return value


HELD = b"<Response><Errors><Error><Code>EC2APIError</Code><Message>Delete Failed</Message></Error></Errors></Response>"


def test_a_volume_is_deleted_once_the_cloud_has_let_go_of_it(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    one, two = give(run, vms[0]), free(run, vms[1])
    cloud.forget_log()
    cloud.answer_with(DELETE, HELD, status="400 Bad Request", once=True)
    assert run("volume", volume_id=one, state="absent")["changed"]
    assert cloud.mutations() == [DETACH, DELETE, DELETE]
    # One that was at no VM is refused for another reason.
    cloud.forget_log()
    cloud.answer_with(DELETE, HELD, status="400 Bad Request", once=True)
    assert "Delete Failed" in run("volume", volume_id=two, state="absent")["msg"]
    assert cloud.mutations() == [DELETE]


@every_profile
@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_a_vm_gets_one_volume_and_keeps_it(cloud: t.Any, run: t.Any, vms: list[str], check: bool) -> None:
    args = {"instance_id": vms[0], "device_name": "/dev/sdb", "volume_size": 3}
    result = run("volume", **args, check=check, diff=True)
    assert result["changed"], result["msg"]
    assert cloud.mutations() == ([] if check else [MAKE, ATTACH])
    assert volumes(cloud) == ([] if check else [(vms[0], "b", 3)])
    [view] = result["volumes"]
    assert (view["state"], view["instance_id"], view["size"]) == ("in-use", vms[0], 3)
    assert result["diff"]["before"] == {"volumes": []} and result["diff"]["after"]["volumes"][0]["size"] == 3
    if check:
        return
    cloud.forget_log()
    again = run("volume", **{**args, "device_name": "/dev/vdb"})
    assert again["changed"] is False and again["volumes"] == result["volumes"]
    assert cloud.actions() == [VMS, LIST]
    assert run("volume_info", instance_ids=[vms[0]])["volumes"] == result["volumes"]


@every_profile
@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_every_member_gets_a_volume_of_its_own_and_loses_it(
    cloud: t.Any, run: t.Any, vms: list[str], check: bool
) -> None:
    give(run, vms[1])
    other = free(run, vms[0])
    cloud.forget_log()
    args = {"batch": "web", "device_name": "/dev/vdb"}
    result = run("volume", **args, volume_size=2, check=check)
    assert result["changed"] and len(result["volumes"]) == 2, result
    assert {view["instance_id"] for view in result["volumes"]} == set(vms)
    assert cloud.mutations() == ([] if check else [MAKE, ATTACH])
    cloud.forget_log()
    if check:
        down = run("volume", **args, state="absent", check=True)
        assert down["changed"] and down["volumes"] == [] and cloud.mutations() == []
        return
    assert sorted(row[:2] for row in volumes(cloud) if row[0]) == sorted((value, "b") for value in vms)
    down = run("volume", **args, state="absent")
    assert down["changed"] and down["volumes"] == [], down
    assert [entry for entry in cloud.mutations() if entry != DETACH] == [DELETE] * 2
    # What was free is nobody's to take or to delete.
    assert run("volume_info")["volume_ids"] == [other]
    assert run("volume", **args, state="absent")["changed"] is False


def test_requests_do_not_grow_but_for_one_to_make_and_one_to_attach_each(cloud: t.Any, run: t.Any) -> None:
    run("instance", batch="web", count=8, image=CIRROS, instance_type="m1.tiny")
    cloud.forget_log()
    result = run("volume", batch="web", device_name="/dev/vdb", volume_size=1)
    assert len(result["volumes"]) == 8 and len(set(result["volume_ids"])) == 8
    assert cloud.mutations() == [MAKE] * 8 + [ATTACH] * 8
    assert cloud.actions().count(VMS) == 1 and cloud.actions().count(LIST) == 4


@every_profile
def test_a_volume_is_attached_detached_and_deleted_by_its_id(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    one, two = vms
    value = free(run, one)
    attached = run("volume", volume_id=value, instance_id=one, device_name="/dev/vdc")
    assert attached["changed"] and volumes(cloud) == [(one, "c", 2)], attached
    assert run("volume", volume_id=value, instance_id=one, device_name="/dev/vdc")["changed"] is False
    assert run("volume", volume_id=value)["volumes"] == attached["volumes"]
    cloud.forget_log()
    for args in ({"instance_id": two, "device_name": "/dev/vdc"}, {"instance_id": two, "state": "absent"}):
        refused = run("volume", volume_id=value, **args)
        assert refused["failed"] and one in refused["msg"] and cloud.mutations() == []
    assert run("volume", volume_id=value, instance_id="", check=True)["changed"] and cloud.mutations() == []
    detached = run("volume", volume_id=value, instance_id="")
    assert detached["changed"] and volumes(cloud) == [(None, None, 2)], detached
    assert run("volume", volume_id=value, instance_id="")["changed"] is False
    deleted = run("volume", volume_id=value, state="absent")
    assert deleted["changed"] and volumes(cloud) == [], deleted
    assert run("volume", volume_id=value, state="absent")["changed"] is False
    gone = run("volume", volume_id=value, instance_id=one, device_name="/dev/vdc")
    assert gone["failed"] and "There is no volume" in gone["msg"]


def test_a_volume_keeps_its_size_and_a_device_its_volume(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    there, other = give(run, vms[0], size=2), free(run, vms[1])
    cloud.forget_log()
    result = run("volume", instance_id=vms[0], device_name="/dev/vdb", volume_size=9)
    assert result["changed"] is False and f"{there} has 2 GiB" in str(result["warnings"])
    taken = run("volume", volume_id=other, instance_id=vms[0], device_name="/dev/vdb")
    assert taken["failed"] and there in taken["msg"] and cloud.mutations() == []


def test_a_volume_is_made_from_a_snapshot(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import Endpoint, connect

    keys = cloud.users["demo"]
    api = connect(Endpoint.parse(cloud.url), keys["access"], keys["secret"])
    snapshot = api.create_snapshot(give(run, vms[0], size=2)).id
    made = run("volume", instance_id=vms[1], device_name="/dev/vdb", snapshot=snapshot)
    assert made["changed"] and made["volumes"][0]["snapshot_id"] == snapshot and made["volumes"][0]["size"] == 2


@every_profile
def test_vms_that_cannot_have_one_are_told_before_anything_is_made(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    [theirs] = cloud.control("POST", "servers", tenant="other")["servers"]
    cloud.control("POST", f"servers/{vms[0]}", vm_state="error")
    cloud.forget_log()
    args = {"device_name": "/dev/vdb", "volume_size": 1}
    for value, said in ((vms[0], "error"), ("i-00ffffff", "no VM"), (theirs["id"], "no VM")):
        refused = run("volume", instance_id=value, **args)
        assert refused["failed"] and said in refused["msg"], refused
    assert run("volume", instance_id="i-00ffffff", device_name="/dev/vdb", state="absent")["changed"] is False
    nothing = run("volume", instance_id=vms[1], device_name="/dev/vdb")
    assert nothing["failed"] and "volume_size" in nothing["msg"]
    assert cloud.mutations() == []
    # The member that could not be built is left out, and the other gets its volume.
    batch = run("volume", batch="web", **args)
    assert batch["changed"] and [row[0] for row in volumes(cloud)] == [vms[1]], batch


def test_a_vm_that_is_being_built_is_waited_for(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(boot_seconds=2.0)
    [one] = run("instance", batch="web", count=1, image=CIRROS, instance_type="m1.tiny", wait=False)["instance_ids"]
    assert run("volume", batch="web", device_name="/dev/vdb", volume_size=1)["changed"]
    assert volumes(cloud) == [(one, "b", 1)]


@every_profile
@pytest.mark.parametrize("action", [MAKE, ATTACH, DETACH, DELETE])
def test_a_lost_answer_is_settled_by_looking(cloud: t.Any, run: t.Any, vms: list[str], action: str) -> None:
    args = {"batch": "web", "device_name": "/dev/vdb"}
    if action in (DETACH, DELETE):
        assert run("volume", **args, volume_size=1)["changed"]
        args["state"] = "absent"
    else:
        args["volume_size"] = 1
    cloud.fault(action, "drop_after")
    cloud.forget_log()
    result = run("volume", **args)
    assert not result.get("failed"), result
    assert cloud.actions().count(action) == 2
    assert volumes(cloud) == ([] if "state" in args else sorted(((value, "b", 1) for value in vms), key=str))


@pytest.mark.parametrize("action", [MAKE, ATTACH])
@every_profile
def test_what_did_not_happen_is_not_sent_again_and_nothing_is_left(
    cloud: t.Any, run: t.Any, vms: list[str], action: str
) -> None:
    other = free(run, vms[0])
    cloud.fault(action, "drop_before", skip=1)
    cloud.forget_log()
    result = run("volume", batch="web", device_name="/dev/vdb", volume_size=1)
    assert result["failed"] and cloud.actions().count(action) == 2, result
    assert result["unattached_volumes"] == [] and "deleted again: vol-" in result["msg"]
    # One of two was attached before the other's attachment got lost: it stays, and is told.
    left = [row for row in volumes(cloud) if row[0]]
    assert len(left) == (1 if action == ATTACH else 0) == len(result["volumes"])
    assert [row for row in volumes(cloud) if not row[0]] == [(None, None, 2)] and other
    assert not run("volume", batch="web", device_name="/dev/vdb", volume_size=1).get("failed")
    assert len(volumes(cloud)) == 3


def test_what_cannot_be_deleted_again_is_named(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    cloud.fault(ATTACH, "drop_before")
    cloud.fault(DELETE, "drop_before")
    result = run("volume", instance_id=vms[0], device_name="/dev/vdb", volume_size=1)
    [kept] = result["unattached_volumes"]
    assert result["failed"] and f"NOT deleted, because that failed too: {kept}" in result["msg"]
    assert run("volume", volume_id=kept, state="absent")["changed"] and volumes(cloud) == []


@every_profile
def test_a_volume_that_a_killed_run_made_is_attached_by_the_next(
    cloud: t.Any, run: t.Any, begin: t.Any, vms: list[str], tmp_path: pathlib.Path
) -> None:
    cloud.fault(ATTACH, "hang")
    args = {"batch": "web", "device_name": "/dev/vdb", "volume_size": 1}
    killed = begin("volume", tmp_path / "one", **args)
    cloud.wait_for_request(ATTACH)
    killed.kill()
    assert [row[0] for row in volumes(cloud)] == [None, None]
    # Those are for vdb and of another size than these.
    other = {**args, "device_name": "/dev/vdc", "volume_size": 3}
    result = begin("volume", tmp_path / "one", **other).result()
    assert result["changed"], result["msg"]
    assert len(volumes(cloud)) == 4
    assert begin("volume", tmp_path / "one", **args).result()["changed"]
    assert volumes(cloud) == sorted(((value, at, size) for value in vms for at, size in (("b", 1), ("c", 3))), key=str)


def test_a_volume_of_another_project_is_neither_seen_nor_touched(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    value = give(run, vms[0])
    for user in ("other", "adminuser"):
        assert run("volume_info", user=user)["volumes"] == []
        assert run("volume", volume_id=value, state="absent", user=user)["changed"] is False
    assert len(volumes(cloud)) == 1


def test_volumes_are_listed_by_what_is_asked_for(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    at, idle = give(run, vms[0]), free(run, vms[1])
    cloud.forget_log()
    assert run("volume_info", states=["available"])["volume_ids"] == [idle]
    assert run("volume_info", instance_ids=vms)["volume_ids"] == [at]
    known = run("volume_info", volume_ids=[idle, "vol-00ffffff"])
    assert known["volume_ids"] == [idle] and known["unknown_ids"] == ["vol-00ffffff"]
    assert cloud.actions() == [LIST] * 3


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "Which volume is meant?"),
        ({"instance_id": "", "device_name": "/dev/vdb"}, "Which volume is meant?"),
        ({"instance_id": "i-0000001a"}, "device_name is needed"),
        ({"instance_id": "vol-0000001a", "device_name": "/dev/vdb"}, "not an instance id"),
        ({"volume_id": "i-0000001a"}, "not a volume id"),
        ({"volume_id": "vol-0000001a", "instance_id": "i-0000001a"}, "device_name is needed"),
        ({"batch": "web", "device_name": "/dev/vda", "volume_size": 1}, "the first is the root's"),
        ({"batch": "web", "device_name": "vdb", "volume_size": 1}, "not a device"),
        ({"batch": "", "device_name": "/dev/vdb"}, "not a batch name"),
        ({"batch": "web", "device_name": "/dev/vdb", "volume_size": 0}, "at least 1 GiB"),
        ({"batch": "web", "device_name": "/dev/vdb", "snapshot": "vol-0000001a"}, "not a snapshot id"),
        ({"batch": "web", "device_name": "/dev/vdb", "wait_timeout": 0}, "at least 1 second"),
        ({"batch": "web", "instance_id": "i-0000001a", "device_name": "/dev/vdb"}, "mutually exclusive"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, run: t.Any, args: t.Any, said: str) -> None:
    result = run("volume", **args)
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []
