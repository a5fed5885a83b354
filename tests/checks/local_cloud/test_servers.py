# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers through their life, and what the quota lets through."""

from __future__ import annotations

import time
from typing import Any

import pytest
from local_cloud.errors import NovaError, outcome
from local_cloud.model import User

LAUNCH = {"ImageId": "Cirros-0.3.0-x86_64", "InstanceType": "m1.tiny"}


def test_a_server_is_pending_first_even_if_building_takes_no_time(bench: Any) -> None:
    """The reply to a launch never shows it running."""
    cloud = bench("grizzly")
    reply = cloud("RunInstances", **LAUNCH)
    assert reply["instancesSet"][0]["instanceState"]["name"] == "pending"
    assert cloud.states() == ["running"]


def test_the_old_state_stays_visible_until_a_server_vanishes(bench: Any) -> None:
    """Deleting is a hidden task."""
    cloud = bench("grizzly", action_seconds=0.2)
    cloud("RunInstances", **LAUNCH)
    cloud.states()
    cloud("TerminateInstances", InstanceId__1="i-00000001")
    assert cloud.states() == ["running"]
    time.sleep(0.25)
    assert cloud.states() == []


def test_an_unscheduled_server_vanishes_at_once(bench: Any) -> None:
    """No host has to be asked."""
    cloud = bench("grizzly", stuck_builds=1, action_seconds=60)
    cloud("RunInstances", **LAUNCH)
    change = cloud("TerminateInstances", InstanceId__1="i-00000001")["instancesSet"][0]
    assert (change["previousState"]["name"], change["currentState"]["name"]) == ("pending", "terminated")
    assert cloud.states() == []


def test_a_wrong_state_half_way_leaves_the_earlier_ones_acted_on(bench: Any) -> None:
    """But an unknown id stops everything before it begins."""
    cloud = bench("icehouse")
    cloud("RunInstances", **LAUNCH, MinCount="2")
    cloud("StopInstances", InstanceId__1="i-00000002")
    with pytest.raises(NovaError, match="could not be found"):
        cloud("StopInstances", InstanceId__1="i-00000001", InstanceId__2="i-00ffffff")
    assert cloud.states() == ["running", "stopped"]
    with pytest.raises(NovaError, match="vm_state stopped"):
        cloud("StopInstances", InstanceId__1="i-00000001", InstanceId__2="i-00000002")
    assert cloud.states() == ["stopped", "stopped"]


def test_the_quota_trims_a_batch_down_to_its_minimum(bench: Any) -> None:
    """Below the minimum nothing starts."""
    cloud = bench("grizzly", quota_instances=3)
    assert len(cloud("RunInstances", **LAUNCH, MinCount="2", MaxCount="9")["instancesSet"]) == 3
    with pytest.raises(NovaError, match="Requested 1, but already used 3 of 3 instances") as refusal:
        cloud("RunInstances", **LAUNCH)
    assert outcome(cloud.cloud.profile, refusal.value)[:2] == (400, "TooManyInstances")


def test_ec2_api_asks_for_one_server_after_the_other(bench: Any) -> None:
    """It takes back what falls short of the minimum, and is content with the minimum."""
    cloud = bench("ec2api", quota_instances=3)
    with pytest.raises(NovaError, match="Requested 1, but already used 3 of 3 instances"):
        cloud("RunInstances", **LAUNCH, MinCount="4", MaxCount="9")
    assert cloud.states() == [] and cloud.cloud.gone == []
    assert len(cloud("RunInstances", **LAUNCH, MinCount="2", MaxCount="9")["instancesSet"]) == 3


def test_ec2_api_shows_groups_and_address_only_while_there_is_a_port(bench: Any) -> None:
    """Before and after, nothing tells that a server bears a group."""
    cloud = bench("ec2api", boot_seconds=0.2, action_seconds=0.3)
    begun = cloud("RunInstances", **LAUNCH, MinCount="1", MaxCount="1")
    assert begun["groupSet"] == [] and "groupSet" not in begun["instancesSet"][0]
    time.sleep(0.25)
    running = cloud("DescribeInstances")["reservationSet"][0]
    assert [group["groupName"] for group in running["instancesSet"][0]["groupSet"]] == ["default"]
    cloud("TerminateInstances", InstanceId__1=running["instancesSet"][0]["instanceId"])
    time.sleep(0.15)
    leaving = cloud("DescribeInstances")["reservationSet"][0]
    assert leaving["instancesSet"][0]["instanceState"]["name"] == "shutting-down"
    assert leaving["groupSet"] == [] and leaving["instancesSet"][0]["privateIpAddress"] is None


def test_a_token_starts_one_batch_where_it_is_honoured(bench: Any) -> None:
    """Grizzly does not look at it."""
    for profile, servers in (("grizzly", 2), ("icehouse", 1)):
        cloud = bench(profile)
        for _again in range(2):
            cloud("RunInstances", **LAUNCH, ClientToken="token")
        assert len(cloud.states()) == servers


def test_administrators_see_more_than_there_is(bench: Any, admin: User) -> None:
    """They see all projects' servers, with text added to the name of the key."""
    cloud = bench("grizzly")
    cloud("RunInstances", **LAUNCH)
    cloud.states()
    server = cloud("DescribeInstances", user=admin)["reservationSet"][0]["instancesSet"][0]
    assert server["keyName"] == f"None ({'d' * 32}, nova-local)"
