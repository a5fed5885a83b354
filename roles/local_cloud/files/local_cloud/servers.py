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
    "deleted": (32, "shutting-down"),  # only ec2-api shows it, until the row is gone
}
# The steps of a build that ec2-api lets clients see: what follows a task, and the share of the time that it takes.
_BUILD_STEPS: dict[str, tuple[str, float]] = {"scheduling": ("networking", 0.25), "networking": ("spawning", 0.5)}
_FIRST_STEP = 0.25
_LEAVING_STEP = 1 / 3
# Tasks of a server that has no port yet.
_PORTLESS = ("scheduling", "networking")


def visible_state(server: Server) -> tuple[int, str]:
    """Return code and name of the state that clients see. Unknown states show raw with code 0."""
    return _STATES.get(server.state, (0, server.state))


def has_port(server: Server) -> bool:
    """Whether the server has its port on the network, which ec2-api tells security groups and addresses from."""
    return server.state != "deleted" and not (server.state == "building" and server.task in _PORTLESS)


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
    if cloud.profile.ec2api:
        if server.task != "deleting":
            begin(cloud, server, "deleting", "deleted", cloud.settings.action_seconds * _LEAVING_STEP)
        return
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
    elif cloud.profile.ec2api and settings.boot_seconds > 0:
        begin(cloud, server, "scheduling", "active", settings.boot_seconds * _FIRST_STEP)
    else:
        begin(cloud, server, "spawning", "active", settings.boot_seconds)


def begin(cloud: Cloud, server: Server, task: str, outcome: str, seconds: float, since: float | None = None) -> None:
    """Give the server a task that ends in the state ``outcome`` after ``seconds``, counted from now or ``since``."""
    server.task = task
    server.outcome = outcome
    cloud.schedule(server, seconds, since)


def finish(cloud: Cloud, server: Server) -> None:
    """End the task of a server whose time has come."""
    if cloud.profile.ec2api and _next_step(cloud, server):
        return
    if server.outcome == "deleted":
        cloud.forget(server)
        return
    if server.state == "building" and server.outcome == "active":
        settle(cloud, server)
    server.state = server.outcome
    server.task = None
    server.due = None


def _next_step(cloud: Cloud, server: Server) -> bool:
    """Begin the next of the steps that ec2-api shows; False if there is none."""
    if server.outcome == "deleted" and server.state != "deleted":
        server.state = "deleted"
        begin(cloud, server, "deleting", "deleted", cloud.settings.action_seconds * (1 - _LEAVING_STEP), server.due)
        return True
    if server.outcome == "active" and server.state == "building" and server.task in _BUILD_STEPS:
        task, share = _BUILD_STEPS[server.task]
        begin(cloud, server, task, "active", cloud.settings.boot_seconds * share, server.due)
        return True
    return False


def settle(cloud: Cloud, server: Server) -> None:
    """Put a built server on its host and network."""
    server.host = HOST
    server.fixed_ip = cloud.next_fixed_ip()
    server.root_device = cloud.profile.root_device_after_boot
