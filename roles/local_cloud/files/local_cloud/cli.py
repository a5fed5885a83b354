# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: start a cloud, in front or in the background, or stop one."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

from . import catalogue, control, files
from .dispatch import Service
from .faults import Faults
from .journal import Journal
from .profiles import PROFILES
from .state import Cloud, Settings
from .transport import Ec2Server

_READY_SECONDS = 300.0
_STOP_SECONDS = 300.0
# A cloud that is slow to answer is one that runs.
_ANSWER_SECONDS = 120.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    parser = argparse.ArgumentParser(prog="local_cloud", description="A local cloud that speaks the Nova EC2 dialect.")
    add = parser.add_argument
    add("--profile", choices=sorted(PROFILES), default="grizzly", help="generation of the API")
    add("--host", default="127.0.0.1", help="address to listen at")
    add("--port", type=int, default=8773, help="port of the EC2 API; 0 takes a free one")
    add("--control-port", type=int, default=0, help="port of the control API; 0 takes a free one")
    add("--directory", type=Path, default=Path(".local-cloud"), help="where files are written")
    add("--users", type=Path, help="JSON file with users and their keys")
    add("--images", choices=catalogue.CATALOGUES, default="tutorial", help="which images exist")
    add("--tls", action="store_true", help="serve HTTPS with an own CA")
    add("--certfile", type=Path, help="certificate for HTTPS")
    add("--keyfile", type=Path, help="key of the certificate")
    add("--boot-seconds", type=float, default=default.boot_seconds, help="how long a server is pending")
    add("--action-seconds", type=float, default=default.action_seconds, help="how long other actions take")
    add("--latency", type=float, default=0.0, help="seconds that every request takes longer")
    for name in ("instances", "cores", "ram", "addresses", "groups", "keypairs"):
        field = f"quota_{name}"
        add(f"--quota-{name}", type=int, default=getattr(default, field), help=f"quota of {name}; -1 is no limit")
    add("--ssh", action="store_true", help="let in with SSH on the VMs' own loopback addresses; needs OpenSSH's sshd")
    add("--seed", type=int, help="make ids and orders repeatable")
    add("--random-order", action=argparse.BooleanOptionalAction, default=True, help="shuffle reservations and elements")
    add("--lifetime", type=float, help="end after so many seconds; without it, when told to")
    add("--background", action="store_true", help="start detached and return when the cloud is ready")
    add("--stop", action="store_true", help="stop the cloud of the directory")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(words)
    try:
        if options.stop:
            return stop(options.directory)
        if options.ssh:
            _ssh().find()
        if options.background:
            return _start_detached(options.directory, words)
        return serve(options)
    except (OSError, RuntimeError, ValueError) as problem:
        print(f"local_cloud: {problem}", file=sys.stderr)
        return 1


def _settings(options: argparse.Namespace) -> Settings:
    names = {field.name for field in dataclasses.fields(Settings)}
    return Settings(**{name: value for name, value in vars(options).items() if name in names})


def serve(options: argparse.Namespace) -> int:
    """Run a cloud until it is told to stop."""
    directory = options.directory.resolve()
    files.prepare(directory)
    users = files.load_users(directory, options.users)
    cloud = Cloud(PROFILES[options.profile], users, _settings(options), options.images, options.seed, options.ssh)
    journal, broken = Journal(directory / "requests.jsonl"), Faults()
    ca, context = _tls(options, directory)
    api = Ec2Server((options.host, options.port), Service(cloud), journal, broken, context)
    done = threading.Event()
    cockpit = control.Steering(cloud)
    steering = control.ControlServer(cockpit, journal, broken, options.control_port, done.set, lambda: api.busy)
    scheme = "https" if context else "http"
    cloud.region_endpoint = f"{scheme}://{options.host}:{api.server_port}{cloud.profile.advertised_path}"
    # Clients want a path even where the service needs none.
    ready = f"{scheme}://{options.host}:{api.server_port}{cloud.profile.mount or '/'}"
    files.write_settings(directory, users, ready)
    keeper = _ssh().Keeper(cloud, directory) if options.ssh else None
    fields: dict[str, Any] = {
        "endpoint_url": ready,
        "control_url": f"http://127.0.0.1:{steering.server_port}",
        "pid": os.getpid(),
        "profile": cloud.profile.name,
        "ca_bundle": str(ca) if ca else None,
        "ssh_port": keeper.port if keeper else None,
    }
    files.write_description(directory, users, fields)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    for server in (api, steering):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    if keeper:
        keeper.start()
    print(f"ready: {ready}", flush=True)
    done.wait(options.lifetime)
    if keeper:
        keeper.end()
    (directory / "cloud.json").unlink(missing_ok=True)
    return 0


def _ssh() -> ModuleType:
    """The part that only ``--ssh`` needs."""
    from . import ssh

    return ssh


def _tls(options: argparse.Namespace, directory: Path) -> tuple[Path | None, Any]:
    if options.certfile:
        return options.certfile.resolve(), files.tls_context(options.certfile, options.keyfile or options.certfile)
    if not options.tls:
        return None, None
    ca, certificate, key = files.make_certificates(directory)
    return ca, files.tls_context(certificate, key)


def _description(directory: Path) -> dict[str, Any] | None:
    """Return the description of the cloud that runs in the directory, or None if none answers."""
    try:
        fields = json.loads((directory / "cloud.json").read_text(encoding="utf-8"))
        with _DIRECT.open(fields["control_url"], timeout=_ANSWER_SECONDS) as answer:
            return fields if json.load(answer).get("service") == control.MARK else None
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return None


def stop(directory: Path) -> int:
    """Stop the cloud of the directory; return 0 if one ran and has ended."""
    fields = _description(directory)
    if fields is None:
        print(f"local_cloud: no cloud runs in {directory}", file=sys.stderr)
        return 1
    request = urllib.request.Request(f"{fields['control_url']}/stop", data=b"{}", method="POST")
    # It may end before its answer is out; whether it has ended is what counts.
    with contextlib.suppress(OSError):
        _DIRECT.open(request, timeout=_ANSWER_SECONDS).close()
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if _description(directory) is None:
            return 0
        time.sleep(0.05)
    print(f"local_cloud: the cloud with pid {fields['pid']} does not end", file=sys.stderr)
    return 1


def _start_detached(directory: Path, words: list[str]) -> int:
    running = _description(directory)
    if running is not None:
        print(f"ready: {running['endpoint_url']}")
        print(f"local_cloud: it runs already in {directory}", file=sys.stderr)
        return 0
    files.prepare(directory)
    command = [sys.executable, str(Path(__file__).parent), *(word for word in words if word != "--background")]
    with (directory / "output.log").open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        fields = _description(directory)
        if fields is not None and fields["pid"] == process.pid:
            print(f"ready: {fields['endpoint_url']}")
            return 0
        if process.poll() is not None:
            break
        time.sleep(0.05)
    log = directory / "output.log"
    why = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    print(f"local_cloud: it did not start; see {log}: {' '.join(why)}", file=sys.stderr)
    return 1
