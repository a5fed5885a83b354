# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records the README's picture: ten VMs, the same again, and two more whose answer gets lost. On a local cloud.

python -m tests.picture FILE
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from running import RunningCloud, local_cloud

from picture.drawing import svg

WIDTH = 116
PLAY = """
- name: Have ten VMs
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there are as many as wanted
      nova_ec2.cloud.instance:
        rc_file: ~/ec2rc.sh
        batch: web
        count: "{{ count | default(10) }}"
        image: Cirros-0.3.0-x86_64
        instance_type: m1.tiny
"""
TITLE = "Ten VMs in a terminal"
DESCRIPTION = (
    "ansible-playbook provisions ten VMs and shows a bar meanwhile; a second run changes nothing; a third one wants "
    "two more, the cloud's answer gets lost, and the two VMs are found and taken over."
)


class Recorder:
    """A shell's terminal, as it would be seen: prompts, what is typed, and what comes of it."""

    def __init__(self, home: pathlib.Path) -> None:
        self.recorded: list[tuple[float, str | None]] = []
        self._home = home
        self._now = 0.0

    def _add(self, seconds: float, output: str | None) -> None:
        self._now += seconds
        self.recorded.append((self._now, output))

    def clear(self) -> None:
        """Begin with an empty screen."""
        self._add(0, None)

    def type(self, text: str) -> None:
        """Write a line at a prompt."""
        self._add(0.3, "\033[1m$\033[0m ")
        for letter in text:
            self._add(0.035, letter)
        self._add(0.4, "\r\n")

    def run(self, *words: str) -> None:
        """Run a command, and keep what it writes with the time that it took."""
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
        (self._home / "collections" / "ansible_collections" / "nova_ec2").mkdir(parents=True, exist_ok=True)
        environment = {
            "HOME": str(self._home),
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(self._home / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
        process = subprocess.Popen(
            words, cwd=self._home, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        last = time.monotonic()
        while True:
            try:
                output = os.read(ours, 65536).decode()
            except OSError:
                break
            now = time.monotonic()
            self._add(now - last, output)
            last = now
        os.close(ours)
        if process.wait():
            raise SystemExit(f"{' '.join(words)} failed: {''.join(text or '' for _at, text in self.recorded)}")


def boot_one_by_one(cloud: RunningCloud, over: threading.Event) -> None:
    """VMs do not all boot in the same time."""
    while not over.wait(2.2):
        for server in cloud.control("GET", "state")["servers"]:
            if server["vm_state"] == "building":
                cloud.control("POST", f"servers/{server['id']}", vm_state="active")
                break


def record() -> list[tuple[float, str | None]]:
    """The three runs."""
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        (home / "ten.yml").write_text(PLAY)
        collection = home / "collections" / "ansible_collections" / "nova_ec2"
        collection.mkdir(parents=True)
        (collection / "cloud").symlink_to(ROOT)
        cloud = RunningCloud(home / "cloud", local_cloud("grizzly"), is_local=True)
        over = threading.Event()
        try:
            (home / "ec2rc.sh").write_bytes((home / "cloud" / "ec2rc.sh").read_bytes())
            (home / "ec2rc.sh").chmod(0o600)
            cloud.control("POST", "settings", boot_seconds=-1, quota_instances=20)
            threading.Thread(target=boot_one_by_one, args=(cloud, over), daemon=True).start()
            terminal = Recorder(home)
            terminal.type("ansible-playbook ten.yml")
            terminal.run("ansible-playbook", "ten.yml")
            terminal.clear()
            terminal.type("ansible-playbook ten.yml   # again")
            terminal.run("ansible-playbook", "ten.yml")
            terminal.clear()
            terminal.type("ansible-playbook ten.yml -e count=12   # and the cloud's answer gets lost")
            cloud.control("POST", "faults", action="RunInstances", kind="drop_after")
            terminal.run("ansible-playbook", "ten.yml", "-e", "count=12")
        finally:
            over.set()
            cloud.stop()
    return terminal.recorded


def main(words: t.Sequence[str]) -> None:
    """Record, and write the picture."""
    pathlib.Path(words[0]).write_text(svg(record(), WIDTH, TITLE, DESCRIPTION))


if __name__ == "__main__":
    main(sys.argv[1:])
