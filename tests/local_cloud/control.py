# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API: how tests watch and steer the cloud. JSON in and out, on a listener of its own."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
import urllib.parse
from typing import Any, Callable

from . import servers
from .actions.call import image_id
from .catalogue import CATALOGUES
from .faults import Faults
from .journal import Journal
from .model import FLAVORS, Server
from .state import Cloud
from .transport import QuietServer

MARK = "nova-ec2-local-cloud"


class ControlServer(QuietServer):
    """The listener of the control API. ``stop`` ends the process."""

    def __init__(self, cloud: Cloud, journal: Journal, faults: Faults, port: int, stop: Callable[[], None]) -> None:
        self.cloud = cloud
        self.journal = journal
        self.faults = faults
        self.stop = stop
        super().__init__(("127.0.0.1", port), ControlHandler)


class ControlHandler(http.server.BaseHTTPRequestHandler):
    """One connection to the control API."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ControlServer

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""

    def do_any(self) -> None:
        """Serve one request; what makes no sense gets 400 with the reason."""
        split = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(split.query))
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else {}
            answer = self._route(self.command, split.path.rstrip("/"), query, body)
            status = 200 if answer is not None else 404
        except (ValueError, TypeError, KeyError) as problem:
            status, answer = 400, {"error": f"{type(problem).__name__}: {problem}"}
        text = json.dumps(answer if answer is not None else {"error": "no such thing"}).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do_any

    def _route(self, verb: str, path: str, query: dict[str, str], body: Any) -> dict[str, Any] | None:
        server = self.server
        if (verb, path) == ("GET", "/log"):
            return {"requests": server.journal.since(int(query.get("since", 0)))}
        if (verb, path) == ("DELETE", "/log"):
            server.journal.clear()
            return {}
        if path == "/faults":
            return self._faults(verb, body)
        if (verb, path) == ("POST", "/stop"):
            threading.Thread(target=server.stop, daemon=True).start()
            return {}
        if (verb, path) in (("GET", ""), ("GET", "/")):
            return {"service": MARK, "profile": server.cloud.profile.name}
        with server.cloud.lock:
            server.cloud.advance()
            return self._cloud(verb, path, body)

    def _faults(self, verb: str, body: Any) -> dict[str, Any] | None:
        if verb == "POST":
            for order in body if isinstance(body, list) else [body]:
                self.server.faults.add(order)
        elif verb == "DELETE":
            self.server.faults.clear()
        return {"faults": self.server.faults.list()}

    def _cloud(self, verb: str, path: str, body: Any) -> dict[str, Any] | None:
        cloud = self.server.cloud
        if (verb, path) == ("GET", "/state"):
            return inner_truth(cloud)
        if (verb, path) == ("POST", "/settings"):
            return change_settings(cloud, body)
        if (verb, path) == ("GET", "/settings"):
            return dataclasses.asdict(cloud.settings)
        if (verb, path) == ("POST", "/servers"):
            return {"servers": [_shown(server) for server in add_servers(cloud, **body)]}
        if verb == "POST" and path.startswith("/servers/"):
            return _shown(set_state(cloud, path.rpartition("/")[2], **body))
        if (verb, path) == ("POST", "/reset"):
            cloud.reset()
            self.server.faults.clear()
            return {}
        return None


def inner_truth(cloud: Cloud) -> dict[str, Any]:
    """Return everything that exists or has existed, hidden tasks included."""
    return {
        "servers": [_shown(server) for server in cloud.servers.values()],
        "gone": [_shown(server) for server in cloud.gone],
        "keypairs": [dataclasses.asdict(pair) for pair in cloud.keypairs.values()],
        "groups": [dataclasses.asdict(group) for group in cloud.groups],
        "addresses": [dataclasses.asdict(address) for address in cloud.addresses.values()],
        "volumes": [dataclasses.asdict(volume) for volume in cloud.volumes.values()],
        "images": [dataclasses.asdict(image) for image in cloud.images],
        "catalogues": list(CATALOGUES),
    }


def _shown(server: Server) -> dict[str, Any]:
    return {
        "id": server.ec2_id,
        "uuid": server.uuid,
        "reservation": server.reservation,
        "tenant": server.tenant_id,
        "user": server.user_id,
        "vm_state": server.state,
        "task": server.task,
        "name": server.hostname,
        "key_name": server.key_name,
        "groups": server.groups,
        "image": image_id(server.image),
        "instance_type": server.flavor.name,
        "zone": server.zone,
        "host": server.host,
        "fixed_ip": server.fixed_ip,
        "created": server.created,
        "launched_by": server.launched_by,
        "tags": server.tags,
        "client_token": server.client_token,
        "user_data": server.user_data,
        "deleted": server.deleted is not None,
    }


def change_settings(cloud: Cloud, body: dict[str, Any]) -> dict[str, Any]:
    """Change settings by name, or fields of the profile; return the settings that now hold."""
    known = {field.name for field in dataclasses.fields(cloud.settings)}
    of_profile = {field.name for field in dataclasses.fields(cloud.profile)}
    for name in body:
        if name not in known | of_profile:
            raise ValueError(f"unknown setting {name!r}")
    for name, value in body.items():
        if name in known:
            setattr(cloud.settings, name, value)
    changed = {name: value for name, value in body.items() if name not in known}
    cloud.profile = dataclasses.replace(cloud.profile, **changed)
    return dataclasses.asdict(cloud.settings)


def add_servers(
    cloud: Cloud,
    tenant: str = "demo",
    count: int = 1,
    state: str = "active",
    instance_type: str = "m1.tiny",
    key_name: str | None = None,
    groups: tuple[str, ...] = ("default",),
    reservation_size: int = 1,
) -> list[Server]:
    """Make servers as another API would: no quota, no log entry. ``tenant`` is a user's, project's name or id."""
    owner = next(
        (user for user in cloud.users.values() if tenant in (user.name, user.tenant, user.tenant_id)),
        None,
    )
    if owner is None:
        raise ValueError(f"no tenant {tenant!r}")
    image = next(image for image in cloud.images if image.container == "ami")
    if image.number is None:
        image.number = cloud.ec2_number("image")
    made: list[Server] = []
    for index in range(count):
        if index % reservation_size == 0:
            reservation = cloud.reservation_id()
        number = cloud.number("server")
        name = cloud.new_uuid()
        ec2_id = cloud.random_id("i") if cloud.profile.ec2api else f"i-{number:08x}"
        hostname = f"server-{name}-{name}" if reservation_size > 1 else f"server-{name}"
        server = Server(
            number, ec2_id, name, reservation, owner.tenant_id, owner.user_id, image, FLAVORS[instance_type],
            cloud.now(), hostname, key_name=key_name, groups=list(groups), index=index % reservation_size,
        )  # fmt: skip
        cloud.add_server(server)
        _enter(cloud, server, state)
        made.append(server)
    return made


def _enter(cloud: Cloud, server: Server, state: str) -> None:
    if state == "building":
        servers.build(cloud, server, zone_known=True)
        return
    if state != "error":
        servers.settle(cloud, server)
    server.state, server.task, server.due = state, None, None


def set_state(cloud: Cloud, ec2_id: str, vm_state: str, task: str | None = None) -> Server:
    """Put a server into a state, whatever it was doing; ``deleted`` removes it."""
    server = cloud.by_ec2_id.get(ec2_id)
    if server is None:
        raise ValueError(f"no server {ec2_id!r}")
    if vm_state == "deleted":
        cloud.forget(server)
        return server
    if vm_state not in ("error", "building") and server.host is None:
        servers.settle(cloud, server)
    server.state, server.task, server.due = vm_state, task, None
    return server
