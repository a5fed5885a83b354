# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.openstack.front``: a door to the test bed that logs requests, breaks them, and tells the truth.

It stands before ec2-api and passes requests on as they are, unless a fault was ordered. It has the control API of the
local cloud, answered by the native APIs, and tenants of its own, so that several can be used at the same time.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import http.client
import pathlib
import re
import signal
import sys
import threading
import time
import typing as t
import uuid

from ..local_cloud import auth, control, dispatch, files, render
from ..local_cloud.faults import Faults
from ..local_cloud.journal import Journal
from ..local_cloud.model import User
from ..local_cloud.transport import Ec2Server
from .bed import Bed, load
from .native import DEFAULT_QUOTAS, Native

# The generation whose tests this cloud has to pass.
PROFILE = "ec2api"
# How long ec2-api may take for one request: it builds the VMs of a launch one after the other.
FORWARD_SECONDS = 1800.0
NOT_PASSED_ON = ("connection", "content-length", "transfer-encoding")
CODE = re.compile(rb"<Code>([^<]*)</Code>")
INSTANCE = re.compile(rb"<instanceId>([^<]*)</instanceId>")
READS = ("Describe", "Get")
# What is only a matter of how long fake VMs take is not changed, but may be asked for.
TIMES = {"boot_seconds", "action_seconds", "launch_seconds"}
UNLIMITED = dict.fromkeys(DEFAULT_QUOTAS, -1)
SETTINGS = {"latency", "fail_builds", *DEFAULT_QUOTAS}


class Front:
    """Passes requests on to ec2-api: what :class:`local_cloud.transport.Service` describes."""

    mount = ""

    def __init__(self, native: Native, port: int) -> None:
        self._native = native
        self._port = port
        self._names = {tenant.access: role for role, tenant in native.tenants.items()}
        self._lock = threading.Lock()
        self.latency = 0.0
        self.fail_builds = 0
        self.busy = 0
        # Whether anything was asked for that may have changed what the tenants have.
        self.touched = True

    def now(self) -> float:
        """Return the time."""
        return time.time()

    def identify(self, request: auth.Request) -> str | None:
        """Return the role of the tenant that the request names."""
        return self._names.get(request.access_key)

    def handle(self, request: auth.Request, number: int) -> dispatch.Reply:
        """Have ec2-api carry a request out; have as many of its launch's VMs fail as was ordered."""
        self.touched = self.touched or not request.params.get("Action", "").startswith(READS)
        with self._counted():
            reply = self._forward(request)
            if request.params.get("Action") == "RunInstances" and reply.status == 200:
                groups = [value for name, value in request.params.items() if name.startswith("SecurityGroup.")]
                self._launched([value.decode() for value in INSTANCE.findall(reply.body)], sorted(groups))
            return reply

    @contextlib.contextmanager
    def _counted(self) -> t.Iterator[None]:
        with self._lock:
            self.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1

    def _forward(self, request: auth.Request) -> dispatch.Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=FORWARD_SECONDS)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name not in NOT_PASSED_ON:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body)
            reply = connection.getresponse()
            body = reply.read()
        finally:
            connection.close()
        code = CODE.search(body)
        kind = reply.headers.get("Content-Type", "text/xml")
        return dispatch.Reply(reply.status, kind, body, code[1].decode() if code and reply.status != 200 else None)

    def _launched(self, ids: t.Sequence[str], groups: list[str]) -> None:
        """Learn of new VMs, and have the last ones fail."""
        self._native.told(ids, groups)
        with self._lock:
            doomed = ids[len(ids) - min(self.fail_builds, len(ids)) :]
            self.fail_builds -= len(doomed)
        for value in doomed:
            server = self._native.uuid_of(value)
            self._native.wait_for(server, "active", "error")
            self._native.bring_to(server, "error")

    def failed(self, problem: BaseException) -> dispatch.Reply:
        """Return what this server says when it stumbles."""
        return self._broken()

    def keystone_down(self, request: auth.Request) -> dispatch.Reply:
        """Return what this server says while Keystone fails."""
        return self._broken()

    def _broken(self) -> dispatch.Reply:
        body = render.error("InternalServerError", "Unknown error occurred.", f"req-{uuid.uuid4()}")
        return dispatch.Reply(500, "text/xml", body.encode(), "InternalServerError")


