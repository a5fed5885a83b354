# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds to measure against, and runs of Ansible that are measured."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t
import urllib.request

from .module_utils.old_boto import connect

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
UNLIMITED = {"quota_instances": -1, "quota_cores": -1, "quota_ram": -1}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
READY_SECONDS = 30.0
IMAGE_NAME = "Cirros-0.3.0-x86_64"
# Runs a module's Python and notes the most memory that it had, in KiB.
PEAK = """\
#!{python}
import os, sys
child = os.posix_spawn({python!r}, [{python!r}, *sys.argv[1:]], os.environ)
_pid, status, usage = os.wait4(child, 0)
with open({log!r}, "a") as log:
    log.write(f"{{usage.ru_maxrss}}\\n")
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Run(t.NamedTuple):
    """What a run took: requests, CPU (user and system, children included) and wall seconds, memory in MiB or None."""

    requests: int
    cpu: float
    wall: float
    memory: float | None


class Cloud:
    """A local cloud, as Nova's API or as AWS's shows it, in a process of its own."""

    def __init__(self, folder: pathlib.Path, kind: str) -> None:
        self.folder = folder / kind
        command = [sys.executable]
        if kind == "aws":
            command += ["-m", "tests.bench.aws", str(self.folder), json.dumps(UNLIMITED)]
        else:
            command += [str(ROOT / "tests" / "local_cloud"), "--port", "0", "--directory", str(self.folder)]
            command += [f"--{name.replace('_', '-')}={value}" for name, value in UNLIMITED.items()]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is None or not self._process.stdout.readline().startswith("ready"):
            raise RuntimeError(f"the cloud {kind} did not start")
        described = json.loads((self.folder / "cloud.json").read_text())
        self.endpoint: str = described["endpoint_url"]
        self.user: dict[str, str] = described["users"]["demo"]
        self.image = ""
        self._control: str = described["control_url"].rstrip("/")

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(READY_SECONDS)

    def ask(self, verb: str, path: str, body: t.Any = None) -> t.Any:
        """One request to its control API."""
        data = None if verb == "GET" else json.dumps(body or {}).encode()
        with DIRECT.open(urllib.request.Request(self._control + path, data, method=verb), timeout=300) as reply:
            return json.loads(reply.read() or b"null")

    def empty(self) -> None:
        """Have nothing there but images. They get their ids when somebody lists them."""
        self.ask("POST", "/reset")
        connection = connect(self.endpoint, self.user["access"], self.user["secret"])
        self.image = next(one.id for one in connection.get_all_images() if one.name == IMAGE_NAME)

    def keep(self, name: str) -> None:
        """Keep what there is under a name."""
        self.ask("POST", f"/saved/{name}")

    def bring(self, name: str) -> None:
        """Have everything be as it was when it was kept."""
        self.ask("POST", f"/saved/{name}/restore")

    def set(self, **settings: t.Any) -> None:
        """Change settings, such as latency, boot_seconds and action_seconds."""
        self.ask("POST", "/settings", settings)

    def requests(self) -> int:
        """How many requests there were since this was asked last."""
        count = len(self.ask("GET", "/log")["requests"])
        self.ask("DELETE", "/log")
        return count


class Lab:
    """Where runs are measured. folder: its own, for files."""

    def __init__(self, folder: pathlib.Path, amazon: pathlib.Path) -> None:
        self.folder = folder
        # States of the clouds that were prepared, and the id of the image in them.
        self.kept: dict[str, str] = {}
        self.clouds = {kind: Cloud(folder, kind) for kind in ("nova", "aws")}
        # Of the key pair that a role makes.
        self.key_file = str(folder / "key.pem")
        self._peaks = folder / "peaks.log"
        python = folder / "python"
        python.write_text(PEAK.format(python=sys.executable, log=str(self._peaks)))
        python.chmod(0o755)
        collections = folder / "collections" / "ansible_collections"
        (collections / "nova_ec2").mkdir(parents=True)
        (collections / "nova_ec2" / "cloud").symlink_to(ROOT)
        (collections / "amazon").mkdir()
        (collections / "amazon" / "aws").symlink_to(amazon)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "EC2_", "AWS_"))},
            "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
            "ANSIBLE_LIBRARY": str(HERE / "library"),
            "ANSIBLE_MODULE_UTILS": str(HERE / "module_utils"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
            "ANSIBLE_HOME": str(folder / "home"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def end(self) -> None:
        """Stop the clouds."""
        for cloud in self.clouds.values():
            cloud.end()

    def play(self, play: dict[str, t.Any], memory: bool = False) -> Run:
        """Run a play on localhost. memory: whether to measure that of its modules' processes, which costs time."""
        book = self.folder / "play.json"
        book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, **play}]))
        more = ["-e", f"ansible_python_interpreter={self.folder / 'python'}"] if memory else []
        self._peaks.write_text("")
        run = self._run([self._program("ansible-playbook"), str(book), *more])
        peaks = [int(line) for line in self._peaks.read_text().split()]
        return run._replace(memory=max(peaks) / 1024 if peaks else None)

    def inventory(self, name: str, content: dict[str, t.Any]) -> Run:
        """List an inventory; its memory is that of the process that does it all."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return self._run([self._program("ansible-inventory"), "-i", str(path), "--list"])

    def _program(self, name: str) -> str:
        return os.path.join(os.path.dirname(sys.executable), name)

    def _run(self, command: list[str]) -> Run:
        for cloud in self.clouds.values():
            cloud.requests()
        output = self.folder / "output.txt"
        began = time.monotonic()
        with output.open("wb") as sink:
            process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
            )
            _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{output.read_text()[-3000:]}")
        requests = sum(cloud.requests() for cloud in self.clouds.values())
        return Run(requests, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)
