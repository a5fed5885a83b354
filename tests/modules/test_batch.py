# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Batches: numbers that stay, policies for failures, shrinking, zones, chunks, drift, and plans slot by slot."""

from __future__ import annotations

import functools
import pathlib
import re
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import ready as _ready
from clouds import PROFILES


@pytest.fixture
def batch(run: t.Any, image: str, cloud: t.Any) -> t.Callable[..., dict[str, t.Any]]:
    """batch(count=3) runs the module instance on the batch web, and expects it to succeed unless fails=True."""

    def ask(fails: bool = False, **args: t.Any) -> t.Any:
        options = {"batch": "web", "image": image, "wait_timeout": cloud.patience, "instance_type": "m1.tiny"}
        result = run("instance", **{**options, **args})
        assert bool(result.get("failed")) is fails, result.get("msg", result)
        return result

    return ask


def numbered(result: dict[str, t.Any]) -> dict[int, str]:
    return {view["slot"]: view["instance_id"] for view in result["instances"]}


def states(cloud: t.Any) -> list[str]:
    return sorted(server["vm_state"] for server in cloud.servers())


def lose(cloud: t.Any, *ids: str) -> None:
    """Have VMs vanish without anybody's request."""
    for value in ids:
        cloud.control("POST", f"servers/{value}", vm_state="deleted")


@pytest.mark.needs("world")
@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
@pytest.mark.parametrize(
    ("action", "asked", "ends"),
    [
        ("TerminateInstances", {"state": "absent"}, "deleted"),
        ("StopInstances", {"state": "stopped"}, "stopped"),
    ],
)
def test_whoever_goes_from_one_vm_to_the_next_is_watched_for_as_long_as_it_goes_on(
    cloud: t.Any, batch: t.Any, action: str, asked: dict[str, t.Any], ends: str
) -> None:
    """As ec2-api does, for longer than an answer is waited for."""
    ids = batch(count=4)["instance_ids"]
    world = cloud.world

    def work() -> None:
        for place, value in enumerate(ids, 1):
            change = functools.partial(cloud.control, "POST", f"servers/{value}", vm_state=ends)
            world.begin(change, world.now + 12 * place)

    cloud.forget_log()
    cloud.when(action, work)
    cloud.fault(action, "drop_before")
    result = batch(**asked)
    assert result["changed"] and "was done all the same" in " ".join(result["warnings"])
    assert cloud.actions().count(action) == 1
    assert states(cloud) == ([] if ends == "deleted" else [ends] * 4)


@pytest.mark.needs("world")
def test_whoever_does_not_go_on_is_not_waited_for(cloud: t.Any, batch: t.Any) -> None:
    ids = batch(count=4)["instance_ids"]
    cloud.when("TerminateInstances", lambda: lose(cloud, *ids[:2]))
    cloud.fault("TerminateInstances", "drop_before")
    told = batch(state="absent", fails=True)
    assert "2 of 4 VMs are not terminated" in told["msg"] and "Nothing was sent again" in told["msg"]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_numbers_are_stable_and_holes_are_filled(cloud: t.Any, batch: t.Any, run: t.Any) -> None:
    first = numbered(batch(count=5, name_template="web-{index:03d}"))
    lose(cloud, first[2], first[4])
    assert numbered(batch()) == {slot: value for slot, value in first.items() if slot not in (2, 4)}

    again = batch(count=5, name_template="web-{index:03d}")

    new = numbered(again)
    assert {slot: new[slot] for slot in (1, 3, 5)} == {slot: first[slot] for slot in (1, 3, 5)}
    assert sorted(new) == [1, 2, 3, 4, 5] and new[2] != first[2]
    assert [view["name"] for view in again["instances"]] == [f"web-00{slot}" for slot in range(1, 6)]
    assert [step["slot"] for step in again["plan"]["slots"] if step["action"] == "launch"] == [2, 4]
    assert batch(count=5)["changed"] is False
    shown = run("instance_info", batch="web")["instances"]
    assert {view["slot"]: view["instance_id"] for view in shown} == new


