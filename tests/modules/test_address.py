# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of address, and what it promises: one address for each VM, and none left behind."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from clouds import PROFILES

pytestmark = pytest.mark.needs("address_order")

MARK = "ansible-batch-web"
LIST, ALLOCATE, ASSOCIATE = "DescribeAddresses", "AllocateAddress", "AssociateAddress"
DISASSOCIATE, RELEASE, VMS = "DisassociateAddress", "ReleaseAddress", "DescribeInstances"
FIRST, SECOND, THIRD, FOURTH = (f"172.24.4.{number}" for number in range(1, 5))
NO_VM = "i-00ffffff"

every_profile = pytest.mark.parametrize("cloud", PROFILES, indirect=True)
either_mode = pytest.mark.parametrize("check", [False, True], ids=["real", "check"])


def vms(cloud: t.Any, count: int = 1, **more: t.Any) -> list[str]:
    """Have VMs in the cloud; returns their ids."""
    made = cloud.control("POST", "servers", **{"tenant": "demo", "count": count, **more})["servers"]
    return [server["id"] for server in made]


def members(cloud: t.Any, count: int, **more: t.Any) -> list[str]:
    """Have members of the batch web, by id as the module sorts them."""
    if MARK not in cloud.groups():
        raw(cloud).create_security_group(MARK, "Marks the VMs of the Ansible batch web")
        cloud.forget_log()
    return sorted(vms(cloud, count, groups=["default", MARK], **more), key=lambda value: int(value[2:], 16))


def raw(cloud: t.Any, user: str = "demo") -> t.Any:
    """A plain boto connection."""
    from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import Endpoint, connect

    options = cloud.options(user)
    return connect(Endpoint.parse(options["endpoint_url"]), options["access_key"], options["secret_key"])


def hold(cloud: t.Any, *at: str | None, user: str = "demo") -> None:
    """Have one address for each of at, a VM or None; the log is forgotten."""
    connection = raw(cloud, user)
    for instance_id in at:
        ip = connection.allocate_address().public_ip
        if instance_id:
            connection.associate_address(instance_id, ip)
    cloud.forget_log()


# How things are before: at which VM each of the project's addresses is; "one" and "two" stand for VMs.
TABLE: dict[str, tuple[list[str | None], dict[str, t.Any], list[str] | str, dict[str, str | None]]] = {
    "new": ([], {"instance_id": "one"}, [LIST, VMS, ALLOCATE, ASSOCIATE, LIST], {FIRST: "one"}),
    "has": (["one"], {"instance_id": "one"}, [LIST], {FIRST: "one"}),
    "has-other": (["two"], {"instance_id": "one"}, [LIST, VMS, ALLOCATE, ASSOCIATE, LIST],
                  {FIRST: "two", SECOND: "one"}),
    "idle-not-reused": ([None], {"instance_id": "one"}, [LIST, VMS, ALLOCATE, ASSOCIATE, LIST],
                        {FIRST: None, SECOND: "one"}),
    "reused": ([None, None], {"instance_id": "one", "reuse_existing": True}, [LIST, VMS, ASSOCIATE, LIST],
               {FIRST: "one", SECOND: None}),
    "nothing-to-reuse": (["two"], {"instance_id": "one", "reuse_existing": True},
                         [LIST, VMS, ALLOCATE, ASSOCIATE, LIST], {FIRST: "two", SECOND: "one"}),
    "certain": ([None, None], {"instance_id": "one", "public_ip": SECOND}, [LIST, VMS, ASSOCIATE, LIST],
                {FIRST: None, SECOND: "one"}),
    "certain-there": (["one"], {"instance_id": "one", "public_ip": FIRST}, [LIST], {FIRST: "one"}),
    "certain-elsewhere": (["two"], {"instance_id": "one", "public_ip": FIRST}, "allow_reassociation", {FIRST: "two"}),
    "certain-moved": (["two"], {"instance_id": "one", "public_ip": FIRST, "allow_reassociation": True},
                      [LIST, VMS, DISASSOCIATE, LIST, ASSOCIATE, LIST], {FIRST: "one"}),
    "certain-not-ours": ([None], {"instance_id": "one", "public_ip": FOURTH}, "not one of this project's",
                         {FIRST: None}),
    "ours": ([None], {"public_ip": FIRST}, [LIST], {FIRST: None}),
    "not-ours": ([None], {"public_ip": FOURTH}, "not one of this project's", {FIRST: None}),
    "taken": (["one", "two"], {"instance_id": "one", "state": "absent"}, [LIST, DISASSOCIATE, LIST, RELEASE],
              {SECOND: "two"}),
    "taken-and-kept": (["one"], {"instance_id": "one", "state": "absent", "release": False}, [LIST, DISASSOCIATE, LIST],
                       {FIRST: None}),
    "nothing-to-take": (["two", None], {"instance_id": "one", "state": "absent"}, [LIST], {FIRST: "two", SECOND: None}),
    "released": (["one"], {"public_ip": FIRST, "state": "absent"}, [LIST, DISASSOCIATE, LIST, RELEASE], {}),
    "idle-released": ([None], {"public_ip": FIRST, "state": "absent"}, [LIST, RELEASE], {}),
    "idle-kept": ([None], {"public_ip": FIRST, "state": "absent", "release": False}, [LIST], {FIRST: None}),
    "gone": (["one"], {"public_ip": FOURTH, "state": "absent"}, [LIST], {FIRST: "one"}),
    "taken-from-it": (["one"], {"public_ip": FIRST, "instance_id": "one", "state": "absent"},
                      [LIST, DISASSOCIATE, LIST, RELEASE], {}),
    "not-taken-from-another": (["two"], {"public_ip": FIRST, "instance_id": "one", "state": "absent"}, "is at ",
                               {FIRST: "two"}),
}  # fmt: skip


# The table as a whole, and on the other generations what depends on their answers to requests that change something.
CASES = [
    pytest.param(profile, case, check, id=f"{profile}-{case}-{'check' if check else 'real'}")
    for profile in PROFILES
    for case in TABLE
    for check in (False, True)
    if profile == "grizzly" or (not check and case in ("new", "certain-moved", "taken-and-kept", "idle-released"))
]


@pytest.mark.parametrize(("cloud", "case", "check"), CASES, indirect=["cloud"])
def test_truth_table(cloud: t.Any, run: t.Any, case: str, check: bool) -> None:
    before, args, outcome, after = TABLE[case]
    one, two = vms(cloud, 2)
    ids = {"one": one, "two": two, None: None}
    hold(cloud, *(ids[value] for value in before))
    was = cloud.addresses()
    args = {name: ids.get(value, value) if name == "instance_id" else value for name, value in args.items()}

    result = run("address", check=check, diff=True, **args)

    if isinstance(outcome, str):
        assert result["failed"] and outcome in result["msg"], result
        assert cloud.mutations() == [] and cloud.addresses() == was
        return
    assert not result.get("failed"), result["msg"]
    written = [action for action in outcome if not action.startswith("Describe")]
    assert result["changed"] is bool(written)
    assert cloud.actions() == (outcome if not check else [LIST, VMS] if VMS in outcome else [LIST])
    at = {ip: ids[value] for ip, value in after.items()}
    assert cloud.addresses() == (was if check else at)
    views = {view["public_ip"]: view["instance_id"] for view in result["addresses"]}
    wanted = {ip: value for ip, value in at.items() if ip == args["public_ip"]} if "public_ip" in args else None
    if wanted is None:
        wanted = {ip: value for ip, value in at.items() if value == one}
        if args.get("release") is False:
            wanted = {FIRST: None}
    new = ALLOCATE in outcome
    assert views == ({None: one} if check and new else wanted)
    assert result["diff"]["after"] == {"addresses": result["addresses"]} or (new and not check)
    assert (result["diff"]["before"] != result["diff"]["after"]) is bool(written)
    assert result["public_ip"] == (next(iter(views), None)) == (result["address"] or {}).get("public_ip")
    if not check:
        cloud.forget_log()
        again = run("address", **args)
        assert again["changed"] is False and cloud.actions() == [LIST]
        assert again["addresses"] == result["addresses"] or args.get("release") is False


@every_profile
@either_mode
@pytest.mark.parametrize("form", ["batch", "instance_ids"])
def test_every_member_gets_an_address_of_its_own(cloud: t.Any, run: t.Any, form: str, check: bool) -> None:
    ids = members(cloud, 4)
    vms(cloud, 1)
    hold(cloud, ids[2], None)
    args: dict[str, t.Any] = {"batch": "web"} if form == "batch" else {"instance_ids": ids}

    result = run("address", check=check, reuse_existing=True, **args)

    reads = [VMS, LIST] if form == "batch" else [LIST, VMS]
    given = [ALLOCATE] * 2 + [ASSOCIATE] * 3 + [LIST]
    assert result["changed"] and cloud.actions() == reads + ([] if check else given)
    assert [view["instance_id"] for view in result["addresses"]] == ids
    if check:
        assert result["public_ips"] == [SECOND, None, FIRST, None]
        assert cloud.addresses() == {FIRST: ids[2], SECOND: None}
        return
    assert result["public_ips"] == [SECOND, THIRD, FIRST, FOURTH]
    assert cloud.addresses() == dict(zip(result["public_ips"], ids))
    cloud.forget_log()
    assert run("address", **args)["changed"] is False
    assert cloud.actions() == ([VMS, LIST] if form == "batch" else [LIST])


@every_profile
@pytest.mark.parametrize("release", [True, False])
def test_a_batch_loses_its_addresses(cloud: t.Any, run: t.Any, release: bool) -> None:
    ids = members(cloud, 3)
    other = vms(cloud, 1)[0]
    hold(cloud, *ids, other, None)
    result = run("address", batch="web", state="absent", release=release)
    assert result["changed"]
    assert cloud.actions() == [VMS, LIST, *[DISASSOCIATE] * 3, LIST, *([RELEASE] * 3 if release else [])]
    idle = {} if release else {FIRST: None, SECOND: None, THIRD: None}
    assert cloud.addresses() == {**idle, FOURTH: other, "172.24.4.5": None}
    assert {view["public_ip"]: view["instance_id"] for view in result["addresses"]} == idle
    assert run("address", batch="web", state="absent", release=release)["changed"] is False


def test_a_batch_without_members_gets_none_and_that_is_told(cloud: t.Any, run: t.Any) -> None:
    result = run("address", batch="web")
    assert not result["changed"] and result["addresses"] == [] and "no members" in str(result["warnings"])


def test_a_vm_named_twice_gets_one_address(cloud: t.Any, run: t.Any) -> None:
    one = vms(cloud)[0]
    run("address", instance_ids=[one, one])
    assert cloud.addresses() == {FIRST: one}


def test_two_addresses_at_one_vm_are_told_and_left(cloud: t.Any, run: t.Any) -> None:
    one = vms(cloud)[0]
    hold(cloud, one, one)
    result = run("address", instance_id=one)
    assert not result["changed"] and "2 floating addresses" in str(result["warnings"])
    assert result["public_ips"] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "Which address is meant?"),
        ({"reuse_existing": True}, "Which address is meant?"),
        ({"state": "absent"}, "Which address is meant?"),
        ({"instance_id": "web"}, "not an instance id"),
        ({"instance_id": ""}, "not an instance id"),
        ({"instance_ids": ["i-1"]}, "not an instance id"),
        ({"batch": "123"}, "a number"),
        ({"public_ip": "10.0.0"}, "not an IPv4 address"),
        ({"public_ip": "2001:db8::1"}, "not an IPv4 address"),
        ({"public_ip": ""}, "not an IPv4 address"),
        ({"public_ip": FIRST, "batch": "web"}, "mutually exclusive"),
        ({"instance_id": NO_VM, "batch": "web"}, "mutually exclusive"),
        ({"instance_id": NO_VM, "allow_reassociation": True}, "there is no public_ip"),
        ({"instance_id": NO_VM, "wait_timeout": 0}, "at least 1 second"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, run: t.Any, args: dict[str, t.Any], said: str) -> None:
    result = run("address", **args)
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"device_id": "one", "reuse_existing_ip_allowed": True}, {FIRST: "one"}),
        ({"device_id": "one", "ip": FIRST}, {FIRST: "one"}),
        ({"ip": FIRST, "state": "absent", "release_on_disassociation": False}, {FIRST: None}),
    ],
)
def test_the_names_of_amazon_aws_are_understood(cloud: t.Any, run: t.Any, old: t.Any, new: t.Any) -> None:
    one = vms(cloud)[0]
    hold(cloud, None)
    run("address", **{key: one if value == "one" else value for key, value in old.items()})
    assert cloud.addresses() == {ip: one if value else None for ip, value in new.items()}


@every_profile
def test_a_vm_that_is_not_there_gets_none_and_has_none(cloud: t.Any, run: t.Any) -> None:
    one = vms(cloud)[0]
    hold(cloud, one)
    cloud.control("POST", f"servers/{one}", vm_state="deleted")
    for check in (True, False):
        refused = run("address", instance_id=one, check=check)
        assert refused["failed"] and f"no VM {one}" in refused["msg"], refused
    assert run("address", instance_id=one, state="absent")["changed"] is False
    assert cloud.mutations() == [] and cloud.addresses() == {FIRST: None}


@every_profile
def test_a_vm_in_error_gets_none_and_nor_do_the_others(cloud: t.Any, run: t.Any) -> None:
    members(cloud, 2)
    broken = members(cloud, 1, state="error")[0]
    for check in (True, False):
        result = run("address", batch="web", check=check)
        assert result["failed"] and f"{broken} in error" in result["msg"], result
    assert cloud.mutations() == []


@every_profile
def test_a_vm_that_is_being_built_is_waited_for(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(boot_seconds=0.8)
    one = vms(cloud, state="building")[0]
    predicted = run("address", instance_id=one, check=True)
    assert predicted["changed"] and cloud.mutations() == []
    cloud.forget_log()
    two = vms(cloud, state="building")[0]
    result = run("address", instance_ids=[one, two])
    assert result["changed"] and cloud.addresses() == {FIRST: one, SECOND: two}, result
    assert cloud.mutations() == [ALLOCATE, ALLOCATE, ASSOCIATE, ASSOCIATE]


def test_waiting_for_a_vm_ends_with_nothing_changed(cloud: t.Any, run: t.Any, lasts: t.Any) -> None:
    cloud.settings(boot_seconds=60)
    one = vms(cloud, state="building")[0]
    with lasts(20):
        result = run("address", instance_id=one, wait_timeout=20)
    assert result["failed"] and "no network yet" in result["msg"] and one in result["msg"]
    assert cloud.mutations() == []


@every_profile
def test_a_used_up_quota_is_told_and_nothing_is_kept(cloud: t.Any, run: t.Any) -> None:
    ids = members(cloud, 3)
    hold(cloud, None, None)
    cloud.settings(quota_addresses=4)
    result = run("address", batch="web")
    assert result["failed"], result
    for said in ("quota of floating addresses is used up", "2 floating addresses, 2 of them free", "reuse_existing"):
        assert said in result["msg"], result["msg"]
    assert "pool" not in result["msg"]
    assert result["free_addresses"] == [FIRST, SECOND] and result["unreleased_addresses"] == []
    assert f"released again: {THIRD}, {FOURTH}" in result["msg"]
    assert cloud.mutations() == [ALLOCATE] * 3 + [RELEASE] * 2
    assert cloud.addresses() == {FIRST: None, SECOND: None}
    assert run("address", batch="web", reuse_existing=True)["changed"]
    assert sorted(value for value in cloud.addresses().values() if value) == sorted(ids)


@every_profile
def test_an_empty_pool_is_not_a_quota(cloud: t.Any, run: t.Any) -> None:
    one = vms(cloud)[0]
    hold(cloud, None)
    cloud.settings(floating_addresses=1)
    result = run("address", instance_id=one)
    assert result["failed"] and "pool of floating addresses is empty" in result["msg"], result
    assert "1 floating addresses, 1 of them free: 172.24.4.1" in result["msg"] and "used up" not in result["msg"]


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_a_cloud_without_floating_addresses_says_so(cloud: t.Any, run: t.Any) -> None:
    one = vms(cloud)[0]
    cloud.settings(floating_addresses=0)
    result = run("address", instance_id=one)
    assert result["failed"] and "no network or pool" in result["msg"], result


@every_profile
def test_other_projects_addresses_are_neither_seen_nor_taken(cloud: t.Any, run: t.Any) -> None:
    one = vms(cloud)[0]
    theirs = vms(cloud, tenant="other")[0]
    hold(cloud, None, theirs, user="other")
    before = cloud.addresses("other")
    for args in ({"public_ip": FIRST, "instance_id": one}, {"instance_id": theirs}):
        assert run("address", **args)["failed"]
    assert run("address", public_ip=FIRST, state="absent")["changed"] is False
    assert run("address", instance_id=theirs, state="absent")["changed"] is False
    assert cloud.mutations() == []
    run("address", instance_id=one, reuse_existing=True)
    assert cloud.addresses("other") == before and cloud.addresses() == {THIRD: one}


@every_profile
@pytest.mark.needs("all_projects")
def test_an_administrator_gets_the_same_and_leaves_other_projects_alone(cloud: t.Any, run: t.Any) -> None:
    one, theirs = vms(cloud, tenant="adminuser")[0], vms(cloud)[0]
    hold(cloud, one, None, user="adminuser")
    listed = run("address_info", user="adminuser")
    assert [view["instance_id"] for view in listed["addresses"]] == [one, None]
    assert listed["free_addresses"] == [SECOND]
    assert run("address", instance_id=one, user="adminuser")["address"] == listed["addresses"][0]
    refused = run("address", instance_id=theirs, user="adminuser")
    assert refused["failed"] and "no VM" in refused["msg"], refused
    assert cloud.mutations() == []
    assert run("address", instance_id=one, state="absent", user="adminuser")["changed"]
    assert cloud.addresses("adminuser") == {SECOND: None}


@pytest.mark.parametrize(
    ("cloud", "kind"),
    [("grizzly", "http_500_after"), *((profile, "drop_after") for profile in PROFILES)],
    indirect=["cloud"],
)
@pytest.mark.parametrize("action", [ALLOCATE, ASSOCIATE, DISASSOCIATE, RELEASE])
def test_a_lost_answer_is_settled_by_looking(cloud: t.Any, run: t.Any, action: str, kind: str) -> None:
    one = vms(cloud)[0]
    gives = action in (ALLOCATE, ASSOCIATE)
    if not gives:
        hold(cloud, one)
    cloud.forget_log()
    cloud.fault(action, kind)
    result = run("address", instance_id=one, state="present" if gives else "absent")
    assert result["changed"] and "all the same" in str(result["warnings"]), result
    assert cloud.addresses() == ({FIRST: one} if gives else {})
    assert cloud.mutations() == ([ALLOCATE, ASSOCIATE] if gives else [DISASSOCIATE, RELEASE])


def test_an_allocation_that_did_not_happen_is_not_repeated(cloud: t.Any, run: t.Any) -> None:
    one = vms(cloud)[0]
    hold(cloud, None)
    cloud.fault(ALLOCATE, "drop_before")
    result = run("address", instance_id=one)
    assert result["failed"] and "Nothing was sent again" in result["msg"] and "msg" in result
    assert cloud.mutations() == [ALLOCATE] and cloud.addresses() == {FIRST: None}


@pytest.mark.parametrize(("kind", "used", "new"), [("drop_after", False, 2), ("drop_before", True, 1)])
def test_what_another_run_may_have_allocated_is_not_taken(
    cloud: t.Any, run: t.Any, kind: str, used: bool, new: int
) -> None:
    one, two = vms(cloud, 2)
    cloud.fault(ALLOCATE, kind, skip=1)

    def other_run() -> None:
        connection = raw(cloud)
        made = connection.allocate_address()
        if used:
            connection.associate_address(two, made.public_ip)

    # Between the list of addresses and the allocation.
    cloud.when(VMS, other_run)
    result = run("address", instance_id=one)
    assert result["failed"] and "Another run may have allocated it" in result["msg"], result
    assert result["unclaimed_addresses"] == [FIRST, SECOND][:new]
    assert cloud.addresses() == ({FIRST: two} if used else {FIRST: None, SECOND: None})
    assert sorted(cloud.mutations()) == [ALLOCATE] * 2 + [ASSOCIATE] * used


@pytest.mark.parametrize(
    ("cloud", "kind"),
    [("grizzly", "http_500"), *((profile, "drop_before") for profile in PROFILES)],
    indirect=["cloud"],
)
def test_what_could_not_be_associated_is_released_again(cloud: t.Any, run: t.Any, kind: str) -> None:
    ids = members(cloud, 3)
    cloud.fault(ASSOCIATE, kind, skip=1)
    result = run("address", batch="web")
    assert result["failed"] and f"released again: {SECOND}, {THIRD}" in result["msg"], result
    assert cloud.addresses() == {FIRST: ids[0]} and result["unreleased_addresses"] == []
    assert [(view["public_ip"], view["instance_id"]) for view in result["addresses"]] == [(FIRST, ids[0])]
    assert run("address", batch="web")["changed"]
    assert sorted(cloud.addresses().values()) == sorted(ids)


def test_what_cannot_be_released_either_is_named(cloud: t.Any, run: t.Any) -> None:
    ids = members(cloud, 2)
    cloud.fault(ASSOCIATE, "unknown_error", times=-1)
    cloud.fault(RELEASE, "unknown_error")
    result = run("address", batch="web")
    assert result["failed"] and f"NOT released, because that failed too: {FIRST}" in result["msg"], result
    assert result["unreleased_addresses"] == [FIRST] and result["addresses"] == []
    assert cloud.addresses() == {FIRST: None}
    assert cloud.mutations() == [ALLOCATE, ALLOCATE, ASSOCIATE, RELEASE, RELEASE] and ids


def test_an_address_that_is_away_but_not_released_is_named(cloud: t.Any, run: t.Any) -> None:
    ids = members(cloud, 2)
    hold(cloud, *ids)
    cloud.fault(RELEASE, "http_503")
    result = run("address", batch="web", state="absent")
    assert result["failed"] and "still allocated: 172.24.4.1." in result["msg"], result
    assert result["unreleased_addresses"] == [FIRST] and cloud.addresses() == {FIRST: None}
    assert run("address", public_ip=FIRST, state="absent")["changed"] and cloud.addresses() == {}


def test_an_address_is_released_once_the_cloud_lets_go_of_it(cloud: t.Any, run: t.Any) -> None:
    hold(cloud, *members(cloud, 2))
    cloud.fault(RELEASE, "unknown_error", times=3)
    result = run("address", batch="web", state="absent")
    assert result["changed"] and not result.get("failed") and cloud.addresses() == {}, result


def test_what_was_taken_away_before_a_failure_is_released(cloud: t.Any, run: t.Any) -> None:
    ids = members(cloud, 3)
    hold(cloud, *ids)
    cloud.fault(DISASSOCIATE, "unknown_error", skip=1)
    result = run("address", batch="web", state="absent")
    assert result["failed"] and result["unreleased_addresses"] == [], result
    assert cloud.addresses() == {SECOND: ids[1], THIRD: ids[2]}
    assert {view["public_ip"] for view in result["addresses"]} == {SECOND, THIRD}


def test_a_failed_move_says_where_the_address_was(cloud: t.Any, run: t.Any) -> None:
    one, two = vms(cloud, 2)
    hold(cloud, two)
    cloud.fault(ASSOCIATE, "unknown_error")
    result = run("address", instance_id=one, public_ip=FIRST, allow_reassociation=True)
    assert result["failed"] and f"{FIRST} was at {two} before" in result["msg"], result
    assert cloud.addresses() == {FIRST: None}


@every_profile
def test_runs_at_the_same_time_take_different_addresses(cloud: t.Any, begin: t.Any, tmp_path: pathlib.Path) -> None:
    ids = vms(cloud, 3)
    hold(cloud, None, None)
    cloud.settings(latency=0.1)
    runs = [begin("address", tmp_path / "home", instance_id=value, reuse_existing=True) for value in ids]
    results = [one.result() for one in runs]
    assert not any(result["failed"] for result in results), results
    assert sorted(filter(None, cloud.addresses().values())) == sorted(ids) and len(cloud.addresses()) == 3
    assert cloud.actions().count(ALLOCATE) == 1


@every_profile
def test_addresses_are_listed_with_one_request(cloud: t.Any, run: t.Any) -> None:
    one, two = vms(cloud, 2)
    hold(cloud, one, None, two)
    result = run("address_info")
    assert cloud.actions() == [LIST] and result["changed"] is False
    assert {view["public_ip"]: view["instance_id"] for view in result["addresses"]} == cloud.addresses()
    assert result["public_ips"] == [FIRST, SECOND, THIRD] and result["free_addresses"] == [SECOND]
    assert {view["domain"] for view in result["addresses"]} == {"standard" if cloud.profile == "ec2api" else None}
    assert run("address", instance_id=one)["addresses"] == result["addresses"][:1]


@pytest.mark.parametrize(
    ("args", "ips"),
    [
        ({"public_ips": [SECOND, FOURTH]}, [SECOND]),
        ({"instance_ids": ["one"]}, [FIRST]),
        ({"instance_ids": []}, []),
        ({"filters": {"instance-id": ""}}, [SECOND]),
        ({"filters": {"instance-id": "i-*", "public-ip": [FIRST, SECOND]}}, [FIRST]),
        ({"filters": {"public-ip": "172.24.4.?"}}, [FIRST, SECOND, THIRD]),
        ({"filters": {"domain": "vpc"}}, []),
    ],
)
def test_addresses_are_matched_on_the_client(cloud: t.Any, run: t.Any, args: t.Any, ips: list[str]) -> None:
    one, two = vms(cloud, 2)
    hold(cloud, one, None, two)
    result = run("address_info", **json.loads(json.dumps(args).replace('"one"', f'"{one}"')))
    assert result["public_ips"] == ips and cloud.actions() == [LIST]
    assert result["unknown_public_ips"] == ([FOURTH] if "public_ips" in args else [])


@pytest.mark.parametrize(
    "args", [{"filters": {"colour": "red"}}, {"public_ips": ["web"]}, {"instance_ids": ["172.24.4.1"]}]
)
def test_bad_questions_are_refused_before_any_request(cloud: t.Any, run: t.Any, args: t.Any) -> None:
    assert run("address_info", **args)["failed"]
    assert cloud.actions() == []
