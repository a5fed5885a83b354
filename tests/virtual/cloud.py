# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud of this process, as tests steer it, and as modules reach it without sockets."""

from __future__ import annotations

import json
import pathlib
import typing as t
import urllib.parse

from clouds import Cloud
from local_cloud import auth, control, dispatch, faults, files, spoil, transport
from local_cloud.journal import Journal
from local_cloud.profiles import PROFILES
from local_cloud.state import Cloud as State
from local_cloud.state import Settings

from .line import Line
from .world import World

HOST = "127.0.0.1"
PORT = 8773
# What any request takes at least, in seconds: so that whoever asks again and again has time pass.
LATENCY = 0.001
Hook = t.Callable[[], t.Any]
# What an answer of an action, as it goes over the wire, is made into.
Forge = t.Callable[[bytes], bytes]


class VirtualCloud(Cloud):
    """A cloud in a world. It is at 127.0.0.1, at the port that Nova has, where nothing listens."""

    is_local = True
    slack = 0.05

    def __init__(
        self, world: World, directory: pathlib.Path, profile: str, port: int = PORT, **settings: t.Any
    ) -> None:
        self.world = world
        self.directory = directory
        self.profile = profile
        files.prepare(directory)
        users = files.load_users(directory, None)
        self.inner = State(PROFILES[profile], users, Settings(**settings), "tutorial", 1)
        self.url = f"http://{HOST}:{port}{self.inner.profile.mount or '/'}"
        self.inner.region_endpoint = f"http://{HOST}:{port}{self.inner.profile.advertised_path}"
        files.write_settings(directory, users, self.url)
        self.users = files.described(users)
        self._service = dispatch.Service(self.inner)
        self._journal = Journal()
        self._faults = faults.Faults()
        self._desk = control.Desk(control.Steering(self.inner), self._journal, self._faults, lambda: None)
        self._before: list[tuple[str, int, Hook]] = []
        self._after: list[tuple[str, int, Hook]] = []
        self._forged: dict[str, tuple[Forge, float, bool]] = {}
        self._port = port
        self.listen()

    def listen(self) -> None:
        """Be reachable in the world."""
        self.world.listen(HOST, self._port, lambda timeout: Line(self.world, self._serve, timeout))

    def control(self, method: str, path: str, **body: t.Any) -> t.Any:
        """One request to the control API. Raises ValueError, TypeError or KeyError if it makes no sense."""
        split = urllib.parse.urlsplit(f"/{path}")
        query = dict(urllib.parse.parse_qsl(split.query))
        answer = self._desk.route(method, split.path.rstrip("/"), query, json.loads(json.dumps(body)))
        return json.loads(json.dumps(answer))

    def prepared(self, name: str, make: t.Callable[[], t.Any], *, lasts: bool = False) -> t.Any:
        """What make returns, which brings the empty cloud to a state; the log is forgotten."""
        made = make()
        self.forget_log()
        return made

    def when(self, action: str, call: Hook, number: int = 1) -> None:
        """Have call be called as the next request of an action, or the one after so many, comes in."""
        self._before.append((action, number, call))

    def after(self, action: str, call: Hook, number: int = 1) -> None:
        """Have call be called as the next request of an action, or the one after so many, is done but not answered."""
        self._after.append((action, number, call))

    def forge(self, action: str, forge: Forge, *, pause: float = 0.0, once: bool = False) -> None:
        """Have answers to an action, as they go over the wire, be what forge makes of them.

        pause: so many seconds pass after each byte. once: only the next one.
        """
        self._forged[action] = forge, pause, once

    def answer_with(
        self, action: str, body: bytes, *, status: str = "200 OK", headers: t.Sequence[str] = (), once: bool = False
    ) -> None:
        """Have an action be carried out, and be answered with another body, or another status and more headers."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.forge(action, lambda _whole: "\r\n".join(lines).encode("latin-1") + body, once=once)

    def believe(self) -> None:
        """Have all answers be the cloud's own again."""
        self._forged.clear()

    def wait_for_request(self, action: str, number: int = 1) -> None:
        """Let things happen until an action has been requested so often."""
        self.world.wait(lambda: self.actions().count(action) >= number)
        assert self.actions().count(action) >= number, self.actions()

    # Requests ----------------------------------------------------------------------------------------------------

    def _serve(self, line: Line, data: bytes) -> None:
        request = _read(data)
        self.world.begin(lambda: self._answer(line, request), self.world.now + LATENCY)

    def _answer(self, line: Line, request: auth.Request) -> None:
        """What transport.Ec2Handler does, with waiting that is virtual."""
        lost = dispatch.outside(self._service.mount, request.path)
        if lost is not None:
            self._send(line, lost, None)
            return
        number = self._journal.received(transport.noted(self._service, request))
        # Somebody may wait for just this request.
        self.world.wake()
        began = self.world.now
        _call_hooks(self._before, request.params.get("Action", ""))
        self.world.sleep(self._service.latency)
        fault = self._faults.take(request.params.get("Action", ""))
        reply = self._spoilt(line, request, number, fault)
        seconds = self.world.now - began
        if reply is None:
            self._journal.answered(number, None, None, seconds)
            line.hang_up()
            return
        self._journal.answered(number, reply.status, reply.code, seconds, reply.trace)
        action = request.params.get("Action", "")
        if action in self._forged:
            self._send_forged(line, action, transport.written(reply, fault, self.inner.now())[0])
        else:
            self._send(line, reply, fault)

    def _send(self, line: Line, reply: dispatch.Reply, fault: faults.Fault | None) -> None:
        data, whole = transport.written(reply, fault, self.inner.now())
        line.reply(data)
        if not whole:
            line.hang_up()

    def _send_forged(self, line: Line, action: str, data: bytes) -> None:
        forge, pause, once = self._forged[action]
        if once:
            del self._forged[action]
        data = forge(data)
        for place in range(len(data) if pause else 0):
            line.reply(data[place : place + 1])
            self.world.sleep(pause)
        line.reply(b"" if pause else data)
        line.hang_up()

    def _spoilt(
        self, line: Line, request: auth.Request, number: int, fault: faults.Fault | None
    ) -> dispatch.Reply | None:
        """The reply, or None if the connection ends without one."""
        world, service = self.world, self._service
        if fault is None:
            return self._carry_out(request, number)
        assert not fault.kind.startswith("hold"), "nobody would let it go: there are when and after"
        if fault.kind == "delay":
            world.sleep(fault.seconds)
        elif fault.kind == "hang":
            # Whoever asked has given up by then, or is gone.
            world.sleep(2 * line.patience)
            return None
        elif fault.kind == "late":
            world.begin(lambda: self._late(request, number), world.now + fault.seconds)
            return None
        elif fault.kind in faults.NOT_DONE:
            return spoil.refusal(service, request, fault)
        reply = self._carry_out(request, number)
        if fault.kind == "delay_after":
            world.sleep(fault.seconds)
        return spoil.spoilt(service, reply, fault)

    def _late(self, request: auth.Request, number: int) -> None:
        self._carry_out(request, number)

    def _carry_out(self, request: auth.Request, number: int) -> dispatch.Reply:
        reply = self._service.handle(request, number)
        _call_hooks(self._after, request.params.get("Action", ""))
        return reply


def _call_hooks(hooks: list[tuple[str, int, Hook]], action: str) -> None:
    for place, (wanted, number, call) in enumerate(hooks):
        if wanted == action:
            if number > 1:
                hooks[place] = (wanted, number - 1, call)
            else:
                del hooks[place]
                call()
            return


def _read(data: bytes) -> auth.Request:
    head, _empty, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return transport.request_of(method, target, headers, body)
