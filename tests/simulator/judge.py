# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold after a schedule, and what is excused because the page about the guarantees says that nobody can."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.slots import claim
from faults.verdict import Sight, is_there
from faults.verdict import judge as verdict_of

from .scenarios import MARK, Scenario

if t.TYPE_CHECKING:
    from .cloud import SimulatedCloud
    from .play import Run, Stage

# Who shows the numbers of members with every VM.
KEEPS_NUMBERS = ("icehouse", "juno", "liberty", "ec2api")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """broken: promises that do not hold, in words; excused: what the page about the guarantees allows."""

    broken: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()


def members(servers: t.Iterable[dict[str, t.Any]], mark: str = MARK) -> list[str]:
    """The ids of the VMs that bear the mark and are there."""
    return [server["id"] for server in servers if mark in server["groups"] and is_there(server)]


def before(scenario: Scenario, cloud: SimulatedCloud, runs: t.Sequence[Run]) -> Verdict:
    """What must hold when the runs are over: no more members than anybody asked for, and what they told is true."""
    broken, excused = [], []
    surplus = len(members(cloud.servers())) - scenario.most
    if surplus > 0:
        # Runs on several machines both launch, and one that is cut short before it looked takes nothing back.
        cut_short = any(run.killed or not run.succeeded for run in runs) or bool(cloud.in_doubt)
        (excused if not scenario.alone and cut_short else broken).append(f"{surplus} VMs too many before the clean run")
    for number, run in enumerate(runs, 1):
        broken += [f"run {number}: {text}" for text in _told(scenario, cloud, run, len(runs))]
    if not cloud.in_doubt and not cloud.removed and not cloud.happened and not scenario.settings:
        broken += [
            f"run {number} failed although nothing had happened: {run.result['msg'] if run.result else 'killed'}"
            for number, run in enumerate(runs, 1)
            if not run.succeeded and not run.killed
        ]
    return Verdict(tuple(broken), tuple(excused))


def _told(scenario: Scenario, cloud: SimulatedCloud, run: Run, number: int) -> list[str]:
    """What is wrong with what a run told of itself."""
    if run.result is None:
        return []
    found = []
    text = json.dumps(run.result)
    if "A fault in nova_ec2.cloud" in text:
        found.append(str(run.result["msg"]))
    # Launches whose answer came, so that the run knew of them.
    launched = [
        server["id"]
        for server in cloud.servers()
        if cloud.asked_by.get(server["launched_by"]) is run.fiber and server["launched_by"] not in cloud.in_doubt
    ]
    untold = [value for value in launched if f'"{value}"' not in text]
    if untold:
        found.append(f"{', '.join(untold)} were launched and not told")
    alone = number == 1 and not cloud.removed and not cloud.happened and not cloud.late
    exact = run.wanted is not None and "min_count" not in scenario.runs[0].options
    if alone and run.succeeded and run.waits and exact and run.members != run.wanted:
        found.append(f"it succeeded, and there were {run.members} members instead of {run.wanted}")
    return found


def after(scenario: Scenario, stage: Stage, runs: t.Sequence[Run], clean: Run, earlier: Verdict) -> Verdict:
    """What must hold after the clean run: exactly the members that are wanted, and nobody else's VM touched."""
    cloud = stage.cloud
    broken, excused = list(earlier.broken), list(earlier.excused)
    if not clean.succeeded:
        broken.append(f"the clean run failed: {clean.result['msg'] if clean.result else 'no result'}")
    project = cloud.users[scenario.user]["tenant_id"]
    everybody = [server for tenant in cloud.users for server in cloud.servers(tenant)]
    there = [server for server in everybody if not server["deleted"]]
    gone = [server for server in everybody if server["deleted"]]
    state = {"servers": there, "gone": gone}
    seen = verdict_of(Sight(state, cloud.log(), project, MARK, scenario.wanted, stage.foreign, clean.succeeded))
    if seen.duplicates:
        # What arrives when the clean run on another machine is over, only the next run can see.
        late = any(fiber is run.fiber and run.machine != 0 for run in runs for fiber in cloud.late)
        (excused if late else broken).append(f"{seen.duplicates} duplicates")
    if seen.missing:
        broken.append(f"{seen.missing} missing after a clean run that succeeded")
    if seen.orphans:
        broken.append(f"orphans: {', '.join(seen.orphans)}")
    if seen.touched:
        broken.append(f"VMs of others touched: {', '.join(seen.touched)}")
    unaccounted = [value for value in seen.unaccounted if value not in cloud.removed]
    if unaccounted:
        broken.append(f"unaccounted: {', '.join(unaccounted)}")
    if scenario.addresses:
        addresses = _addresses(stage, runs)
        broken, excused = [*broken, *addresses.broken], [*excused, *addresses.excused]
    if clean.succeeded and clean.result is not None:
        broken += _numbers(stage, clean.result["instances"], seen.members)
        twice = _written_twice(stage, clean.result["instances"])
        # Of two machines that launch at the same time, each gives the numbers that it sees as free.
        (broken if scenario.alone or not cloud.happened else excused).extend(twice)
    return Verdict(tuple(broken), tuple(excused))


def _addresses(stage: Stage, runs: t.Sequence[Run]) -> Verdict:
    """What is wrong with the floating addresses: those of others are where they were, and none is left at nothing.

    A run that fails says which ones it has left. One that is killed between taking an address from its VM and releasing
    it cannot.
    """
    held, kept = stage.cloud.addresses(stage.scenario.user), stage.addresses
    moved = [f"address {ip} went from {at} to {held.get(ip)}" for ip, at in kept.items() if held.get(ip) != at]
    told = json.dumps([run.result for run in runs])
    free = [ip for ip, at in held.items() if at is None and ip not in kept and ip not in stage.cloud.set_free]
    left = [f"address {ip} is left at nothing" for ip in free if f'"{ip}"' not in told]
    if any(run.killed for run in runs):
        return Verdict(tuple(moved), tuple(left))
    return Verdict((*moved, *left))


def _numbers(stage: Stage, views: t.Sequence[dict[str, t.Any]], there: t.Sequence[str]) -> list[str]:
    """What is wrong with the numbers of the members."""
    found = []
    slots = {view["instance_id"]: view["slot"] for view in views}
    if sorted(slots) != sorted(there):
        found.append(f"the clean run told {', '.join(sorted(slots))}, and {', '.join(sorted(there))} are there")
    if len(set(slots.values())) != len(slots) or None in slots.values():
        found.append(f"numbers that are not one each: {slots}")
    if stage.profile in KEEPS_NUMBERS:
        moved = {value: slot for value, slot in stage.slots.items() if value in slots and slots[value] != slot}
        if moved:
            found.append(f"other numbers than before: {moved} became {[slots[value] for value in moved]}")
    return found


def _written_twice(stage: Stage, views: t.Sequence[dict[str, t.Any]]) -> list[str]:
    """What is wrong with the numbers that are written down in the launches."""
    told = {view["instance_id"]: view["slot"] for view in views}
    noted = {view["instance_id"]: claim(view) for view in views}
    return [f"numbers {told}, but {noted} are written down"] if stage.profile in KEEPS_NUMBERS and told != noted else []
