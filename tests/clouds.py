# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all clouds that tests run against can do, whether they are in this process, in one of their own, or real."""

from __future__ import annotations

import pathlib
import time
import typing as t

MUTATIONS = ("Allocate", "Associate", "Attach", "Authorize", "Create", "Delete", "Deregister", "Detach", "Disassociate")
MUTATIONS += ("Import", "Modify", "Reboot", "Register", "Release", "Revoke", "Run", "Start", "Stop", "Terminate")
BOOT_SECONDS = 0.3
# A generation of each kind, oldest first.
PROFILES = ["grizzly", "havana", "icehouse", "juno", "liberty", "ec2api"]
CIRROS = "Cirros-0.3.0-x86_64"


class Cloud:
    """A cloud, and the door to its inner truth.

    patience: for how many seconds tasks wait; an OpenStack under load needs it.
    slack: for how many seconds more than it waits anything may take.
    """

    patience = 120
    slack: float = 60
    directory: pathlib.Path
    profile: str
    url: str
    users: dict[str, dict[str, str]]

    def control(self, method: str, path: str, **body: t.Any) -> t.Any:
        """One request to the control interface."""
        raise NotImplementedError

    def noting(self, launches: int = 1) -> list[str]:
        """What ends a run with launches: Havana shows no client tokens, so numbers are put into tags."""
        return ["CreateTags"] * launches if self.profile == "havana" else []

    def options(self, user: str = "demo") -> dict[str, t.Any]:
        """The connection options of a task."""
        keys = self.users[user]
        return {"endpoint_url": self.url, "access_key": keys["access"], "secret_key": keys["secret"]}

    def fault(self, action: str, kind: str, times: int = 1, **more: t.Any) -> None:
        """Have the next requests of an action fail."""
        self.control("POST", "faults", action=action, kind=kind, times=times, **more)

    def when(self, action: str, call: t.Callable[[], t.Any], number: int = 1) -> None:
        """Have call be called as the next request of an action, or the one after so many, comes in."""
        raise NotImplementedError

    def after(self, action: str, call: t.Callable[[], t.Any], number: int = 1) -> None:
        """Have call be called as the next request of an action, or the one after so many, is done but not answered."""
        raise NotImplementedError

    def wait_for_request(self, action: str, number: int = 1) -> None:
        """Let time pass until an action has been requested so often."""
        self.wait_until(lambda: self.actions().count(action) >= number)

    def wait_until(self, holds: t.Callable[[], bool]) -> None:
        """Let time pass until the cloud has come to something by itself."""
        deadline = time.monotonic() + self.patience
        while not holds():
            assert time.monotonic() < deadline, self.actions()
            time.sleep(0.05)

    def settings(self, **settings: t.Any) -> None:
        """Change how the cloud behaves."""
        self.control("POST", "settings", **settings)

    def actions(self) -> list[str]:
        """The actions requested since the last reset or forget, in order."""
        return [entry["action"] for entry in self.control("GET", "log")["requests"]]

    def mutations(self) -> list[str]:
        """Those of actions that change something."""
        return [action for action in self.actions() if action.startswith(MUTATIONS)]

    def forget_log(self) -> None:
        """Begin to count anew."""
        self.control("DELETE", "log")

    def servers(self, tenant: str = "demo") -> list[dict[str, t.Any]]:
        """The VMs that a project has, as the cloud itself knows them."""
        project = self.users[tenant]["tenant_id"]
        return [server for server in self.control("GET", "state")["servers"] if server["tenant"] == project]

    def ever_started(self) -> int:
        """How many VMs were ever started, terminated ones included."""
        state = self.control("GET", "state")
        return len(state["servers"]) + len(state["gone"])

    def fingerprints(self) -> dict[str, str]:
        """Fingerprints of the user demo's key pairs, by name."""
        pairs = self.control("GET", "state")["keypairs"]
        user = self.users["demo"]["user_id"]
        return {pair["name"]: pair["fingerprint"] for pair in pairs if pair["user_id"] == user}

    def groups(self) -> set[str]:
        """Names of the project's security groups."""
        groups = self.control("GET", "state")["groups"]
        project = self.users["demo"]["tenant_id"]
        return {group["name"] for group in groups if group["tenant_id"] == project}

    def addresses(self, tenant: str = "demo") -> dict[str, str | None]:
        """The floating addresses that a project has, and the VMs that they are at."""
        project = self.users[tenant]["tenant_id"]
        held = self.control("GET", "state")["addresses"]
        return {address["ip"]: address["instance"] for address in held if address["tenant_id"] == project}
