# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One schedule: the scenario's beginning, its runs and what happens to them, a clean run, and the verdict."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import os
import pathlib
import random
import shutil
import tempfile
import types
import typing as t
import uuid
from unittest import mock

import greenlet
from ansible_collections.nova_ec2.cloud.plugins.module_utils import _module
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import options as _options
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import wire as _wire
from ansible_collections.nova_ec2.cloud.plugins.modules import instance
from clouds import CIRROS
from virtual.task import Task
from virtual.world import Killed, World

from . import judge
from .choices import Choices
from .cloud import ACTION_SECONDS, BOOT_SECONDS, SimulatedCloud, settings_of
from .scenarios import MARK, OPTIONS, Scenario
from .scenarios import Run as Planned

# Memory, where there is some to be had: runs note on disk what they do.
SHELF = "/dev/shm" if os.path.isdir("/dev/shm") else None
WAITS = ("sleeps", "killed in its sleep")
# Shorter sleeps are those of a run that waits for the lock of another.
SLEEP_SECONDS = 0.5
AT_REST = 3600.0


class SimulatedWorld(World):
    """A world in which a run that waits may be killed."""

    def __init__(self, now: float, choices: Choices) -> None:
        super().__init__(now)
        self._choices = choices
        self.mortal: set[t.Any] = set()

    def sleep(self, seconds: float) -> None:
        """Let time pass for whoever calls this, unless that is the end of it."""
        me = greenlet.getcurrent()
        if seconds >= SLEEP_SECONDS and me in self.mortal and self._choices.choose(WAITS) != WAITS[0]:
            self.killed.add(me)
            raise Killed
        super().sleep(seconds)


class Run:
    """One run of the module. result: what it returned, None if it was killed; members: how many there were then."""

    def __init__(self, cloud: SimulatedCloud, planned: Planned, params: dict[str, t.Any]) -> None:
        self.machine = planned.machine
        self.wanted: int | None = params["count"] if params["state"] == "running" else 0
        self.waits = bool(params["wait"])
        self._cloud = cloud
        self._params = params
        self.fiber: t.Any = None
        self.result: dict[str, t.Any] | None = None
        self.members: int | None = None

    def carry_out(self) -> None:
        """What the module's shell does with options that are parsed."""
        params = copy.deepcopy(self._params)
        module: t.Any = types.SimpleNamespace(
            options=lambda: params, check_mode=False, _diff=False, warn=lambda text: None
        )
        with contextlib.suppress(Killed):
            self.result = _module._answer(module, instance.plan, instance.check, instance.hold, _options.connect_with)
            self.members = len(judge.members(self._cloud.servers(), MARK))

    @property
    def killed(self) -> bool:
        """Whether it did not come to its end."""
        return self.result is None

    @property
    def succeeded(self) -> bool:
        """Whether it came to its end, and a good one."""
        return self.result is not None and not self.result.get("failed")


class Stage:
    """A scenario on a profile, prepared once: every schedule begins from a copy of that."""

    def __init__(self, scenario: Scenario, profile: str) -> None:
        self.scenario = scenario
        self.profile = profile
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="simulator-", dir=SHELF))
        self._parsed: dict[str, dict[str, t.Any]] = {}
        world = World()
        with world.entered(), mock.patch.dict(os.environ, HOME=str(self.place)):
            self.cloud = SimulatedCloud(world, self.place / "cloud", profile)
            self.cloud.user = scenario.user
            self.cloud.inner.settings = settings_of({})
            self.foreign = self._foreign() if scenario.foreign else {}
            keys = self.cloud.options(scenario.user)
            image = Task("image_info", {**keys, "name": CIRROS, "expect": "one"}).run()["image"]["image_id"]
            self._common = {**keys, **OPTIONS, "image": image}
            self.slots: dict[str, int] = {}
            if scenario.first:
                made = Task("instance", {**self._common, "count": scenario.first}).run()
                assert not made.get("failed"), made
                self.slots = {view["instance_id"]: view["slot"] for view in made["instances"]}
            self.foreign.update(self._foreign() if scenario.foreign else {})
            self.addresses = self._addressed() if scenario.addresses else {}
            world.sleep(AT_REST)
            self.cloud.inner.advance()
            self.cloud.inner.save("first")
            self.now = world.now

    def run(self, planned: Planned) -> Run:
        """A run to be carried out, its options parsed as Ansible does."""
        text = json.dumps(dict(planned.options), sort_keys=True)
        if text not in self._parsed:
            self._parsed[text] = self._parse({**self._common, **planned.options})
        return Run(self.cloud, planned, self._parsed[text])

    def home(self, machine: int) -> pathlib.Path:
        """The home directory on a machine."""
        return self.place / f"machine-{machine}"

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.place, ignore_errors=True)

    def _parse(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        parsed: dict[str, t.Any] = {}

        def keep(module: t.Any, *unused: t.Any) -> dict[str, t.Any]:
            parsed.update(module.params)
            return {}

        with mock.patch.object(_module, "_answer", keep):
            told = Task("instance", options).run()
        assert parsed, told
        return parsed

    def _addressed(self) -> dict[str, str | None]:
        """Every member has an address. Returns others that the project has, and at which VMs they are."""
        keys, batch = self.cloud.options(self.scenario.user), {"batch": OPTIONS["batch"]}
        one = {"instance_id": next(iter(self.slots))}
        asked = [one, {**one, "state": "absent", "release": False}, batch]
        asked += [{"instance_id": value} for value in self._own_strangers()[:1]]
        for options in asked:
            made = Task("address", {**keys, **options}).run()
            assert not made.get("failed"), made
        held = self.cloud.addresses(self.scenario.user)
        return {ip: value for ip, value in held.items() if value not in self.slots}

    def _own_strangers(self) -> list[str]:
        """The ids of the project's VMs that are no members."""
        return [one["id"] for one in self.cloud.servers() if one["id"] in self.foreign and one["vm_state"] == "active"]

    def _foreign(self) -> dict[str, str | None]:
        """VMs of others: of another project, with the mark of its batch of this name, and of this one without it."""
        mine = self.cloud.users[self.scenario.user]["tenant_id"]
        add = functools.partial(self.cloud.control, "POST", "servers")
        made = [*add(tenant="other", count=1, groups=["default", MARK])["servers"]]
        made += add(tenant=mine, count=1, groups=["default", f"{MARK}-2"])["servers"]
        made += add(tenant=mine, count=1, groups=["default"], state="error")["servers"]
        return {server["id"]: server["vm_state"] for server in made}


def play(stage: Stage, choices: Choices) -> judge.Verdict:
    """Play a schedule; what is chosen is in choices afterwards. The verdict tells what does not hold."""
    scenario, cloud = stage.scenario, stage.cloud
    world = SimulatedWorld(stage.now, choices)
    random.seed(0)
    for machine in {0, *(run.machine for run in scenario.runs)}:
        shutil.rmtree(stage.home(machine), ignore_errors=True)
        stage.home(machine).mkdir()
    exchange, uuid4 = (
        mock.patch.object(_wire.Wire, "exchange", _exchange(cloud)),
        mock.patch.object(uuid, "uuid4", _uuid4),
    )
    with world.entered(), exchange, uuid4:
        cloud.renew(world, choices, scenario.settings)
        runs = [_begun(stage, world, choices, planned) for planned in scenario.runs]
        assert world.run_until(lambda: all(run.fiber.dead for run in runs)), "a run waits for ever"
        cloud.choices = None
        if not scenario.at_once:
            world.run_until(lambda: False)
            world.sleep(2 * (BOOT_SECONDS + ACTION_SECONDS))
        before = judge.before(scenario, cloud, runs)
        cloud.inner.settings = settings_of({"quota_instances": scenario.clean_quota})
        clean = stage.run(scenario.clean_run)
        with _at_home(stage, 0):
            clean.carry_out()
        world.run_until(lambda: False)
        cloud.inner.advance()
        return judge.after(scenario, stage, runs, clean, before)


def _begun(stage: Stage, world: SimulatedWorld, choices: Choices, planned: Planned) -> Run:
    run = stage.run(planned)
    start = float(choices.choose([str(seconds) for seconds in planned.starts]))
    run.fiber = world.begin(run.carry_out, world.now + start, lambda: _at_home(stage, planned.machine))
    world.mortal.add(run.fiber)
    return run


def _exchange(cloud: SimulatedCloud) -> t.Callable[..., t.Any]:
    def exchange(wire: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return cloud.exchange(wire, *args, **kwargs)

    return exchange


def _uuid4() -> uuid.UUID:
    return uuid.UUID(int=random.getrandbits(128), version=4)


@contextlib.contextmanager
def _at_home(stage: Stage, machine: int) -> t.Iterator[None]:
    before = os.environ["HOME"]
    os.environ["HOME"] = str(stage.home(machine))
    try:
        yield
    finally:
        os.environ["HOME"] = before
