# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud per profile, and a way to run modules against it as a task would."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t
import urllib.request

import pytest
from pytest_ansible.module_dispatcher.v213 import ModuleDispatcherV213

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTATIONS = ("Allocate", "Associate", "Attach", "Authorize", "Create", "Delete", "Deregister", "Detach", "Disassociate")
MUTATIONS += ("Import", "Modify", "Reboot", "Register", "Release", "Revoke", "Run", "Start", "Stop", "Terminate")
BOOT_SECONDS = 0.3
CIRROS = "Cirros-0.3.0-x86_64"


class Cloud:
    """A running local cloud, or an OpenStack behind its front, and the door to its inner truth.

    patience: for how many seconds tasks wait; an OpenStack under load needs it.
    """

    patience = 120

    def __init__(self, directory: pathlib.Path, command: list[str], is_local: bool) -> None:
        command = [sys.executable, *command, "--directory", str(directory)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready: "), line or "it did not start; why is told on standard error"
        self.directory = directory
        facts = json.loads((directory / "cloud.json").read_text())
        self.profile: str = facts["profile"]
        self.url: str = facts["endpoint_url"]
        self.users: dict[str, dict[str, str]] = facts["users"]
        self.ca_bundle: str | None = facts["ca_bundle"]
        self.ssh_port: int | None = facts.get("ssh_port")
        # The states that tests begin with, each made once.
        self._prepared: dict[str, t.Any] = {}
        self.is_local = is_local
        self._control: str = facts["control_url"].rstrip("/")

    def control(self, method: str, path: str, **body: t.Any) -> t.Any:
        """One request to the control interface."""
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self._control}/{path}", data, {"Content-Type": "application/json"})
        request.method = method
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=300) as reply:
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

    def prepared(self, name: str, make: t.Callable[[], t.Any], *, lasts: bool = False) -> t.Any:
        """What make returns, which brings the empty cloud to a state. The next time the state is only brought back.

        lasts: whether an OpenStack keeps the state through a reset, as it keeps the ids of images.
        """
        if name not in self._prepared or not (self.is_local or lasts):
            self._prepared[name] = make()
            if self.is_local:
                self.control("POST", f"saved/{name}")
        elif self.is_local:
            self.control("POST", f"saved/{name}/restore")
        self.forget_log()
        return copy.deepcopy(self._prepared[name])

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

    def wait_for_request(self, action: str, number: int = 1) -> None:
        """Wait until an action has been requested so often."""
        deadline = time.monotonic() + 30
        while self.actions().count(action) < number:
            assert time.monotonic() < deadline, self.actions()
            time.sleep(0.05)

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

    def addresses(self, tenant: str = "demo") -> dict[str, str | None]:
        """The floating addresses that a project has, and the VMs that they are at."""
        project = self.users[tenant]["tenant_id"]
        held = self.control("GET", "state")["addresses"]
        return {address["ip"]: address["instance"] for address in held if address["tenant_id"] == project}

    def stop(self) -> None:
        """End the process."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def local_cloud(profile: str, *options: str) -> list[str]:
    """What starts a local cloud of a profile."""
    fixed = ["--port", "0", "--control-port", "0", "--seed", "1"]
    return [str(ROOT / "tests" / "local_cloud"), "--profile", profile, *fixed, *options]


def front(bed: pathlib.Path) -> list[str]:
    """What starts a door to an OpenStack, with tenants for this process of the test run alone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return ["-m", "tests.openstack.front", "--bed", str(bed.resolve()), f"--suffix=-{worker}"]


@pytest.fixture(scope="session")
def clouds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[t.Callable[..., Cloud]]:
    """Local clouds by profile and options, started when first asked for; or the one OpenStack, whatever is asked."""
    bed = request.config.getoption("bed")
    started: dict[tuple[str, ...], Cloud] = {}

    def get(profile: str, *options: str) -> Cloud:
        key = (profile, *options) if bed is None else ("openstack",)
        if key not in started:
            command = local_cloud(profile, *options) if bed is None else front(bed)
            started[key] = Cloud(tmp_path_factory.mktemp(key[0]), command, bed is None)
        return started[key]

    yield get
    for cloud in started.values():
        cloud.stop()


@pytest.fixture
def cloud(clouds: t.Callable[..., Cloud], request: pytest.FixtureRequest) -> Cloud:
    """An empty local cloud, of the Grizzly generation unless the test asks for another profile, or "grizzly --ssh"."""
    found = clouds(*getattr(request, "param", "grizzly").split())
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


