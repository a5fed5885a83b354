# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Carrying out steps on VMs: each request once, then looking at what came of it."""

from __future__ import annotations

import re
import typing as t

from .._api.connection import attempt
from .._api.errors import INSTANCE_GONE, NOT_SENT, REFUSED, WRONG_STATE, CloudError, may_pass
from .._resources.instances import list_instances
from .._resources.wait import insist, wait_for

SETTLE_SECONDS = 15.0
TERMINATE_ROUNDS = 3
# States that VMs may be leaving for another one.
MOVING = ("running", "stopped")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def start(connection: t.Any, ids: t.Sequence[str], patience: float, warn: t.Callable[[str], None]) -> None:
    """Start stopped VMs. patience: for how many seconds to go on while they are in the middle of something else."""
    _change(connection, "start", connection.start_instances, ids, "running", patience, warn)


def stop(connection: t.Any, ids: t.Sequence[str], patience: float, warn: t.Callable[[str], None]) -> None:
    """Stop running VMs, likewise."""
    _change(connection, "stop", connection.stop_instances, ids, "stopped", patience, warn)


def reboot(connection: t.Any, ids: t.Sequence[str], patience: float) -> None:
    """Reboot running VMs, likewise.

    Nova shows no trace of a reboot, so that a lost answer stays an error. What was refused is asked again only for VMs
    that certainly have not been rebooted.
    """
    rest = list(ids)

    def ask() -> None:
        attempt(f"reboot {_some(rest)}", connection.reboot_instances, list(rest))

    def passes(error: CloudError) -> bool:
        nonlocal rest
        if error.outcome != REFUSED or not WRONG_STATE.matches(error):
            return False
        rest = _not_rebooted(connection, rest, error)
        return bool(rest)

    insist(ask, passes, patience)


def _not_rebooted(connection: t.Any, ids: list[str], error: CloudError) -> list[str]:
    """Those of ids that a request which was refused has not rebooted; none if that cannot be told.

    ec2-api looks at all states first. Nova goes from one to the next, in the order of their parameters' names, and ends
    at the first that it refuses, which it calls by the UUID that is in its private name.
    """
    if len(ids) == 1 or error.error_code == "IncorrectInstanceState":
        return ids
    in_order = [ids[number - 1] for number in sorted(range(1, len(ids) + 1), key=str)]
    names = {view["instance_id"]: view["private_dns_name"] or "" for view in list_instances(connection).views}
    refused = UUID.search(error.cloud_message)
    for at, value in enumerate(in_order):
        if refused and names.get(value, "").endswith(refused[0]):
            return in_order[at:]
    return []


def terminate(connection: t.Any, ids: t.Sequence[str], warn: t.Callable[[str], None]) -> None:
    """Terminate VMs; those that are gone already are left out, because one of them would make the rest fail."""
    rest = list(ids)
    for _round in range(TERMINATE_ROUNDS):
        try:
            attempt(f"terminate {_some(rest)}", connection.terminate_instances, rest)
            return
        except CloudError as error:
            if error.outcome == NOT_SENT or (error.outcome == REFUSED and not INSTANCE_GONE.matches(error)):
                raise
            lost = error
        if INSTANCE_GONE.matches(lost):
            # Every id is looked up before any is acted on, so nothing has been done yet.
            there = {view["instance_id"] for view in list_instances(connection).views}
            rest = [value for value in rest if value in there]
            if not rest:
                return
        else:
            _settled(connection, rest, None, lost, warn)
            return
    raise lost


def _change(
    connection: t.Any,
    verb: str,
    call: t.Callable[..., t.Any],
    ids: t.Sequence[str],
    wanted: str,
    patience: float,
    warn: t.Callable[[str], None],
) -> None:
    """Ask for a state; an answer that leaves open what was done is settled by looking.

    What is refused because a VM is in the middle of something, such as a reboot, is asked again of those that do not
    show the state, until patience is over.
    """
    rest: list[str] = list(ids)
    refused: CloudError | None = None

    def ask() -> None:
        if refused is not None:
            states = {view["instance_id"]: view["state"] for view in list_instances(connection).views}
            rest[:] = [value for value in rest if states.get(value) != wanted]
            stuck = [f"{value} is {states.get(value, 'gone')}" for value in rest if states.get(value) not in MOVING]
            if stuck:
                refused.message += f" Meanwhile {', '.join(stuck)}. Nothing else was sent; run the task again."
                raise refused
            if not rest:
                warn(f"{refused.message} It was done all the same.")
                return
        attempt(f"{verb} {_some(rest)}", call, list(rest))

    def passes(error: CloudError) -> bool:
        nonlocal refused
        seen, refused = refused, error
        return error is not seen and may_pass(error, WRONG_STATE)

    try:
        insist(ask, passes, patience)
    except CloudError as error:
        if may_pass(error, WRONG_STATE):
            if error is refused:
                raise
            error.message += f" That did not pass within {patience:g} s. Nothing else was sent; run the task again."
            raise
        if error.outcome in (NOT_SENT, REFUSED):
            raise
        _settled(connection, rest, wanted, error, warn)


def _settled(
    connection: t.Any, ids: t.Sequence[str], wanted: str | None, error: CloudError, warn: t.Callable[[str], None]
) -> None:
    """Return if all VMs come to the state although the request failed; raise its error if not.

    ec2-api goes from one VM to the next inside the request, so it is looked for as long as any of them comes.
    """
    left = len(ids)
    while left:
        try:
            wait_for(connection, ids, wanted, SETTLE_SECONDS, option="")
            left = 0
        except CloudError as unsettled:
            views = unsettled.details.get("instances", ())
            before, left = left, sum(view["state"] != wanted for view in views)
            if not 0 < left < before:
                error.message += f" {unsettled.message} Nothing was sent again."
                raise error from unsettled
    warn(f"{error.message} It was done all the same.")


def _some(ids: t.Sequence[str]) -> str:
    return f"{len(ids)} VMs ({', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''})" if len(ids) > 1 else ids[0]
