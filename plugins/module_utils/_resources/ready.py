# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Waiting until VMs can be used: they run, they have an address, and an SSH server answers there."""

from __future__ import annotations

import selectors
import socket
import time
import typing as t

from .._api.errors import CloudError
from .instances import host_of
from .wait import polls

View = dict[str, t.Any]

GREETING = b"SSH-"
# A server greets as soon as it is connected to.
ANSWER_SECONDS = 3.0
# How many connections are tried at the same time: fewer than a process may usually have files open.
AT_ONCE = 200
GOALS = {
    "running": "running",
    "address": "running with an address",
    "ssh": "running with an SSH server that answers on port {port}",
}


def wait_until_ready(look: t.Callable[[], list[View]], goal: str, port: int, timeout: float) -> list[View]:
    """Look until all VMs are as goal (a key of GOALS) wants; return them. timeout: seconds.

    Every look is one call; connections are tried to all VMs at once. Raises CloudError with the VMs seen last as
    details ``instances`` if one has failed, or when time is up.
    """
    deadline = time.monotonic() + timeout
    views, last = look(), False
    answered: set[str | None] = set()
    late: t.Iterator[bool] | None = None
    while True:
        failed = [view for view in views if view["state"] == "error"]
        if failed:
            shown = ", ".join(view["instance_id"] for view in failed)
            raise CloudError(f"These VMs have failed, and will not be {_words(goal, port)}: {shown}.", instances=views)
        if goal == "ssh":
            hosts = {host_of(view) for view in views if view["state"] == "running"} - answered
            answered |= answering([host for host in hosts if host is not None], port)
        missing = [view for view in views if not _is_ready(view, goal, answered)]
        if not missing:
            return views
        # Trying connections takes its time too.
        if last or time.monotonic() >= deadline:
            raise CloudError(
                f"After {timeout:g} s (wait_timeout), {len(missing)} of {len(views)} VMs are not {_words(goal, port)}: "
                f"{', '.join(map(_shown, missing[:20]))}. {_advice(goal, missing)}",
                instances=views,
            )
        late = late or polls(len(views), deadline - time.monotonic())
        last = next(late, True)
        views = look()


def answering(hosts: t.Collection[str], port: int) -> set[str]:
    """Those of hosts (addresses) where an SSH server greets; nothing is sent to it."""
    return _tried(hosts, port, selectors.EVENT_READ, _greets)


def open_at(hosts: t.Collection[str], port: int) -> set[str]:
    """Those of hosts (addresses) that take a connection at port; nothing is sent."""
    return _tried(hosts, port, selectors.EVENT_WRITE, _connected)


def _tried(hosts: t.Collection[str], port: int, event: int, good: t.Callable[[socket.socket], bool]) -> set[str]:
    left, found = sorted(hosts), set()
    while left:
        found |= _tried_at_once(left[:AT_ONCE], port, event, good)
        left = left[AT_ONCE:]
    return found


def _tried_at_once(hosts: t.Sequence[str], port: int, event: int, good: t.Callable[[socket.socket], bool]) -> set[str]:
    found: set[str] = set()
    with selectors.DefaultSelector() as selector:
        for host in hosts:
            connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            connection.setblocking(False)
            connection.connect_ex((host, port))
            selector.register(connection, event, host)
        deadline = time.monotonic() + ANSWER_SECONDS
        while selector.get_map() and time.monotonic() < deadline:
            for key, _events in selector.select(deadline - time.monotonic()):
                if good(t.cast("socket.socket", key.fileobj)):
                    found.add(key.data)
                selector.unregister(key.fileobj)
                t.cast("socket.socket", key.fileobj).close()
        for key in list(selector.get_map().values()):
            t.cast("socket.socket", key.fileobj).close()
    return found


def _greets(connection: socket.socket) -> bool:
    try:
        return connection.recv(len(GREETING)) == GREETING
    except OSError:
        return False


def _connected(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def _is_ready(view: View, goal: str, answered: t.Container[str | None]) -> bool:
    if view["state"] != "running":
        return False
    host = host_of(view)
    return goal == "running" or (host is not None and (goal == "address" or host in answered))


def _words(goal: str, port: int) -> str:
    return GOALS[goal].format(port=port)


def _shown(view: View) -> str:
    return f"{view['instance_id']} ({view['state']}, {host_of(view) or 'no address'})"


def _advice(goal: str, missing: t.Sequence[View]) -> str:
    if goal == "ssh" and all(view["state"] == "running" and host_of(view) for view in missing):
        return (
            "See what they print with the module console_info, and whether their security groups let this machine in. "
            "They may still be booting; run the task again to wait on."
        )
    return "They go on by themselves; run the task again to wait on."
