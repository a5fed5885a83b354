# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud that asks the choices what becomes of each request, and of whoever sent it."""

from __future__ import annotations

import dataclasses
import http.client
import json
import pathlib
import typing as t

import greenlet
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import wire as _wire
from local_cloud import control, dispatch, faults, files, spoil, transport
from local_cloud.journal import Journal
from local_cloud.state import Settings
from virtual.cloud import LATENCY, VirtualCloud
from virtual.world import Killed, World

from .choices import Choices
from .scenarios import MARK

BOOT_SECONDS = 2.0
ACTION_SECONDS = 1.5
SLOW_SECONDS = 3.0
LATE_SECONDS = 5.0
# Still within what the guarantees allow for a request to arrive: 30 s.
VERY_LATE_SECONDS = 25.0

# The same in every process, so that a schedule replays to the letter.
USERS = {
    name: {"tenant": tenant, **{field: f"{field}-of-{name}" for field in ("tenant_id", "user_id", "access", "secret")}}
    for name, tenant in {"demo": "demo", "other": "other", "adminuser": "adminproj"}.items()
}

SURE = "answered"
HAPPENINGS = ("a member is terminated", "a member fails", "the quota is used up")
READ = (
    SURE, "lost", "slow", "no answer", "503", "garbage", "killed before", "killed meanwhile", *HAPPENINGS,
)  # fmt: skip
MUTATION = (
    SURE, "lost before", "lost after", "late", "very late", "503 after", "unknown error after", "garbage after",
    "503 instead", "slow", "slow answer", "no answer", "killed before", "killed, carried out",
    "killed, carried out late", *HAPPENINGS,
)  # fmt: skip
# What is spoilt of a reply, by the fate that does it.
SPOILT = {
    "503": "http_503",
    "503 instead": "http_503",
    "503 after": "http_503_after",
    "unknown error after": "unknown_error_after",
    "garbage": "garbage",
    "garbage after": "garbage",
}


class SimulatedCloud(VirtualCloud):
    """A cloud that is brought back to the beginning of a scenario for every schedule, in a world of its own."""

    choices: Choices | None = None

    def __init__(self, world: World, directory: pathlib.Path, profile: str) -> None:
        files.prepare(directory)
        files.write_private(directory / "users.json", json.dumps(USERS))
        super().__init__(world, directory, profile)
        # White space between elements is all that this leaves out, and half of the reading.
        self.inner.profile = dataclasses.replace(self.inner.profile, pretty=False)
        self.user = "demo"
        self.asked_by: dict[int, t.Any] = {}
        self.removed: set[str] = set()
        self.set_free: set[str] = set()
        self.late: set[t.Any] = set()
        self.in_doubt: set[int] = set()
        self.happened = 0

    def renew(self, world: World, choices: Choices, settings: t.Mapping[str, t.Any]) -> None:
        """Be as when saved, in another world."""
        self.world, self.choices = world, choices
        self.listen()
        self.inner.restore("first")
        self.inner.settings = settings_of(settings)
        # Other numbers than those of the requests that led to the beginning.
        self._journal = Journal(first=1000)
        self.asked_by, self.removed, self.late, self.in_doubt = {}, set(), set(), set()
        self.set_free = set()
        self.happened = 0

    def log(self) -> list[dict[str, t.Any]]:
        """All requests so far."""
        return self._journal.since(0)

    def servers(self, tenant: str = "") -> list[dict[str, t.Any]]:
        """The VMs that the user's project has, and those that it had."""
        project = self.users[tenant or self.user]["tenant_id"]
        there = [server for server in self.inner.servers.values() if not server.rolled_back]
        return [control.shown(one) for one in (*there, *self.inner.gone) if one.tenant_id == project]

    # What becomes of a request -----------------------------------------------------------------------------------

    def exchange(
        self, wire: t.Any, method: str, path: str, body: bytes, headers: t.Mapping[str, str], *, fresh: bool
    ) -> _wire.Reply:
        """What takes the place of Wire.exchange: the answer, or an exception, when it is due."""
        world = self.world
        world.alive()
        request = transport.request_of(method, path, dict(headers), body)
        action = request.params["Action"]
        reading = action.startswith(("Describe", "Get"))
        me = greenlet.getcurrent()
        fate = self.choices.choose(READ if reading else MUTATION) if self.choices else SURE
        if fate == "killed before":
            self._end(me)
        number = self._journal.received(transport.noted(self._service, request))
        self.asked_by[number] = me
        if fate in HAPPENINGS:
            self._happen(fate)
        elif fate != SURE:
            self.in_doubt.add(number)
        if fate.startswith("killed"):
            late = fate.endswith("late")
            self.late |= {me} if late else set()
            world.begin(lambda: self._carry_out(request, number), world.now + (LATE_SECONDS if late else LATENCY))
            self._end(me)
        if fate in ("late", "very late"):
            self.late.add(me)
            seconds = LATE_SECONDS if fate == "late" else VERY_LATE_SECONDS
            world.begin(lambda: self._carry_out(request, number), world.now + seconds)
        world.sleep(SLOW_SECONDS if fate == "slow" else LATENCY)
        reply = None
        if fate not in ("lost before", "late", "very late", "503", "503 instead"):
            reply = self._carry_out(request, number)
        return self._delivered(wire, fate, request, number, reply)

    def _carry_out(self, request: t.Any, number: int) -> dispatch.Reply:
        reply = self._service.handle(request, number)
        self._journal.answered(number, reply.status, reply.code, 0.0, reply.trace)
        return reply

    def _delivered(
        self, wire: t.Any, fate: str, request: t.Any, number: int, reply: dispatch.Reply | None
    ) -> _wire.Reply:
        if fate == "slow answer":
            self.world.sleep(SLOW_SECONDS)
        if fate == "no answer":
            self.world.sleep(wire.read_timeout)
            raise _lost(TimeoutError("timed out"), wire.read_timeout)
        if fate in ("lost", "lost before", "lost after", "late", "very late"):
            raise _lost(http.client.RemoteDisconnected("closed"), wire.read_timeout)
        if fate in SPOILT:
            fault = faults.Fault(SPOILT[fate])
            if fault.kind in faults.NOT_DONE:
                reply = spoil.refusal(self._service, request, fault)
            elif reply is not None:
                reply = spoil.spoilt(self._service, reply, fault)
        assert reply is not None
        wire.answered = True
        message = http.client.HTTPMessage()
        return _wire.Reply(reply.status, http.client.responses.get(reply.status, ""), message, reply.body)

    def _end(self, fiber: t.Any) -> None:
        self.world.killed.add(fiber)
        raise Killed

    def _happen(self, what: str) -> None:
        """Something that others do, or that nobody wanted."""
        self.happened += 1
        inner = self.inner
        inner.advance()
        project = self.users[self.user]["tenant_id"]
        members = [one for one in inner.servers_of(project) if MARK in one.groups and one.task != "deleting"]
        if what == "the quota is used up":
            inner.settings.quota_instances = len(inner.servers_of(project))
        elif members and what == "a member is terminated":
            self.removed.add(members[0].ec2_id)
            self.set_free |= set(inner.addresses_of(members[0]))
            inner.forget(members[0])
        elif members and what == "a member fails":
            members[0].state, members[0].task, members[0].due = "error", None, None


def settings_of(more: t.Mapping[str, t.Any]) -> Settings:
    """The cloud's settings in a scenario."""
    quotas = dict.fromkeys(("quota_instances", "quota_cores", "quota_ram", "quota_groups"), -1)
    return Settings(**{"boot_seconds": BOOT_SECONDS, "action_seconds": ACTION_SECONDS, **quotas, **more})


def _lost(cause: Exception, timeout: float) -> _wire.Lost:
    lost = _wire.Lost(_wire.describe(cause, timeout))
    lost.__cause__ = cause
    return lost
