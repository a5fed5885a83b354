# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults planted in the engine, one at a time. A simulator that does not find each of them proves nothing."""

from __future__ import annotations

import contextlib
import typing as t
from unittest import mock

from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch import cloud, plan, rules
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch import facts as _facts
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch import launch as _launch
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import instances as _instances
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import journal as _journal


class Mutant(t.NamedTuple):
    """What is wrong, where it shows (scenarios), and what plants it."""

    says: str
    scenarios: tuple[str, ...]
    plant: t.Callable[[], t.ContextManager[t.Any]]


def _sent_again() -> t.ContextManager[t.Any]:
    real = _launch.request

    def request(*args: t.Any) -> t.Any:
        try:
            return real(*args)
        except _launch.CloudError:
            return real(*args)

    return mock.patch.object(_launch, "request", request)


def _kept_surplus() -> t.ContextManager[t.Any]:
    return mock.patch.object(_facts.Facts, "surplus", 0)


def _everybodys() -> t.ContextManager[t.Any]:
    def own_only(connection: t.Any, listing: t.Any, chosen: t.Any) -> t.Any:
        return listing._replace(views=chosen)

    return mock.patch.object(_instances, "own_only", own_only)


def _journal_unread() -> t.ContextManager[t.Any]:
    return mock.patch.object(_journal.Journal, "cut_short", return_value=(0, [], 0.0))


def _journal_unwritten() -> t.ContextManager[t.Any]:
    return mock.patch.object(_journal.Journal, "expect", return_value=None)


def _pending_uncounted() -> t.ContextManager[t.Any]:
    real = cloud.members_of

    def members_of(connection: t.Any, batch: str) -> t.Any:
        found = real(connection, batch)
        return found._replace(views=[view for view in found.views if view["state"] != "pending"])

    return mock.patch.object(cloud, "members_of", members_of)


def _unmarked() -> t.ContextManager[t.Any]:
    return mock.patch.object(_launch, "mark_of", return_value="default")


def _slot_used_twice() -> t.ContextManager[t.Any]:
    return mock.patch.object(rules, "free", lambda taken, count: list(range(1, count + 1)))


def _not_looked_for() -> t.ContextManager[t.Any]:
    real = _facts.until_quiet

    def until_quiet(facts: t.Any, what: str, seconds: float, at_once: bool = False) -> t.Any:
        looked = facts.memory.waiting is not None and facts.memory.waiting.what == what
        return None if looked else real(facts, what, seconds, at_once)

    both = contextlib.ExitStack()
    for room in (_facts, rules):
        both.enter_context(mock.patch.object(room, "until_quiet", until_quiet))
    return both


def _no_lock() -> t.ContextManager[t.Any]:
    return mock.patch.object(_journal.Journal, "_lock", return_value=None)


def _departures_unnoted() -> t.ContextManager[t.Any]:
    return mock.patch.object(_journal.Journal, "leaving", return_value=None)


def _terminated_by_number() -> t.ContextManager[t.Any]:
    """The highest ids go, whoever made them."""
    real = cloud.Cloud.terminate

    def terminate(port: t.Any, ids: t.Sequence[str]) -> None:
        newest = [view["instance_id"] for view in _instances.list_instances(port.connection).views][-len(ids) :]
        real(port, newest)

    return mock.patch.object(cloud.Cloud, "terminate", terminate)


def _without(rule: t.Any) -> t.ContextManager[t.Any]:
    return mock.patch.object(rules, "RULES", tuple(one for one in rules.RULES if one is not rule))


def _going_not_awaited() -> t.ContextManager[t.Any]:
    return _without(rules.leaving_ones)


def _succeeds_regardless() -> t.ContextManager[t.Any]:
    return _without(rules.too_few)


def _addresses_left() -> t.ContextManager[t.Any]:
    return mock.patch.object(cloud.Cloud, "release_addresses", return_value=[])


def _ids_lost() -> t.ContextManager[t.Any]:
    """A failed run tells why, and no ids."""

    def carry_out(run: t.Any) -> dict[str, t.Any]:
        run._loop.carry_out(run._agreed)
        return t.cast("dict[str, t.Any]", run._outcome().result())

    return mock.patch.object(plan.Run, "_carry_out", carry_out)


ALL: dict[str, Mutant] = {
    "sent-again": Mutant("a launch is sent again after a lost answer", ("launch",), _sent_again),
    "surplus-kept": Mutant("what was launched twice is not taken back", ("twice-on-two-machines",), _kept_surplus),
    "everybodys": Mutant("another project's VMs are counted", ("as-administrator",), _everybodys),
    "journal-unread": Mutant("what was cut short is not read", ("launch-then-at-once",), _journal_unread),
    "journal-unwritten": Mutant(
        "a kill between launch and look leaves no note", ("launch-then-at-once",), _journal_unwritten
    ),
    "pending-uncounted": Mutant(
        "VMs that are being built are not counted", ("do-not-wait", "launch"), _pending_uncounted
    ),
    "unmarked": Mutant("a launch forgets the mark", ("launch",), _unmarked),
    "slot-used-twice": Mutant("a number is given that a member has", ("grow",), _slot_used_twice),
    "not-looked-for": Mutant(
        "VMs of a lost launch are looked for only once", ("launch-then-at-once",), _not_looked_for
    ),
    "no-lock": Mutant("runs on one machine do not wait for each other", ("twice-on-one-machine",), _no_lock),
    "departures-unnoted": Mutant(
        "what was told to terminate is not noted", ("shrink-then-grow-at-once",), _departures_unnoted
    ),
    "newest-terminated": Mutant("the newest VMs go, whoever made them", ("shrink",), _terminated_by_number),
    "going-not-awaited": Mutant(
        "others are launched before there is room", ("roll-with-addresses",), _going_not_awaited
    ),
    "succeeds-regardless": Mutant("a run with too few members succeeds", ("terminate-failed",), _succeeds_regardless),
    "addresses-left": Mutant(
        "the addresses of VMs that go stay with the project", ("shrink-with-addresses",), _addresses_left
    ),
    "ids-lost": Mutant("a failed run does not tell what it launched", ("chunks", "launch"), _ids_lost),
}
"""By name; at least those that once were, or nearly were, faults of this engine."""


@contextlib.contextmanager
def planted(name: str) -> t.Iterator[Mutant]:
    """Have a fault in the engine for a while."""
    with ALL[name].plant():
        yield ALL[name]
