# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decisions about VMs from what is and what is wanted, without any cloud."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.goal import (
    ABSENT,
    REBOOTED,
    RUNNING,
    STOPPED,
    Goal,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.steps import Steps, assess


def views(*states: str) -> list[dict[str, t.Any]]:
    """VMs i-00000001, i-00000002, ... in these states, launched in this order."""
    return [
        {
            "instance_id": f"i-{number:08x}",
            "state": state,
            "launch_time": f"2026-01-01T00:00:{number:02d}Z",
            "availability_zone": "nova",
        }
        for number, state in enumerate(states, 1)
    ]


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(f"i-{number:08x}" for number in numbers)


def decided(
    members: list[dict[str, t.Any]],
    slots: t.Sequence[int] = (),
    drift: dict[str, list[str]] | None = None,
    **goal: t.Any,
) -> Steps:
    """assess for a batch whose members have these numbers, 1, 2, 3, ... if none are given."""
    numbers = slots or range(1, len(members) + 1)
    return assess(Goal(**goal), members, dict(zip((view["instance_id"] for view in members), numbers)), drift)


def actions(steps: Steps) -> list[tuple[int | None, str]]:
    return [(step.slot, step.action) for step in steps.steps]


def test_growing_starts_what_is_stopped_and_launches_what_is_missing() -> None:
    steps = decided(views("running", "stopped", "pending"), count=5)
    assert actions(steps) == [(1, "keep"), (2, "start"), (3, "keep"), (4, "launch"), (5, "launch")]


def test_a_hole_is_filled_with_the_same_number() -> None:
    assert decided(views("running", "running", "running"), [1, 3, 5], count=5).slots("launch") == [2, 4]


@pytest.mark.parametrize(
    ("remove", "gone"),
    [
        ("failed_first", ids(2, 3)),
        ("highest", ids(1, 3)),
        ("newest", ids(3, 4)),
        ("oldest", ids(1, 2)),
    ],
)
def test_who_goes_first(remove: str, gone: tuple[str, ...]) -> None:
    # Numbers do not follow age here: 1 is the youngest but one, 4 the oldest.
    members = views("running", "error", "running", "running")
    steps = decided(members, [3, 1, 4, 2], count=2, remove=(remove,), on_error="keep")
    assert set(steps.ids("terminate")) == set(gone)
    assert all(step.reason for step in steps.steps if step.action == "terminate")


def test_only_named_ones_go() -> None:
    members = views("running", "running", "running")
    assert decided(members, count=2, remove=ids(2)).ids("terminate") == ids(2)
    assert decided(members[:2], count=2, remove=ids(2)).ids("terminate") == ()
    with pytest.raises(CloudError, match="remove names only 1 of them"):
        decided(members, count=1, remove=ids(2), max_terminate=3)


@pytest.mark.parametrize(
    ("members", "count", "limit", "refused"),
    [
        (10, 5, None, False),
        (10, 4, None, True),
        (10, 4, 6, False),
        (10, 5, 4, True),
        (1, 0, None, True),
        (2, 1, None, False),
        (0, 0, None, False),
        (10, None, None, False),
    ],
)
def test_the_brake(members: int, count: int | None, limit: int | None, refused: bool) -> None:
    if not refused:
        expected = 0 if count is None else members - count
        assert (
            len(decided(views(*["running"] * members), count=count, max_terminate=limit).ids("terminate")) == expected
        )
        return
    with pytest.raises(CloudError, match="max_terminate"):
        decided(views(*["running"] * members), count=count, max_terminate=limit)


def test_the_brake_holds_for_removal_and_replacement_too() -> None:
    with pytest.raises(CloudError, match="max_terminate is 1"):
        decided(views("running", "running"), wanted=ABSENT, max_terminate=1)
    drift = {key: ["image is another"] for key in ids(1, 2)}
    with pytest.raises(CloudError, match="max_terminate is 1"):
        decided(views("running", "running"), update="replace", drift=drift, max_terminate=1)
    assert decided(views("running", "running"), wanted=ABSENT).ids("terminate") == ids(1, 2)


@pytest.mark.parametrize(
    ("policy", "action", "launches"), [("keep", "keep", 0), ("replace", "replace", 1), ("terminate", "terminate", 0)]
)
def test_what_becomes_of_members_in_error(policy: str, action: str, launches: int) -> None:
    steps = decided(views("running", "error"), count=2, on_error=policy)
    assert actions(steps) == [(1, "keep"), (2, action)] and steps.launches == launches


def test_too_many_replacements_are_refused() -> None:
    with pytest.raises(CloudError, match="max_replacements is 1"):
        decided(views("error", "error"), count=2, on_error="replace", max_replacements=1)


def test_drift_is_told_and_only_replaced_when_asked() -> None:
    drift = {ids(1)[0]: ["instance_type is m1.tiny, not m1.small"]}
    told = decided(views("running", "running"), drift=drift)
    assert [(step.action, step.reason) for step in told.steps] == [("keep", drift[ids(1)[0]][0]), ("keep", None)]
    assert not told.needed
    replaced = decided(views("running", "running"), drift=drift, update="replace")
    assert actions(replaced) == [(1, "replace"), (2, "keep")]


@pytest.mark.parametrize("wanted", [RUNNING, STOPPED, REBOOTED])
@pytest.mark.parametrize("state", ["error", "suspend", "pause", "rescue", "shelved"])
def test_what_the_api_cannot_change_is_refused(wanted: str, state: str) -> None:
    with pytest.raises(CloudError) as caught:
        assess(Goal(wanted), views("running", state))
    assert f"i-00000002 {state}" in str(caught.value)
    assert assess(Goal(ABSENT), views("running", state)).ids("terminate") == ids(1, 2)
