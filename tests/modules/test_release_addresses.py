# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VMs that a task terminates give their floating addresses back, if it says so; no other address is touched."""

from __future__ import annotations

import typing as t

import pytest
from clouds import CIRROS, PROFILES


@pytest.fixture
def batch(cloud: t.Any, run: t.Any) -> tuple[list[str], dict[str, t.Any]]:
    """Two members, each with an address; one of a VM beside them, and one at nothing. The members, and the others."""
    cloud.control("POST", "servers", tenant="demo", count=1, groups=["default"])
    [other] = [server["id"] for server in cloud.servers()]
    spare = run("address", instance_id=other)["public_ip"]
    assert run("address", instance_id=other, state="absent", release=False)["changed"]
    theirs = run("address", instance_id=other)["public_ip"]
    made = run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny")
    assert run("address", batch="web")["changed"]
    cloud.forget_log()
    return made["instance_ids"], {spare: None, theirs: other}


def address_of(cloud: t.Any, instance_id: str) -> str:
    """The floating address of a VM."""
    return next(ip for ip, at in cloud.addresses().items() if at == instance_id)


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_what_shrinks_gives_back_only_the_addresses_of_those_that_go(cloud: t.Any, run: t.Any, batch: t.Any) -> None:
    (stays, goes), others = batch
    kept, given = address_of(cloud, stays), address_of(cloud, goes)
    planned = run("instance", check=True, batch="web", count=1, release_addresses=True)
    assert planned["changed"] and planned["released_addresses"] == [] and cloud.mutations() == []
    done = run("instance", batch="web", count=1, release_addresses=True)
    assert done["changed"] and done["released_addresses"] == [given], done
    assert cloud.addresses() == {**others, kept: stays}
    written = ["DisassociateAddress", "ReleaseAddress", "TerminateInstances"]
    assert [action for action in cloud.actions() if not action.startswith("Describe")] == written
    again = run("instance", batch="web", count=1, release_addresses=True)
    assert not again["changed"] and again["released_addresses"] == []


def test_without_the_option_addresses_stay_with_the_project(cloud: t.Any, run: t.Any, batch: t.Any) -> None:
    (stays, goes), others = batch
    kept, left = address_of(cloud, stays), address_of(cloud, goes)
    done = run("instance", batch="web", count=1)
    assert done["changed"] and "released_addresses" not in done and "DescribeAddresses" not in cloud.actions()
    assert cloud.addresses() == {**others, kept: stays, left: None}


@pytest.mark.parametrize("by", ["batch", "ids"])
def test_all_that_are_terminated_give_theirs_back_with_one_list(
    cloud: t.Any, run: t.Any, batch: t.Any, by: str
) -> None:
    ids, others = batch
    options = {"batch": "web"} if by == "batch" else {"instance_ids": ids}
    done = run("instance", **options, state="absent", release_addresses=True)
    assert done["changed"] and len(done["released_addresses"]) == 2 and cloud.addresses() == others, done
    # One to see whose they are, and one to see that they are at nothing.
    assert cloud.actions().count("DescribeAddresses") == 2


def test_members_that_are_replaced_give_theirs_back_before_others_come(cloud: t.Any, run: t.Any, batch: t.Any) -> None:
    ids, others = batch
    options = {"image": CIRROS, "instance_type": "m1.small", "update": "replace", "release_addresses": True}
    done = run("instance", batch="web", count=2, **options)
    assert done["changed"] and len(done["released_addresses"]) == 2 and cloud.addresses() == others, done
    assert not set(done["instance_ids"]) & set(ids)


def test_a_vm_whose_address_cannot_be_released_is_not_terminated(cloud: t.Any, run: t.Any, batch: t.Any) -> None:
    ids, _others = batch
    given = address_of(cloud, ids[1])
    cloud.fault("ReleaseAddress", "http_503", times=9)
    failed = run("instance", batch="web", count=1, release_addresses=True)
    assert failed["failed"] and given in failed["msg"] and failed["unreleased_addresses"] == [given], failed
    assert failed["changed"] and failed["instance_ids"] == ids and "TerminateInstances" not in cloud.actions()
    assert cloud.addresses()[given] is None


def test_a_list_that_fails_changes_nothing(cloud: t.Any, run: t.Any, batch: t.Any) -> None:
    ids, others = batch
    cloud.fault("DescribeAddresses", "garbage", times=99)
    failed = run("instance", batch="web", count=1, release_addresses=True)
    assert failed["failed"] and not failed["changed"] and failed["instance_ids"] == ids, failed
    assert cloud.mutations() == [] and len(cloud.addresses()) == 2 + len(others)
