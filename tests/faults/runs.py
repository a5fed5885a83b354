# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of modules, each in a process of its own that can be killed."""

from __future__ import annotations

import itertools
import json
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
import typing as t

END_SECONDS = 300.0
NURSERY = pathlib.Path(__file__).resolve().with_name("nursery.py")


class Run:
    """One run. done: the queue that it is put into when it is over."""

    def __init__(self, number: int, output: pathlib.Path, done: queue.Queue[Run]) -> None:
        self.number = number
        self.done = done
        self.killed = False
        self._output = output
        self._alive = True

    def ended(self, signal: int) -> None:
        """Note that the process is over."""
        self.killed = signal != 0
        self._alive = False
        self.done.put(self)

    @property
    def alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self._alive

    def result(self) -> dict[str, t.Any]:
        """What the module printed; failed and msg say so if that is no result."""
        printed, errors = (self._read(suffix) for suffix in ("", ".err"))
        try:
            return dict(json.loads(printed))
        except ValueError:
            return {"failed": True, "msg": f"no result: {printed[-300:]} {errors[-600:]}".strip()}

    def errors(self) -> str:
        """The last line of what was written to standard error."""
        return self._read(".err").strip().rpartition("\n")[2]

    def _read(self, suffix: str) -> str:
        path = pathlib.Path(f"{self._output}{suffix}")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


class Nursery:
    """The process that runs are forked from, for many threads at once."""

    def __init__(self, folder: pathlib.Path, collection: pathlib.Path) -> None:
        # A copy, so that a tree that is being edited is the same for every run.
        home = folder / "collections" / "ansible_collections" / "nova_ec2" / "cloud"
        shutil.copytree(collection / "plugins", home / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, str(NURSERY), str(folder / "collections")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if not self._process.stdout or not self._process.stdout.readline():
            raise SystemExit("the process that forks modules did not start")
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._runs: dict[int, Run] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def start(
        self, job: str, options: dict[str, t.Any], home: pathlib.Path, output: pathlib.Path, done: queue.Queue[Run]
    ) -> Run:
        """Start a run of a job, ``instance`` or ``naive``."""
        home.mkdir(parents=True, exist_ok=True)
        with self._lock:
            run = Run(next(self._numbers), output, done)
            self._runs[run.number] = run
            self._tell(start=run.number, job=job, options=options, home=str(home), output=str(output))
        return run

    def kill(self, run: Run) -> None:
        """Kill -9, if the run is not over."""
        with self._lock:
            self._tell(kill=run.number)

    def _tell(self, **order: t.Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            report = json.loads(line)
            with self._lock:
                run = self._runs.pop(report["ended"])
            run.ended(report["signal"])

    def stop(self) -> None:
        """End the process, and all runs with it."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(END_SECONDS)
