# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict notices what it is there to notice, when it is shown a cloud where that has happened."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from faults.verdict import Sight, judge, judge_naive

MARK = "ansible-batch-faults"


def server(value: str, **more: t.Any) -> dict[str, t.Any]:
    """A member, as GET /state shows it, unless more says something else."""
    fields = {"id": value, "tenant": "ours", "vm_state": "active", "task": None, "groups": ["default", MARK]}
    return {**fields, "launched_by": 1, "deleted": False, "tags": {}, **more}


def request(action: str, *ids: str) -> dict[str, t.Any]:
    """A request, as GET /log shows it."""
    return {"action": action, "params": {f"InstanceId.{place}": value for place, value in enumerate(ids, 1)}}


FOREIGN = server("i-9", launched_by=None, groups=["default"])
GONE = server("i-3", deleted=True, vm_state="deleted")


def sight(
    *servers: dict[str, t.Any],
    gone: t.Sequence[dict[str, t.Any]] = (),
    log: t.Sequence[dict[str, t.Any]] = (),
    foreign: dict[str, str | None] | None = None,
    clean: bool = True,
) -> Sight:
    """What the judge sees of a batch that shall have two members, beside a foreign VM i-9 that shall be active."""
    state = {"servers": list(servers), "gone": list(gone)}
    return Sight(state, list(log), "ours", MARK, 2, {"i-9": "active"} if foreign is None else foreign, clean)


TWO = (server("i-1"), server("i-2"), FOREIGN)


def test_nothing_is_wrong_with_as_many_members_as_wanted() -> None:
    elsewhere = server("i-8", tenant="theirs")
    told = judge(sight(*TWO, elsewhere, gone=[GONE], log=[request("TerminateInstances", "i-3")]))
    assert told.broken == [] and told.members == ("i-1", "i-2")


def test_a_member_too_many_is_a_duplicate() -> None:
    assert judge(sight(*TWO, server("i-4"))).duplicates == 1


@pytest.mark.parametrize("more", [{"task": "deleting"}, {"deleted": True}, {"vm_state": "deleted"}])
def test_one_that_is_being_deleted_is_none(more: dict[str, t.Any]) -> None:
    told = judge(sight(*TWO, server("i-4", **more), log=[request("TerminateInstances", "i-4")]))
    assert told.broken == []


def test_a_member_too_few_is_missing_only_if_the_clean_run_said_otherwise() -> None:
    assert judge(sight(server("i-1"), FOREIGN)).missing == 1
    assert judge(sight(server("i-1"), FOREIGN, clean=False)).missing == 0


@pytest.mark.parametrize("place", ["servers", "gone"])
def test_a_launch_without_the_mark_is_an_orphan(place: str) -> None:
    orphan = server("i-5", groups=["default"])
    assert judge(sight(*TWO, orphan) if place == "servers" else sight(*TWO, gone=[orphan])).orphans == ("i-5",)


def test_a_foreign_vm_that_changed_or_vanished_was_touched() -> None:
    for changed in ({**FOREIGN, "vm_state": "stopped"}, {**FOREIGN, "task": "deleting"}, server("i-10")):
        assert judge(sight(*TWO[:2], changed)).touched == ("i-9",)


def test_a_foreign_vm_that_a_request_named_was_touched_even_if_nothing_came_of_it() -> None:
    assert judge(sight(*TWO, log=[request("StopInstances", "i-1", "i-9")])).touched == ("i-9",)
    assert judge(sight(*TWO, log=[request("DescribeInstances", "i-9")])).touched == ()


def test_a_foreign_vm_that_its_owner_terminated_stays_gone() -> None:
    assert judge(sight(*TWO[:2], foreign={"i-9": None})).broken == []
    assert judge(sight(*TWO, foreign={"i-9": None})).touched == ("i-9",)


def test_a_member_that_vanished_without_a_request_is_unaccounted() -> None:
    told = judge(sight(*TWO, gone=[GONE], log=[request("StopInstances", "i-3")]))
    assert told.unaccounted == ("i-3",) and told.broken == ["1 unaccounted (i-3)"]


def test_all_that_the_naive_launcher_launched_counts() -> None:
    tagged = [server(value, groups=["default"], tags={"launcher": "faults"}) for value in ("i-1", "i-2")]
    told = judge_naive(sight(*tagged, server("i-3", groups=["default"]), FOREIGN), "launcher")
    assert told.duplicates == 1 and told.orphans == ("i-3",)
    assert judge_naive(sight(*tagged, FOREIGN), None).broken == []
