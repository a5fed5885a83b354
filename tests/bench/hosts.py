# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it takes to make hosts of VMs in a play: the task hosts beside a loop of add_host.

python -m tests.bench.hosts [NUMBER]...: seconds of wall time and of CPU of a whole ansible-playbook, and of one without
either task.
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]


def views(number: int) -> list[dict[str, t.Any]]:
    """So many VMs, as modules show them."""
    more = {f"key-{one}": "a value that is told with each" for one in range(20)}
    return [
        {**more, "instance_id": f"i-{one:08x}", "name": f"web-{one}", "public_ip_address": None,
         "private_ip_address": f"10.{one >> 16}.{one >> 8 & 255}.{one & 255}"}
        for one in range(1, number + 1)
    ]  # fmt: skip


LOOP = {
    "ansible.builtin.add_host": {
        "name": "{{ item.name }}",
        "groups": "web",
        "ansible_host": "{{ item.private_ip_address }}",
        "nova_ec2_instance": "{{ item }}",
        "nova_ec2_batch": "web",
    },
    "loop": "{{ vms }}",
    "loop_control": {"label": "{{ item.name }}"},
}
TASKS: dict[str, list[dict[str, t.Any]]] = {
    "neither": [],
    "hosts": [{"nova_ec2.cloud.hosts": {"batch": "web", "endpoint": "http://north:8773/", "instances": "{{ vms }}"}}],
    "loop of add_host": [LOOP],
}


def measured(tasks: list[dict[str, t.Any]], number: int, place: pathlib.Path) -> tuple[float, float]:
    """Seconds of wall time and of CPU."""
    (place / "vms.json").write_text(json.dumps({"vms": views(number)}))
    count = {"ansible.builtin.debug": {"msg": "{{ groups.web | default([]) | length }}"}}
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": [str(place / "vms.json")], "tasks": tasks}
    (place / "play.json").write_text(json.dumps([play, {**play, "tasks": [count]}]))
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_NOCOLOR": "1"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [str(program), str(place / "play.json")], env=environment, capture_output=True, text=True, check=False
    )
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0 and f'"msg": {number if tasks else 0}' in done.stdout.replace('"msg": "', '"msg": '), (
        done
    )
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print a table."""
    for number in [int(word) for word in sys.argv[1:]] or [1, 1000]:
        for name, tasks in TASKS.items():
            with tempfile.TemporaryDirectory() as place:
                wall, cpu = measured(tasks, number, pathlib.Path(place))
            print(f"{number:6} VMs  {name:18} {wall:7.2f} s  {cpu:7.2f} s CPU")


if __name__ == "__main__":
    main()
