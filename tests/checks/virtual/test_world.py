# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the virtual world promises: order by time alone, no life after death, and wires that do what real ones do."""

from __future__ import annotations

import pathlib
import socket
import time
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import Endpoint, connect
from virtual.cloud import VirtualCloud
from virtual.line import Line
from virtual.task import Task
from virtual.world import BEGIN, World


@pytest.fixture
def world() -> t.Iterator[World]:
    """A world of its own."""
    with World().entered() as found:
        yield found


@pytest.fixture
def cloud(world: World, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> VirtualCloud:
    """An empty cloud in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return VirtualCloud(world, tmp_path / "cloud", "grizzly")


def test_sleepers_wake_in_the_order_of_their_times(world: World) -> None:
    woken: list[tuple[str, float]] = []

    def sleeper(name: str, seconds: float) -> t.Callable[[], None]:
        def sleep() -> None:
            for _again in range(2):
                time.sleep(seconds)
                woken.append((name, time.monotonic()))

        return sleep

    for name, seconds in (("slow", 3), ("quick", 1), ("even", 2)):
        world.begin(sleeper(name, seconds))
    time.sleep(10)
    assert [name for name, _when in woken] == ["quick", "even", "quick", "slow", "even", "slow"]
    assert [when for _name, when in woken] == [1, 2, 2, 3, 4, 6]
    assert time.time() == BEGIN + 10 and time.gmtime().tm_sec == 10


def test_who_is_to_begin_later_is_not_woken_before(world: World) -> None:
    began: list[float] = []
    world.begin(lambda: began.append(time.monotonic()), world.now + 10)
    killed = world.begin(lambda: began.append(0), world.now + 10)
    world.wake()
    time.sleep(5)
    assert began == []
    world.kill(killed)
    time.sleep(10)
    assert began == [10]


def test_who_is_killed_does_nothing_more_whatever_it_has_left_to_do(world: World) -> None:
    done: list[str] = []

    def run() -> None:
        try:
            time.sleep(5)
            done.append("slept")
        finally:
            time.sleep(1)
            done.append("cleaned up")

    fiber = world.begin(run)
    time.sleep(1)
    world.kill(fiber)
    time.sleep(60)
    assert done == [] and fiber.dead


def test_what_a_killed_run_has_sent_is_carried_out(cloud: VirtualCloud) -> None:
    run = Task("keypair", {**cloud.options(), "name": "web"}).begin(cloud.world)
    cloud.fault("CreateKeyPair", "delay", seconds=5)
    cloud.wait_for_request("CreateKeyPair")
    run.kill()
    assert cloud.fingerprints() == {}
    time.sleep(5)
    assert list(cloud.fingerprints()) == ["web"] and run.over


def test_an_answer_after_the_time_is_up_is_not_read(cloud: VirtualCloud) -> None:
    cloud.fault("CreateKeyPair", "delay", seconds=5)
    result = Task("keypair", {**cloud.options(), "name": "web", "read_timeout": 2}).run()
    assert result["failed"] and "no answer within 2 s" in result["msg"]
    time.sleep(5)
    assert list(cloud.fingerprints()) == ["web"]


def test_an_idle_connection_that_was_closed_is_no_trouble_for_reads_and_never_used_for_writes(
    world: World, cloud: VirtualCloud
) -> None:
    lines: list[Line] = []

    def line(timeout: float | None) -> Line:
        lines.append(Line(world, cloud._serve, timeout))
        return lines[-1]

    world.listen("127.0.0.1", 8773, line)
    options = cloud.options()
    connection = connect(Endpoint.parse(options["endpoint_url"]), options["access_key"], options["secret_key"])
    assert connection.get_all_key_pairs() == []
    lines[0].hang_up()
    assert connection.get_all_key_pairs() == [] and len(lines) == 2
    assert connection.create_key_pair("web").name == "web" and len(lines) == 3
    assert cloud.actions() == ["DescribeKeyPairs"] * 2 + ["CreateKeyPair"]


def test_who_lets_a_run_be_killed_goes_on(cloud: VirtualCloud) -> None:
    run = Task("keypair", {**cloud.options(), "name": "web"}).begin(cloud.world)
    cloud.when("CreateKeyPair", run.kill)
    assert cloud.world.run_until(lambda: run.over)
    time.sleep(1)
    assert list(cloud.fingerprints()) == ["web"]


def test_where_nothing_listens(world: World) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", 8773), 5)
    with pytest.raises(OSError, match="not known"):
        socket.create_connection(("no-cloud.invalid", 8773), 5)
    assert world.now == BEGIN
    with pytest.raises(TimeoutError):
        socket.create_connection(("192.0.2.1", 8773), 5)
    assert world.now == BEGIN + 5


def test_two_worlds_do_not_meet(world: World, tmp_path: pathlib.Path) -> None:
    first = VirtualCloud(world, tmp_path / "first", "grizzly")
    second = VirtualCloud(world, tmp_path / "second", "liberty", port=8774)
    Task("keypair", {**second.options(), "name": "web"}).run()
    assert first.actions() == [] and second.mutations() == ["CreateKeyPair"]
