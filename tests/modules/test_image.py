# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of image, whose images it leaves alone, and what it does when an answer gets lost."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import Endpoint, connect
from clouds import PROFILES

pytestmark = pytest.mark.needs("new_images")

EVERY_PROFILE = pytest.mark.parametrize("cloud", PROFILES, indirect=True)
FOUND = ["DescribeImages", "DescribeSecurityGroups"]
OLD_AND_NEW = pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
PUBLIC: dict[str, t.Any] = {"launch_permissions": {"group_names": ["all"]}}
PRIVATE: dict[str, t.Any] = {"launch_permissions": {"group_names": []}}


@pytest.fixture
def vm(cloud: t.Any) -> str:
    """The id of a VM that boots from a volume."""
    cloud.settings(volume_backed=True, object_store=True)
    [server] = cloud.control("POST", "servers", tenant="demo", count=1)["servers"]
    return str(server["id"])


def own(cloud: t.Any, name: str = "web") -> list[dict[str, t.Any]]:
    """The images of a name that the project has, as the cloud itself knows them."""
    project = cloud.users["demo"]["tenant_id"]
    images = cloud.control("GET", "state")["images"]
    return [image for image in images if image["owner"] == project and image["name"] == name]


def made(cloud: t.Any, run: t.Any, vm: str, **args: t.Any) -> str:
    """The id of an image made of vm; the log is empty afterwards."""
    image_id = run("image", name="web", instance_id=vm, **args)["image_id"]
    cloud.forget_log()
    return str(image_id)


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize(
    ("before", "args", "changed", "writes"),
    [
        (None, {"instance_id": "VM"}, True, ["CreateImage"]),
        (None, {"instance_id": "VM", **PUBLIC}, True, ["CreateImage", "ModifyImageAttribute"]),
        (None, {"image_location": "bucket/web.manifest.xml"}, True, ["RegisterImage"]),
        (None, {}, None, []),
        ({}, {"instance_id": "VM"}, False, []),
        ({}, {"instance_id": "VM", **PRIVATE}, False, []),
        ({}, {}, False, []),
        ({}, PUBLIC, True, ["ModifyImageAttribute"]),
        (PUBLIC, PUBLIC, False, []),
        (PUBLIC, {}, False, []),
        (PUBLIC, PRIVATE, True, ["ModifyImageAttribute"]),
        ({}, {"state": "absent"}, True, ["DeregisterImage"]),
        (None, {"state": "absent"}, False, []),
    ],
    ids=[
        "make",
        "make-public",
        "register",
        "of-nothing",
        "there",
        "there-private",
        "there-of-nothing",
        "publish",
        "public",
        "left-public",
        "unpublish",
        "deregister",
        "nothing-to-deregister",
    ],
)
@EVERY_PROFILE
def test_truth_table(
    cloud: t.Any,
    run: t.Any,
    vm: str,
    before: dict[str, t.Any] | None,
    args: dict[str, t.Any],
    changed: bool | None,
    writes: list[str],
    check: bool,
) -> None:
    args = {key: vm if value == "VM" else value for key, value in args.items()}
    if before is not None:
        made(cloud, run, vm, **before)
    images_before = own(cloud)

    result = run("image", name="web", check=check, diff=True, **args)

    assert [action for action in cloud.actions() if not action.startswith("Describe")] == ([] if check else writes)
    if check:
        assert own(cloud) == images_before
    if changed is None:
        assert result["failed"] and "instance_id" in result["msg"], result
        return
    assert result["changed"] is changed, result
    assert result["diff"]["before"].get("name") == ("web" if before is not None else None)
    if args.get("state") == "absent":
        assert result["image"] is None and result["diff"]["after"] == {}
        assert check or own(cloud) == []
        return
    public = (args if "launch_permissions" in args else before or {}) == PUBLIC or (
        args.get("launch_permissions") == PUBLIC["launch_permissions"]
    )
    assert result["image"]["name"] == "web" and result["image"]["is_public"] is public
    assert result["diff"]["after"]["is_public"] is public
    if check:
        return
    [image] = own(cloud)
    assert image["public"] is public and image["location"] == args.get("image_location")
    assert result["image_id"] == result["image"]["image_id"] == f"ami-{image['number']:08x}"
    assert result["image"] == run("image_info", image_ids=[result["image_id"]])["image"]
    cloud.forget_log()
    assert run("image", name="web", **args)["changed"] is False
    assert cloud.actions() == FOUND


