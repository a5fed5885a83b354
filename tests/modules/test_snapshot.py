# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of snapshot, batches, and what is left after a failure; snapshot_info."""

from __future__ import annotations

import typing as t

import pytest
from clouds import CIRROS, PROFILES

LIST, VOLUMES, MAKE, DELETE = "DescribeSnapshots", "DescribeVolumes", "CreateSnapshot", "DeleteSnapshot"

pytestmark = pytest.mark.needs("volumes")
every_profile = pytest.mark.parametrize("cloud", PROFILES, indirect=True)
real_and_check = pytest.mark.parametrize("check", [False, True], ids=["real", "check"])


@pytest.fixture
def volumes(cloud: t.Any, run: t.Any, vms: list[str]) -> list[str]:
    """The volumes that the two members of the batch web have as vdb, by VM; the log is forgotten."""

    def make() -> list[str]:
        made = run("volume", batch="web", device_name="/dev/vdb", volume_size=2)
        assert not made.get("failed"), made
        return [view["volume_id"] for view in sorted(made["volumes"], key=lambda view: view["instance_id"])]

    return t.cast("list[str]", cloud.prepared("volumes", make))


def snapshots(cloud: t.Any, tenant: str = "demo") -> list[tuple[str, str | None]]:
    """Each of a project's snapshots, its volume and its description: the cloud's own truth."""
    project = cloud.users[tenant]["tenant_id"]
    found = [one for one in cloud.control("GET", "state")["snapshots"] if one["tenant_id"] == project]
    return sorted(((f"vol-{one['volume']:08x}", one["description"]) for one in found), key=str)


@every_profile
@real_and_check
def test_a_volume_gets_one_snapshot_of_a_description(cloud: t.Any, run: t.Any, volumes: list[str], check: bool) -> None:
    [one, _other] = volumes
    args = {"volume_id": one, "description": "before the upgrade"}
    result = run("snapshot", **args, check=check, diff=True)
    assert result["changed"], result
    assert cloud.mutations() == ([] if check else [MAKE])
    [view] = result["snapshots"]
    assert (view["state"], view["volume_size"], view["description"]) == ("completed", 2, "before the upgrade")
    assert result["diff"]["before"] == {"snapshots": []} and len(result["diff"]["after"]["snapshots"]) == 1
    if check:
        assert snapshots(cloud) == [] and view["snapshot_id"] is None
        return
    assert snapshots(cloud) == [(one, "before the upgrade")]
    cloud.forget_log()
    again = run("snapshot", **args)
    assert again["changed"] is False and again["snapshots"] == result["snapshots"]
    assert cloud.actions() == [LIST]
    assert run("snapshot", snapshot_id=view["snapshot_id"])["snapshots"] == result["snapshots"]
    assert run("snapshot_info", volume_ids=[one])["snapshots"] == result["snapshots"]
    assert run("snapshot", volume_id=one, description="after it")["changed"]
    assert snapshots(cloud) == [(one, "after it"), (one, "before the upgrade")]


@every_profile
@real_and_check
def test_a_snapshot_is_deleted_by_its_id_or_its_description(
    cloud: t.Any, run: t.Any, volumes: list[str], check: bool
) -> None:
    one, two = volumes
    [gone] = run("snapshot", volume_id=one, description="day")["snapshot_ids"]
    assert run("snapshot", volume_id=two, description="day")["changed"]
    cloud.forget_log()
    args = {"state": "absent", "check": check}
    assert run("snapshot", volume_id=one, description="night", **args)["changed"] is False
    assert cloud.mutations() == []
    result = run("snapshot", volume_id=one, description="day", **args)
    assert result["changed"] and result["snapshots"] == [], result
    if check:
        assert run("snapshot", snapshot_id=gone, **args)["changed"] and cloud.mutations() == []
        assert len(snapshots(cloud)) == 2
        return
    assert cloud.mutations() == [DELETE] and snapshots(cloud) == [(two, "day")]
    assert run("snapshot", snapshot_id=gone, **args)["changed"] is False
    shown = run("snapshot", snapshot_id=gone)
    assert shown["failed"] and f"no snapshot {gone}" in shown["msg"]
    assert run("snapshot", snapshot_id=run("snapshot_info")["snapshot_ids"][0], **args)["changed"]
    assert snapshots(cloud) == []


