# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make figures``: requests by action, and processor time of single tasks, against a local cloud without delays.

Marginal processor time is that of ansible-playbook with the task less that of the same playbook without it (user and
system, children included; medians of several pairs, run in turns).
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import typing as t
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 5
CONNECTION = {"rc_file": "{{ lookup('ansible.builtin.env', 'FIGURES_RC') }}"}
BATCH = {"batch": "figures", "image": "ami-00000001", "instance_type": "m1.tiny"}
JOBS: dict[str, tuple[str, dict[str, t.Any], dict[str, t.Any] | None]] = {
    # name: (module, options, options of the instance task that prepares it)
    "key pair, no change": ("keypair", {"name": "figures"}, None),
    "image lookup": ("image_info", {"name": "Cirros-0.3.0-x86_64"}, None),
    "batch of 100 from zero": ("instance", {**BATCH, "count": 100}, {"batch": "figures", "state": "absent"}),
    "batch of 100, no change": ("instance", {**BATCH, "count": 100}, {**BATCH, "count": 100}),
    "batch from 50 to 100": ("instance", {**BATCH, "count": 100}, {**BATCH, "count": 50}),
    "batch of 100 to none": ("instance", {**BATCH, "count": 0, "max_terminate": 100}, {**BATCH, "count": 100}),
    "batch of 100 and its mark": ("instance", {"batch": "figures", "state": "absent"}, {**BATCH, "count": 100}),
}


class Lab:
    """A local cloud, and playbooks run against it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        command = [sys.executable, str(ROOT / "tests" / "local_cloud"), "--port", "0", "--control-port", "0"]
        command += ["--directory", str(folder / "cloud"), "--boot-seconds", "0.2", "--action-seconds", "0.2"]
        command += ["--quota-instances", "-1", "--quota-cores", "-1", "--quota-ram", "-1"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        self.control = json.loads((folder / "cloud" / "cloud.json").read_text())["control_url"].rstrip("/")
        namespace = folder / "collections" / "ansible_collections" / "nova_ec2"
        namespace.mkdir(parents=True)
        (namespace / "cloud").symlink_to(ROOT)

    def actions(self) -> list[str]:
        """The actions requested since the log was emptied, which this does."""
        with urllib.request.urlopen(f"{self.control}/log", timeout=30) as reply:
            actions = [entry["action"] for entry in json.loads(reply.read())["requests"]]
        urllib.request.urlopen(urllib.request.Request(f"{self.control}/log", method="DELETE"), timeout=30).close()
        return actions

    def play(self, *tasks: tuple[str, dict[str, t.Any]]) -> float:
        """Run a playbook of these tasks; its processor time in seconds."""
        book = self.folder / "play.yml"
        written = [{f"nova_ec2.cloud.{module}": {**CONNECTION, **options}} for module, options in tasks]
        book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": written}]))
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "FIGURES_RC": str(self.folder / "cloud" / "ec2rc.sh"),
        }
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        program = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
        done = subprocess.run([program, str(book)], env=environment, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure every job and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(pathlib.Path(folder))
        try:
            lab.play(("keypair", {"name": "figures"}), ("image_info", {}))
            print(f"{'job':28} {'requests':>8}  {'CPU s':>6}  actions")
            for name, (module, options, prepared) in JOBS.items():
                costs = []
                for _round in range(ROUNDS):
                    empty = lab.play()
                    if prepared is not None:
                        lab.play(("instance", prepared))
                    lab.actions()
                    costs.append(lab.play((module, options)) - empty)
                    actions = lab.actions()
                counted = ", ".join(f"{count} {action}" for action, count in collections.Counter(actions).items())
                print(f"{name:28} {len(actions):8}  {statistics.median(costs):6.2f}  {counted}", flush=True)
        finally:
            lab.process.terminate()


if __name__ == "__main__":
    main()
