# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Carrying out steps on VMs: each request once, then looking at what came of it."""

from __future__ import annotations

import typing as t

from ._connection import attempt
from ._errors import INSTANCE_GONE, NOT_SENT, REFUSED, WRONG_STATE, CloudError
from ._instances import list_instances
from ._wait import wait_for

SETTLE_SECONDS = 15.0
TERMINATE_ROUNDS = 3


def start(connection: t.Any, ids: t.Sequence[str], warn: t.Callable[[str], None]) -> None:
    """Start stopped VMs."""
    _change(connection, "start", connection.start_instances, ids, "running", warn)


def stop(connection: t.Any, ids: t.Sequence[str], warn: t.Callable[[str], None]) -> None:
    """Stop running VMs."""
    _change(connection, "stop", connection.stop_instances, ids, "stopped", warn)


def reboot(connection: t.Any, ids: t.Sequence[str]) -> None:
    """Reboot running VMs. Nova shows no trace of a reboot, so a lost answer stays an error."""
    attempt(f"reboot {_some(ids)}", connection.reboot_instances, list(ids))


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
    warn: t.Callable[[str], None],
) -> None:
    """Ask for a state; an answer that leaves open what was done is settled by looking."""
    try:
        attempt(f"{verb} {_some(ids)}", call, list(ids))
    except CloudError as error:
        if error.outcome == NOT_SENT or (error.outcome == REFUSED and not WRONG_STATE.matches(error)):
            raise
        _settled(connection, ids, wanted, error, warn)


def _settled(
    connection: t.Any, ids: t.Sequence[str], wanted: str | None, error: CloudError, warn: t.Callable[[str], None]
) -> None:
    """Return if all VMs come to the state although the request failed; raise its error if not."""
    try:
        wait_for(connection, ids, wanted, SETTLE_SECONDS, option="")
    except CloudError as unsettled:
        error.message += f" {unsettled.message} Nothing was sent again."
        raise error from unsettled
    warn(f"{error.message} It was done all the same.")


def _some(ids: t.Sequence[str]) -> str:
    return f"{len(ids)} VMs ({', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''})" if len(ids) > 1 else ids[0]
