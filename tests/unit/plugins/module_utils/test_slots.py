# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers of members: written down with a launch, and read back; zones for them; what a quota message says."""

from __future__ import annotations

import random
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.slots import (
    TAG,
    check_name_template,
    claim,
    data_fingerprint,
    name_of,
    number,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.zones import spread
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import is_of
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.record import fingerprint, record, recordable
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.report import clean, quota_in


def launched(slots: t.Sequence[int], begin: int = 1, **more: t.Any) -> list[dict[str, t.Any]]:
    """The VMs of one launch for slots, with ids from begin on."""
    token = record("web", slots, None)
    return [
        {
            "instance_id": f"i-{begin + index:08x}",
            "launch_time": f"2026-01-01T00:00:{begin:02d}Z",
            "launch_index": index,
            "client_token": token,
            "reservation_id": f"r-{begin}",
            "tags": {},
            "availability_zone": None,
            **more,
        }
        for index, _slot in enumerate(slots)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_a_record_gives_every_vm_its_number_back(seed: int) -> None:
    chance = random.Random(seed)
    slots = sorted(chance.sample(range(1, chance.choice([5, 40, 2000])), 3))
    slots = slots[: recordable(slots)]
    views = launched(slots)
    assert [claim(view) for view in views] == slots
    assert len(views[0]["client_token"]) <= 64


def test_a_long_range_fits_and_scattered_numbers_are_cut() -> None:
    assert recordable(range(1, 10_001)) == 10_000
    scattered = list(range(1, 200, 2))
    assert 0 < recordable(scattered) < len(scattered)
    assert len(record("web", scattered[: recordable(scattered)], b"data")) <= 64


def test_records_are_never_the_same_and_know_the_user_data() -> None:
    assert record("web", [1], b"x") != record("web", [1], b"x")
    (view,) = launched([1])
    assert data_fingerprint(view) == fingerprint(None) == "0"
    assert fingerprint(b"a") != fingerprint(b"b")


def test_a_tag_counts_more_than_a_token_and_strange_ones_count_nothing() -> None:
    (view,) = launched([4])
    assert claim({**view, "tags": {TAG: record("web", [9], None)}}) == 9
    text = "nova-ec2.0123456789abcdef01.0."
    for token in (None, "", "nova-ec2-0123456789abcdef", "nova-ec2.12.0.5", text, f"{text}x", f"{text}5-"):
        assert claim({**view, "client_token": token}) in (None, 5)
    assert claim({**view, "launch_index": 7}) is None
    assert claim({**view, "launch_index": None}) is None


def test_numbers_stay_with_their_vms_and_gaps_are_filled_by_age() -> None:
    members = launched([1, 2, 3]) + launched([5], begin=9)
    assert number(members, {}) == {"i-00000001": 1, "i-00000002": 2, "i-00000003": 3, "i-00000009": 5}
    without = [{**view, "client_token": None} for view in members]
    assert number(without[:1] + without[2:], {}) == {"i-00000001": 1, "i-00000003": 3, "i-00000009": 2}
    assert number(without, {"i-00000009": 1})["i-00000001"] == 2
    assert list(number([{**view, "launch_index": None} for view in without], {}).values()) == [1, 2, 3, 4]


def test_of_two_launches_for_the_same_numbers_the_first_has_them() -> None:
    first, second = launched([1, 2, 3]), launched([1, 2, 3], begin=4)
    numbers = number(second + first, {})
    assert [numbers[view["instance_id"]] for view in first + second] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("template", ["web", "{index", "{name}-{index}", "{index.real}{batch.x}", "{index:zz}", "{}"])
def test_templates_that_do_not_name_are_refused(template: str) -> None:
    with pytest.raises(CloudError):
        check_name_template(template)


def test_templates_that_name() -> None:
    check_name_template("{batch}-{index:03d}")
    assert name_of("{batch}-{index:03d}", "web", 7) == "web-007" and name_of(None, "web", 7) is None


def test_zones_are_filled_evenly_and_failed_ones_shunned() -> None:
    there = [{"availability_zone": "a"}, {"availability_zone": "a"}, {"availability_zone": "b"}]
    assert spread([4, 5, 6], ["a", "b", "c"], there, {}) == [("b", [5]), ("c", [4, 6])]
    assert spread([1, 2], ["a", "b"], [], {1: {"a"}}) == [("a", [2]), ("b", [1])]
    assert spread([1], ["a"], [], {1: {"a"}}) == [("a", [1])]
    assert spread([1, 2], [], there, {}) == [(None, [1, 2])]


def test_what_a_quota_message_says() -> None:
    said = "Quota exceeded for cores,instances: Requested 3, but already used 8 of 10 instances"
    assert quota_in(said) == {"resource": "instances", "requested": 3, "used": 8, "limit": 10}
    assert quota_in("Quota exceeded, too many key pairs.") is None


def test_console_lines_are_safe_to_show() -> None:
    assert clean("\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07text\r") == "red  text"
    assert len(clean("x" * 5000)) == 200


@pytest.mark.parametrize(
    ("groups", "launched_for", "belongs"),
    [
        (["ansible-batch-web", "default"], None, True),
        ([], "web", True),
        ([], "web2", False),
        (["default"], "web", False),
        ([], None, False),
    ],
)
def test_a_vm_without_any_group_yet_is_known_by_its_launch(
    groups: list[str], launched_for: str | None, belongs: bool
) -> None:
    token = record(launched_for, [1], None) if launched_for else "somebody-elses"
    assert is_of({"security_groups": groups, "client_token": token}, "web") is belongs
