# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least that a job needs: boto, and no request more. It checks nothing, waits by listing, and knows no failure."""

from __future__ import annotations

import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.old_boto import OPTIONS, connect

LIVE = ("pending", "running", "stopped")


def main() -> None:
    """Do the job that the task names."""
    module = AnsibleModule(OPTIONS)
    given = module.params
    connection = connect(given["endpoint"], given["access"], given["secret"])
    module.exit_json(**JOBS[given["job"]](connection, given))


def keypair(connection, given):
    """Have a key pair: one request, and one more to create it."""
    found = [pair for pair in connection.get_all_key_pairs() if pair.name == given["name"]]
    if found:
        return {"changed": False, "fingerprint": found[0].fingerprint}
    pair = connection.create_key_pair(given["name"])
    return {"changed": True, "fingerprint": pair.fingerprint, "private_key": pair.material}


def image(connection, given):
    """Find an image by its name: one request."""
    return {"images": [one.id for one in connection.get_all_images() if one.name == given["name"]]}


def members(connection, group):
    """The VMs of a batch that live, by its security group."""
    return [
        one
        for reservation in connection.get_all_instances()
        for one in reservation.instances
        if one.state in LIVE and group in [mark.id for mark in reservation.groups]
    ]


def batch(connection, given):
    """Have so many VMs: list, launch what is missing or terminate what is too much, and list until that is so."""
    group, count = f"ansible-batch-{given['name']}", given["count"]
    found = members(connection, group)
    changed = len(found) != count
    if not found and count:
        connection.create_security_group(group, "members")
    if len(found) < count:
        missing = count - len(found)
        connection.run_instances(
            given["image"], missing, missing, instance_type=given["instance_type"], security_groups=[group]
        )
    elif changed:
        connection.terminate_instances([one.id for one in found[count:]])
    while changed:
        found = members(connection, group)
        if len(found) == count and all(one.state == "running" for one in found):
            break
        time.sleep(1)
    return {
        "changed": changed,
        "instances": [{"id": one.id, "state": one.state, "ip": one.private_ip_address} for one in found],
    }


JOBS = {"keypair": keypair, "image": image, "batch": batch}

if __name__ == "__main__":
    main()