@every_profile
def test_every_member_gets_a_snapshot_and_loses_it(cloud: t.Any, run: t.Any, volumes: list[str]) -> None:
    assert run("snapshot", volume_id=volumes[0], description="day")["changed"]
    cloud.forget_log()
    args = {"batch": "web", "device_name": "/dev/sdb"}
    made = run("snapshot", **args, description="day")
    assert made["changed"] and len(made["snapshots"]) == 2, made
    assert cloud.mutations() == [MAKE] and snapshots(cloud) == sorted((value, "day") for value in volumes)
    assert run("snapshot", **args, description="day")["changed"] is False
    cloud.forget_log()
    gone = run("snapshot", **args, description="day", state="absent")
    assert gone["changed"] and snapshots(cloud) == [], gone
    assert cloud.mutations() == [DELETE] * 2


def test_requests_do_not_grow_but_for_one_to_make_each(cloud: t.Any, run: t.Any) -> None:
    run("instance", batch="web", count=8, image=CIRROS, instance_type="m1.tiny")
    run("volume", batch="web", device_name="/dev/vdb", volume_size=1)
    cloud.forget_log()
    assert len(run("snapshot", batch="web", device_name="/dev/vdb", description="day")["snapshot_ids"]) == 8
    asked = cloud.actions()
    assert [action for action in asked if action != LIST] == ["DescribeInstances", VOLUMES] + [MAKE] * 8
    assert asked.count(LIST) <= 5


def test_a_snapshot_that_is_young_enough_will_do(cloud: t.Any, run: t.Any, volumes: list[str]) -> None:
    args = {"volume_id": volumes[0], "last_snapshot_min_age": 60}
    assert run("snapshot", **args)["changed"]
    assert run("snapshot", **args)["changed"] is False
    assert run("snapshot", **args, description="day")["changed"]
    assert len(snapshots(cloud)) == 2


def test_without_wait_it_is_begun_and_waited_for_later(cloud: t.Any, run: t.Any, volumes: list[str]) -> None:
    cloud.settings(action_seconds=2.0)
    args = {"volume_id": volumes[0], "description": "day"}
    begun = run("snapshot", **args, wait=False)
    assert begun["changed"] and begun["snapshots"][0]["state"] == "pending"
    later = run("snapshot", **args)
    assert later["changed"] is False and later["snapshots"][0]["state"] == "completed"
    assert cloud.mutations() == [MAKE]


def test_a_failed_snapshot_is_told_and_does_not_count(cloud: t.Any, run: t.Any, volumes: list[str]) -> None:
    cloud.settings(snapshot_outcome="error")
    args = {"volume_id": volumes[0], "description": "day"}
    failed = run("snapshot", **args)
    [value] = failed["snapshot_ids"]
    assert failed["failed"] and f"{value}: error" in failed["msg"]
    assert "error" in run("snapshot", snapshot_id=value)["msg"]
    cloud.settings(snapshot_outcome="completed")
    made = run("snapshot", **args)
    assert made["changed"] and made["snapshot_ids"] != [value]
    unsure = run("snapshot", **args, state="absent")
    assert unsure["failed"] and value in unsure["msg"] and len(snapshots(cloud)) == 2


def test_after_wait_timeout_the_ids_are_told(cloud: t.Any, run: t.Any, volumes: list[str], lasts: t.Any) -> None:
    cloud.settings(action_seconds=60.0)
    with lasts(20):
        late = run("snapshot", volume_id=volumes[0], description="day", wait_timeout=20)
    [value] = late["snapshot_ids"]
    assert late["failed"] and "After 20 s (wait_timeout)" in late["msg"] and value in late["msg"]


@every_profile
@pytest.mark.parametrize("action", [MAKE, DELETE])
def test_a_lost_answer_is_settled_by_looking(cloud: t.Any, run: t.Any, volumes: list[str], action: str) -> None:
    args = {"batch": "web", "device_name": "/dev/vdb", "description": "day"}
    if action == DELETE:
        assert run("snapshot", **args)["changed"]
        args["state"] = "absent"
    cloud.fault(action, "drop_after")
    cloud.forget_log()
    result = run("snapshot", **args)
    assert not result.get("failed"), result
    assert cloud.actions().count(action) == 2
    assert snapshots(cloud) == ([] if action == DELETE else sorted((value, "day") for value in volumes))


