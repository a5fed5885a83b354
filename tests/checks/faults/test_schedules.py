# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules are drawn from seed and number alone, and hold what they shall hold."""

from __future__ import annotations

import dataclasses
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from faults.schedule import ACTIONS, KINDS, LARGEST, PROFILES, derive
from local_cloud.faults import KINDS as KNOWN

MANY = [derive(1, number) for number in range(400)]


def test_the_same_seed_and_number_give_the_same_schedule() -> None:
    assert [derive(1, number) for number in range(400)] == MANY
    assert derive(2, 0) != derive(1, 0)
    assert len({dataclasses.replace(schedule, number=0, profile="") for schedule in MANY}) == len(MANY)


def test_the_choice_of_a_profile_changes_nothing_else() -> None:
    assert [schedule.profile for schedule in MANY[: len(PROFILES)]] == list(PROFILES)
    assert dataclasses.replace(derive(1, 3, "havana"), profile=derive(1, 3).profile) == derive(1, 3)


def test_all_kinds_of_faults_and_actions_are_drawn_and_known_to_the_cloud() -> None:
    faults = [fault for schedule in MANY for moment in schedule.moments for fault in moment.faults]
    assert {fault.kind for fault in faults} == set(KINDS) <= set(KNOWN)
    assert {fault.action for fault in faults} == set(ACTIONS)
    assert {fault.times for fault in faults} == {1, 2, 3} and {fault.skip for fault in faults} == {0, 1, 2}


def test_numbers_are_within_their_limits() -> None:
    for schedule in MANY:
        moments = schedule.moments
        assert 0 <= schedule.first <= LARGEST and 1 <= schedule.wanted <= LARGEST and 1 <= len(moments) <= 3
        assert moments[-1].count == schedule.wanted
        for moment in moments:
            assert 1 <= len(moment.runs) <= 3 and moment.runs[0].start == 0.0
            assert all(2 <= run.read_timeout <= 3 for run in moment.runs)


def test_builds_fail_and_batches_shrink_to_less_than_half() -> None:
    assert any(moment.failing_builds for schedule in MANY for moment in schedule.moments)
    assert any(2 * schedule.wanted < schedule.first for schedule in MANY)


def test_a_clean_run_begins_at_once_only_after_runs_on_its_own_machine() -> None:
    hasty = [schedule for schedule in MANY if schedule.at_once]
    assert len(MANY) / 5 < len(hasty) < len(MANY) / 2
    assert {run.home for schedule in hasty for moment in schedule.moments for run in moment.runs} == {0}
    assert all(schedule.moments[-1].faults[0].kind in ("late", "delay") for schedule in hasty)
