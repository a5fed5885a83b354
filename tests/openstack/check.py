# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.openstack.check``: the tests and schedules of faults on a test bed, within a bounded time.

What comes of it is told in ``RESULTS.md``. The batches are apart, since they are measured: nothing else may run then.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import typing as t

from . import results
from .bed import Bed, load

ROOT = pathlib.Path(__file__).resolve().parents[2]
# For what a run that is cut short writes down.
END_SECONDS = 60.0
# Which part of the time there is may pass before the last of the tests is begun.
SHARE = 0.4
# More of them make each other's VMs late.
WORKERS = str(min(4, max(2, os.cpu_count() or 2)))
BEHAVIOUR, ALONE = "not alone", "alone"


def main(arguments: list[str] | None = None) -> int:
    """Check what the command line says. 1 if anything failed, or the time was over before all was done."""
    parser = argparse.ArgumentParser(prog="python -m tests.openstack.check", description=__doc__)
    parser.add_argument("what", choices=("tests", "batches"))
    parser.add_argument("--bed", type=pathlib.Path, required=True, help="the test bed's directory")
    parser.add_argument("--schedules", type=int, default=40, help="how many schedules of faults are played")
    parser.add_argument("--minutes", type=float, default=20.0, help="after which everything is ended")
    parser.add_argument("--page", type=pathlib.Path, default=results.PAGE, help="where the results are written")
    options, more = parser.parse_known_args(arguments)
    check = Check(load(options.bed), time.monotonic() + 60 * options.minutes, more)
    with tempfile.TemporaryDirectory(prefix="openstack-check-") as folder:
        check.folder = pathlib.Path(folder)
        passed = [check.behaviour(), check.faults(options.schedules)] if options.what == "tests" else [check.batches()]
    results.write(check.bed, options.page)
    print(f"\nThe results are in {options.page}", flush=True)
    return 0 if all(passed) else 1


class Check:
    """What is run on one bed before a time. more: further arguments for pytest."""

    folder: pathlib.Path

    def __init__(self, bed: Bed, deadline: float, more: t.Sequence[str]) -> None:
        self.bed = bed
        self._deadline = deadline
        self._more = more

    def behaviour(self) -> bool:
        """The tests that local clouds have to pass too.

        Some wait for what a busy cloud may not do in time: what fails beside others is tried once more by itself, and
        the results tell of both. Nothing else here has a second chance.
        """
        began = time.monotonic()
        within = SHARE * (self._deadline - began)
        one_by_one = ("--dist", "load", "--maxschedchunk", "1")
        code, found = self._pytest("-n", WORKERS, *one_by_one, "-m", BEHAVIOUR, f"--within={within:.0f}")
        beside = list(found["failed"])
        if code == 1:
            print("\n=== Once more, by themselves, the tests that failed beside others", flush=True)
            code, again = self._pytest("-n", "0", "-m", BEHAVIOUR, "--last-failed")
            found["passed"] += again["passed"]
            found["failed"] = again["failed"]
        found["again"] = [one for one in beside if one not in found["failed"]]
        results.note(self.bed, "behaviour", {**found, "seconds": time.monotonic() - began})
        return code == 0

    def batches(self) -> bool:
        """The tests that measure how long batches take."""
        code, found = self._pytest("-n", "0", "-m", ALONE, "tests/integration/test_openstack.py")
        results.note(self.bed, "batches", found)
        return code == 0

    def faults(self, schedules: int) -> bool:
        """Schedules of faults, by the same rules as on local clouds."""
        began = time.monotonic()
        command = ["-m", "tests.faults", "--bed", str(self.bed.directory), "--schedules", str(schedules)]
        code, said = self._run([*command, "--workers", "4", "--naive", "0"], keep=True)
        facts = {"table": results.read_table(said), "seconds": time.monotonic() - began}
        results.note(self.bed, "faults", facts)
        return code == 0

    def _pytest(self, *arguments: str) -> tuple[int, results.Facts]:
        report = self.folder / f"report-{time.monotonic_ns()}.xml"
        places = [] if any(one.startswith("tests") for one in arguments) else ["tests/modules", "tests/integration"]
        fixed = ["-m", "pytest", "--bed", str(self.bed.directory), f"--junitxml={report}", "-o", "junit_family=xunit1"]
        code, _said = self._run([*fixed, *arguments, *self._more, *places])
        return code, results.read_report(report)

    def _run(self, command: list[str], keep: bool = False) -> tuple[int, str]:
        """Run Python, and end it when the time is over; its code, and what it said if that is kept."""
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True, text=True,
            stdout=subprocess.PIPE if keep else None,
        )  # fmt: skip
        try:
            said, _nothing = process.communicate(timeout=max(1.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            print("\n=== The time is over", flush=True)
            said = _end(process)
        if keep:
            print(said, flush=True)
        return process.returncode, said or ""


def _end(process: subprocess.Popen[str]) -> str:
    """End a process, with a chance to tell how far it came, and whatever it leaves behind."""
    process.send_signal(signal.SIGINT)
    said = ""
    with contextlib.suppress(subprocess.TimeoutExpired):
        said = process.communicate(timeout=END_SECONDS)[0]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return said


if __name__ == "__main__":
    sys.exit(main())
