# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several runs of one batch at the same time, and runs that are killed."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROFILES = ["grizzly", "icehouse", "liberty", "ec2api"]


class Run:
    """The module instance on the batch web, run by ansible in a process of its own, as on a machine called home."""

    def __init__(self, cloud: t.Any, home: pathlib.Path, **args: t.Any) -> None:
        options = {**cloud.options(), "batch": "web", "image": "ami-00000001", "wait_timeout": 30, **args}
        options.setdefault("instance_type", "m1.tiny")
        home.mkdir(exist_ok=True)
        command = [os.path.join(os.path.dirname(sys.executable), "ansible"), "localhost", "-c", "local"]
        self.process = subprocess.Popen(
            [*command, "-m", "nova_ec2.cloud.instance", "-a", json.dumps(options)],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                "HOME": str(home),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
                "ANSIBLE_NOCOLOR": "1",
            },
        )

    def result(self) -> dict[str, t.Any]:
        """What the module returned."""
        out, err = self.process.communicate(timeout=120)
        assert "{" in out, (out, err)
        return {"failed": self.process.returncode != 0, **json.loads(out[out.index("=> {") + 3 : out.rindex("}") + 1])}

    def kill(self) -> None:
        """End it, and every process it began, without a chance to clean up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture(autouse=True)
def images(run: t.Any, cloud: t.Any) -> None:
    """Have the cloud number its images, so that their ids can be used."""
    run("image_info")
    cloud.forget_log()


def wait_for_request(cloud: t.Any, action: str, number: int = 1) -> None:
    deadline = time.monotonic() + 30
    while cloud.actions().count(action) < number:
        assert time.monotonic() < deadline, cloud.actions()
        time.sleep(0.05)


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_two_machines_at_once_end_with_one_batch(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    image = run("image_info", name="Cirros-0.3.0-x86_64")["images"][0]["image_id"]
    # Both list before either has launched.
    cloud.fault("RunInstances", "delay", times=2, seconds=2)
    runs = [Run(cloud, tmp_path / name, count=4, image=image) for name in ("one", "two")]
    results = [one.result() for one in runs]
    assert not any(result.get("failed") for result in results), results
    assert cloud.ever_started() == 8
    time.sleep(0.5)
    members = {server["id"] for server in cloud.servers()}
    assert len(members) == 4
    assert all(set(result["instance_ids"]) == members for result in results)
    withdrawn = {value for result in results for value in result["plan"]["terminated"]}
    assert len(withdrawn) == 4 and not withdrawn & members


def test_two_runs_on_one_machine_wait_for_each_other(cloud: t.Any, tmp_path: pathlib.Path) -> None:
    cloud.fault("RunInstances", "delay", seconds=2)
    runs = [Run(cloud, tmp_path / "one", count=4) for _again in range(3)]
    results = [one.result() for one in runs]
    assert sorted(result["changed"] for result in results) == [False, False, True]
    assert cloud.ever_started() == 4


def test_a_run_does_not_wait_for_ever_for_another(cloud: t.Any, tmp_path: pathlib.Path) -> None:
    cloud.settings(boot_seconds=8)
    first = Run(cloud, tmp_path / "one", count=1)
    wait_for_request(cloud, "RunInstances")
    refused = Run(cloud, tmp_path / "one", count=2, wait_timeout=1).result()
    assert refused["failed"] and "Another run" in refused["msg"]
    assert not first.result().get("failed") and cloud.ever_started() == 1


@pytest.mark.parametrize(
    ("cloud", "machine"), [("grizzly", "one"), ("icehouse", "two"), ("ec2api", "two")], indirect=["cloud"]
)
def test_members_on_their_way_out_are_not_counted(
    cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, machine: str
) -> None:
    image = run("image_info", name="Cirros-0.3.0-x86_64")["images"][0]["image_id"]
    cloud.settings(action_seconds=6)
    assert not Run(cloud, tmp_path / "one", count=3, image=image).result()["failed"]
    assert not Run(cloud, tmp_path / "one", count=1, image=image, max_terminate=2, wait=False).result()["failed"]
    # The cloud still shows three running VMs.
    result = Run(cloud, tmp_path / machine, count=3, image=image).result()
    assert not result["failed"] and len(result["plan"]["created"]) == 2, result
    assert {one["id"] for one in cloud.servers()} == set(result["instance_ids"])


@pytest.mark.parametrize("kind", ["delay", "late"])
def test_a_killed_launch_is_taken_over_by_the_next_run(cloud: t.Any, tmp_path: pathlib.Path, kind: str) -> None:
    cloud.fault("RunInstances", kind, seconds=3)
    killed = Run(cloud, tmp_path / "one", count=3)
    wait_for_request(cloud, "RunInstances")
    killed.kill()
    result = Run(cloud, tmp_path / "one", count=3).result()
    assert not result.get("failed"), result
    assert len(result["instance_ids"]) == cloud.ever_started() == 3
    assert cloud.actions().count("RunInstances") == 1


def test_a_launch_killed_on_another_machine_is_found_afterwards(cloud: t.Any, tmp_path: pathlib.Path) -> None:
    cloud.fault("RunInstances", "delay", seconds=3)
    cloud.settings(boot_seconds=3)
    killed = Run(cloud, tmp_path / "one", count=3)
    wait_for_request(cloud, "RunInstances")
    killed.kill()
    result = Run(cloud, tmp_path / "two", count=3).result()
    assert not result.get("failed"), result
    time.sleep(0.5)
    assert len(result["instance_ids"]) == 3 and set(result["instance_ids"]) == {one["id"] for one in cloud.servers()}
