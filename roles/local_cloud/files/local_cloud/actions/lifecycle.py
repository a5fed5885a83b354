# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, Stop, Reboot and TerminateInstances. All ids are looked up before anything is done."""

from __future__ import annotations

from typing import Any, Callable

from .. import servers
from ..errors import NovaError
from ..model import Server
from ..state import Cloud
from .call import Call
from .registry import action

_TERMINATED = (48, "terminated")
_SHUTTING_DOWN = (32, "shutting-down")
_ACTS: dict[str, Callable[[Cloud, Server], None]] = {
    "reboot": servers.reboot,
    "start": servers.start,
    "stop": servers.stop,
}
# States from which ec2-api passes a reboot on.
_REBOOTABLE = ("active", "stopped", "paused", "suspended", "error")


@action(also="force", required="instance_id")
def stop_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Stop servers; a wrong state half way leaves the earlier ones acted on."""
    return _act(call, instance_id, "stop", call.profile.stop_from, (64, "stopping"))


@action(required="instance_id")
def start_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Start stopped servers."""
    return _act(call, instance_id, "start", ("stopped",), (0, "pending"))


@action(required="instance_id")
def reboot_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Reboot servers, always the hard way."""
    chosen = [call.server(one) for one in instance_id]
    _check_first(call, chosen, _REBOOTABLE)
    for server in chosen:
        _guarded(call, "reboot", server)
    return {"return": True}


@action(required="instance_id")
def terminate_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete servers. They mostly still read as before, until they are gone."""
    changes = []
    if call.profile.ec2api:
        instance_id = list(dict.fromkeys(instance_id))
    gone = {one: call.cloud.unlisted[one] for one in instance_id if _gone_unnoticed(call, one)}
    for typed, server in [(one, gone.get(one) or call.server(one)) for one in instance_id]:
        if typed in gone:
            changes.append(_change(typed, _TERMINATED, _TERMINATED))
            continue
        before = servers.visible_state(server)
        servers.terminate(call.cloud, server)
        changes.append(_change(typed, before, _after(call, server)))
    return {"instancesSet": changes}


def _gone_unnoticed(call: Call, ec2_id: Any) -> bool:
    """Whether ec2-api still has a server that Nova has no more, because nobody has listed it since."""
    server = call.cloud.unlisted.get(ec2_id)
    return server is not None and server.tenant_id == call.tenant


def _act(call: Call, ids: Any, verb: str, allowed: tuple[str, ...], current: tuple[int, str]) -> dict[str, Any]:
    changes = []
    chosen = [(one, call.server(one)) for one in ids]
    _check_first(call, [server for _typed, server in chosen], allowed)
    for typed, server in chosen:
        before = servers.visible_state(server)
        _guarded(call, verb, server)
        changes.append(_change(typed, before, current))
    return {"instancesSet": changes} if call.profile.reports_changes else {"return": True}


def _check_first(call: Call, chosen: list[Server], allowed: tuple[str, ...]) -> None:
    """Look at the states of all servers before anything is done, as ec2-api does, in the order of their ids."""
    for server in sorted(chosen, key=lambda one: one.ec2_id) if call.profile.ec2api else []:
        if server.state not in allowed:
            raise NovaError("InstanceInvalidState", "", server.ec2_id)


def _guarded(call: Call, verb: str, server: Server) -> None:
    try:
        _ACTS[verb](call.cloud, server)
    except NovaError as problem:
        if not call.profile.ec2api or problem.kind != "InstanceInvalidState":
            raise
        # What Nova refuses after all comes through with its own words.
        what = f"task_state {server.task}" if server.task else f"vm_state {server.state}"
        text = f"Cannot '{verb}' instance {server.uuid} while it is in {what}"
        raise NovaError("Conflict", text) from None


def _after(call: Call, server: Server) -> tuple[int, str]:
    if server.deleted is None:
        return servers.visible_state(server)
    return _SHUTTING_DOWN if call.profile.gone_state == "shutting-down" else _TERMINATED


def _change(ec2_id: str, before: tuple[int, str], after: tuple[int, str]) -> dict[str, Any]:
    return {
        "instanceId": ec2_id,
        "currentState": {"code": after[0], "name": after[1]},
        "previousState": {"code": before[0], "name": before[1]},
    }
