# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decisions from what is and what is wanted, without any cloud."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._names import check_name, check_tags, guessed_type
from ansible_collections.nova_ec2.cloud.plugins.module_utils._steps import ABSENT, REBOOTED, RUNNING, STOPPED, decide


def views(*states: str) -> list[dict[str, t.Any]]:
    """VMs i-00000001, i-00000002, ... in these states, launched in this order."""
    return [
        {"instance_id": f"i-{number:08x}", "state": state, "launch_time": f"2026-01-01T00:00:{number:02d}Z"}
        for number, state in enumerate(states, 1)
    ]


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(f"i-{number:08x}" for number in numbers)


def test_growing_launches_what_is_missing_and_starts_what_is_stopped() -> None:
    steps = decide(RUNNING, views("running", "stopped", "pending"), 5)
    assert (steps.launch, steps.start, steps.keep, steps.terminate) == (2, ids(2), ids(1, 3), ())


def test_shrinking_takes_failed_ones_first_and_then_the_newest() -> None:
    steps = decide(RUNNING, views("running", "error", "running", "running"), 2)
    assert (steps.terminate, steps.keep, steps.launch) == (ids(2, 4), ids(1, 3), 0)


def test_zero_is_a_number_and_none_is_not() -> None:
    assert decide(RUNNING, views("running", "stopped"), 0).terminate == ids(1, 2)
    assert decide(RUNNING, views("running", "stopped"), None).terminate == ()
    assert decide(RUNNING, [], 0).needed is False


def test_age_decides_and_the_id_within_a_second() -> None:
    members = views("running", "running", "running")
    members[0]["launch_time"] = members[2]["launch_time"]
    assert decide(RUNNING, members, 2).terminate == ids(3)
    members[0]["launch_time"] = "2026-01-01T00:01:00Z"
    assert decide(RUNNING, members, 2).terminate == ids(1)


@pytest.mark.parametrize("wanted", [RUNNING, STOPPED, REBOOTED])
@pytest.mark.parametrize("state", ["error", "suspend", "pause", "rescue", "shelved"])
def test_what_the_api_cannot_change_is_refused_with_every_id(wanted: str, state: str) -> None:
    with pytest.raises(CloudError) as caught:
        decide(wanted, views("running", state))
    assert f"i-00000002 {state}" in str(caught.value)
    assert caught.value.result()["instance_ids"] == list(ids(1, 2))
    assert decide(ABSENT, views("running", state)).terminate == ids(1, 2)


@pytest.mark.parametrize(
    "value",
    [
        *("123", "0123", "1e3", "1.5", "-7", "+5", " 7 ", "0x1F", "0b11", "nan", "inf", "1_000", "1j", "089", "10L"),
        *("true", "False", "TRUE", "None", "None "),
    ],
)
def test_what_nova_would_turn_into_something_else_is_seen(value: str) -> None:
    assert guessed_type(value)
    with pytest.raises(CloudError):
        check_name("name", value)


@pytest.mark.parametrize(
    "value", ["web", "none", "web-1", "1-web", "v1.0", "truely", "e3", "x123", "infinite", "", "0x"]
)
def test_what_stays_text_is_left_alone(value: str) -> None:
    assert guessed_type(value) is None


def test_tags_become_text_or_are_refused() -> None:
    assert check_tags("tags", {"role": "web", "empty": None}) == {"role": "web", "empty": ""}
    for tags in ({"index": 7}, {"index": True}, {"9": "x"}, {"": "x"}, {"k": "v" * 256}):
        with pytest.raises(CloudError):
            check_tags("tags", tags)
