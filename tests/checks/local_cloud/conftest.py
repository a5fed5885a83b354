# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the package of the local cloud on the path, and make clouds without sockets."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from local_cloud import actions
from local_cloud.actions.call import Call
from local_cloud.model import User
from local_cloud.params import nest
from local_cloud.profiles import PROFILES
from local_cloud.state import Cloud, Settings
from virtual.world import World

DEMO = User("demo", "a" * 32, "5" * 32, "demo", "d" * 32, "e" * 32, False)
ADMIN = User("adminuser", "b" * 32, "6" * 32, "adminproj", "c" * 32, "f" * 32, True)


class Bench:
    """A cloud whose actions are called directly, as a user, with parameters as they come over the wire."""

    def __init__(self, profile: str, **settings: Any) -> None:
        fast = Settings(boot_seconds=0.0, action_seconds=0.0, random_order=False)
        self.cloud = Cloud(PROFILES[profile], [DEMO, ADMIN], dataclasses.replace(fast, **settings), "tutorial", 1)

    def __call__(self, name: str, user: User = DEMO, **parameters: str) -> dict[str, Any]:
        """Carry out one action; dots in parameter names are written as two underscores."""
        flat = {key.replace("__", "."): value for key, value in parameters.items()}
        handler = actions.find(self.cloud.profile, name)
        with self.cloud.lock:
            self.cloud.advance()
            return handler.function(Call(self.cloud, user, 1, "req-1"), **nest(flat))

    def states(self) -> list[str]:
        """Return the visible states of demo's servers."""
        reservations = self("DescribeInstances")["reservationSet"]
        return [server["instanceState"]["name"] for one in reservations for server in one["instancesSet"]]


@pytest.fixture
def admin() -> User:
    """The administrator."""
    return ADMIN


@pytest.fixture
def bench() -> Iterator[type[Bench]]:
    """The maker of clouds, on a clock that only moves when somebody sleeps."""
    with World().entered():
        yield Bench