@EVERY_PROFILE
def test_the_number_of_requests_of_each_job(cloud: t.Any, run: t.Any, vm: str) -> None:
    jobs: list[tuple[dict[str, t.Any], list[str]]] = [
        ({"instance_id": vm}, ["DescribeImages", "DescribeInstances", "CreateImage", "DescribeImages"]),
        (PUBLIC, [*FOUND, "ModifyImageAttribute", "DescribeImages"]),
        ({"state": "absent"}, [*FOUND, "DeregisterImage"]),
        ({"state": "absent"}, ["DescribeImages"]),
        ({"image_location": "b/m.xml"}, ["DescribeImages", "RegisterImage", "DescribeImages"]),
        ({"state": "absent", "wait": True}, [*FOUND, "DeregisterImage", "DescribeImages"]),
    ]
    for args, actions in jobs:
        cloud.forget_log()
        assert not run("image", name="web", **args).get("failed")
        assert cloud.actions() == actions, args


def test_what_it_is_given_reaches_the_cloud(cloud: t.Any, run: t.Any, vm: str) -> None:
    made_of = {"name": "web", "instance_id": vm, "description": "for the web", "no_reboot": True}
    run("image", **made_of)
    [sent] = [entry for entry in cloud.control("GET", "log")["requests"] if entry["action"] == "CreateImage"]
    told = {key: sent["params"].get(key) for key in ("Name", "InstanceId", "Description", "NoReboot")}
    assert told == {"Name": "web", "InstanceId": vm, "Description": "for the web", "NoReboot": "true"}


@EVERY_PROFILE
def test_a_vm_that_boots_from_an_image_is_refused_with_what_to_do(cloud: t.Any, run: t.Any, vm: str) -> None:
    cloud.settings(volume_backed=False)
    result = run("image", name="web", instance_id=vm)
    assert result["failed"] and result["error_code"] == "InvalidParameterValue"
    assert "boot from a volume" in result["msg"] and "openstack server image create" in result["msg"], result["msg"]
    assert cloud.actions()[-1] == "CreateImage"


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_a_vm_that_is_not_there_is_told_before_anything_is_written(cloud: t.Any, run: t.Any, check: bool) -> None:
    result = run("image", name="web", instance_id="i-00ffffff", check=check)
    assert result["failed"] and "no VM i-00ffffff" in result["msg"]
    assert cloud.actions() == ["DescribeImages", "DescribeInstances"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "image_id, name"),
        ({"name": "web", "instance_id": "i-00000001", "image_location": "b/m.xml"}, "mutually exclusive"),
        ({"name": "ami-00000001"}, "give it as image_id"),
        ({"name": ""}, "1 to 255"),
        ({"name": "web", "instance_id": "web-1"}, "not an instance id"),
        ({"name": "web", "description": "true"}, "a boolean"),
        ({"name": "web", "image_location": "12"}, "a number"),
        ({"image_id": "web"}, "not an image id"),
        ({"name": "web", "wait": True, "wait_timeout": 0}, "wait_timeout"),
        ({"name": "web", "launch_permissions": {"user_ids": ["1234"]}}, "cannot let single users"),
        ({"name": "web", "launch_permissions": {"group_names": ["staff"]}}, "the group all only"),
    ],
)
def test_bad_input_is_refused_without_a_request(cloud: t.Any, run: t.Any, args: t.Any, words: str) -> None:
    result = run("image", **args)
    assert result["failed"] and words in result["msg"], result["msg"]
    assert cloud.actions() == []


@EVERY_PROFILE
def test_several_of_a_name_are_told_apart_by_id_only(cloud: t.Any, run: t.Any, vm: str) -> None:
    first = made(cloud, run, vm)
    run("image", name="other", instance_id=vm)
    second = twin(cloud, run, vm)
    for state in ("present", "absent"):
        result = run("image", name="web", state=state, instance_id=vm)
        assert result["failed"] and first in result["msg"] and second in result["msg"]
        assert sorted(result["image_ids"]) == sorted([first, second])
    assert run("image", image_id=second, state="absent")["changed"]
    assert len(own(cloud)) == 1 and run("image", name="web")["image_id"] == first


