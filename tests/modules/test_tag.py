# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of tag, and what it never touches."""

from __future__ import annotations

import typing as t

import pytest

TAGGED = ["icehouse", "liberty", "ec2api"]
CIRROS = "Cirros-0.3.0-x86_64"
LIST, PROBE, SET, REMOVE = "DescribeInstances", "DescribeTags", "CreateTags", "DeleteTags"
LAUNCH = "ansible-launch"

every_profile = pytest.mark.parametrize("cloud", TAGGED, indirect=True)


def tags(cloud: t.Any, *, own: bool = True) -> dict[str, dict[str, str]]:
    """The tags of the project's VMs, as the cloud itself keeps them; without the collection's own."""
    found = {server["id"]: dict(server["tags"]) for server in cloud.servers()}
    return {value: {key: has[key] for key in has if not own or key != LAUNCH} for value, has in found.items()}


# Tags that there are, options, requests that change something (None: an error), and the tags afterwards.
TABLE: dict[str, tuple[dict[str, str], dict[str, t.Any], list[str] | None, dict[str, str]]] = {
    "new": ({}, {"tags": {"env": "prod"}}, [SET], {"env": "prod"}),
    "there": ({"env": "prod"}, {"tags": {"env": "prod"}}, [], {"env": "prod"}),
    "beside": ({"a": "x"}, {"tags": {"env": "prod"}}, [SET], {"a": "x", "env": "prod"}),
    "other value": ({"env": "test"}, {"tags": {"env": "prod"}}, [SET], {"env": "prod"}),
    "no value": ({}, {"tags": {"env": None}}, [SET], {"env": ""}),
    "purged": ({"a": "x", "b": "y"}, {"tags": {"b": "z"}, "purge_tags": True}, [SET, REMOVE], {"b": "z"}),
    "all purged": ({"a": "x"}, {"tags": {}, "purge_tags": True}, [REMOVE], {}),
    "nothing to purge": ({"a": "x"}, {"tags": {"a": "x"}, "purge_tags": True}, [], {"a": "x"}),
    "removed": ({"a": "x", "b": "y"}, {"tags": {"a": None}, "state": "absent"}, [REMOVE], {"b": "y"}),
    "removed by value": ({"a": "x"}, {"tags": {"a": "x"}, "state": "absent"}, [REMOVE], {}),
    "kept for its value": ({"a": "x"}, {"tags": {"a": "y"}, "state": "absent"}, [], {"a": "x"}),
    "not there": ({"a": "x"}, {"tags": {"b": None}, "state": "absent"}, [], {"a": "x"}),
}
CASES = [
    pytest.param(profile, case, check, id=f"{profile}-{case.replace(' ', '-')}-{'check' if check else 'real'}")
    for profile in TAGGED
    for case in TABLE
    for check in (False, True)
    if profile == "icehouse" or (not check and case in ("new", "purged", "removed by value", "kept for its value"))
]


@pytest.mark.parametrize(("cloud", "case", "check"), CASES, indirect=["cloud"])
def test_truth_table(cloud: t.Any, run: t.Any, vms: list[str], case: str, check: bool) -> None:
    has, args, requests, after = TABLE[case]
    one, two = vms
    if has:
        assert run("tag", resources=[one], tags=has)["changed"]
    run("tag", resources=[two], tags={"other": "own"})
    cloud.forget_log()

    result = run("tag", resources=[one], check=check, diff=True, **args)

    assert not result.get("failed"), result["msg"]
    assert result["changed"] is bool(requests)
    assert cloud.mutations() == ([] if check else requests)
    # Whether there are tags at all need not be asked where one is seen.
    assert [action for action in cloud.actions() if action not in cloud.mutations()] in ([LIST], [LIST, PROBE])
    assert tags(cloud) == {one: has if check else after, two: {"other": "own"}}
    assert {key: value for key, value in result["tags"][one].items() if key != LAUNCH} == after
    assert result["diff"]["after"] == result["tags"]
    assert result["added_tags"].get(one, {}) == {key: value for key, value in after.items() if has.get(key) != value}
    assert result["removed_tags"].get(one, {}) == {key: value for key, value in has.items() if key not in after}
    if not check:
        cloud.forget_log()
        again = run("tag", resources=[one], **args)
        assert again["changed"] is False and again["tags"] == result["tags"] and cloud.actions() == [LIST]


