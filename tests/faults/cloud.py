# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud of a worker's own: made anew for each schedule, steered, and asked for the truth."""

from __future__ import annotations

import collections
import http.client
import json
import pathlib
import subprocess
import sys
import time
import typing as t
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCAL_CLOUD = ROOT / "tests" / "local_cloud"
LOOK_SECONDS = 0.1
# A last resort against hanging. A real cloud takes its time for launches that nobody waits for any more.
QUIET_SECONDS = 300.0
# How many times as long as a schedule says answers are waited for. What comes late because the machine was slow, later
# than the module looks for it, is no fault of the module's.
PACE = 4.0
UNLIMITED = {f"quota_{name}": -1 for name in ("instances", "cores", "ram", "groups")}
# How faults are told apart in the cloud's list of open orders: by a field that their kinds do not use.
LABEL = "http://127.0.0.1:1/{}"


def local_cloud(profile: str) -> list[str]:
    """What starts a local cloud of a profile, without quotas until told otherwise."""
    quotas = [word for name, limit in UNLIMITED.items() for word in (f"--{name.replace('_', '-')}", str(limit))]
    return [str(LOCAL_CLOUD), "--profile", profile, "--port", "0", "--seed", "1", *quotas]


def front(bed: pathlib.Path, number: int) -> list[str]:
    """What starts a door to an OpenStack, with tenants of its own, without quotas until told otherwise."""
    return ["-m", "tests.openstack.front", "--bed", str(bed.resolve()), f"--suffix=-faults-{number}", "--unlimited"]


class Cloud:
    """A running cloud. command: what starts it, to be run by Python, but for the directory."""

    def __init__(self, directory: pathlib.Path, command: list[str]) -> None:
        command = [sys.executable, *command, "--directory", str(directory.resolve())]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith("ready: "):
            raise SystemExit(f"the cloud did not start: {line}")
        facts = json.loads((directory / "cloud.json").read_text())
        self._at = urllib.parse.urlsplit(facts["control_url"]).netloc
        self._take(facts["users"], facts["endpoint_url"], facts["profile"], PACE)

    def _take(self, users: dict[str, dict[str, str]], url: str, profile: str, pace: float = 1.0) -> None:
        self.users, self.url, self.profile = users, url, profile
        self.pace = pace
        self._ordered: dict[str, dict[str, t.Any]] = {}
        self.applied: collections.Counter[str] = collections.Counter()
        self._latest = 0.0

    def control(self, method: str, path: str, **body: t.Any) -> t.Any:
        """One request to the control API. Raises ValueError if it is refused."""
        connection = http.client.HTTPConnection(self._at, timeout=600)
        try:
            connection.request(method, f"/{path}", json.dumps(body) if body else None)
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(f"{method} {path} {body}: {answer}")
        return answer

    def begin(self, **settings: t.Any) -> None:
        """Forget everything but the users."""
        self.control("POST", "reset")
        self.control("DELETE", "log")
        self.control("POST", "settings", **settings)
        self.applied.clear()
        self._ordered.clear()
        self._latest = 0.0

    def log(self, since: int = 0) -> list[dict[str, t.Any]]:
        """The requests after a number, as GET /log tells them."""
        return list(self.control("GET", f"log?since={since}")["requests"])

    def last_request(self) -> int:
        """The number of the last request, or 0."""
        return max((entry["n"] for entry in self.log()), default=0)

    def fault(self, **order: t.Any) -> None:
        """Order a fault."""
        label = LABEL.format(len(self._ordered))
        self._ordered[label] = order
        self.control("POST", "faults", **order, location=label)

    def end_faults(self) -> None:
        """Withdraw the orders, and count those that were carried out."""
        left = {fault["location"]: fault["times"] for fault in self.control("GET", "faults")["faults"]}
        self.control("DELETE", "faults")
        for label, order in self._ordered.items():
            applied = order["times"] - left.get(label, 0)
            self.applied[order["kind"]] += applied
            if order["kind"] == "late" and applied:
                self._latest = max(self._latest, order["seconds"])
        self._ordered.clear()

    def in_flight(self) -> float:
        """For how many seconds at most requests may still be carried out; a guess while some are unanswered."""
        log = self.log()
        if any("status" not in entry for entry in log) or self.control("GET", "")["busy"]:
            return LOOK_SECONDS
        if not self._latest:
            return 0.0
        # A late request is one of those whose connection was closed without an answer.
        closed = [entry["time"] + entry["seconds"] for entry in log if entry["status"] is None]
        return max(0.0, max(closed, default=0.0) + self._latest + LOOK_SECONDS - time.time())

    def settle(self) -> None:
        """Wait until nothing is in flight."""
        deadline = time.monotonic() + QUIET_SECONDS
        while (left := self.in_flight()) > 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"requests are in flight for more than {QUIET_SECONDS:g} s")
            time.sleep(left)

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(QUIET_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
