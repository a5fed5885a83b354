# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Floating addresses on any cloud, whichever they are: what Ansible reports is what the cloud has."""

from __future__ import annotations

import typing as t

import pytest
from clouds import CIRROS, PROFILES

pytestmark = pytest.mark.parametrize("cloud", PROFILES, indirect=True)


def launched(run: t.Any, batch: str, count: int) -> list[str]:
    """Have a batch; returns the ids of its members."""
    done = run("instance", batch=batch, count=count, image=CIRROS, instance_type="m1.tiny")
    assert not done.get("failed"), done["msg"]
    return list(done["instance_ids"])


def test_an_address_is_got_moved_taken_away_and_released(cloud: t.Any, run: t.Any) -> None:
    one, two = launched(run, "web", 2)
    got = run("address", instance_id=one)
    assert got["changed"], got
    ip = got["public_ip"]
    assert cloud.addresses() == {ip: one}
    assert run("address", instance_id=one)["changed"] is False
    assert run("instance_info", instance_ids=[one])["instances"][0]["public_ip_address"] == ip

    assert run("address", instance_id=two, public_ip=ip)["failed"] and cloud.addresses() == {ip: one}
    moved = run("address", instance_id=two, public_ip=ip, allow_reassociation=True)
    assert moved["changed"] and cloud.addresses() == {ip: two}, moved
    kept = run("address", instance_id=two, state="absent", release=False)
    assert kept["changed"] and cloud.addresses() == {ip: None}, kept
    released = run("address", public_ip=ip, state="absent")
    assert released["changed"] and cloud.addresses() == {}, released


def test_each_member_of_a_batch_has_an_address_until_it_is_given_back(cloud: t.Any, run: t.Any) -> None:
    ids = launched(run, "web", 3)
    [other] = launched(run, "db", 1)
    theirs = run("address", instance_id=other)["public_ip"]
    first = run("address", batch="web")
    assert first["changed"] and not first.get("failed"), first
    given = {view["public_ip"]: view["instance_id"] for view in first["addresses"]}
    assert sorted(given.values()) == sorted(ids) and cloud.addresses() == {**given, theirs: other}
    assert run("address", batch="web")["changed"] is False
    listed = run("address_info")["addresses"]
    assert {view["public_ip"]: view["instance_id"] for view in listed} == cloud.addresses()
    down = run("address", batch="web", state="absent")
    assert down["changed"] and cloud.addresses() == {theirs: other}, down


@pytest.mark.parametrize("action", ["AllocateAddress", "AssociateAddress", "DisassociateAddress", "ReleaseAddress"])
def test_lost_answers_leave_neither_a_second_address_nor_one_behind(cloud: t.Any, run: t.Any, action: str) -> None:
    [one] = launched(run, "web", 1)
    cloud.fault(action, "drop_after")
    run("address", batch="web")
    run("address", batch="web")
    assert list(cloud.addresses().values()) == [one]
    run("address", batch="web", state="absent")
    run("address", batch="web", state="absent")
    assert cloud.addresses() == {}
