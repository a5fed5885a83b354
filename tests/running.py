# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds and runs of modules in processes of their own, over real sockets."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import typing as t
import urllib.request

from clouds import BOOT_SECONDS, Cloud

ROOT = pathlib.Path(__file__).resolve().parents[1]


class RunningCloud(Cloud):
    """A local cloud in a process of its own, or an OpenStack behind its front."""

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
        self.control_url: str = facts["control_url"].rstrip("/")

    def control(self, method: str, path: str, **body: t.Any) -> t.Any:
        """One request to the control interface."""
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.control_url}/{path}", data, {"Content-Type": "application/json"})
        request.method = method
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=300) as reply:
            return json.loads(reply.read() or "null")

    def reset(self) -> None:
        """Forget VMs, keys, faults and log."""
        self.control("POST", "reset")
        self.control("DELETE", "faults")
        # Keys are made quickly too, but those that OpenSSH shall take.
        quick = {"key_bits": 1024} if self.is_local and not self.ssh_port else {}
        self.control(
            "POST", "settings", boot_seconds=BOOT_SECONDS, action_seconds=BOOT_SECONDS, clock_offset=0, **quick
        )
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

    def when(self, action: str, call: t.Callable[[], t.Any], number: int = 1) -> None:
        """Have call be called as the next request of an action, or the one after so many, comes in."""
        self._hold_up("hold", action, call, number)

    def after(self, action: str, call: t.Callable[[], t.Any], number: int = 1) -> None:
        """Have call be called as the next request of an action, or the one after so many, is done but not answered."""
        self._hold_up("hold_after", action, call, number)

    def _hold_up(self, kind: str, action: str, call: t.Callable[[], t.Any], number: int) -> None:
        def attend() -> None:
            self.wait_until(lambda: bool(self.control("GET", "faults")["held"]))
            try:
                call()
            finally:
                self.control("POST", "release")

        self.fault(action, kind, skip=number - 1)
        threading.Thread(target=attend, daemon=True).start()

    def stop(self) -> None:
        """End the process."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(self.patience)


def local_cloud(profile: str, *options: str) -> list[str]:
    """What starts a local cloud of a profile."""
    fixed = ["--port", "0", "--control-port", "0", "--seed", "1"]
    return [str(ROOT / "tests" / "local_cloud"), "--profile", profile, *fixed, *options]


def front(bed: pathlib.Path) -> list[str]:
    """What starts a door to an OpenStack, with tenants for this process of the test run alone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return ["-m", "tests.openstack.front", "--bed", str(bed.resolve()), f"--suffix=-{worker}"]


class Run:
    """A module run by ansible in a process of its own, as on a machine whose home directory is home."""

    def __init__(self, cloud: RunningCloud, module: str, home: pathlib.Path, **args: t.Any) -> None:
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
