# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a server: which states a client may see, what an action starts, and what the clock finishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import NovaError
from .model import Server

if TYPE_CHECKING:
    from .state import Cloud

HOST = "nova-local"
# What the scheduler needs to find that no host fits, in seconds.
NO_HOST_SECONDS = 0.2

_STATES: dict[str, tuple[int, str]] = {
    "building": (0, "pending"),
    "active": (16, "running"),
    "stopped": (80, "stopped"),
    "paused": (80, "pause"),
    "suspended": (80, "suspend"),
    "rescued": (16, "rescue"),
    "resized": (16, "resize"),
    "error": (0, "error"),
    "soft-delete": (48, "terminated"),
}


def visible_state(server: Server) -> tuple[int, str]:
    """Return code and name of the state that clients see. Unknown states show raw with code 0."""
    return _STATES.get(server.state, (0, server.state))


def check(server: Server, verb: str, allowed: tuple[str, ...], tasks: tuple[str, ...] = ()) -> None:
    """Refuse ``verb`` unless the server is in an ``allowed`` state and has no task but the given ones."""
    text = "Instance %s in %s %s. Cannot %s while the instance is in this state."
    if server.state not in allowed:
        raise NovaError("InstanceInvalidState", text % (server.uuid, "vm_state", server.state, verb))
    if server.task is not None and server.task not in tasks:
        raise NovaError("InstanceInvalidState", text % (server.uuid, "task_state", server.task, verb))


def require_host(server: Server) -> None:
    """Refuse an action on a server that no host has yet."""
    if server.host is None:
        raise NovaError("InstanceNotReady", f"Instance {server.uuid} is not ready")


def stop(cloud: Cloud, server: Server) -> None:
    """Begin to stop a server; it reads ``stopped`` when that is done."""
    check(server, "stop", cloud.profile.stop_from)
    require_host(server)
    begin(cloud, server, "powering-off", "stopped", cloud.settings.action_seconds)


def start(cloud: Cloud, server: Server) -> None:
    """Begin to start a stopped server."""
    check(server, "start", ("stopped",))
    require_host(server)
    begin(cloud, server, "powering-on", "active", cloud.settings.action_seconds)


def reboot(cloud: Cloud, server: Server) -> None:
    """Begin a hard reboot. Some generations show a stopped server as running from the first moment."""
    rebooting = ("rebooting_hard",) if cloud.profile.reboot_twice else ()
    check(server, "reboot", cloud.profile.reboot_from, rebooting)
    require_host(server)
    if cloud.profile.reboot_revives_at_once:
        server.state = "active"
    begin(cloud, server, "rebooting_hard", "active", cloud.settings.action_seconds)


def terminate(cloud: Cloud, server: Server) -> None:
    """Begin to delete a server; one that is on no host vanishes at once, and doing it twice is no error."""
    server.client_token = None
    if server.host is None:
        cloud.forget(server)
    elif server.task != "deleting":
        begin(cloud, server, "deleting", "deleted", cloud.settings.action_seconds)


def build(cloud: Cloud, server: Server, zone_known: bool) -> None:
    """Begin to build a new server. The settings may have it fail or stay pending for ever."""
    settings = cloud.settings
    if settings.stuck_builds:
        settings.stuck_builds -= 1
        return
    if not zone_known:
        begin(cloud, server, "scheduling", "error", min(NO_HOST_SECONDS, settings.boot_seconds))
    elif settings.fail_builds:
        settings.fail_builds -= 1
        begin(cloud, server, "scheduling", "error", settings.boot_seconds)
    else:
        begin(cloud, server, "spawning", "active", settings.boot_seconds)


def begin(cloud: Cloud, server: Server, task: str, outcome: str, seconds: float) -> None:
    """Give the server a task that ends in the state ``outcome`` after ``seconds``."""
    server.task = task
    server.outcome = outcome
    cloud.schedule(server, seconds)


def finish(cloud: Cloud, server: Server) -> None:
    """End the task of a server whose time has come."""
    if server.outcome == "deleted":
        cloud.forget(server)
        return
    if server.state == "building" and server.outcome == "active":
        settle(cloud, server)
    server.state = server.outcome
    server.task = None
    server.due = None


def settle(cloud: Cloud, server: Server) -> None:
    """Put a built server on its host and network."""
    server.host = HOST
    server.fixed_ip = cloud.next_fixed_ip()
    server.root_device = cloud.profile.root_device_after_boot
