# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of Ansible 2.9's time: the tutorial's loop of one launch for each VM, in raw boto.

It imports what the module ``ec2`` of that time did, and returns as much about each VM.
"""

from __future__ import annotations

import time

import boto.ec2
import boto.ec2.blockdevicemapping
import boto.ec2.connection
import boto.exception
import boto.vpc
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.old_boto import OPTIONS, connect

SHOWN = (
    "id ami_launch_index private_ip_address private_dns_name ip_address dns_name public_dns_name state_code"
    " architecture image_id key_name placement region kernel ramdisk launch_time instance_type root_device_type"
    " root_device_name state hypervisor ebs_optimized virtualization_type tags"
)


def main() -> None:
    """Do the job that the task names."""
    module = AnsibleModule(OPTIONS)
    given = module.params
    connection = connect(given["endpoint"], given["access"], given["secret"])
    module.exit_json(**JOBS[given["job"]](connection, given))


def keypair(connection, given):
    """Have a key pair."""
    pairs = [pair for pair in connection.get_all_key_pairs() if pair.name == given["name"]]
    for pair in pairs:
        return {"changed": False, "key": {"name": pair.name, "fingerprint": pair.fingerprint}}
    pair = connection.create_key_pair(given["name"])
    return {
        "changed": True,
        "key": {"name": pair.name, "fingerprint": pair.fingerprint, "private_key": pair.material},
    }


def image(connection, given):
    """Find an image by its name."""
    found = [one for one in connection.get_all_images() if one.name == given["name"]]
    return {"images": [{"id": one.id, "name": one.name, "location": one.location, "state": one.state} for one in found]}


def batch(connection, given):
    """Have so many VMs in a group: count them, launch or terminate one after the other, look at each until it is so."""
    group, count = given["name"], given["count"]
    found = [
        one
        for reservation in connection.get_all_instances()
        for one in reservation.instances
        if one.state in ("pending", "running") and group in [mark.id for mark in reservation.groups]
    ]
    changed = len(found) != count
    if changed and group not in [one.name for one in connection.get_all_security_groups()]:
        connection.create_security_group(group, "members")
    while len(found) < count:
        reservation = connection.run_instances(
            given["image"], instance_type=given["instance_type"], security_groups=[group]
        )
        found += reservation.instances
    if changed and count:
        for one in found:
            while one.update() == "pending":
                time.sleep(5)
    for one in found[count:]:
        one.terminate()
    for one in found[count:]:
        while not gone(one):
            time.sleep(5)
    return {"changed": changed, "instances": [shown(one) for one in found[:count]]}


def gone(one):
    """Whether a VM is no more."""
    try:
        return one.update() == "terminated"
    except boto.exception.EC2ResponseError:
        return True


def shown(one):
    """What is told of a VM."""
    return {name: str(getattr(one, name, None)) for name in SHOWN.split()}


JOBS = {"keypair": keypair, "image": image, "batch": batch}

if __name__ == "__main__":
    main()
