# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A world with a local cloud in it for each test, and modules run in it; with --bed those of tests/running.py."""

from __future__ import annotations

import contextlib
import pathlib
import time
import typing as t

import pytest
from clouds import BOOT_SECONDS, CIRROS, Cloud
from running import Run, RunningCloud
from virtual.cloud import VirtualCloud
from virtual.task import Begun, Task
from virtual.world import World

# Quick VMs, and keys that are made quickly too.
SETTINGS = {"boot_seconds": BOOT_SECONDS, "action_seconds": BOOT_SECONDS, "key_bits": 768}


@pytest.fixture
def world() -> t.Iterator[World]:
    """A clock that only moves when everybody waits."""
    with World().entered() as found:
        yield found


@pytest.fixture
def cloud(request: pytest.FixtureRequest, bed: RunningCloud | None, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """An empty cloud, of the Grizzly generation unless the test asks for another profile."""
    place = tmp_path_factory.mktemp("world")
    request.getfixturevalue("monkeypatch").setenv("HOME", str(place))
    if bed is not None:
        bed.reset()
        return bed
    world = request.getfixturevalue("world")
    profile = getattr(request, "param", "grizzly")
    return VirtualCloud(world, place / "cloud", profile, **SETTINGS)


@pytest.fixture
def run(cloud: Cloud) -> t.Callable[..., dict[str, t.Any]]:
    """run("keypair", name="web", check=True) runs a module of the collection and returns its result."""

    def task(
        module: str, *, check: bool = False, diff: bool = False, user: str | None = "demo", **args: t.Any
    ) -> dict[str, t.Any]:
        given = {**(cloud.options(user) if user else {}), **args}
        return Task(module, given, check=check, diff=diff).run()

    return task


@pytest.fixture
def begin(cloud: Cloud) -> t.Callable[..., Begun | Run]:
    """begin("volume", home, batch="web") has a module run beside the test, as on a machine with that home directory."""

    def start(module: str, home: pathlib.Path, **args: t.Any) -> Begun | Run:
        if isinstance(cloud, RunningCloud):
            return Run(cloud, module, home, **args)
        assert isinstance(cloud, VirtualCloud)
        home.mkdir(exist_ok=True)
        given = {**cloud.options(), "wait_timeout": cloud.patience, **args}
        return Task(module, given, home=home).begin(cloud.world)

    return start


@pytest.fixture
def lasts(cloud: Cloud) -> t.Callable[[float], t.ContextManager[None]]:
    """With lasts(2): what is done waits for exactly as many seconds."""

    @contextlib.contextmanager
    def measured(seconds: float) -> t.Iterator[None]:
        began = time.monotonic()
        yield
        assert seconds <= time.monotonic() - began <= seconds + cloud.slack

    return measured


@pytest.fixture
def image(cloud: Cloud, run: t.Any) -> str:
    """The id of the image Cirros-0.3.0-x86_64 in this cloud; the log is forgotten."""
    found = str(run("image_info", name=CIRROS, expect="one")["image"]["image_id"])
    cloud.forget_log()
    return found


@pytest.fixture
def vms(cloud: Cloud, run: t.Any) -> list[str]:
    """The ids of two VMs, the members of the batch web; the log is forgotten."""
    made = run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny")
    assert not made.get("failed"), made
    cloud.forget_log()
    return list(made["instance_ids"])
