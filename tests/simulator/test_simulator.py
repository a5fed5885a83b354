# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing that goes wrong with one request doubles a batch, loses a member or touches a VM of others; nor do three."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.wire import Wire

from simulator import mutants
from simulator.choices import Choices, read
from simulator.explore import Figures, on
from simulator.play import Stage, play
from simulator.scenarios import ALL, BY_NAME, PROFILES, Scenario

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRAWN = 5000
SEED = 1


def told(figures: Figures) -> str:
    """All that was found, each with the line that replays it."""
    return "\n" + "\n".join(f"python -m tests.simulator --replay {found}" for found in figures.found)


def on_profile(profile: str) -> list[Scenario]:
    """The scenarios that are played on a profile."""
    return [scenario for scenario in ALL if profile in scenario.profiles]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_schedule_with_one_deviation_keeps_all_promises(profile: str, figure: t.Callable[[str], None]) -> None:
    figures = Figures()
    for scenario in on_profile(profile):
        figures.add(on(scenario, profile, lambda walk: walk.exhaust(1), keep_going=True))
    figure(f"simulator, one deviation, {profile}: {figures}")
    assert figures.schedules > 1000 and figures.excused < figures.schedules / 20
    assert figures.found == [], told(figures)


@pytest.mark.parametrize("profile", PROFILES)
def test_drawn_schedules_keep_all_promises(profile: str, figure: t.Callable[[str], None]) -> None:
    figures = Figures()
    each = -(-DRAWN // (len(PROFILES) * len(ALL)))
    for scenario in on_profile(profile):
        seed = f"{SEED}/{profile}/{scenario.name}"
        figures.add(on(scenario, profile, lambda walk, seed=seed: walk.draw(seed, each, 3), keep_going=True))
    figure(f"simulator, drawn, {profile}: {figures}")
    assert figures.schedules == each * len(on_profile(profile)) and sum(figures.deviations.values()) > figures.schedules
    assert figures.found == [], told(figures)


@pytest.mark.parametrize("name", mutants.ALL)
def test_a_fault_planted_in_the_engine_is_found(name: str, figure: t.Callable[[str], None]) -> None:
    with mutants.planted(name) as mutant:
        for scenario in mutant.scenarios:
            figures = on(BY_NAME[scenario], "liberty", lambda walk: walk.exhaust(1))
            if figures.found:
                break
    assert figures.found, f"not found: {mutant.says}"
    line = figures.found[0].line
    figure(f"mutant {name} ({mutant.says}): found after {figures.schedules} schedules, shortest {line}")


@pytest.mark.parametrize(
    "line", ["quota/4:9,7:9", "quota/4:9,5:1", "quota/1:9,2:3", "quota/1:10,2:16", "roll-with-addresses/24:1"]
)
def test_what_was_hard_to_find_stays_mended(line: str) -> None:
    """VMs that ec2-api shows as shutting-down count for the quota: nothing is launched in their place before."""
    scenario, _slash, chosen = line.partition("/")
    stage = Stage(BY_NAME[scenario], "ec2api")
    try:
        assert play(stage, Choices(read(chosen))).broken == ()
    finally:
        stage.close()


def test_a_schedule_replays_exactly_whatever_the_process() -> None:
    line = "ec2api/twice-on-two-machines/4:3,9:1"
    said = {_replayed(line, seed) for seed in ("1", "2")}
    assert len(said) == 1 and "RunInstances" in said.pop()


def test_the_two_ends_of_the_wire_agree() -> None:
    """What takes the place of Wire.exchange here does what http.client and the cloud of the module tests do."""
    exchange = Wire.exchange
    for scenario in ALL:
        stage = Stage(scenario, "juno")
        try:
            assert play(stage, Choices({})).broken == ()
            short = _requests(stage)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("simulator.play._exchange", lambda cloud: exchange)
                assert play(stage, Choices({})).broken == ()
            assert _requests(stage) == short
        finally:
            stage.close()


def _requests(stage: Stage) -> list[tuple[str, list[str]]]:
    return [(entry["action"], sorted(entry["params"])) for entry in stage.cloud.log()]


def _replayed(line: str, hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulator", "--replay", line],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout
