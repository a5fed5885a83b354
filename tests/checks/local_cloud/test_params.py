# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How values are guessed and lists nested."""

from __future__ import annotations

from typing import Any

import pytest
from local_cloud.params import guess, nest, snake_case


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("None", None),
        ("none", "none"),
        ("TRUE", True),
        ("0123", 83),
        ("089", 89),
        ("0x1f", 31),
        ("-0x1f", -31),
        ("0b101", 5),
        ("  7", 7),
        ("+5", 5),
        ("1e3", 1000.0),
        ("0.00000001", 0),
        ("1_000", "1_000"),
        ("i-00000001", "i-00000001"),
    ],
)
def test_guess(text: str, value: Any) -> None:
    """Each form becomes what the server takes it for."""
    assert guess(text) == value
    assert type(guess(text)) is type(value)


def test_underscores_count_where_the_server_runs_on_python_3() -> None:
    """The stand-alone service reads more forms of numbers."""
    assert guess("1_000", underscores=True) == 1000


def test_lists_are_ordered_by_the_text_of_their_numbers() -> None:
    """Ten comes before two."""
    flat = {f"InstanceId.{number}": f"i-{number}" for number in (1, 2, 10, 11)}
    assert nest(flat) == {"instance_id": ["i-1", "i-10", "i-11", "i-2"]}


def test_deeper_numbers_stay_maps() -> None:
    """Only the topmost level turns into a list."""
    assert nest({"Filter.1.Value.1": "x", "Filter.1.Name": "n"}) == {"filter": [{"value": {"1": "x"}, "name": "n"}]}


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("DescribeInstancesV6", "describe_instances_v6"),
        ("describeRegions", "describe_regions"),
        ("ImageId", "image_id"),
    ],
)
def test_snake_case(name: str, snake: str) -> None:
    """Action names lead to functions."""
    assert snake_case(name) == snake
