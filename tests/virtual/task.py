# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module as Ansible runs it: its own main, its own parsing of arguments, its result as it would be printed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import pathlib
import typing as t
from unittest import mock

import yaml
from ansible.module_utils import _internal, basic
from ansible.module_utils.common import json as ansible_json
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

from .world import Killed, World

MODULES = "ansible_collections.nova_ec2.cloud.plugins.modules"
RUNTIME = pathlib.Path(__file__).resolve().parents[2] / "meta" / "runtime.yml"


class Task:
    """One run of a module. home: what the run takes for its home directory; None is that of this process."""

    def __init__(
        self,
        module: str,
        args: dict[str, t.Any],
        *,
        check: bool = False,
        diff: bool = False,
        home: pathlib.Path | None = None,
    ) -> None:
        self._main = importlib.import_module(f"{MODULES}.{_redirected(module)}").main
        self._args = {**args, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_version": "0"}
        self._args["_ansible_module_name"] = f"nova_ec2.cloud.{module}"
        self._home = home
        self._printed: str | None = None
        self._warnings: dict[t.Any, None] = {}

    def run(self) -> dict[str, t.Any]:
        """Run it to its end; what it printed."""
        with self._process():
            self._to_its_end()
        return self.result()

    def begin(self, world: World) -> Begun:
        """Run it beside others, as a process of its own."""
        return Begun(world, self)

    def result(self) -> dict[str, t.Any]:
        """What it printed."""
        assert self._printed is not None, "it ended without a result"
        return _decoded(json.loads(self._printed))

    def _to_its_end(self) -> None:
        with contextlib.suppress(SystemExit, Killed):
            self._main()

    @contextlib.contextmanager
    def _process(self) -> t.Iterator[None]:
        """What a process of its own would have for itself."""
        home = {"HOME": str(self._home)} if self._home else {}
        with (
            patch_module_args(self._args),
            mock.patch.object(_internal, "is_controller", False),
            mock.patch.object(warnings, "_global_warnings", self._warnings),
            mock.patch.object(warnings, "_global_deprecations", {}),
            mock.patch.object(basic.AnsibleModule, "_record_module_result", lambda _self, found: self._record(found)),
            mock.patch.dict(os.environ, home),
        ):
            yield

    def _record(self, result: dict[str, t.Any]) -> None:
        encoder = ansible_json.get_module_encoder("legacy", ansible_json.Direction.MODULE_TO_CONTROLLER)
        self._printed = json.dumps(result, cls=encoder)


@functools.cache
def _redirected(module: str) -> str:
    """The module that stands behind a name, as the controller finds it."""
    routing = yaml.safe_load(RUNTIME.read_text())["plugin_routing"]["modules"]
    return str(routing.get(module, {}).get("redirect", module)).rpartition(".")[2]


class Begun:
    """A run beside others."""

    def __init__(self, world: World, task: Task) -> None:
        self._world = world
        self._task = task
        self._fiber = world.begin(task._to_its_end, around=task._process)

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        return bool(self._fiber.dead)

    def result(self) -> dict[str, t.Any]:
        """Let things happen until it is over; what it printed."""
        assert self._world.run_until(lambda: self.over), "it waits for ever"
        found = self._task.result()
        return {"failed": False, **found}

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self._world.kill(self._fiber)


def _decoded(printed: dict[str, t.Any]) -> dict[str, t.Any]:
    """A result as a playbook sees it: warnings as text."""
    found = dict(printed)
    if "warnings" in found:
        found["warnings"] = [_text(warning) for warning in found["warnings"]]
    return found


def _text(warning: t.Any) -> str:
    return warning if isinstance(warning, str) else str(warning["event"]["msg"])
