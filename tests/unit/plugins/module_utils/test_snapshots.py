# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshot is young enough, sound, and of the right description."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.snapshots import matches


def snapshot(minutes_old: float, state: str = "completed", description: str | None = "day") -> dict[str, t.Any]:
    begun = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes_old)
    return {"state": state, "description": description, "start_time": begun.strftime("%Y-%m-%dT%H:%M:%SZ")}


@pytest.mark.parametrize(
    ("made", "description", "minutes", "wanted"),
    [
        ({"minutes_old": 59}, None, 60, True),
        ({"minutes_old": 61}, None, 60, False),
        ({"minutes_old": -10}, None, 60, True),  # the cloud's clock is ahead
        ({"minutes_old": 61}, "day", None, True),
        ({"minutes_old": 1}, "night", 60, False),
        ({"minutes_old": 1, "description": None}, "day", 60, False),
        ({"minutes_old": 1, "state": "pending"}, "day", 60, True),
        ({"minutes_old": 1, "state": "error"}, "day", 60, False),
    ],
)
def test_what_a_task_asks_for(
    made: dict[str, t.Any], description: str | None, minutes: int | None, wanted: bool
) -> None:
    assert matches(snapshot(**made), description, minutes) is wanted


def test_a_snapshot_of_an_unknown_time_is_never_young_enough() -> None:
    assert matches({**snapshot(1), "start_time": None}, None, 60) is False