def twin(cloud: t.Any, run: t.Any, vm: str) -> str:
    """Make a second image named web, as another program would."""
    keys = cloud.users["demo"]
    image_id = connect(Endpoint.parse(cloud.url), keys["access"], keys["secret"]).create_image(vm, "web")
    cloud.forget_log()
    return str(image_id)


@EVERY_PROFILE
def test_an_image_of_somebody_else_is_left_alone(cloud: t.Any, run: t.Any) -> None:
    others = run("image_info", name="Cirros-0.3.0-x86_64", expect="one")["image"]["image_id"]
    cloud.forget_log()
    for args in ({"state": "absent"}, PRIVATE):
        result = run("image", image_id=others, **args)
        assert result["failed"] and "belongs to the project" in result["msg"], result
    assert run("image", image_id=others, **PUBLIC)["changed"] is False
    assert run("image", name="Cirros-0.3.0-x86_64", state="absent")["changed"] is False
    assert set(cloud.actions()) == set(FOUND)


def test_not_even_an_administrator_touches_an_image_of_another_project(cloud: t.Any, run: t.Any, vm: str) -> None:
    image_id = made(cloud, run, vm)
    result = run("image", image_id=image_id, state="absent", user="adminuser")
    assert result["failed"] and "belongs to the project" in result["msg"]
    assert len(own(cloud)) == 1


def test_the_same_name_in_another_project_is_no_hindrance(cloud: t.Any, run: t.Any, vm: str) -> None:
    assert run("image", name="Cirros-0.3.0-x86_64", instance_id=vm)["changed"]
    assert len(own(cloud, "Cirros-0.3.0-x86_64")) == 1


def test_an_id_with_another_name_is_refused(cloud: t.Any, run: t.Any, vm: str) -> None:
    image_id = made(cloud, run, vm)
    result = run("image", image_id=image_id, name="db", state="absent")
    assert result["failed"] and "not named 'db'" in result["msg"] and len(own(cloud)) == 1


def test_an_unknown_id_is_gone_or_an_error(cloud: t.Any, run: t.Any) -> None:
    assert run("image", image_id="ami-00ffffff", state="absent")["changed"] is False
    result = run("image", image_id="ami-00ffffff", **PUBLIC)
    assert result["failed"] and "no image ami-00ffffff" in result["msg"]
    assert set(cloud.actions()) == {"DescribeImages"}


@EVERY_PROFILE
def test_wait_waits_until_it_is_available(cloud: t.Any, run: t.Any, vm: str) -> None:
    cloud.settings(image_seconds=0.5)
    assert run("image", name="web", instance_id=vm)["image"]["state"] != "available"
    result = run("image", name="web", instance_id=vm, wait=True)
    assert result["changed"] is False and result["image"]["state"] == "available"
    assert run("image", name="db", instance_id=vm, wait=True)["image"]["state"] == "available"


def test_waiting_ends_with_wait_timeout(cloud: t.Any, run: t.Any, vm: str, lasts: t.Any) -> None:
    cloud.settings(image_seconds=60)
    with lasts(20):
        result = run("image", name="web", instance_id=vm, wait=True, wait_timeout=20)
    assert result["failed"] and "After 20 s (wait_timeout)" in result["msg"]
    assert result["image_id"] == result["image"]["image_id"] and result["image"]["state"] == "saving"


@OLD_AND_NEW
def test_an_image_that_fails_is_an_error_and_can_be_removed(cloud: t.Any, run: t.Any, vm: str) -> None:
    cloud.settings(image_seconds=0.5, image_outcome="killed")
    result = run("image", name="web", instance_id=vm, wait=True, **PUBLIC)
    assert result["failed"] and "has failed" in result["msg"] and result["image_id"] in result["msg"]
    assert "ModifyImageAttribute" not in cloud.actions()
    assert "has failed" in run("image", name="web", instance_id=vm)["msg"]
    assert run("image", name="web", state="absent")["changed"] and own(cloud) == []


@pytest.mark.parametrize("kind", ["drop_after", "http_500_after", "garbage"])
@pytest.mark.parametrize("how", ["CreateImage", "RegisterImage"])
@OLD_AND_NEW
def test_an_image_whose_answer_got_lost_is_found_and_not_made_twice(
    cloud: t.Any, run: t.Any, vm: str, how: str, kind: str
) -> None:
    cloud.fault(how, kind)
    args = {"instance_id": vm} if how == "CreateImage" else {"image_location": "b/m.xml"}
    result = run("image", name="web", **args)
    assert result["changed"] and result["image"]["name"] == "web", result
    assert cloud.actions().count(how) == 1 and len(own(cloud)) == 1
    assert any("there all the same" in warning for warning in result["warnings"])


