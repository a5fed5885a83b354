# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud per profile, and a way to run modules against it as a task would."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import typing as t
import urllib.request

import pytest
from pytest_ansible.module_dispatcher.v213 import ModuleDispatcherV213

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTATIONS = ("Create", "Import", "Delete", "Run", "Start", "Stop", "Reboot", "Terminate")
BOOT_SECONDS = 0.3


class Cloud:
    """A running local cloud, and the door to its inner truth."""

    def __init__(self, directory: pathlib.Path, profile: str, *options: str) -> None:
        command = [sys.executable, str(ROOT / "tests" / "local_cloud"), "--profile", profile, "--port", "0"]
        command += ["--control-port", "0", "--directory", str(directory), "--seed", "1", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready: "), line
        self.profile = profile
        self.directory = directory
        facts = json.loads((directory / "cloud.json").read_text())
        self.url: str = facts["endpoint_url"]
        self.users: dict[str, dict[str, str]] = facts["users"]
        self.ca_bundle: str | None = facts["ca_bundle"]
        self._control: str = facts["control_url"].rstrip("/")

    def control(self, method: str, path: str, **body: t.Any) -> t.Any:
        """One request to the control interface."""
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self._control}/{path}", data, {"Content-Type": "application/json"})
        request.method = method
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as reply:
            return json.loads(reply.read() or "null")

    def options(self, user: str = "demo") -> dict[str, t.Any]:
        """The connection options of a task."""
        keys = self.users[user]
        return {"endpoint_url": self.url, "access_key": keys["access"], "secret_key": keys["secret"]}

    def reset(self) -> None:
        """Forget VMs, keys, faults and log."""
        self.control("POST", "reset")
        self.control("DELETE", "faults")
        self.control("POST", "settings", boot_seconds=BOOT_SECONDS, action_seconds=BOOT_SECONDS, clock_offset=0)
        self.control("DELETE", "log")

    def fault(self, action: str, kind: str, times: int = 1, **more: t.Any) -> None:
        """Have the next requests of an action fail."""
        self.control("POST", "faults", action=action, kind=kind, times=times, **more)

    def settings(self, **settings: t.Any) -> None:
        """Change how the cloud behaves."""
        self.control("POST", "settings", **settings)

    def actions(self) -> list[str]:
        """The actions requested since the last reset or forget, in order."""
        return [entry["action"] for entry in self.control("GET", "log")["requests"]]

    def mutations(self) -> list[str]:
        """Those of actions that change something."""
        return [action for action in self.actions() if action.startswith(MUTATIONS)]

    def forget_log(self) -> None:
        """Begin to count anew."""
        self.control("DELETE", "log")

    def servers(self, tenant: str = "demo") -> list[dict[str, t.Any]]:
        """The VMs that a project has, as the cloud itself knows them."""
        project = self.users[tenant]["tenant_id"]
        return [server for server in self.control("GET", "state")["servers"] if server["tenant"] == project]

    def ever_started(self) -> int:
        """How many VMs were ever started, terminated ones included."""
        state = self.control("GET", "state")
        return len(state["servers"]) + len(state["gone"])

    def fingerprints(self) -> dict[str, str]:
        """Fingerprints of the user demo's key pairs, by name."""
        pairs = self.control("GET", "state")["keypairs"]
        user = self.users["demo"]["user_id"]
        return {pair["name"]: pair["fingerprint"] for pair in pairs if pair["user_id"] == user}

    def groups(self) -> set[str]:
        """Names of the project's security groups."""
        groups = self.control("GET", "state")["groups"]
        project = self.users["demo"]["tenant_id"]
        return {group["name"] for group in groups if group["tenant_id"] == project}

    def stop(self) -> None:
        """End the process."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[t.Callable[..., Cloud]]:
    """Local clouds by profile and options, started when first asked for."""
    started: dict[tuple[str, ...], Cloud] = {}

    def get(profile: str, *options: str) -> Cloud:
        key = (profile, *options)
        if key not in started:
            started[key] = Cloud(tmp_path_factory.mktemp(profile), profile, *options)
        return started[key]

    yield get
    for cloud in started.values():
        cloud.stop()


@pytest.fixture
def cloud(clouds: t.Callable[..., Cloud], request: pytest.FixtureRequest) -> Cloud:
    """An empty local cloud, of the Grizzly generation unless the test asks for another profile."""
    found = clouds(getattr(request, "param", "grizzly"))
    found.reset()
    return found


class _Task(ModuleDispatcherV213):
    """pytest-ansible's way to run a module, with the task keywords check_mode and diff."""

    keywords: t.ClassVar[dict[str, bool]] = {}

    def _build_play_ds(self, complex_args: dict[str, t.Any]) -> dict[str, t.Any]:
        play = super()._build_play_ds(complex_args)
        play["tasks"][0].update(self.keywords)
        return play


@pytest.fixture
def run(localhost: t.Any, cloud: Cloud) -> t.Callable[..., dict[str, t.Any]]:
    """run("keypair", name="web", check=True) runs a module of the collection as a task and returns its result."""

    def task(
        module: str, *, check: bool = False, diff: bool = False, user: str | None = "demo", **args: t.Any
    ) -> t.Any:
        dispatcher = _Task(**localhost.options)
        dispatcher.options["module_name"] = f"nova_ec2.cloud.{module}"
        dispatcher.keywords = {"check_mode": check, "diff": diff}
        connection = cloud.options(user) if user else {}
        return dict(dispatcher._run(**{**connection, **args}).contacted["localhost"])

    return task


@pytest.fixture
def playbook(cloud: Cloud, tmp_path: pathlib.Path) -> t.Callable[..., subprocess.CompletedProcess[str]]:
    """playbook(name or list of plays, variables...) runs ansible-playbook from the collection as users do."""

    def run_playbook(what: str | list[t.Any], *flags: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        target = what
        if not isinstance(what, str):
            target = str(tmp_path / "play.yml")
            pathlib.Path(target).write_text(json.dumps(what))
        command = [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), str(target), *flags]
        command += ["-e", json.dumps(variables)]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    return run_playbook