@pytest.mark.parametrize("action", [MAKE, DELETE])
def test_what_did_not_happen_is_not_sent_again(cloud: t.Any, run: t.Any, volumes: list[str], action: str) -> None:
    args = {"batch": "web", "device_name": "/dev/vdb", "description": "day"}
    if action == DELETE:
        assert run("snapshot", **args)["changed"]
        args["state"] = "absent"
    cloud.fault(action, "drop_before", skip=1)
    cloud.forget_log()
    result = run("snapshot", **args)
    assert result["failed"] and cloud.actions().count(action) == 2, result
    assert len(snapshots(cloud)) == 1
    if action == MAKE:
        [made] = result["snapshot_ids"]
        assert made in result["msg"]
    assert run("snapshot", **args)["changed"]
    assert len(snapshots(cloud)) == (0 if action == DELETE else 2)


@every_profile
def test_what_cannot_have_one_is_told_before_anything_is_made(cloud: t.Any, run: t.Any, volumes: list[str]) -> None:
    [bare] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.tiny")["instance_ids"]
    cloud.forget_log()
    args = {"description": "day"}
    for target, said in (
        ({"instance_id": bare, "device_name": "/dev/vdb"}, bare),
        ({"batch": "db", "device_name": "/dev/vdb"}, bare),
        ({"volume_id": "vol-00ffffff"}, "no volume vol-00ffffff"),
    ):
        refused = run("snapshot", **target, **args)
        assert refused["failed"] and said in refused["msg"], refused
        assert run("snapshot", **target, **args, state="absent")["changed"] is False
    assert cloud.mutations() == []


@every_profile
def test_a_snapshot_of_another_project_is_neither_seen_nor_touched(
    cloud: t.Any, run: t.Any, volumes: list[str]
) -> None:
    [value] = run("snapshot", volume_id=volumes[0], description="day")["snapshot_ids"]
    for user in ("other", "adminuser"):
        assert run("snapshot_info", user=user)["snapshots"] == []
        assert run("snapshot", snapshot_id=value, state="absent", user=user)["changed"] is False
        refused = run("snapshot", volume_id=volumes[0], description="mine", user=user)
        assert refused["failed"] and "no volume" in refused["msg"]
    assert snapshots(cloud) == [(volumes[0], "day")]


def test_snapshots_are_listed_by_what_is_asked_for(cloud: t.Any, run: t.Any, volumes: list[str]) -> None:
    one, two = (run("snapshot", volume_id=value, description=f"of {value}")["snapshot_ids"][0] for value in volumes)
    cloud.forget_log()
    assert run("snapshot_info", descriptions=[f"of {volumes[1]}"])["snapshot_ids"] == [two]
    assert run("snapshot_info", states=["pending"])["snapshot_ids"] == []
    known = run("snapshot_info", snapshot_ids=[one, "snap-00ffffff"])
    assert known["snapshot_ids"] == [one] and known["unknown_ids"] == ["snap-00ffffff"]
    assert cloud.actions() == [LIST] * 3


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "one of the following is required"),
        ({"volume_id": "vol-0000001a"}, "one more snapshot"),
        ({"volume_id": "vol-0000001a", "state": "absent"}, "Which snapshot is meant?"),
        ({"volume_id": "i-0000001a", "description": "day"}, "not a volume id"),
        ({"snapshot_id": "vol-0000001a"}, "not a snapshot id"),
        ({"instance_id": "i-0000001a", "description": "day"}, "device_name is needed"),
        ({"instance_id": "vm", "device_name": "/dev/vdb", "description": "day"}, "not an instance id"),
        ({"batch": "web", "device_name": "/dev/vda", "description": "day"}, "the first is the root's"),
        ({"volume_id": "vol-0000001a", "last_snapshot_min_age": 0}, "at least 1"),
        ({"volume_id": "vol-0000001a", "description": "day", "wait_timeout": 0}, "at least 1"),
        ({"snapshot_id": "snap-0000001a", "description": "day"}, "mutually exclusive"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, run: t.Any, args: t.Any, said: str) -> None:
    result = run("snapshot", **args)
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []
