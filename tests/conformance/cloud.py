# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud of this process to replay against, and requests to it, byte by byte."""

from __future__ import annotations

import datetime
import json
import pathlib
import time
import typing as t
import urllib.parse

from local_cloud import control, dispatch, files, transport
from local_cloud.faults import Faults
from local_cloud.journal import Journal
from local_cloud.profiles import PROFILES
from local_cloud.state import Cloud as State
from local_cloud.state import Settings

from .recording import Message
from .signing import signature

# The images that the recorded cloud of a profile had, where they were others.
IMAGES = {"ec2api": "test-bed"}
HOST = "127.0.0.1"


class Cloud:
    """A local cloud of a profile, with the users, images and delays of the recordings. It needs nothing but a clock."""

    def __init__(self, profile: str, users: pathlib.Path, boot: float, action: float) -> None:
        known = files.load_users(users.parent, users)
        settings = Settings(boot_seconds=boot, action_seconds=action)
        self._state = State(PROFILES[profile], known, settings, IMAGES.get(profile, "recorded"), 1)
        self._path = PROFILES[profile].mount or "/"
        self._state.region_endpoint = f"http://{HOST}:8773{PROFILES[profile].advertised_path}"
        self._service = dispatch.Service(self._state)
        self._journal = Journal()
        self._desk = control.Desk(control.Steering(self._state), self._journal, Faults(), lambda: None)
        self._user = next(user for user in known if user.name == "demo")

    def servers(self) -> dict[str, dict[str, t.Any]]:
        """The VMs of the user demo's project by id, as the cloud itself knows them."""
        state = self.control("GET", "/state")
        servers = [*state["servers"], *state["taken_back"]]
        return {server["id"]: server for server in servers if server["tenant"] == self._user.tenant_id}

    def control(self, verb: str, path: str, body: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """One request to the control API."""
        answer = self._desk.route(verb, path, {}, body or {})
        return dict(json.loads(json.dumps(answer)))

    def send(self, start: str, headers: list[tuple[str, str]], body: str) -> Message:
        """Send a request as it is; the reply as it would go over the wire."""
        verb, target, _protocol = start.split(" ")
        request = transport.request_of(verb, target, dict(headers), body.encode())
        reply = dispatch.outside(self._service.mount, request.path)
        if reply is None:
            number = self._journal.received(transport.noted(self._service, request))
            reply = self._service.handle(request, number)
        data, _whole = transport.written(reply, None, self._service.now(), verb == "HEAD")
        head, _separator, rest = data.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = [(key, value.strip()) for key, _colon, value in (line.partition(":") for line in lines)]
        return Message(first, pairs, rest.strip("\n"))

    def call(self, action: str, **parameters: str) -> None:
        """What the recordings do not show: a request of the user demo."""
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        sent = {"Action": action, "Version": "2014-10-01", "AWSAccessKeyId": self._user.access}
        sent |= {"SignatureVersion": "2", "SignatureMethod": "HmacSHA256", "Timestamp": stamp, **parameters}
        sent["Signature"] = signature(self._user.secret, "POST", HOST, self._path, sent)
        body = urllib.parse.urlencode(sent)
        headers = [("Host", HOST), ("Content-Type", "application/x-www-form-urlencoded")]
        reply = self.send(f"POST {self._path} HTTP/1.1", [*headers, ("Content-Length", str(len(body)))], body)
        if " 200 " not in reply.start:
            raise SystemExit(f"{action} {parameters} failed: {reply.body}")

    def wait(self, seconds: float, done: t.Callable[[dict[str, dict[str, t.Any]]], bool]) -> None:
        """Wait until the VMs are as wished, but no longer than so many seconds."""
        deadline = time.monotonic() + seconds
        while not done(self.servers()) and time.monotonic() < deadline:
            time.sleep(0.1)