@OLD_AND_NEW
def test_an_image_that_was_not_made_is_an_error_and_not_asked_for_again(cloud: t.Any, run: t.Any, vm: str) -> None:
    cloud.fault("CreateImage", "drop_before")
    result = run("image", name="web", instance_id=vm)
    assert result["failed"] and "look with image_info" in result["msg"]
    assert cloud.actions().count("CreateImage") == 1 and own(cloud) == []


def test_the_answer_to_making_an_image_is_waited_for_longer_than_others(cloud: t.Any, run: t.Any, vm: str) -> None:
    cloud.fault("CreateImage", "delay_after", seconds=2)
    result = run("image", name="web", instance_id=vm, read_timeout=1)
    assert result["changed"] and "warnings" not in result, result


@pytest.mark.parametrize("kind", ["drop_after", "http_500_after", "garbage"])
@OLD_AND_NEW
def test_lost_answers_to_publishing_and_deregistering(cloud: t.Any, run: t.Any, vm: str, kind: str) -> None:
    made(cloud, run, vm)
    cloud.fault("ModifyImageAttribute", kind)
    assert run("image", name="web", **PUBLIC)["image"]["is_public"] is True
    cloud.fault("DeregisterImage", kind)
    assert run("image", name="web", state="absent")["changed"] and own(cloud) == []
    assert cloud.actions().count("ModifyImageAttribute") == cloud.actions().count("DeregisterImage") == 1


@pytest.mark.parametrize("args", [PUBLIC, {"state": "absent"}], ids=["publish", "deregister"])
def test_what_was_not_done_is_an_error(cloud: t.Any, run: t.Any, vm: str, args: dict[str, t.Any]) -> None:
    made(cloud, run, vm)
    cloud.fault("*Image*", "drop_before", skip=1)
    result = run("image", name="web", **args)
    assert result["failed"] and "Could not " in result["msg"]
    [image] = own(cloud)
    assert image["public"] is False


def test_several_new_ones_after_a_lost_answer_are_told_and_none_is_chosen(cloud: t.Any, run: t.Any, vm: str) -> None:
    result = meanwhile(cloud, run, vm, "drop_after")
    assert result["failed"] and len(result["image_ids"]) == 2
    assert all(image_id in result["msg"] for image_id in result["image_ids"])
    assert cloud.actions().count("CreateImage") == 2  # one of them is that of the other run


def test_a_twin_made_at_the_same_time_is_told(cloud: t.Any, run: t.Any, vm: str) -> None:
    result = meanwhile(cloud, run, vm, "delay_after")
    assert result["changed"] and result["image_id"]
    assert any("at the same time" in warning and result["image_id"] in warning for warning in result["warnings"])


def meanwhile(cloud: t.Any, run: t.Any, vm: str, kind: str) -> dict[str, t.Any]:
    """What a task returns that makes an image while another program makes one of the same name.

    The task's own request suffers a fault; the other one is sent when the task has looked for images.
    """
    keys = cloud.users["demo"]
    other = connect(Endpoint.parse(cloud.url), keys["access"], keys["secret"])

    def once_it_has_looked() -> None:
        other.create_image(vm, "web")
        cloud.fault("CreateImage", kind)

    cloud.when("DescribeInstances", once_it_has_looked)
    return dict(run("image", name="web", instance_id=vm))


def test_when_nothing_can_be_seen_any_more_both_troubles_are_told(cloud: t.Any, run: t.Any, vm: str) -> None:
    cloud.fault("CreateImage", "drop_after")
    cloud.fault("DescribeImages", "http_503", skip=1, times=-1)
    result = run("image", name="web", instance_id=vm)
    assert result["failed"] and "cannot be seen either" in result["msg"] and "CreateImage" in result["msg"]


def test_publishing_that_is_refused_says_why_that_may_be(cloud: t.Any, run: t.Any, vm: str) -> None:
    made(cloud, run, vm)
    cloud.fault("ModifyImageAttribute", "unknown_error")
    result = run("image", name="web", **PUBLIC)
    assert result["failed"] and "only administrators" in result["msg"]