@pytest.mark.parametrize("cloud", ["grizzly", "icehouse"], indirect=True)
def test_what_only_written_numbers_can_promise(cloud: t.Any, batch: t.Any) -> None:
    first = numbered(batch(count=3))
    lose(cloud, first[3])
    second = numbered(batch(count=3))
    lose(cloud, second[1])
    moved = {1: second[3], 2: second[2]} if cloud.profile == "grizzly" else {2: second[2], 3: second[3]}
    assert numbered(batch()) == moved


@pytest.mark.parametrize("cloud", ["havana"], indirect=True)
def test_numbers_that_could_not_be_written_down_yet_are_later(cloud: t.Any, batch: t.Any) -> None:
    first = numbered(batch(count=2, wait=False))
    batch(count=2)
    written = batch(count=2)
    assert numbered(written) == first
    lose(cloud, first[1])
    assert numbered(batch(count=1)) == {2: first[2]}


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_min_count_is_content_with_what_the_quota_allows(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(quota_instances=4)
    refused = batch(fails=True, count=6)
    # ec2-api asks for one VM after the other, and takes back those that it has started.
    asked = {"requested": 1, "used": 4} if cloud.profile == "ec2api" else {"requested": 6, "used": 0}
    assert refused["quota"] == {"resource": "instances", "limit": 4, **asked}
    assert cloud.ever_started() == 0
    result = batch(count=6, min_count=3, diff=True)
    assert len(result["instance_ids"]) == 4 and result["missing"] == 2 and result["warnings"]
    assert result["changed"] and len(result["diff"]["after"]["members"]) == 4
    full = batch(count=6, min_count=4, diff=True)
    assert full["missing"] == 2 and any("used" in text for text in full["warnings"])
    # All that was to be done was refused.
    assert full["changed"] is False and full["diff"]["after"] == full["diff"]["before"], full["diff"]
    assert "already used 4 of 4" in batch(fails=True, count=6, min_count=5)["msg"]
    cloud.settings(quota_instances=10)
    assert batch(count=6, min_count=3)["missing"] == 0


@pytest.mark.parametrize("cloud", ["grizzly", "icehouse"], indirect=True)
def test_what_the_quota_keeps_from_being_done_is_no_change_and_in_no_diff(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(quota_instances=1)
    assert batch(count=1)["changed"]
    # Nothing is replaced while the batch cannot be brought up, and no change is told of what stays.
    more = {"count": 2, "min_count": 1, "instance_type": "m1.small", "update": "replace", "diff": True}
    refused = batch(**more)
    assert refused["changed"] is False, refused["diff"]
    assert list(refused["diff"]["after"]["members"]) == list(refused["diff"]["before"]["members"]) == ["1"]
    assert batch(**more, check=True)["changed"]
    # The mark is made by the first run, whatever it is refused then, and not by the second.
    cloud.settings(quota_instances=0)
    assert batch(state="absent")["changed"]
    assert [batch(count=2, min_count=0)["changed"] for _again in range(2)] == [True, False]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_a_failed_task_says_whether_it_changed_anything(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(fail_builds=1)
    assert batch(fails=True, count=2)["changed"] is True
    assert batch(fails=True, count=2)["changed"] is False


@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
@pytest.mark.needs("slow_vms")
def test_vms_that_come_one_after_the_other_are_looked_for_as_long_as_they_come(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(launch_seconds=0.7)
    result = batch(count=6, read_timeout=2)
    assert len(result["instance_ids"]) == cloud.ever_started() == 6 and result["warnings"]
    assert cloud.actions().count("RunInstances") == 1


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_failed_members_are_kept_terminated_or_replaced(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(fail_builds=1)
    kept = batch(count=3, on_error="keep")
    assert states(cloud) == ["active", "active", "error"] and len(kept["failed_instances"]) == 1
    assert batch(count=3, on_error="keep")["changed"] is False
    assert "on_error" in batch(fails=True, count=3)["msg"]
    replaced = batch(count=3, on_error="replace")
    assert states(cloud) == ["active"] * 3 and len(replaced["plan"]["replaced"]) == 1
    assert replaced["failed_instances"] == []

    cloud.settings(fail_builds=1)
    fewer = batch(fails=True, count=5, on_error="terminate")
    assert "4 good members instead of 5" in fewer["msg"] and states(cloud) == ["active"] * 4
    assert batch(count=5, min_count=4, on_error="terminate")["missing"] == 0


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_what_fails_while_it_builds_is_replaced_up_to_a_limit(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(fail_builds=2)
    result = batch(count=4, on_error="replace")
    assert states(cloud) == ["active"] * 4 and sorted(numbered(result)) == [1, 2, 3, 4]
    assert len(result["plan"]["replaced"]) == 2 and len(result["plan"]["created"]) == 6
    assert set(result["plan"]["terminated"]) == set(result["plan"]["replaced"])

    cloud.settings(fail_builds=5)
    stopped = batch(fails=True, count=6, on_error="replace", max_replacements=1)
    assert "max_replacements is 1" in stopped["msg"]
    assert set(stopped["instance_ids"]) >= {server["id"] for server in cloud.servers() if server["vm_state"] == "error"}


@pytest.mark.needs("console")
def test_a_failed_member_is_told_with_its_console(cloud: t.Any, batch: t.Any) -> None:
    bad = batch(count=2, name_template="web-{index}")["instance_ids"][1]
    cloud.control("POST", f"servers/{bad}", vm_state="error")
    told = batch(fails=True, count=2, name_template="web-{index}")
    assert "error" in told["msg"] and told["states"] == {"running": [told["instance_ids"][0]], "error": [bad]}
    assert told["failed_instances"][0]["instance_id"] == bad and told["failed_instances"][0]["console"]
    (failed,) = batch(count=2, name_template="web-{index}", on_error="keep")["failed_instances"]
    assert (failed["instance_id"], failed["slot"], failed["name"], failed["state"]) == (bad, 2, "web-2", "error")
    assert 0 <= failed["age"] < 300 and failed["availability_zone"] == "nova"
    assert 0 < len(failed["console"]) <= 10 and "login:" in failed["console"][-1]
    assert all(line.isprintable() for line in failed["console"])


@pytest.mark.needs("stuck_builds")
def test_vms_that_stay_pending_are_told_and_waited_for_again(cloud: t.Any, batch: t.Any, lasts: t.Any) -> None:
    cloud.settings(stuck_builds=1)
    with lasts(20):
        stuck = batch(fails=True, count=2, wait_timeout=20)
    assert [one["state"] for one in stuck["failed_instances"]] == ["pending"]
    assert "wait_timeout" in stuck["failed_instances"][0]["reason"]
    with lasts(20):
        assert batch(count=2, min_count=1, wait_timeout=20)["changed"] is False
    assert cloud.ever_started() == 2


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_a_shrink_of_more_than_half_needs_leave(cloud: t.Any, batch: t.Any) -> None:
    members = batch(count=5)["instance_ids"]
    cloud.forget_log()
    for args in ({"count": 2}, {"count": 0}, {"count": 2, "max_terminate": 2}):
        refused = batch(fails=True, **args)
        assert "max_terminate" in refused["msg"] and refused["instance_ids"] == members
    assert cloud.mutations() == []
    assert batch(count=4, remove=[members[0]])["instance_ids"] == members[1:]
    assert "remove names only 0" in batch(fails=True, count=3, remove=[members[0]])["msg"]
    assert batch(count=3, remove="oldest")["plan"]["terminated"]
    assert len(batch(count=1, max_terminate=2)["instance_ids"]) == 1


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.needs("quick_vms")
def test_the_mark_goes_when_vms_that_are_told_as_gone_really_are(cloud: t.Any, run: t.Any, batch: t.Any) -> None:
    batch(count=2)
    cloud.settings(action_seconds=3.0)
    done = run("instance", batch="web", state="absent")
    assert not done.get("failed") and cloud.groups() <= {"default"}, done


def test_selectors_that_came_to_nothing_are_refused_or_select_nothing(cloud: t.Any, run: t.Any, batch: t.Any) -> None:
    batch(count=2)
    cloud.forget_log()
    for args in (
        {"batch": "", "state": "absent"},
        {"batch": None, "state": "absent"},
        {"instance_ids": "None", "state": "absent"},
        {"instance_ids": {}, "state": "absent"},
        {"batch": "None", "state": "absent"},
        {"batch": "we*", "state": "absent"},
        {"batch": ["web"], "state": "absent"},
    ):
        assert run("instance", **args).get("failed"), args
    assert cloud.actions() == []
    for nothing in ([], [""], ""):
        assert run("instance", instance_ids=nothing, state="absent")["changed"] is False
    assert run("instance", batch="we", state="absent")["changed"] is False
    assert cloud.mutations() == [] and len(cloud.servers()) == 2


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.needs("zones")
def test_members_are_spread_over_zones(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(zones=["north", "south", "east"])
    zones = ["north", "south", "east"]
    batch(count=2, availability_zones=zones[:1])
    result = batch(count=7, availability_zones=zones)
    placed = [server["zone"] for server in cloud.servers()]
    assert sorted(placed.count(zone) for zone in zones) == [2, 2, 3]
    assert sorted(view["availability_zone"] for view in result["instances"]) == sorted(placed)
    assert batch(count=7, availability_zones=zones)["changed"] is False


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.needs("zones")
def test_a_zone_that_refuses_or_fails_hands_on_to_the_next(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(zones=["north", "south"], full_zones=["north"])
    batch(count=3, availability_zones=["north", "south"], on_error="replace")
    assert [server["zone"] for server in cloud.servers()] == ["south"] * 3
    # Grizzly takes any zone, and the VM fails; later generations refuse.
    batch(count=5, availability_zones=["nowhere", "south"], on_error="replace")
    assert [server["zone"] for server in cloud.servers()] == ["south"] * 5
    assert states(cloud) == ["active"] * 5


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_chunks_are_built_one_after_the_other_and_failures_stop_them(cloud: t.Any, batch: t.Any) -> None:
    assert sorted(numbered(batch(count=5, chunk_size=2))) == [1, 2, 3, 4, 5]
    assert cloud.mutations() == ["CreateSecurityGroup", *["RunInstances"] * 3, *cloud.noting(3)]
    cloud.settings(fail_builds=3)
    stopped = batch(fails=True, count=9, chunk_size=2, on_error="keep", max_failures=1)
    assert "max_failures is 1" in stopped["msg"] and len(cloud.servers()) == 7
    assert len(stopped["instance_ids"]) == 7 and stopped["missing"] == 2


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_drift_is_reported_and_replaced_step_by_step(cloud: t.Any, batch: t.Any, run: t.Any) -> None:
    before = batch(count=3, user_data="one")
    reported = batch(count=3, instance_type="m1.small", user_data="two")
    assert reported["changed"] is False and sorted(reported["drift"]) == sorted(before["instance_ids"])
    reasons = reported["drift"][before["instance_ids"][0]]
    assert "instance_type is m1.tiny, not m1.small" in reasons
    shows_data = cloud.profile != "grizzly"
    assert ("user_data is another" in reasons) is shows_data
    assert reported["drift_unknown"] == ([] if shows_data else ["user_data"])
    cloud.forget_log()

    after = batch(count=3, instance_type="m1.small", update="replace", max_unavailable=2)

    assert cloud.mutations() == ["TerminateInstances", "RunInstances"] * 2 + cloud.noting(2)
    assert not set(after["instance_ids"]) & set(before["instance_ids"])
    assert sorted(after["plan"]["replaced"]) == sorted(before["instance_ids"]) and after["drift"] == {}
    assert {view["instance_type"] for view in after["instances"]} == {"m1.small"}
    assert batch(count=3, instance_type="m1.small", update="replace")["changed"] is False


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_with_max_surge_there_are_never_too_few_members(cloud: t.Any, batch: t.Any) -> None:
    before = numbered(batch(count=3))
    cloud.forget_log()
    running: list[int] = []
    for _round in range(2):
        cloud.when("TerminateInstances", lambda: running.append(states(cloud).count("active")))

    after = batch(count=3, instance_type="m1.small", update="replace", max_surge=2, max_unavailable=0)

    assert cloud.mutations() == ["RunInstances", "TerminateInstances"] * 2 + cloud.noting(2)
    assert running == [5, 4] and states(cloud) == ["active"] * 3
    assert sorted(numbered(after)) == [1, 2, 3] and not set(numbered(after).values()) & set(before.values())
    again = batch(count=3, instance_type="m1.small", update="replace", max_surge=2)
    assert again["changed"] is False and numbered(again) == numbered(after)


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_where_the_quota_has_no_room_for_a_surge_members_go_first(cloud: t.Any, batch: t.Any) -> None:
    batch(count=3)
    cloud.settings(quota_instances=3)
    after = batch(count=3, instance_type="m1.small", update="replace", max_surge=1)
    assert "There is no room for max_surge" in after["warnings"][0] and len(after["warnings"]) == 1
    assert {view["instance_type"] for view in after["instances"]} == {"m1.small"}
    assert states(cloud) == ["active"] * 3
    stopped = batch(fails=True, count=3, instance_type="m1.tiny", update="replace", max_surge=1, max_unavailable=0)
    assert stopped["quota"]["limit"] == 3 and states(cloud) == ["active"] * 3


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_only_numbers_from_partition_on_are_replaced(cloud: t.Any, batch: t.Any) -> None:
    before = numbered(batch(count=4))
    canary = batch(instance_type="m1.small", update="replace", partition=4)
    assert {slot: value == before[slot] for slot, value in numbered(canary).items()} == {
        1: True,
        2: True,
        3: True,
        4: False,
    }
    assert sorted(canary["drift"]) == sorted([before[1], before[2], before[3]])
    assert batch(instance_type="m1.small", update="replace", partition=4)["changed"] is False
    assert batch(instance_type="m1.small", update="replace", partition=1)["drift"] == {}


@pytest.mark.parametrize("cloud", ["grizzly", "liberty"], indirect=True)
def test_a_member_that_does_not_answer_ends_the_replacement(
    cloud: t.Any, batch: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers on the network of the VMs is no part of the cloud."""
    answering: set[str] = set()
    monkeypatch.setattr(_ready, "open_at", lambda hosts, port: {host for host in hosts if host in answering})
    before = batch(count=3)
    silent = batch(fails=True, count=3, wait_for="tcp:80")
    assert "3 of 3 VMs are not running and answering on port 80" in silent["msg"] and not silent["changed"]
    answering.update(view["private_ip_address"] for view in before["instances"])
    assert batch(count=3, wait_for="tcp:80")["changed"] is False
    cloud.forget_log()

    stopped = batch(fails=True, instance_type="m1.small", update="replace", wait_for="tcp:80", max_surge=1)

    assert "1 of 4 VMs are not running and answering on port 80" in stopped["msg"]
    assert cloud.mutations() == ["RunInstances"] and states(cloud) == ["active"] * 4
    assert set(before["instance_ids"]) < set(stopped["instance_ids"])


@pytest.mark.needs("slow_vms")
def test_a_vm_that_takes_hours_is_waited_for(cloud: t.Any, batch: t.Any) -> None:
    cloud.settings(boot_seconds=16_000)
    assert batch(count=1, wait_timeout=20_000)["instances"][0]["state"] == "running"


@pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
def test_an_address_is_waited_for_if_asked(cloud: t.Any, batch: t.Any) -> None:
    assert all(view["private_ip_address"] for view in batch(count=2, wait_for="address")["instances"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"wait_for": "tcp:0"}, "wait_for is one of running, address and tcp:PORT"),
        ({"wait_for": "tcp:http"}, "wait_for is one of"),
        ({"wait_for": "ssh"}, "wait_for is one of"),
        ({"max_surge": -1}, "max_surge must be 0 or more"),
        ({"partition": 0}, "partition must be 1 or more"),
    ],
)
def test_bad_words_about_replacing_are_refused_before_any_request(
    cloud: t.Any, batch: t.Any, args: dict[str, t.Any], said: str
) -> None:
    cloud.forget_log()
    assert said in batch(fails=True, **args)["msg"] and cloud.actions() == []


@pytest.mark.parametrize("cloud", ["grizzly", "liberty"], indirect=True)
def test_a_failed_replacement_stops_the_rest(cloud: t.Any, batch: t.Any) -> None:
    batch(count=4)
    cloud.settings(fail_builds=1)
    stopped = batch(fails=True, instance_type="m1.small", update="replace", on_error="keep")
    assert "1 of 4 VMs failed" in stopped["msg"]
    assert [server["vm_state"] for server in cloud.servers()].count("active") == 3
    assert cloud.actions().count("TerminateInstances") == 1
    assert batch(count=4, instance_type="m1.small", update="replace", on_error="replace")["missing"] == 0
    assert states(cloud) == ["active"] * 4


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_the_plan_is_told_slot_by_slot_with_reasons(cloud: t.Any, batch: t.Any) -> None:
    one, two, three = batch(count=3)["instance_ids"]
    cloud.control("POST", f"servers/{two}", vm_state="stopped")
    cloud.control("POST", f"servers/{three}", vm_state="error")
    cloud.forget_log()
    args = {"count": 4, "on_error": "replace", "name_template": "web-{index}", "diff": True}
    told = batch(check=True, **args)
    assert cloud.mutations() == []
    assert told["diff"]["before"]["members"] == {
        "web-1": f"{one} running",
        "web-2": f"{two} stopped",
        "web-3": f"{three} error",
    }
    assert told["diff"]["after"]["members"] == {
        "web-1": f"{one} running",
        "web-2": f"{two} running (it is stopped)",
        "web-3": "a new VM, running (it is in error)",
        "web-4": "a new VM, running (count is 4)",
    }
    done = batch(**args)
    assert done["diff"] == told["diff"]
    assert {**told["plan"], "created": done["plan"]["created"]} == done["plan"]
    assert cloud.mutations() == ["TerminateInstances", "StartInstances", "RunInstances", *cloud.noting()]


@pytest.mark.needs("slow_vms")
def test_progress_is_written_line_by_line(cloud: t.Any, batch: t.Any, tmp_path: pathlib.Path) -> None:
    cloud.settings(boot_seconds=5)
    progress = tmp_path / "progress"
    batch(count=3, progress_file=str(progress))
    lines = progress.read_text().splitlines()
    assert all(re.fullmatch(r"web: .+ \(\d+ s\)", line) for line in lines), lines
    assert any("0/3 running, 3 pending" in line for line in lines) and "3/3 running" in lines[-1]
    batch(count=2, progress_file=str(progress), progress=False)
    assert progress.read_text().splitlines() == lines


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"batch": "web", "count": 2, "min_count": 3}, "at most count"),
        ({"batch": "web", "min_count": 1}, "at most count"),
        ({"batch": "web", "chunk_size": 0}, "1 or more"),
        ({"batch": "web", "max_unavailable": 0}, "must not both be 0"),
        ({"batch": "web", "max_terminate": -1}, "0 or more"),
        ({"batch": "web", "remove": ["newest", "i-00000001"]}, "remove is one of"),
        ({"batch": "web", "remove": []}, "remove is one of"),
        ({"batch": "web", "remove": "young"}, "not an instance id"),
        ({"batch": "web", "update": "replace"}, "needs image"),
        ({"batch": "web", "update": "replace", "image": "ami-00000001", "wait": False}, "wait must not be false"),
        ({"batch": "web", "on_error": "replace"}, "image is needed"),
        ({"batch": "web", "name_template": "web"}, "must hold {index}"),
        ({"instance_ids": ["i-00000001"], "on_error": "keep"}, "name it as batch"),
        ({"batch": "web", "availability_zone": "a", "availability_zones": ["a"]}, "mutually exclusive"),
        ({"batch": "web", "availability_zones": ["1"]}, "a number"),
    ],
)
def test_options_that_contradict_each_other_are_refused(cloud: t.Any, run: t.Any, args: t.Any, said: str) -> None:
    result = run("instance", **args)
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []
