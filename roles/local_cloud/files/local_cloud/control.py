# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API: how tests watch and steer the cloud. JSON in and out, on a listener of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any, Callable, Protocol

from . import servers
from .actions.call import image_id
from .catalogue import CATALOGUES
from .faults import Faults
from .journal import Journal
from .model import FLAVORS, Server
from .state import Cloud
from .transport import QuietServer

MARK = "nova-ec2-local-cloud"


class Cockpit(Protocol):
    """What a cloud lets tests see and change, such as :class:`Steering`. Bodies and answers are those of JSON.

    What makes no sense raises ValueError, TypeError or KeyError.
    """

    @property
    def profile(self) -> str:
        """Name of the generation."""

    @property
    def busy(self) -> int:
        """How many requests are being carried out, whether or not anybody waits for the answer."""

    def state(self) -> dict[str, Any]:
        """Return everything that exists or has existed."""

    def settings(self) -> dict[str, Any]:
        """Return the settings that hold."""

    def change_settings(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change settings by name; return all that hold now."""

    def add_servers(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Make servers behind the API."""

    def set_state(self, ec2_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Put a server into a state, or have it vanish."""

    def reset(self) -> None:
        """Forget everything but the users."""

    def save(self, name: str) -> None:
        """Keep what there is under a name, for restore."""

    def restore(self, name: str) -> None:
        """Have everything be as it was when it was saved."""


class Desk:
    """What is asked of the control API, and what comes of it."""

    def __init__(
        self,
        cockpit: Cockpit,
        journal: Journal,
        faults: Faults,
        stop: Callable[[], None],
        busy: Callable[[], int] = lambda: 0,
    ) -> None:
        self._busy = busy
        self._cockpit = cockpit
        self._journal = journal
        self._orders = faults
        self._stop = stop

    def route(self, verb: str, path: str, query: dict[str, str], body: Any) -> dict[str, Any] | None:
        """Return the answer to a request, or None if there is no such thing. Raises what a cockpit raises."""
        if (verb, path) == ("GET", "/log"):
            return {"requests": self._journal.since(int(query.get("since", 0)))}
        if (verb, path) == ("DELETE", "/log"):
            self._journal.clear()
            return {}
        if path == "/faults":
            return self._faults(verb, body)
        if (verb, path) == ("POST", "/release"):
            self._orders.release(**body)
            return {}
        if (verb, path) == ("POST", "/stop"):
            threading.Thread(target=self._stop, daemon=True).start()
            return {}
        if (verb, path) in (("GET", ""), ("GET", "/")):
            return {"service": MARK, "profile": self._cockpit.profile, "busy": self._cockpit.busy + self._busy()}
        return self._cloud(verb, path, body)

    def _faults(self, verb: str, body: Any) -> dict[str, Any] | None:
        if verb == "POST":
            for order in body if isinstance(body, list) else [body]:
                self._orders.add(order)
        elif verb == "DELETE":
            self._orders.clear()
        return {"faults": self._orders.list(), "held": self._orders.held()}

    def _cloud(self, verb: str, path: str, body: Any) -> dict[str, Any] | None:
        cockpit = self._cockpit
        if (verb, path) == ("GET", "/state"):
            return cockpit.state()
        if (verb, path) == ("POST", "/settings"):
            return cockpit.change_settings(body)
        if (verb, path) == ("GET", "/settings"):
            return cockpit.settings()
        if (verb, path) == ("POST", "/servers"):
            return {"servers": cockpit.add_servers(body)}
        if verb == "POST" and path.startswith("/servers/"):
            return cockpit.set_state(path.rpartition("/")[2], body)
        if (verb, path) == ("POST", "/reset"):
            cockpit.reset()
            self._orders.clear()
            return {}
        saved = re.fullmatch(r"/saved/([^/]+)(/restore)?", path)
        if verb == "POST" and saved:
            (cockpit.restore if saved[2] else cockpit.save)(saved[1])
            return {}
        return None


class ControlServer(QuietServer):
    """The listener of the control API. ``stop`` ends the process; ``busy`` tells what the other listener has to do."""

    def __init__(
        self,
        cockpit: Cockpit,
        journal: Journal,
        faults: Faults,
        port: int,
        stop: Callable[[], None],
        busy: Callable[[], int] = lambda: 0,
    ) -> None:
        self.desk = Desk(cockpit, journal, faults, stop, busy)
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
            answer = self.server.desk.route(self.command, split.path.rstrip("/"), query, body)
            status = 200 if answer is not None else 404
        except (ValueError, TypeError, KeyError) as problem:
            status, answer = 400, {"error": f"{type(problem).__name__}: {problem}"}
        # Whoever asked is told, whatever the cloud behind this stumbles over.
        except Exception as problem:
            status, answer = 500, {"error": f"{type(problem).__name__}: {problem}"}
        text = json.dumps(answer if answer is not None else {"error": "no such thing"}).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do_any


class Steering:
    """The cockpit of a local cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @property
    def profile(self) -> str:
        """Name of the generation."""
        return self._cloud.profile.name

    @property
    def busy(self) -> int:
        """No request takes any time here."""
        return 0

    @contextlib.contextmanager
    def _held(self) -> Iterator[Cloud]:
        with self._cloud.lock:
            self._cloud.advance()
            yield self._cloud

    def state(self) -> dict[str, Any]:
        """Return everything that exists or has existed."""
        with self._held() as cloud:
            return inner_truth(cloud)

    def settings(self) -> dict[str, Any]:
        """Return the settings that hold."""
        with self._held() as cloud:
            return dataclasses.asdict(cloud.settings)

    def change_settings(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change settings, or fields of the profile, by name; return the settings that now hold."""
        with self._held() as cloud:
            return change_settings(cloud, body)

    def add_servers(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Make servers behind the API; see :func:`add_servers`."""
        with self._held() as cloud:
            return [shown(server) for server in add_servers(cloud, **body)]

    def set_state(self, ec2_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Put a server into a state; see :func:`set_state`."""
        with self._held() as cloud:
            return shown(set_state(cloud, ec2_id, **body))

    def reset(self) -> None:
        """Forget everything but the users, and go back to the settings that the process was started with."""
        with self._held() as cloud:
            cloud.reset()

    def save(self, name: str) -> None:
        """Keep what there is under a name, for restore."""
        with self._held() as cloud:
            cloud.save(name)

    def restore(self, name: str) -> None:
        """Have everything be as it was when it was saved."""
        with self._held() as cloud:
            cloud.restore(name)


def inner_truth(cloud: Cloud) -> dict[str, Any]:
    """Return everything that exists or has existed, hidden tasks included; apart, what the cloud itself takes back."""
    return {
        "servers": [shown(server) for server in cloud.servers.values() if not server.rolled_back],
        "taken_back": [shown(server) for server in cloud.servers.values() if server.rolled_back],
        "gone": [shown(server) for server in cloud.gone],
        "keypairs": [dataclasses.asdict(pair) for pair in cloud.keypairs.values()],
        "groups": [dataclasses.asdict(group) for group in cloud.groups],
        "addresses": [
            {**dataclasses.asdict(address), "instance": _ec2_id(cloud, address.server)}
            for address in cloud.addresses.values()
        ],
        "volumes": [
            {**dataclasses.asdict(one), "id": f"vol-{one.number:08x}", "instance": _ec2_id(cloud, one.server)}
            for one in cloud.volumes.values()
        ],
        "snapshots": [dataclasses.asdict(one) for one in cloud.snapshots.values()],
        "images": [dataclasses.asdict(image) for image in cloud.images],
        "catalogues": list(CATALOGUES),
    }


def _ec2_id(cloud: Cloud, number: int | None) -> str | None:
    server = None if number is None else cloud.servers.get(number)
    return server.ec2_id if server else None


def shown(server: Server) -> dict[str, Any]:
    """Return all there is to know of a server."""
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


def set_state(
    cloud: Cloud, ec2_id: str, vm_state: str | None = None, task: str | None = None, console: str | None = None
) -> Server:
    """Put a server into a state, whatever it was doing; ``deleted`` removes it. Or say what its console shows."""
    server = cloud.by_ec2_id.get(ec2_id)
    if server is None:
        raise ValueError(f"no server {ec2_id!r}")
    if console is not None:
        server.console = console
    if vm_state is None:
        return server
    if vm_state == "deleted":
        cloud.forget(server)
        return server
    if vm_state not in ("error", "building") and server.host is None:
        servers.settle(cloud, server)
    server.state, server.task, server.due = vm_state, task, None
    return server
