# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Large clouds and large batches: what must not grow with them."""

from __future__ import annotations

import collections
import typing as t

import pytest

LAUNCH = {"image": "ami-00000001", "instance_type": "m1.tiny"}
FOREIGN = 1000
VMS = "DescribeInstances"


@pytest.fixture
def large(cloud: t.Any, image: str) -> t.Any:
    """A cloud with thousands of VMs of the project that belong to no batch of ours, and no quotas."""
    cloud.settings(quota_instances=-1, quota_cores=-1, quota_ram=-1, boot_seconds=1.0, action_seconds=1.0)
    cloud.control("POST", "servers", count=FOREIGN, state="active", reservation_size=3)
    cloud.forget_log()
    return cloud


@pytest.mark.needs("quick_vms")
def test_a_batch_of_thousands_in_a_cloud_of_thousands(large: t.Any, run: t.Any, figure: t.Any) -> None:
    """Each job lists once, asks once, and then only polls."""
    foreign = {server["id"] for server in large.servers()}
    jobs: dict[str, tuple[dict[str, t.Any], list[str], int]] = {
        "1000 from zero": ({"count": 1000}, ["CreateSecurityGroup", "RunInstances"], 1000),
        "1000, no change": ({"count": 1000}, [], 1000),
        "1000 to 2000": ({"count": 2000}, ["RunInstances"], 2000),
        "2000 stopped": ({"state": "stopped"}, ["StopInstances"], 2000),
        "2000 started": ({"state": "running"}, ["StartInstances"], 2000),
        "2000 to none": ({"count": 0, "max_terminate": 2000}, ["TerminateInstances"], 0),
    }
    for job, (args, mutations, left) in jobs.items():
        large.forget_log()
        result = run("instance", batch="big", **{**LAUNCH, **args})
        assert not result.get("failed"), result
        counted = collections.Counter(large.actions())
        shown = ", ".join(f"{count} {action}" for action, count in counted.items())
        figure(f"a cloud of {FOREIGN}: {job}: {shown}")
        assert large.mutations() == mutations and set(counted) <= {VMS, "DescribeSecurityGroups", *mutations}, (
            job,
            counted,
        )
        assert counted[VMS] == 1 if not mutations else counted[VMS] <= 6, (job, counted)
        assert len(result["instances"]) == left
        assert {server["id"] for server in large.servers()} >= foreign
    assert len(large.servers()) == FOREIGN