class Cockpit:
    """What tests see and change: see :class:`local_cloud.control.Cockpit`."""

    profile = PROFILE

    def __init__(self, native: Native, front: Front) -> None:
        self._native = native
        self._front = front
        self._lock = threading.Lock()

    @property
    def busy(self) -> int:
        """How many requests ec2-api is busy with."""
        return self._front.busy

    def state(self) -> dict[str, t.Any]:
        """Return all that the tenants have."""
        with self._lock:
            return self._native.state()

    def settings(self) -> dict[str, t.Any]:
        """Return the settings that hold."""
        return {"latency": self._front.latency, "fail_builds": self._front.fail_builds, **self._native.quotas}

    def change_settings(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """Change settings by name. Raise ValueError for what this cloud cannot."""
        impossible = sorted(name for name, value in body.items() if name not in SETTINGS | TIMES and value)
        if impossible:
            raise ValueError(f"this cloud cannot change {', '.join(impossible)}")
        with self._lock:
            self._native.set_quotas({name: value for name, value in body.items() if name in DEFAULT_QUOTAS})
        self._front.latency = body.get("latency", self._front.latency)
        self._front.fail_builds = body.get("fail_builds", self._front.fail_builds)
        return self.settings()

    def add_servers(self, body: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        """Make servers by the native API, and have ec2-api give them ids by listing them."""
        order = {"count": 1, "state": "active", "instance_type": "m1.tiny", "key_name": None, "groups": ["default"]}
        order.update(body)
        role = order.pop("tenant", "demo")
        self._front.touched = True
        with self._lock:
            made = self._native.add_servers(role, **order)
            self.number(role)
            return self._native.shown(made)

    def number(self, role: str) -> None:
        """Have ec2-api see a tenant's VMs: what it has not seen has no EC2 id."""
        from ..faults.naive import connect

        tenant = self._native.tenants[role]
        connect(self._native.bed.endpoint, tenant.access, tenant.secret).get_all_reservations()

    def set_state(self, ec2_id: str, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """Put a server into a state by the native API, or have it vanish."""
        self._front.touched = True
        with self._lock:
            server = self._native.uuid_of(ec2_id)
            if self._native.server(server) is None:
                raise ValueError(f"no server {ec2_id!r}")
            self._native.bring_to(server, body["vm_state"])
            return {"id": ec2_id}

    def reset(self) -> None:
        """Have nothing but the tenants, once what is under way has ended."""
        deadline = time.monotonic() + FORWARD_SECONDS
        while self._front.busy and time.monotonic() < deadline:
            time.sleep(0.1)
        with self._lock:
            self._front.latency, self._front.fail_builds = 0.0, 0
            # What it takes seconds to look through is not looked through in vain. What comes meanwhile counts.
            touched, self._front.touched = self._front.touched, False
            try:
                self._native.reset(whole=touched)
            except BaseException:
                self._front.touched = True
                raise

    def save(self, name: str) -> None:
        """Refuse it: what exists here cannot be copied."""
        raise ValueError(f"{name} cannot be saved: this is an OpenStack")

    restore = save


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.openstack.front", description=__doc__)
    parser.add_argument("--bed", type=pathlib.Path, required=True, help="the test bed's directory")
    parser.add_argument("--directory", type=pathlib.Path, required=True, help="where files are written")
    parser.add_argument("--suffix", default="", help="which tenants to use")
    parser.add_argument("--unlimited", action="store_true", help="have no quotas until told otherwise")
    options = parser.parse_args(arguments)
    bed = load(options.bed)
    # Two runs with the same tenants would clear each other's VMs away.
    with (bed.run / f"tenants{options.suffix}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"another run uses the tenants {options.suffix or 'demo'} of {bed.directory}", file=sys.stderr)
            return 1
        return serve(bed, options)


def serve(bed: Bed, options: argparse.Namespace) -> int:
    """Serve with these tenants until told to stop."""
    files.prepare(options.directory)
    native = Native(bed, options.suffix, UNLIMITED if options.unlimited else DEFAULT_QUOTAS)
    journal, faults = Journal(options.directory / "requests.jsonl"), Faults()
    front = Front(native, bed.ports["ec2"])
    done = threading.Event()
    api = Ec2Server(("127.0.0.1", 0), front, journal, faults)
    steering = control.ControlServer(Cockpit(native, front), journal, faults, 0, done.set, lambda: api.busy)
    url = f"http://127.0.0.1:{api.server_port}/services/Cloud"
    users = [
        User(role, tenant.access, tenant.secret, tenant.project, tenant.project_id, tenant.user_id, role == "adminuser")
        for role, tenant in native.tenants.items()
    ]
    files.write_settings(options.directory, users, url)
    fields = {"endpoint_url": url, "control_url": f"http://127.0.0.1:{steering.server_port}", "ca_bundle": None}
    files.write_description(options.directory, users, {**fields, "profile": PROFILE})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_unused: done.set())
    for server in (api, steering):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"ready: {url}", flush=True)
    done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
