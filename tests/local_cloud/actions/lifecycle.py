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


@action(also="force", required="instance_id")
def stop_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Stop servers; a wrong state half way leaves the earlier ones acted on."""
    return _act(call, instance_id, servers.stop, (64, "stopping"))


@action(required="instance_id")
def start_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Start stopped servers."""
    return _act(call, instance_id, servers.start, (0, "pending"))


@action(required="instance_id")
def reboot_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Reboot servers, always the hard way."""
    for server in [call.server(one) for one in instance_id]:
        servers.reboot(call.cloud, server)
    return {"return": True}


@action(required="instance_id")
def terminate_instances(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete servers. They mostly still read as before, until they are gone."""
    changes = []
    for typed, server in [(one, call.server(one)) for one in instance_id]:
        before = servers.visible_state(server)
        servers.terminate(call.cloud, server)
        changes.append(_change(typed, before, _after(call, server)))
    return {"instancesSet": changes}


def _act(call: Call, ids: Any, act: Callable[[Cloud, Server], None], current: tuple[int, str]) -> dict[str, Any]:
    changes = []
    chosen = [(one, call.server(one)) for one in ids]
    for typed, server in chosen:
        before = servers.visible_state(server)
        _guarded(call, act, server)
        changes.append(_change(typed, before, current))
    return {"instancesSet": changes} if call.profile.reports_changes else {"return": True}


def _guarded(call: Call, act: Callable[[Cloud, Server], None], server: Server) -> None:
    try:
        act(call.cloud, server)
    except NovaError as problem:
        if not call.profile.ec2api or problem.kind != "InstanceInvalidState":
            raise
        # ec2-api tells its own id and not Nova's.
        raise NovaError(problem.kind, problem.message.replace(server.uuid, server.ec2_id)) from None


def _after(call: Call, server: Server) -> tuple[int, str]:
    if server.deleted is None and not call.profile.ec2api:
        return servers.visible_state(server)
    if server.deleted is None:
        return _SHUTTING_DOWN
    return _SHUTTING_DOWN if call.profile.gone_state == "shutting-down" else _TERMINATED


def _change(ec2_id: str, before: tuple[int, str], after: tuple[int, str]) -> dict[str, Any]:
    return {
        "instanceId": ec2_id,
        "currentState": {"code": after[0], "name": after[1]},
        "previousState": {"code": before[0], "name": before[1]},
    }