class Run:
    """A module run by ansible in a process of its own, as on a machine whose home directory is home."""

    def __init__(self, cloud: Cloud, module: str, home: pathlib.Path, **args: t.Any) -> None:
        options = {**cloud.options(), "wait_timeout": cloud.patience, **args}
        self.patience = cloud.patience
        home.mkdir(exist_ok=True)
        command = [os.path.join(os.path.dirname(sys.executable), "ansible"), "localhost", "-c", "local"]
        self.process = subprocess.Popen(
            [*command, "-m", f"nova_ec2.cloud.{module}", "-a", json.dumps(options)],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                "HOME": str(home),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
                "ANSIBLE_NOCOLOR": "1",
            },
        )

    def result(self) -> dict[str, t.Any]:
        """What the module returned."""
        out, err = self.process.communicate(timeout=3 * self.patience)
        assert "{" in out, (out, err)
        return {"failed": self.process.returncode != 0, **json.loads(out[out.index("=> {") + 3 : out.rindex("}") + 1])}

    def kill(self) -> None:
        """End it, and every process it began, without a chance to clean up."""
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate()


def descendants(pid: int) -> list[int]:
    """The processes that a process began, and theirs: Ansible's workers are sessions of their own."""
    begun = [int(child) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for child in _words(path)]
    return begun + [further for child in begun for further in descendants(child)]


def _words(path: pathlib.Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


@pytest.fixture
def image(cloud: Cloud, run: t.Any) -> str:
    """The id of the image Cirros-0.3.0-x86_64 in this cloud."""

    def look() -> str:
        return str(run("image_info", name=CIRROS, expect="one")["image"]["image_id"])

    return t.cast("str", cloud.prepared("image", look, lasts=True))


@pytest.fixture
def vms(cloud: Cloud, run: t.Any) -> list[str]:
    """The ids of two VMs, the members of the batch web; the log is forgotten."""

    def launch() -> list[str]:
        made = run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny")
        assert not made.get("failed"), made
        return list(made["instance_ids"])

    return t.cast("list[str]", cloud.prepared("vms", launch))


@pytest.fixture
def begin(cloud: Cloud) -> t.Callable[..., Run]:
    """begin("volume", home, batch="web") has a module run beside the test."""
    return functools.partial(Run, cloud)


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


class Inventory:
    """ansible-inventory on files of this plugin in one directory."""

    def __init__(self, cloud: t.Any, directory: pathlib.Path) -> None:
        self.directory = directory
        self._options = cloud.options()
        self._rc = (cloud.directory / "ec2rc.sh").read_text()

    def write(self, name: str = "my.nova_ec2.yml", clouds: t.Any = None, **options: t.Any) -> pathlib.Path:
        """Write a file, with the connection options unless it has some."""
        connection = self._options if clouds is None and "rc_file" not in options else {}
        content = {
            "plugin": "nova_ec2.cloud.nova_ec2",
            **connection,
            **options,
            **({"clouds": clouds} if clouds else {}),
        }
        path = self.directory / name
        path.write_text(json.dumps(content))
        (self.directory / "ec2rc.sh").write_text(self._rc)
        (self.directory / "ec2rc.sh").chmod(0o600)
        return path

    def run(self, *flags: str, path: pathlib.Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the program."""
        command = [os.path.join(os.path.dirname(sys.executable), "ansible-inventory"), *flags]
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        }
        return subprocess.run(
            [*command, "-i", str(path or self.directory / "my.nova_ec2.yml")],
            capture_output=True, text=True, env=environment, cwd="/", stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def list(self, clouds: t.Any = None, **options: t.Any) -> tuple[dict[str, dict[str, t.Any]], dict[str, t.Any], str]:
        """Hosts with their variables, groups with their hosts, and what was said."""
        done = self.run("--list", path=self.write(clouds=clouds, **options))
        assert done.returncode == 0, done.stderr
        # That a string is no template is told by wrapping it.
        shown = json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))
        groups = {name: sorted(group.get("hosts", [])) for name, group in shown.items() if name != "_meta"}
        return shown["_meta"]["hostvars"], groups, done.stderr

    def fail(self, clouds: t.Any = None, **options: t.Any) -> str:
        """What is said when it fails."""
        done = self.run("--list", path=self.write(clouds=clouds, **options))
        assert done.returncode != 0 and "Traceback" not in done.stderr, done.stdout
        return " ".join(done.stderr.split())


@pytest.fixture
def inventory(cloud: Cloud, tmp_path: pathlib.Path) -> Inventory:
    """An inventory of the cloud."""
    return Inventory(cloud, tmp_path)
