# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud to replay against, and requests to it, byte by byte."""

from __future__ import annotations

import datetime
import json
import pathlib
import socket
import subprocess
import sys
import time
import typing as t
import urllib.parse
import urllib.request

from .recording import Message
from .signing import signature

# The images that the recorded cloud of a profile had, where they were others.
IMAGES = {"ec2api": "test-bed"}
LOCAL_CLOUD = pathlib.Path(__file__).resolve().parents[1] / "local_cloud"


class Cloud:
    """A local cloud of a profile, with the users, images and the kind of delays of the recordings."""

    def __init__(self, profile: str, users: pathlib.Path, directory: pathlib.Path, boot: float, action: float) -> None:
        command = [sys.executable, str(LOCAL_CLOUD), "--profile", profile, "--port", "0", "--control-port", "0"]
        command += ["--directory", str(directory), "--users", str(users)]
        command += ["--images", IMAGES.get(profile, "recorded")]
        command += ["--boot-seconds", str(boot), "--action-seconds", str(action)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith("ready: "):
            raise SystemExit(f"the local cloud did not start: {line}")
        facts = json.loads((directory / "cloud.json").read_text())
        self.endpoint = urllib.parse.urlsplit(facts["endpoint_url"])
        self._control = facts["control_url"].rstrip("/")
        self._user = facts["users"]["demo"]

    def servers(self) -> dict[str, dict[str, t.Any]]:
        """The VMs of the user demo's project by id, as the cloud itself knows them."""
        state = self.control("/state")
        servers = [*state["servers"], *state["taken_back"]]
        return {server["id"]: server for server in servers if server["tenant"] == self._user["tenant_id"]}

    def control(self, path: str, body: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Ask the control API, or order something if there is a body."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        data = None if body is None else json.dumps(body).encode()
        with opener.open(f"{self._control}{path}", data, timeout=30) as reply:
            return dict(json.loads(reply.read()))

    def send(self, start: str, headers: list[tuple[str, str]], body: str) -> Message:
        """Send a request as it is, and read the reply until the length it announces."""
        raw = "\r\n".join([start, *(f"{key}: {value}" for key, value in headers), "Connection: close", "", body])
        with socket.create_connection((self.endpoint.hostname, self.endpoint.port), timeout=30) as connection:
            connection.sendall(raw.encode())
            received = b""
            while part := connection.recv(1 << 16):
                received += part
                head, found, rest = received.partition(b"\r\n\r\n")
                length = _length(head)
                if found and (start.startswith("HEAD ") or (length is not None and len(rest) >= length)):
                    break
        head, _separator, rest = received.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = [(key, value.strip()) for key, _colon, value in (line.partition(":") for line in lines)]
        return Message(first, pairs, rest.strip("\n"))

    def call(self, action: str, **parameters: str) -> None:
        """What the recordings do not show: a request of the user demo."""
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        sent = {"Action": action, "Version": "2014-10-01", "AWSAccessKeyId": self._user["access"]}
        sent |= {"SignatureVersion": "2", "SignatureMethod": "HmacSHA256", "Timestamp": stamp, **parameters}
        path = self.endpoint.path
        sent["Signature"] = signature(self._user["secret"], "POST", "127.0.0.1", path, sent)
        body = urllib.parse.urlencode(sent)
        headers = [("Host", "127.0.0.1"), ("Content-Type", "application/x-www-form-urlencoded")]
        reply = self.send(f"POST {path} HTTP/1.1", [*headers, ("Content-Length", str(len(body)))], body)
        if " 200 " not in reply.start:
            raise SystemExit(f"{action} {parameters} failed: {reply.body}")

    def wait(self, seconds: float, done: t.Callable[[dict[str, dict[str, t.Any]]], bool]) -> None:
        """Wait until the VMs are as wished, but no longer than so many seconds."""
        deadline = time.monotonic() + seconds
        while not done(self.servers()) and time.monotonic() < deadline:
            time.sleep(0.05)

    def stop(self) -> None:
        """End the local cloud."""
        self._process.terminate()
        self._process.wait(10)


def _length(head: bytes) -> int | None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return None
