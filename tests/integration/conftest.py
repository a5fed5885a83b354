# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud per profile, and a way to run modules against it as a task would."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess
import sys
import typing as t
from unittest import mock

import pytest
from clouds import CIRROS
from running import ROOT, Run, RunningCloud, local_cloud
from virtual.task import Task


@pytest.fixture(scope="session", autouse=True)
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Have what tasks are made of compiled once, and not by every task."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if hasattr(request.config, "workerinput") else base) / "compiled"
    place.mkdir(exist_ok=True)
    with mock.patch.dict(os.environ, PYTHONPATH=str(ROOT / "tests" / "compiled"), TESTS_COMPILED=str(place)):
        yield


@pytest.fixture(scope="session")
def clouds(
    bed: RunningCloud | None, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[t.Callable[..., RunningCloud]]:
    """Local clouds by profile and options, started when first asked for; or the one OpenStack, whatever is asked."""
    started: dict[tuple[str, ...], RunningCloud] = {}

    def get(profile: str, *options: str) -> RunningCloud:
        if bed is not None:
            return bed
        key = (profile, *options)
        if key not in started:
            started[key] = RunningCloud(tmp_path_factory.mktemp(profile), local_cloud(profile, *options), True)
        return started[key]

    yield get
    for cloud in started.values():
        cloud.stop()


@pytest.fixture
def cloud(clouds: t.Callable[..., RunningCloud], request: pytest.FixtureRequest) -> RunningCloud:
    """An empty local cloud, of the Grizzly generation unless the test asks for another profile, or "grizzly --ssh"."""
    found = clouds(*getattr(request, "param", "grizzly").split())
    found.reset()
    return found


@pytest.fixture
def run(cloud: RunningCloud) -> t.Callable[..., dict[str, t.Any]]:
    """run("keypair", name="web", check=True) runs a module of the collection in this process, over real sockets."""

    def task(
        module: str, *, check: bool = False, diff: bool = False, user: str | None = "demo", **args: t.Any
    ) -> dict[str, t.Any]:
        given = {**(cloud.options(user) if user else {}), **args}
        return Task(module, given, check=check, diff=diff).run()

    return task


@pytest.fixture
def image(cloud: RunningCloud, run: t.Any) -> str:
    """The id of the image Cirros-0.3.0-x86_64 in this cloud."""

    def look() -> str:
        return str(run("image_info", name=CIRROS, expect="one")["image"]["image_id"])

    return t.cast("str", cloud.prepared("image", look, lasts=True))


@pytest.fixture
def vms(cloud: RunningCloud, run: t.Any) -> list[str]:
    """The ids of two VMs, the members of the batch web; the log is forgotten."""

    def launch() -> list[str]:
        made = run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny")
        assert not made.get("failed"), made
        return list(made["instance_ids"])

    return t.cast("list[str]", cloud.prepared("vms", launch))


@pytest.fixture
def begin(cloud: RunningCloud) -> t.Callable[..., Run]:
    """begin("volume", home, batch="web") has a module run beside the test."""
    return functools.partial(Run, cloud)


@pytest.fixture
def playbook(cloud: RunningCloud, tmp_path: pathlib.Path) -> t.Callable[..., subprocess.CompletedProcess[str]]:
    """playbook(name or list of plays, variables...) runs ansible-playbook from the collection as users do."""

    def run_playbook(what: str | list[t.Any], *flags: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        target = what
        if not isinstance(what, str):
            target = str(tmp_path / "play.yml")
            pathlib.Path(target).write_text(json.dumps(what))
        command = [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), str(target), *flags]
        command += ["-e", json.dumps(variables)]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    return run_playbook


class Inventory:
    """ansible-inventory on files of this plugin in one directory."""

    def __init__(self, cloud: t.Any, directory: pathlib.Path) -> None:
        self.directory = directory
        self._options = cloud.options()
        self._rc = (cloud.directory / "ec2rc.sh").read_text()

    def write(self, name: str = "my.nova_ec2.yml", clouds: t.Any = None, **options: t.Any) -> pathlib.Path:
        """Write a file, with the connection options unless it has some."""
        connection = self._options if clouds is None and "rc_file" not in options else {}
        content = {
            "plugin": "nova_ec2.cloud.nova_ec2",
            **connection,
            **options,
            **({"clouds": clouds} if clouds else {}),
        }
        path = self.directory / name
        path.write_text(json.dumps(content))
        (self.directory / "ec2rc.sh").write_text(self._rc)
        (self.directory / "ec2rc.sh").chmod(0o600)
        return path

    def run(self, *flags: str, path: pathlib.Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the program."""
        command = [os.path.join(os.path.dirname(sys.executable), "ansible-inventory"), *flags]
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        }
        return subprocess.run(
            [*command, "-i", str(path or self.directory / "my.nova_ec2.yml")],
            capture_output=True, text=True, env=environment, cwd="/", stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def list(self, clouds: t.Any = None, **options: t.Any) -> tuple[dict[str, dict[str, t.Any]], dict[str, t.Any], str]:
        """Hosts with their variables, groups with their hosts, and what was said."""
        done = self.run("--list", path=self.write(clouds=clouds, **options))
        assert done.returncode == 0, done.stderr
        # That a string is no template is told by wrapping it.
        shown = json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))
        groups = {name: sorted(group.get("hosts", [])) for name, group in shown.items() if name != "_meta"}
        return shown["_meta"]["hostvars"], groups, done.stderr

    def fail(self, clouds: t.Any = None, **options: t.Any) -> str:
        """What is said when it fails."""
        done = self.run("--list", path=self.write(clouds=clouds, **options))
        assert done.returncode != 0 and "Traceback" not in done.stderr, done.stdout
        return " ".join(done.stderr.split())


@pytest.fixture
def inventory(cloud: RunningCloud, tmp_path: pathlib.Path) -> Inventory:
    """An inventory of the cloud."""
    return Inventory(cloud, tmp_path)
