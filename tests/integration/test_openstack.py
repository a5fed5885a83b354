# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On a real OpenStack only: what Ansible reports is what Nova and Neutron have, and what batches of real VMs cost."""

from __future__ import annotations

import base64
import itertools
import pathlib
import time
import typing as t

import pytest

pytestmark = pytest.mark.openstack

CIRROS = "Cirros-0.3.0-x86_64"
STATES = {"active": "running", "stopped": "stopped", "error": "error"}


def native(cloud: t.Any) -> dict[str, dict[str, t.Any]]:
    """The servers of the project by EC2 id, as Nova's own API tells them."""
    return {server["id"]: server for server in cloud.servers()}


def test_what_is_reported_is_what_the_cloud_has(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    run("keypair", name="deploy", private_key_file=str(tmp_path / "deploy.pem"))
    told = run("instance", batch="web", count=3, image=CIRROS, instance_type="m1.small", key_name="deploy",
               user_data="#!/bin/sh\necho é\n", tags={"role": "web"}, wait_timeout=120)  # fmt: skip
    assert not told.get("failed"), told["msg"]
    assert run("keypair_info")["keypairs"] == [{"name": "deploy", "fingerprint": cloud.fingerprints()["deploy"]}]
    there = native(cloud)
    assert sorted(there) == sorted(told["instance_ids"]) == sorted(run("instance_info", batch="web")["instance_ids"])
    for view in told["instances"]:
        server = there[view["instance_id"]]
        assert view["state"] == STATES[server["vm_state"]] == "running"
        assert view["security_groups"] == server["groups"] == ["ansible-batch-web", "default"]
        for ours, theirs in {"key_name": "key_name", "instance_type": "instance_type", "tags": "tags",
                             "availability_zone": "zone", "private_ip_address": "fixed_ip", "owner_id": "tenant",
                             "launch_time": "created", "client_token": "client_token",
                             "reservation_id": "name"}.items():  # fmt: skip
            assert view[ours] == server[theirs] or (ours == "reservation_id" and server["name"].startswith(view[ours]))
        assert base64.b64decode(server["user_data"]).decode() == "#!/bin/sh\necho é\n"
    assert cloud.groups() == {"ansible-batch-web", "default"}


def test_what_is_torn_down_is_gone_with_its_ports_and_nothing_else_is(
    cloud: t.Any, run: t.Any, tmp_path: pathlib.Path
) -> None:
    foreign = cloud.control("POST", "servers", tenant="demo", count=1, groups=["default", "ansible-batch-web-2"])
    cloud.control("POST", "servers", tenant="other", count=1, groups=["default", "ansible-batch-web"])
    run("keypair", name="deploy", private_key_file=str(tmp_path / "deploy.pem"))
    run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny", key_name="deploy")
    assert run("instance", batch="web", state="absent")["changed"]
    assert run("keypair", name="deploy", state="absent")["changed"]
    state = cloud.control("GET", "state")
    assert [server["id"] for server in cloud.servers()] == [server["id"] for server in foreign["servers"]]
    assert len(cloud.servers("other")) == 1 and len(state["ports"]) == 2
    assert cloud.fingerprints() == {} and cloud.groups() == {"default", "ansible-batch-web-2"}


def test_members_are_replaced_where_the_quota_is_full(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(quota_instances=2)
    run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.tiny")
    other = run("instance", batch="web", count=2, image=CIRROS, instance_type="m1.small", update="replace",
                max_unavailable=1)  # fmt: skip
    assert not other.get("failed"), other["msg"]
    assert [server["instance_type"] for server in native(cloud).values()] == ["m1.small", "m1.small"]
    assert cloud.ever_started() == 4


@pytest.mark.alone
@pytest.mark.parametrize("count", [1, 20, 50, 100])
def test_a_batch_of_real_vms(cloud: t.Any, run: t.Any, count: int, figure: t.Any) -> None:
    cloud.settings(quota_instances=-1, quota_cores=-1, quota_ram=-1)
    cloud.forget_log()
    shares = []
    for job, args, there in (
        ("from zero", {"count": count}, count),
        ("no change", {"count": count}, count),
        ("to none", {"count": 0, "max_terminate": count}, 0),
    ):
        began = time.monotonic()
        result = run("instance", batch="web", image=CIRROS, instance_type="m1.tiny", wait_timeout=600, **args)
        seconds = time.monotonic() - began
        assert not result.get("failed"), result["msg"]
        assert len(native(cloud)) == len(result["instance_ids"]) == there
        requests = cloud.control("GET", "log")["requests"]
        longest = max(requests, key=lambda entry: entry["seconds"])
        asked = [
            f"{len(list(same))} {action}" for action, same in itertools.groupby(entry["action"] for entry in requests)
        ]
        shares.append(
            f"{job} {seconds:.0f} s, {len(requests)} requests ({', '.join(asked)}), the longest of them "
            f"{longest['action']} with {longest['seconds']:.1f} s"
        )
        cloud.forget_log()
    figure(f"OpenStack, batch of {count:3}: {'; '.join(shares)}")
    assert cloud.ever_started() == count
