# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several runs of one batch at the same time, and runs that are killed."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import pytest
from clouds import PROFILES


@pytest.fixture
def start(image: str, begin: t.Any) -> t.Callable[..., t.Any]:
    """start(home, count=3) begins a run on the batch web with the image Cirros-0.3.0-x86_64."""
    return functools.partial(begin, "instance", batch="web", image=image, instance_type="m1.tiny")


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_two_machines_at_once_end_with_one_batch(cloud: t.Any, start: t.Any, tmp_path: pathlib.Path) -> None:
    # Both list before either has launched.
    cloud.when("RunInstances", lambda: cloud.wait_for_request("RunInstances", 2))
    runs = [start(tmp_path / name, count=4) for name in ("one", "two")]
    results = [one.result() for one in runs]
    assert not any(result.get("failed") for result in results), [result.get("msg") for result in results]
    assert cloud.ever_started() == 8, cloud.actions()
    cloud.wait_until(lambda: len(cloud.servers()) <= 4)
    members = {server["id"] for server in cloud.servers()}
    assert len(members) == 4
    assert all(set(result["instance_ids"]) == members for result in results)
    withdrawn = {value for result in results for value in result["plan"]["terminated"]}
    assert len(withdrawn) == 4 and not withdrawn & members


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_two_machines_that_mark_the_batch_at_once_end_with_one_batch_too(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path
) -> None:
    cloud.when("CreateSecurityGroup", lambda: cloud.wait_for_request("CreateSecurityGroup", 2))
    runs = [start(tmp_path / name, count=3) for name in ("one", "two")]
    results = [one.result() for one in runs]
    assert not any(result.get("failed") for result in results), [result.get("msg") for result in results]
    members = {server["id"] for server in cloud.servers()}
    assert len(members) == 3 and all(set(result["instance_ids"]) == members for result in results)
    assert cloud.groups() == {"ansible-batch-web", "default"}


def test_two_runs_on_one_machine_wait_for_each_other(cloud: t.Any, start: t.Any, tmp_path: pathlib.Path) -> None:
    cloud.fault("RunInstances", "delay", seconds=2)
    runs = [start(tmp_path / "one", count=4) for _again in range(3)]
    results = [one.result() for one in runs]
    assert sorted(result["changed"] for result in results) == [False, False, True]
    assert cloud.ever_started() == 4


@pytest.mark.needs("slow_vms")
def test_a_run_does_not_wait_for_ever_for_another(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path, lasts: t.Any
) -> None:
    cloud.settings(boot_seconds=60)
    first = start(tmp_path / "one", count=1)
    cloud.wait_for_request("RunInstances")
    with lasts(20):
        refused = start(tmp_path / "one", count=2, wait_timeout=20).result()
    assert refused["failed"] and "Another run" in refused["msg"]
    assert not first.result().get("failed") and cloud.ever_started() == 1


# ec2-api keeps a token as long as its VM, so that another machine cannot tell before the cloud shows it shutting down.
@pytest.mark.parametrize(
    ("cloud", "machine"), [("grizzly", "one"), ("icehouse", "two"), ("ec2api", "one")], indirect=["cloud"]
)
@pytest.mark.needs("slow_vms")
def test_members_on_their_way_out_are_not_counted(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path, machine: str
) -> None:
    cloud.settings(action_seconds=6)
    assert not start(tmp_path / "one", count=3).result()["failed"]
    assert not start(tmp_path / "one", count=1, max_terminate=2, wait=False).result()["failed"]
    # The cloud still shows three running VMs.
    result = start(tmp_path / machine, count=3).result()
    assert not result["failed"] and len(result["plan"]["created"]) == 2, result
    # Once it shows them shutting down, nobody waits for them any longer.
    staying = {one["id"] for one in cloud.servers() if one["vm_state"] != "deleted"}
    assert staying == set(result["instance_ids"])


@pytest.mark.parametrize("kind", ["delay", "late"])
def test_a_killed_launch_is_taken_over_by_the_next_run(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path, kind: str
) -> None:
    cloud.fault("RunInstances", kind, seconds=3)
    killed = start(tmp_path / "one", count=3)
    cloud.wait_for_request("RunInstances")
    killed.kill()
    result = start(tmp_path / "one", count=3).result()
    assert not result.get("failed"), result.get("msg", result)
    assert len(result["instance_ids"]) == cloud.ever_started() == 3
    assert cloud.actions().count("RunInstances") == 1


def test_what_may_still_come_is_waited_for_no_longer_than_the_task_waits(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path, lasts: t.Any
) -> None:
    cloud.fault("RunInstances", "late", seconds=10)
    killed = start(tmp_path / "one", count=3)
    cloud.wait_for_request("RunInstances")
    killed.kill()
    with lasts(3):
        result = start(tmp_path / "one", count=3, wait_timeout=3).result()
    assert result["failed"] and "what it asked for may still happen" in result["msg"], result
    assert result["changed"] is False and cloud.actions().count("RunInstances") == 1
    result = start(tmp_path / "one", count=3).result()
    assert not result.get("failed"), result.get("msg", result)
    assert len(result["instance_ids"]) == cloud.ever_started() == 3


@pytest.mark.parametrize("noted", ["[" * 100_000, '{"members": Infinity, "since": 1}', '{"members": 9, "since": 1e10}'])
def test_a_journal_that_makes_no_sense_stops_nobody(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path, noted: str, lasts: t.Any
) -> None:
    assert not start(tmp_path / "one", count=1).result().get("failed")
    (place,) = (tmp_path / "one" / ".ansible" / "nova_ec2").iterdir()
    place.write_text(noted)
    with lasts(0):
        result = start(tmp_path / "one", count=1, wait_timeout=3).result()
    assert result["changed"] is False and "makes no sense" in result["warnings"][0], result
    assert "warnings" not in start(tmp_path / "one", count=1).result()


def test_a_launch_killed_on_another_machine_is_found_afterwards(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path
) -> None:
    cloud.fault("RunInstances", "delay", seconds=3)
    cloud.settings(boot_seconds=3)
    killed = start(tmp_path / "one", count=3)
    cloud.wait_for_request("RunInstances")
    killed.kill()
    result = start(tmp_path / "two", count=3).result()
    assert not result.get("failed"), result.get("msg", result)
    assert len(result["instance_ids"]) == 3 and set(result["instance_ids"]) == {one["id"] for one in cloud.servers()}


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_what_one_machine_takes_back_the_other_does_not_make_up_for_while_the_cloud_lets_go_of_it(
    cloud: t.Any, start: t.Any, tmp_path: pathlib.Path
) -> None:
    """Members that were told to go are listed as if nothing were, for half a minute."""
    cloud.settings(action_seconds=40)
    cloud.when("RunInstances", lambda: cloud.wait_for_request("RunInstances", 2))
    runs = [start(tmp_path / name, count=4, wait_timeout=600) for name in ("one", "two")]
    results = [one.result() for one in runs]
    assert not any(result.get("failed") for result in results), [result.get("msg") for result in results]
    cloud.wait_until(lambda: len(cloud.servers()) <= 4)
    members = {server["id"] for server in cloud.servers()}
    assert len(members) == 4 and all(set(result["instance_ids"]) == members for result in results)
