# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the local cloud itself says came of a schedule, and which promises that breaks. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

READS = ("Describe", "Get")


@dataclasses.dataclass(frozen=True)
class Sight:
    """What is judged.

    ``state`` is the answer to GET /state and ``log`` the requests of GET /log. ``foreign`` holds for every VM that was
    made behind the API the state that it must be in, and None for those terminated there. ``wanted`` is how many
    members there shall be; ``clean`` whether the clean run said that this is so.
    """

    state: dict[str, t.Any]
    log: list[dict[str, t.Any]]
    project: str
    mark: str
    wanted: int
    foreign: dict[str, str | None]
    clean: bool


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The ids of VMs by what is wrong with them; duplicates and missing are numbers of VMs."""

    members: tuple[str, ...]
    duplicates: int
    missing: int
    orphans: tuple[str, ...]
    touched: tuple[str, ...]
    unaccounted: tuple[str, ...]

    @property
    def broken(self) -> list[str]:
        """What is wrong, in words."""
        found = [f"{self.duplicates} duplicates"] if self.duplicates else []
        found += [f"{self.missing} missing after a clean run that succeeded"] if self.missing else []
        for name in ("orphans", "touched", "unaccounted"):
            ids = getattr(self, name)
            found += [f"{len(ids)} {name} ({', '.join(ids)})"] if ids else []
        return found


def judge(sight: Sight) -> Verdict:
    """The verdict on a batch of the module."""
    launched = [server for server in _launched(sight) if sight.mark in server["groups"]]
    members = [server["id"] for server in launched if is_there(server)]
    terminated = mutated_ids(sight.log, "TerminateInstances")
    unaccounted = [server["id"] for server in launched if not is_there(server) and server["id"] not in terminated]
    return Verdict(
        members=tuple(members),
        duplicates=max(0, len(members) - sight.wanted),
        missing=max(0, sight.wanted - len(members)) if sight.clean else 0,
        orphans=tuple(server["id"] for server in _launched(sight) if sight.mark not in server["groups"]),
        touched=_touched(sight),
        unaccounted=tuple(unaccounted),
    )


def judge_naive(sight: Sight, tag: str | None) -> Verdict:
    """The verdict on the naive launcher: all that it launched counts. tag: what its VMs should bear, if anything."""
    launched = [server for server in _launched(sight) if is_there(server)]
    terminated = mutated_ids(sight.log, "TerminateInstances")
    gone = [server["id"] for server in _launched(sight) if not is_there(server)]
    return Verdict(
        members=tuple(server["id"] for server in launched),
        duplicates=max(0, len(launched) - sight.wanted),
        missing=max(0, sight.wanted - len(launched)) if sight.clean else 0,
        orphans=tuple(server["id"] for server in launched if tag and tag not in server["tags"]),
        touched=_touched(sight),
        unaccounted=tuple(value for value in gone if value not in terminated),
    )


def is_there(server: dict[str, t.Any]) -> bool:
    """Whether a server is neither deleted nor being deleted."""
    return not server["deleted"] and server["vm_state"] != "deleted" and server["task"] != "deleting"


def mutated_ids(log: t.Iterable[dict[str, t.Any]], action: str | None = None) -> set[str]:
    """Every value that requests (of an action, or all that change something) named: ids of VMs are among them."""
    return {
        str(value)
        for entry in log
        if (entry["action"] == action if action else not str(entry["action"]).startswith(READS))
        for value in entry["params"].values()
    }


def _launched(sight: Sight) -> list[dict[str, t.Any]]:
    """The project's VMs, of now and before, that came over the API."""
    every = [*sight.state["servers"], *sight.state["gone"]]
    return [server for server in every if server["tenant"] == sight.project and server["launched_by"] is not None]


def _touched(sight: Sight) -> tuple[str, ...]:
    """Foreign VMs that are not as they were left, or that a request named which changes something."""
    there = {server["id"]: server for server in sight.state["servers"]}
    named = mutated_ids(sight.log)
    return tuple(
        sorted(value for value, state in sight.foreign.items() if value in named or _moved(there, value, state))
    )


def _moved(there: dict[str, dict[str, t.Any]], value: str, state: str | None) -> bool:
    if state is None:
        return value in there
    server = there.get(value)
    return server is None or server["vm_state"] != state or server["task"] is not None
