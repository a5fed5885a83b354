# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured on a test bed: kept in its directory, and told in ``RESULTS.md``."""

from __future__ import annotations

import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import typing as t
from xml.etree import ElementTree

from .bed import Bed

PAGE = pathlib.Path(__file__).resolve().parent / "RESULTS.md"
HEAD = """\
<!--
Copyright (c) 2026, The nova_ec2.cloud authors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# On a real OpenStack

Written by `make test-openstack` and `make batches-openstack`. Seconds are those of the machine named here, and of what
else it did meanwhile.
"""
# What is told of the software, by its Debian package.
DEBIAN = {
    "Nova": "python3-nova",
    "Neutron": "python3-neutron",
    "Keystone": "python3-keystone",
    "Glance": "python3-glance",
    "Cinder": "python3-cinder",
    "Placement": "python3-placement",
    "RabbitMQ": "rabbitmq-server",
    "MariaDB": "mariadb-server-core",
}
# Figures of the fault suite that have to be 0.
PROMISES = {
    "doubled": "duplicates",
    "missing": "missing after a clean run",
    "orphaned": "orphans",
    "foreign VMs touched": "foreign VMs touched",
    "ids that nobody accounts for": "unaccounted ids",
    "clean runs that failed": "clean runs that failed",
    "runs that hung": "runs that hung",
    "schedules that could not be played": "schedules that could not be played",
}
Facts = dict[str, t.Any]


def load(bed: Bed) -> dict[str, Facts]:
    """Everything that was noted of a bed, by the name of the part."""
    path = _file(bed)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def note(bed: Bed, part: str, facts: Facts) -> None:
    """Note the figures of a part, in place of its earlier ones."""
    facts = {"date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC", **facts}
    _file(bed).write_text(json.dumps({**load(bed), part: facts}, indent=1), encoding="utf-8")


def _file(bed: Bed) -> pathlib.Path:
    return bed.run / "results.json"


def versions(bed: Bed) -> dict[str, str]:
    """The versions of what the bed is made of."""
    found = {name: _debian(package) for name, package in DEBIAN.items()}
    metadata = (bed.run / "venv").glob("lib/*/site-packages/ec2_api-*.dist-info")
    return {"ec2-api": next((path.name.split("-")[1].removesuffix(".dist") for path in metadata), "?"), **found}


def _debian(package: str) -> str:
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout or "?"


def machine() -> str:
    """The machine in a few words."""
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return f"{os.cpu_count()} processors, {int(memory[1]) >> 20 if memory else '?'} GiB of memory, Debian 12"


def read_report(path: pathlib.Path) -> Facts:
    """What a run of pytest came to, of the file that ``--junitxml`` writes."""
    if not path.exists():
        return {"passed": 0, "failed": ["it did not end"], "skipped": {}, "figures": []}
    failed, skipped, figures, passed = [], collections.Counter[str](), [], 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname', '')}::{case.get('name', '')}")
        elif skip is not None:
            skipped[skip.get("message", "")] += 1
        else:
            passed += 1
        figures += [one.get("value", "") for one in case.iter("property") if one.get("name") == "figure"]
    return {"passed": passed, "failed": failed, "skipped": dict(sorted(skipped.items())), "figures": sorted(figures)}


def read_table(text: str) -> dict[str, int]:
    """The counters that ``python -m tests.faults`` prints."""
    return {name.strip(): int(value) for name, value in re.findall(r"^\| ([^|]+) \| (\d+) \|$", text, re.MULTILINE)}


def write(bed: Bed, page: pathlib.Path = PAGE) -> None:
    """Write all that was noted as a page."""
    noted = load(bed)
    lines = [HEAD, f"On {machine()}.", ""]
    lines += ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in versions(bed).items())]
    for part, told in _PARTS.items():
        if part in noted:
            lines += ["", *told(noted[part])]
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _bringing_up(facts: Facts) -> list[str]:
    lines = ["## Bringing it up", ""]
    for name, text in (
        ("install", "Installing all packages"),
        ("from nothing", "From nothing to ready, without installing"),
        ("again", "With its data kept"),
    ):
        lines += [f"- {text}: {facts[name]:.0f} s"] if name in facts else []
    if "memory" in facts:
        lines += [f"- Memory of its {facts['processes']} processes: {facts['memory']:.0f} MiB"]
    return lines


def _behaviour(facts: Facts) -> list[str]:
    lines = [f"## Behaviour ({facts['date']})", ""]
    lines += [f"{facts['passed']} tests passed, {len(facts['failed'])} failed, in {facts['seconds']:.0f} s."]
    if facts["again"]:
        lines += ["", "Failed beside others, and passed by themselves:", "", *(f"- `{one}`" for one in facts["again"])]
    if facts["failed"]:
        lines += ["", "Failed:", "", *(f"- `{one}`" for one in facts["failed"])]
    lines += ["", "What this cloud cannot do, and how many tests are not run for that (`tests/lacks.py`):", ""]
    return lines + [f"- {count}: {reason}" for reason, count in facts["skipped"].items()]


def _faults(facts: Facts) -> list[str]:
    table = facts["table"]
    lines = [f"## Faults ({facts['date']})", ""]
    lines += [
        f"{table.get('schedules', 0)} schedules, {table.get('module runs', 0)} runs of the module, "
        f"{table.get('faults injected, all kinds', 0)} faults, {table.get('runs killed', 0)} runs killed, in "
        f"{facts['seconds']:.0f} s. Counted in the end by Nova's own API:",
        "",
    ]
    return lines + [f"- {name}: {table.get(row, '?')}" for name, row in PROMISES.items()]


def _batches(facts: Facts) -> list[str]:
    lines = [f"## Batches of real VMs ({facts['date']})", ""]
    lines += ["VMs of the type m1.tiny, made and ended by the module instance, one run each:", ""]
    return lines + [f"- {one}" for one in facts["figures"]]


_PARTS: dict[str, t.Callable[[Facts], list[str]]] = {
    "up": _bringing_up,
    "behaviour": _behaviour,
    "faults": _faults,
    "batches": _batches,
}