@every_profile
def test_many_vms_take_one_request_for_what_they_have_in_common(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    one, two = vms
    assert run("tag", resources=vms, tags={"a": "x", "b": "y"})["changed"]
    assert cloud.mutations() == [SET]
    run("tag", resources=[two], tags={"a": "z"})
    cloud.forget_log()
    result = run("tag", resources=[*vms, one], tags={"a": "x", "b": None}, state="absent")
    assert result["removed_tags"] == {one: {"a": "x", "b": "y"}, two: {"b": "y"}}
    assert tags(cloud) == {one: {}, two: {"a": "z"}}
    assert cloud.actions() == [LIST, REMOVE, REMOVE]


@pytest.mark.parametrize("cloud", ["havana", "icehouse", "ec2api"], indirect=True)
def test_the_numbers_of_a_batch_are_left_alone(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    before = tags(cloud, own=False)
    for args in ({"tags": {LAUNCH: "x"}}, {"tags": {LAUNCH: None}, "state": "absent"}):
        refused = run("tag", resources=vms, **args)
        assert refused["failed"] and "belongs to the module instance" in refused["msg"]
    run("tag", resources=vms, tags={"a": "x"})
    run("tag", resources=vms, tags={}, purge_tags=True)
    assert tags(cloud, own=False) == before
    assert run("instance_info", batch="web")["instance_ids"] == sorted(vms)


@pytest.mark.parametrize("cloud", ["grizzly"], indirect=True)
def test_a_cloud_without_tags_says_so_and_has_none(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    for check in (False, True):
        result = run("tag", resources=vms, tags={"a": "x"}, check=check)
        assert result["failed"] and "Grizzly" in result["msg"] and cloud.mutations() == []
    assert run("tag", resources=vms, tags={"a": None}, state="absent")["changed"] is False


@every_profile
def test_vms_that_are_not_there_or_others_are_refused(cloud: t.Any, run: t.Any, vms: list[str]) -> None:
    [theirs] = cloud.control("POST", "servers", tenant="other")["servers"]
    cloud.forget_log()
    for user in ("demo", "adminuser"):
        for value in ("i-00ffffff", theirs["id"]):
            result = run("tag", resources=[vms[0], value], tags={"a": "x"}, user=user)
            assert result["failed"] and value in result["unknown_ids"], result
    assert cloud.mutations() == [] and tags(cloud) == {value: {} for value in vms}


@pytest.mark.parametrize("cloud", ["icehouse"], indirect=True)
def test_a_vm_that_is_being_built_is_refused_before_anything_is_written(
    cloud: t.Any, run: t.Any, vms: list[str]
) -> None:
    cloud.settings(boot_seconds=60)
    [new] = run("instance", batch="db", count=1, image=CIRROS, instance_type="m1.tiny", wait=False)["instance_ids"]
    cloud.forget_log()
    result = run("tag", resources=[*vms, new], tags={"a": "x"})
    assert result["failed"] and f"{new} pending" in result["msg"] and cloud.mutations() == []


@every_profile
@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("action", [SET, REMOVE])
def test_a_lost_answer_is_settled_by_looking(cloud: t.Any, run: t.Any, vms: list[str], action: str, kind: str) -> None:
    run("tag", resources=vms, tags={"a": "x"})
    args = {"tags": {"b": "y"}} if action == SET else {"tags": {"a": None}, "state": "absent"}
    cloud.fault(action, kind)
    cloud.forget_log()
    result = run("tag", resources=vms, **args)
    assert cloud.actions().count(action) == 1
    done = kind == "drop_after"
    assert result.get("failed", False) is not done, result
    wanted = {"a": "x", "b": "y"} if action == SET else {}
    assert tags(cloud) == {value: wanted if done else {"a": "x"} for value in vms}
    assert ("carried out all the same" in str(result.get("warnings"))) is done


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"resources": [], "tags": {"a": "x"}}, "no VM is named"),
        ({"resources": ["vol-00000001"], "tags": {"a": "x"}}, "not an instance id"),
        ({"tags": {}}, "no tag is named"),
        ({"tags": {"": "x"}}, "key must not be empty"),
        ({"tags": {"k" * 256: "x"}}, "longer than 255"),
        ({"tags": {"a": "1"}}, "tags.a"),
        ({"tags": {"true": "x"}}, "tags key"),
        ({"tags": {"a": "x"}, "state": "absent", "purge_tags": True}, "purge_tags goes with state present"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, run: t.Any, args: t.Any, said: str) -> None:
    result = run("tag", **{"resources": ["i-0000001a"], **args})
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []
