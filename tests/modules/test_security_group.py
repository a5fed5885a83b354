# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of security_group, and what it promises about rules; security_group_info."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import Endpoint, connect
from clouds import CIRROS, PROFILES

ANYWHERE = "0.0.0.0/0"
SSH = {"ports": 22, "cidr_ip": "10.0.0.0/8"}
WEB = {"ports": [80, "8000-8100"], "cidr_ip": [ANYWHERE]}
LOOK, ADD, TAKE = "DescribeSecurityGroups", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"
MAKE, DELETE = "CreateSecurityGroup", "DeleteSecurityGroup"

pytestmark = pytest.mark.needs("removable_rules")


@pytest.fixture(autouse=True)
def able_to_remove(cloud: t.Any) -> None:
    """An ec2-api whose Neutron is old enough for it to remove rules; what the newer ones do has a test of its own."""
    cloud.settings(rules_recognized=True)


def group(cloud: t.Any, name: str = "web") -> dict[str, t.Any] | None:
    """A group of the project, as the cloud itself knows it."""
    project = cloud.users["demo"]["tenant_id"]
    groups = cloud.control("GET", "state")["groups"]
    return next((found for found in groups if (found["tenant_id"], found["name"]) == (project, name)), None)


def rules(cloud: t.Any, name: str = "web") -> set[tuple[t.Any, ...]]:
    """A group's rules, as the cloud itself keeps them."""
    found = group(cloud, name)
    assert found is not None
    return {
        (rule["protocol"], rule["from_port"], rule["to_port"], rule["cidr"] or rule["source"][1])
        for rule in found["rules"]
    }


def permission(port: int, cidr: str) -> dict[str, t.Any]:
    """The parameters of a request for one rule."""
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges__1__CidrIp": cidr}
    return {f"IpPermissions__1__{name}": value for name, value in rule.items()}


def api(cloud: t.Any, action: str, **params: t.Any) -> None:
    """One request as another client makes it."""
    keys = cloud.users["demo"]
    connection = connect(Endpoint.parse(cloud.url), keys["access"], keys["secret"])
    connection.get_status(action, {name.replace("__", "."): value for name, value in params.items()}, verb="POST")


def without_id(view: t.Any) -> t.Any:
    """A group without the id, which nobody knows beforehand."""
    return view and {**view, "group_id": None}


SSH_KEPT = ("tcp", 22, 22, "10.0.0.0/8")
WEB_KEPT = {("tcp", 80, 80, ANYWHERE), ("tcp", 8000, 8100, ANYWHERE)}


@pytest.mark.parametrize(
    ("before", "args", "requests", "kept"),
    [
        (None, {}, [LOOK, MAKE], set()),
        (None, {"rules": [SSH, WEB]}, [LOOK, MAKE, ADD, LOOK], {SSH_KEPT, *WEB_KEPT}),
        ([SSH], {"rules": [SSH]}, [LOOK], {SSH_KEPT}),
        ([SSH], {}, [LOOK], {SSH_KEPT}),
        ([SSH], {"rules": [WEB]}, [LOOK, ADD, TAKE, LOOK], WEB_KEPT),
        ([SSH], {"rules": [WEB], "purge_rules": False}, [LOOK, ADD, LOOK], {SSH_KEPT, *WEB_KEPT}),
        ([SSH, WEB], {"rules": [WEB]}, [LOOK, TAKE, LOOK], WEB_KEPT),
        ([SSH, WEB], {"rules": [WEB], "purge_rules": False}, [LOOK], {SSH_KEPT, *WEB_KEPT}),
        ([SSH, WEB], {"rules": []}, [LOOK, TAKE, LOOK], set()),
        ([SSH], {"state": "absent"}, [LOOK, "DescribeInstances", DELETE], None),
        (None, {"state": "absent"}, [LOOK], None),
    ],
    ids=[
        "make",
        "make-rules",
        "same",
        "untouched",
        "differs",
        "keep",
        "less",
        "keep-less",
        "none",
        "delete",
        "nothing-to-delete",
    ],
)
@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_truth_table(
    cloud: t.Any, run: t.Any, before: t.Any, args: dict[str, t.Any], requests: list[str], kept: t.Any
) -> None:
    if before is not None:
        run("security_group", name="web", rules=before)
        cloud.forget_log()
    was = group(cloud)
    changes = [request for request in requests if not request.startswith("Describe")]

    predicted = run("security_group", name="web", check=True, diff=True, **args)

    assert cloud.mutations() == [] and group(cloud) == was
    cloud.forget_log()

    result = run("security_group", name="web", diff=True, **args)

    assert cloud.actions() == requests
    assert result["changed"] is predicted["changed"] is bool(changes), result
    assert result["diff"] == predicted["diff"]
    assert without_id(result["security_group"]) == without_id(predicted["security_group"])
    assert (group(cloud) is None) is (kept is None)
    if kept is not None:
        assert rules(cloud) == kept
    if changes:
        cloud.forget_log()
        again = run("security_group", name="web", **args)
        assert again["changed"] is False and again["security_group"] == result["security_group"]
        assert cloud.actions() == [LOOK]


@pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
def test_result_and_diff_are_for_people(cloud: t.Any, run: t.Any) -> None:
    ping = {"proto": "icmp", "icmp_type": 8, "cidr_ip": "198.51.100.7"}
    asked = [SSH, WEB, ping, {"ports": 5432, "group_name": ["default", "web"]}]
    run("security_group", name="web", rules=[SSH], description="Web servers")
    result = run("security_group", name="web", rules=asked, diff=True)
    about = {"name": "web", "description": "Web servers"}
    assert result["diff"]["before"] == {**about, "rules": ["tcp 22 from 10.0.0.0/8"]}
    assert result["diff"]["after"] == {
        **about,
        "rules": [
            "icmp type 8 from 198.51.100.7/32",
            "tcp 22 from 10.0.0.0/8",
            "tcp 80 from 0.0.0.0/0",
            "tcp 5432 from group default",
            "tcp 5432 from group web",
            "tcp 8000-8100 from 0.0.0.0/0",
        ],
    }
    view = result["security_group"]
    found = group(cloud)
    assert found is not None
    assert view["owner_id"] == cloud.users["demo"]["tenant_id"] and view["vpc_id"] is None
    assert view["group_id"] == (found["sg_id"] if cloud.profile == "ec2api" else None)
    nothing = {"cidr_ip": None, "group_name": None, "group_owner_id": None}
    ping_kept = {**nothing, "proto": "icmp", "from_port": 8, "to_port": -1, "cidr_ip": "198.51.100.7/32"}
    assert view["rules"][0] == ping_kept
    assert {**nothing, "proto": "tcp", "from_port": 5432, "to_port": 5432, "group_name": "web"} in view["rules"]
    assert run("security_group", name="web", rules=asked)["changed"] is False


EVERYTHING = {("icmp", -1, -1), ("tcp", 1, 65535), ("udp", 1, 65535)}


@pytest.mark.parametrize("source", ["group", "network"])
@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_all_protocols_read_back_as_asked_for(cloud: t.Any, run: t.Any, source: str) -> None:
    name, key = ("web", "group_name") if source == "group" else ("10.0.0.0/8", "cidr_ip")
    asked = [{"proto": "all", key: name}]
    assert run("security_group", name="web", rules=asked)["changed"] is True
    kept = {("-1", 1, 65535)} if cloud.profile == "ec2api" else EVERYTHING
    assert rules(cloud) == {(*ports, name) for ports in kept}
    assert run("security_group", name="web", rules=asked)["changed"] is False
    narrower = [{"ports": "1-65535", key: name}]
    assert run("security_group", name="web", rules=narrower)["changed"] is True
    assert rules(cloud) == {("tcp", 1, 65535, name)}


@pytest.mark.needs("nova")
@pytest.mark.parametrize("cloud", ["grizzly", "liberty"], indirect=True)
def test_what_nova_shows_as_three_rules_is_equal_to_all_and_removed_whole(cloud: t.Any, run: t.Any) -> None:
    run("security_group", name="web")
    api(cloud, ADD, GroupName="web", SourceSecurityGroupName="default")
    assert run("security_group", name="web", rules=[{"proto": "all", "group_name": "default"}])["changed"] is False
    part = run("security_group", name="web", rules=[{"ports": "1-65535", "group_name": "default"}])
    assert part["failed"] and "can only be removed whole" in part["msg"]
    assert part["done"] == [] and part["left"] == [
        "remove icmp from group default",
        "remove udp 1-65535 from group default",
    ]
    assert run("security_group", name="web", rules=[])["changed"] is True
    assert rules(cloud) == set()


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_automatic_rules_for_what_goes_out_are_neither_shown_nor_touched(cloud: t.Any, run: t.Any) -> None:
    made = run("security_group", name="web", rules=[])
    assert made["security_group"]["rules"] == []
    assert not [action for action in cloud.actions() if "Egress" in action]


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_rules_that_ec2_api_only_says_it_removed_are_told_of(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(rules_recognized=False)
    run("security_group", name="web", rules=[SSH])
    result = run("security_group", name="web", rules=[WEB])
    assert (
        result["failed"] and "still there" in result["msg"] and "openstack security group rule delete" in result["msg"]
    )
    assert result["changed"] is True
    assert result["done"] == ["add tcp 80 from 0.0.0.0/0", "add tcp 8000-8100 from 0.0.0.0/0"]
    assert result["left"] == ["remove tcp 22 from 10.0.0.0/8"]
    assert rules(cloud) == {SSH_KEPT, *WEB_KEPT}


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_a_range_that_ec2_api_would_widen_is_refused(cloud: t.Any, run: t.Any) -> None:
    result = run("security_group", name="web", rules=[{"ports": "1-255", "cidr_ip": "10.0.0.0/8"}])
    assert result["failed"] and "would open all ports" in result["msg"]
    assert cloud.mutations() == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"name": "123"}, "a number"),
        ({"name": "ansible-batch-db"}, "with batch db"),
        ({"name": "ansible-batch-db", "state": "absent"}, "nova_ec2.cloud.instance"),
        ({"name": "default", "state": "absent"}, "no cloud deletes it"),
        ({"description": "Web & more"}, "not a description"),
        ({"description": ""}, "not a description"),
        ({"description": "1e3"}, "a number"),
        ({"rules": [{"ports": 22}]}, "one of the following is required: cidr_ip, group_name"),
        ({"rules": [{"ports": 22, "cidr_ip": []}]}, "has no source"),
        ({"rules": [{"ports": 22, "cidr_ip": ANYWHERE, "group_name": "default"}]}, "mutually exclusive"),
        ({"rules": [{"ports": 22, "from_port": 1, "to_port": 2, "cidr_ip": ANYWHERE}]}, "mutually exclusive"),
        ({"rules": [{"from_port": 22, "cidr_ip": ANYWHERE}]}, "required together"),
        ({"rules": [{"cidr_ip": ANYWHERE}]}, "rule 1: proto tcp needs ports"),
        ({"rules": [SSH, {"ports": 0, "cidr_ip": ANYWHERE}]}, "rule 2: 0-0 is not a range"),
        ({"rules": [{"ports": "90-80", "cidr_ip": ANYWHERE}]}, "90-80 is not a range"),
        ({"rules": [{"ports": 65536, "cidr_ip": ANYWHERE}]}, "between 1 and 65535"),
        ({"rules": [{"ports": "http", "cidr_ip": ANYWHERE}]}, "neither a port nor a range"),
        ({"rules": [{"proto": "all", "ports": 22, "cidr_ip": ANYWHERE}]}, "of proto tcp or udp"),
        ({"rules": [{"proto": "-1", "from_port": 1, "to_port": 2, "cidr_ip": ANYWHERE}]}, "proto all has no ports"),
        ({"rules": [{"proto": "udp", "icmp_type": 8, "cidr_ip": ANYWHERE}]}, "are of proto icmp"),
        ({"rules": [{"proto": "icmp", "icmp_type": 256, "cidr_ip": ANYWHERE}]}, "not a type and code"),
        ({"rules": [{"proto": "icmp", "icmp_code": 1, "cidr_ip": ANYWHERE}]}, "not a type and code"),
        ({"rules": [{"ports": 22, "cidr_ip": "10.0.0.5/8"}]}, "Did you mean 10.0.0.0/8 or 10.0.0.5/32"),
        ({"rules": [{"ports": 22, "cidr_ip": "300.0.0.0/8"}]}, "not an IPv4 network"),
        ({"rules": [{"ports": 22, "cidr_ip": "2001:db8::/32"}]}, "not an IPv4 network"),
        ({"rules": [{"ports": 22, "group_name": "123"}]}, "a number"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, run: t.Any, args: dict[str, t.Any], said: str) -> None:
    result = run("security_group", **{"name": "web", **args})
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []


def test_a_source_that_does_not_exist_is_refused_before_any_change(cloud: t.Any, run: t.Any) -> None:
    result = run("security_group", name="web", rules=[SSH, {"ports": 1, "group_name": ["web", "db"]}])
    assert result["failed"] and "no security group db" in result["msg"]
    assert cloud.actions() == [LOOK]


def test_another_description_is_told_of_and_left(cloud: t.Any, run: t.Any) -> None:
    run("security_group", name="web", description="Old")
    cloud.forget_log()
    result = run("security_group", name="web", description="New")
    assert result["changed"] is False and "'Old'" in result["warnings"][0]
    assert cloud.mutations() == []


@pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
def test_a_group_in_use_is_not_deleted_and_says_by_whom(cloud: t.Any, run: t.Any) -> None:
    run("security_group", name="web")
    run("security_group", name="db", rules=[{"ports": 5432, "group_name": "web"}])
    vms = run("instance", batch="b", count=1, image=CIRROS, instance_type="m1.tiny", security_groups=["web"])
    other = run("security_group", name="web", user="other")
    cloud.forget_log()
    for check in (True, False):
        result = run("security_group", name="web", state="absent", check=check)
        assert result["failed"] and f"{vms['instance_ids'][0]} running" in result["msg"], result
        assert result["instance_ids"] == vms["instance_ids"] and result["named_by"] == ["db"]
    assert cloud.mutations() == []
    # Another project's group of the same name has nothing to do with it.
    assert other["changed"] and run("security_group", name="web", state="absent", user="other")["changed"]
    assert group(cloud) is not None


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_a_refused_deletion_says_what_may_be_behind_it(cloud: t.Any, run: t.Any) -> None:
    run("security_group", name="web")
    # A VM that is launched between the look and the deletion.
    cloud.fault("DeleteSecurityGroup", "http_500")
    result = run("security_group", name="web", state="absent")
    assert result["failed"] and "ports, load balancers or VMs without a network" in result["msg"]
    assert group(cloud) is not None


def test_a_group_whose_last_vm_has_just_gone_is_deleted_once_the_cloud_lets_go_of_it(
    cloud: t.Any, run: t.Any, lasts: t.Any
) -> None:
    run("security_group", name="web")
    cloud.fault(DELETE, "unknown_error", times=-1)
    for seconds in (0, 20):
        with lasts(seconds):
            result = run("security_group", name="web", state="absent", wait_timeout=seconds)
        assert result["failed"] and "ports, load balancers or VMs without a network" in result["msg"]
    cloud.control("DELETE", "faults")
    cloud.fault(DELETE, "unknown_error", times=3)
    assert run("security_group", name="web", state="absent")["changed"] and group(cloud) is None


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_a_quota_of_groups_is_told(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(quota_groups=1)
    result = run("security_group", name="web", rules=[SSH])
    assert result["failed"] and "quota" in result["msg"] and result["changed"] is False
    assert cloud.mutations() == [MAKE]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_rules_are_removed_first_where_the_quota_leaves_no_other_way(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(quota_group_rules=2)
    run("security_group", name="web", rules=[SSH])
    result = run("security_group", name="web", rules=[WEB])
    assert result["changed"] is True and rules(cloud) == WEB_KEPT, result
    over = run("security_group", name="web", rules=[SSH, WEB])
    assert over["failed"] and "quota" in over["msg"].lower()
    assert over["left"] == ["add tcp 22 from 10.0.0.0/8"] and over["done"] == []


@pytest.mark.parametrize("kind", ["drop_after", "unknown_error_after"])
@pytest.mark.parametrize("action", [MAKE, ADD, TAKE, DELETE])
def test_a_lost_answer_is_settled_by_looking(cloud: t.Any, run: t.Any, action: str, kind: str) -> None:
    if action in (TAKE, DELETE):
        run("security_group", name="web", rules=[SSH])
    cloud.forget_log()
    cloud.fault(action, kind)
    args = {"state": "absent"} if action == DELETE else {"rules": [] if action == TAKE else [SSH]}
    result = run("security_group", name="web", **args)
    assert result["changed"] is True and not result.get("failed"), result
    assert cloud.mutations().count(action) == 1
    if action == DELETE:
        assert group(cloud) is None
    else:
        assert rules(cloud) == (set() if action == TAKE else {SSH_KEPT})


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_after_a_lost_answer_ec2_api_s_new_group_is_known_by_its_id(cloud: t.Any, run: t.Any) -> None:
    cloud.fault(MAKE, "drop_after")
    result = run("security_group", name="web", rules=[{"ports": 1, "group_name": "web"}])
    assert result["changed"] is True and rules(cloud) == {("tcp", 1, 1, "web")}
    assert "there all the same" in result["warnings"][0]


@pytest.mark.parametrize("action", [MAKE, ADD, TAKE])
def test_a_request_that_was_lost_on_its_way_is_not_sent_again(cloud: t.Any, run: t.Any, action: str) -> None:
    if action == TAKE:
        run("security_group", name="web", rules=[SSH])
    cloud.forget_log()
    cloud.fault(action, "drop_before")
    result = run("security_group", name="web", rules=[WEB])
    assert result["failed"] and cloud.mutations().count(action) <= 1
    if action == MAKE:
        assert result["changed"] is False and group(cloud) is None
        return
    made = ["create group web"] if action == ADD else []
    added = ["add tcp 80 from 0.0.0.0/0", "add tcp 8000-8100 from 0.0.0.0/0"]
    assert result["done"] == (made if action == ADD else added)
    assert result["left"] == (added if action == ADD else ["remove tcp 22 from 10.0.0.0/8"])
    assert result["changed"] is True and "Left to do: " in result["msg"]


@pytest.mark.parametrize("cloud", ["grizzly", "liberty", "ec2api"], indirect=True)
def test_what_another_run_does_meanwhile_is_no_error(cloud: t.Any, run: t.Any) -> None:
    run("security_group", name="web", rules=[SSH])
    found = group(cloud)
    assert found is not None
    by = {"GroupId": found["sg_id"]} if cloud.profile == "ec2api" else {"GroupName": "web"}
    cloud.forget_log()

    def other() -> None:
        api(cloud, ADD, **by, **permission(80, ANYWHERE))
        api(cloud, TAKE, **by, **permission(22, "10.0.0.0/8"))

    # Both runs have looked when the other changes something.
    cloud.after(LOOK, other)
    result = run("security_group", name="web", rules=[WEB])
    assert cloud.mutations() == [ADD, TAKE, ADD, ADD, TAKE]
    assert result["changed"] is True and not result.get("failed"), result
    assert rules(cloud) == WEB_KEPT


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_groups_are_listed_with_one_request_and_matched_here(cloud: t.Any, run: t.Any) -> None:
    made = run("security_group", name="web", rules=[SSH, WEB])["security_group"]
    run("security_group", name="db", rules=[{"proto": "all", "group_name": "web"}], description="The data")
    run("security_group", name="theirs", user="other")
    cloud.forget_log()
    everything = run("security_group_info")
    assert cloud.actions() == [LOOK]
    assert [found["name"] for found in everything["security_groups"]] == ["db", "default", "web"]
    assert everything["security_groups"][2] == made and everything["unknown_names"] == []

    def names(**args: t.Any) -> list[str]:
        return [found["name"] for found in run("security_group_info", **args)["security_groups"]]

    assert names(filters={"ip-permission.cidr": ANYWHERE, "ip-permission.to-port": 22}) == ["web"]
    assert names(filters={"ip-permission.group-name": "w*", "description": "The *"}) == ["db"]
    assert names(filters={"ip-permission.protocol": ["udp", "-1"]})[0] == "db"
    some = run("security_group_info", names=["web", "nope"], filters={"group-name": "db"})
    assert some["security_groups"] == [] and some["unknown_names"] == ["nope"]


def test_an_unknown_filter_of_groups_is_refused_before_any_request(cloud: t.Any, run: t.Any) -> None:
    result = run("security_group_info", filters={"colour": "red"})
    assert result["failed"] and "no filter 'colour'" in result["msg"]
    assert cloud.actions() == []
