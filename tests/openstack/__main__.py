# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.openstack up``: a real OpenStack with ec2-api on loopback, and ``down``, ``wipe``, ``status``."""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import sys
import time
import typing as t

from . import configuration, packages, results
from .bed import Bed, BedError, load, load_or_make
from .processes import Processes
from .services import ALL, Services

ROOT = pathlib.Path(__file__).resolve().parents[2]
RC = """\
export EC2_ACCESS_KEY={access}
export EC2_SECRET_KEY={secret}
export EC2_URL={url}
export EC2_REGION=RegionOne
"""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says. 1 if that fails, with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.openstack", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--directory", type=pathlib.Path, default=ROOT / ".openstack", help="where everything lies")
    options = parser.parse_args(arguments)
    try:
        COMMANDS[options.command](options.directory)
    except BedError as problem:
        print(f"openstack: {problem}", file=sys.stderr)
        return 1
    return 0


def up(directory: pathlib.Path) -> None:
    """Bring everything up that is not, from a bare machine if need be."""
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", flush=True)

    bed = load_or_make(directory)
    if bed.done("filled") and set(ALL) <= set(Processes(bed).running().values()):
        Services(bed, tell).wait()
    else:
        fresh, installing = not bed.done("filled"), _bring_up(bed, tell)
        seconds = {"from nothing" if fresh else "again": time.monotonic() - began - installing}
        earlier = {name: value for name, value in results.load(bed).get("up", {}).items() if name not in seconds}
        running = Processes(bed).running()
        facts = {"memory": sum(map(_memory, running)), "processes": len(running)}
        results.note(bed, "up", {**earlier, **({"install": installing} if installing > 1 else {}), **seconds, **facts})
    tell(f"ready: {bed.endpoint}, settings in {bed.run / 'ec2rc.sh'}")


def _bring_up(bed: Bed, tell: t.Callable[[str], None]) -> float:
    """Bring it up; for how many seconds that was installing."""
    configuration.write(bed)
    services = Services(bed, tell)
    services.check_ports()
    began = time.monotonic()
    packages.install(bed, tell)
    installing = time.monotonic() - began
    tell("starting the message broker and the database")
    services.start_stores()
    if not bed.done("schemas"):
        tell("making the services' tables")
    services.make_schemas()
    tell("starting Keystone")
    services.start_keystone()
    from . import contents

    if not bed.token:
        tell("filling Keystone's catalogue")
        bed.token = contents.fill_catalogue(bed)
        bed.save()
        configuration.write(bed)
        services.processes.stop("keystone")
        services.start_keystone()
    tell("starting placement, glance, neutron, cinder, nova and ec2-api")
    services.start_rest()
    services.wait()
    contents.wake(bed)
    if not bed.done("filled"):
        tell("making flavors, images, networks and users")
        contents.fill(bed, bed.run)
        tenants = contents.make_tenants(bed)
        services.discover_hosts()
        for name, tenant in tenants.items():
            suffix = "" if name == "demo" else f"-{name}"
            _write_private(
                bed.run / f"ec2rc{suffix}.sh", RC.format(access=tenant.access, secret=tenant.secret, url=bed.endpoint)
            )
        bed.mark("filled")
    return installing


def _write_private(path: pathlib.Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)


def down(directory: pathlib.Path) -> None:
    """Stop exactly what ``up`` has started."""
    stopped = Processes(load(directory)).stop()
    print(f"stopped {len(stopped)} processes: {' '.join(sorted(set(stopped.values()))) or 'none ran'}")


def wipe(directory: pathlib.Path) -> None:
    """Stop everything and remove the data."""
    if (directory / "bed.json").exists():
        down(directory)
        shutil.rmtree(directory)
        print(f"removed {directory}")


def status(directory: pathlib.Path) -> None:
    """Show what runs, and how much memory it takes."""
    bed = load(directory)
    running = Processes(bed).running()
    memory = {pid: _memory(pid) for pid in running}
    for name in sorted(set(running.values())):
        pids = [pid for pid, other in running.items() if other == name]
        print(f"{name:16} {sum(memory[pid] for pid in pids):6.0f} MiB  process {' '.join(map(str, sorted(pids)))}")
    print(f"{len(running)} processes, {sum(memory.values()):.0f} MiB; {bed.endpoint}")
    missing = sorted(set(ALL) - set(running.values()))
    if missing:
        raise BedError(f"these do not run: {' '.join(missing)}. Start them: make openstack")


def _memory(pid: int) -> float:
    """A process's share of memory, in MiB."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


COMMANDS: dict[str, t.Callable[[pathlib.Path], None]] = {"up": up, "down": down, "wipe": wipe, "status": status}

if __name__ == "__main__":
    sys.exit(main())
