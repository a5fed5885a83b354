#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume
short_description: Give VMs volumes, attach, detach and delete them
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes sure that a VM, or every member of a batch, has a volume of its own as a certain device; or that it has none.
  - Nova gives a volume nothing to know it by but its id. So a volume is meant either by O(volume_id), or as that which
    is attached as O(device_name). A free volume is never taken by itself.
  - A run that was killed after it had made a volume, and before that was attached, leaves it free. The next run of the
    task on the same machine attaches it.
  - A volume outlives its VM. Delete it before the VM is terminated, or by its id.
  - Runs that make or delete volumes wait for each other on one machine.
options:
  instance_id:
    description:
      - The VM.
      - With O(volume_id), an empty string detaches the volume from whatever it is attached to.
    type: str
    aliases: [instance]
  batch:
    description:
      - Every member of the batch of this name, see M(nova_ec2.cloud.instance), but for those that could not be built.
    type: str
  volume_id:
    description:
      - A volume that exists. It is attached to O(instance_id), or deleted with O(state=absent).
      - A volume that is attached to another VM is not moved; detach it first.
    type: str
    aliases: [id]
  device_name:
    description:
      - The device, such as V(/dev/vdb). Nova puts the prefix of the VM's root device before its last letters, so
        V(/dev/sdb) and V(/dev/vdb) mean the same.
      - Needed, but for a volume that is to be detached or deleted by O(volume_id).
    type: str
  volume_size:
    description:
      - The size of a new volume in GiB. Needed unless there is a O(snapshot).
      - A volume that is there keeps its size; if it is another one, that is told.
    type: int
    aliases: [size]
  snapshot:
    description:
      - The id of a snapshot that a new volume is made from.
    type: str
    aliases: [snapshot_id]
  availability_zone:
    description:
      - Where a new volume is made. If not given, where its VM is.
    type: str
    aliases: [zone]
  state:
    description:
      - Whether there shall be such a volume. V(absent) detaches and deletes it, with all that is on it.
    type: str
    choices: [present, absent]
    default: present
  wait_timeout:
    description:
      - How long to wait for each step, in seconds - until volumes are made, attached, detached, deleted; until VMs that
        are still being built run; and for other runs on this machine.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes
seealso:
  - module: nova_ec2.cloud.volume_info
  - module: nova_ec2.cloud.snapshot
  - module: nova_ec2.cloud.instance
"""

EXAMPLES = r"""
- name: Give a VM a volume of 10 GiB
  nova_ec2.cloud.volume:
    rc_file: ~/ec2rc.sh
    instance_id: i-0000001a
    device_name: /dev/vdb
    volume_size: 10

- name: Give every member of a batch a volume of its own
  nova_ec2.cloud.volume:
    rc_file: ~/ec2rc.sh
    batch: web
    device_name: /dev/vdb
    volume_size: 10

- name: Attach a volume that exists
  nova_ec2.cloud.volume:
    rc_file: ~/ec2rc.sh
    volume_id: vol-00000003
    instance_id: i-0000001a
    device_name: /dev/vdc

- name: Detach it again
  nova_ec2.cloud.volume:
    rc_file: ~/ec2rc.sh
    volume_id: vol-00000003
    instance_id: ""

- name: Delete the volumes of a batch, before its VMs are terminated
  nova_ec2.cloud.volume:
    rc_file: ~/ec2rc.sh
    batch: web
    device_name: /dev/vdb
    state: absent
"""

RETURN = r"""
volumes:
  description:
    - The volumes that are meant, by id, as they are now. Empty when they have been deleted.
    - On failure, those that this run made and attached.
  returned: always
  type: list
  elements: dict
  contains:
    volume_id:
      description: Its id. Null for one that check mode would make.
      type: str
      sample: vol-00000001
    state:
      description: V(available), V(in-use), or another of the cloud's words.
      type: str
      sample: in-use
    size:
      description: Its size in GiB.
      type: int
      sample: 10
    availability_zone:
      description: Where it is.
      type: str
      sample: nova
    snapshot_id:
      description: The snapshot it was made from, or null.
      type: str
      sample: null
    create_time:
      description: When it was made, in UTC.
      type: str
      sample: "2026-01-31T08:27:13Z"
    instance_id:
      description: The VM that it is attached to, or null.
      type: str
      sample: i-0000001a
    device_name:
      description: The device that it is there, or null.
      type: str
      sample: /dev/vdb
    attachment_state:
      description: What the cloud says of the attachment, or null.
      type: str
      sample: attached
volume_ids:
  description: Their ids.
  returned: success
  type: list
  elements: str
  sample: [vol-00000001]
unattached_volumes:
  description: Volumes that this run made, that are at no VM, and that could not be deleted again.
  returned: on failure, if volumes were to be made
  type: list
  elements: str
  sample: []
unclaimed_volumes:
  description: Volumes that came to be in this run and that another run may have made.
  returned: on failure, if the answer to a request got lost
  type: list
  elements: str
  sample: [vol-00000004, vol-00000005]
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_batch, check_known
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Plan, Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.journal import Journal
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.volume_plan import plan_by_device, plan_by_id
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.volumes import (
    check_device,
    check_snapshot_id,
    check_volume_id,
    list_volumes,
)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "instance_id": {"type": "str", "aliases": ["instance"]},
    "batch": {"type": "str"},
    "volume_id": {"type": "str", "aliases": ["id"]},
    "device_name": {"type": "str"},
    "volume_size": {"type": "int", "aliases": ["size"]},
    "snapshot": {"type": "str", "aliases": ["snapshot_id"]},
    "availability_zone": {"type": "str", "aliases": ["zone"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wait_timeout": {"type": "int", "default": 300},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    if params["volume_id"] is not None:
        check_volume_id("volume_id", params["volume_id"])
    elif not params["instance_id"] and params["batch"] is None:
        raise CloudError(
            "Which volume is meant? Name it (volume_id), or the VMs that it is for (instance_id or batch) and the "
            "device. Just one more volume is not to be had: every run of the task would make another one."
        )
    if params["instance_id"]:
        check_instance_ids("instance_id", [params["instance_id"]])
    if params["batch"] is not None:
        check_batch("batch", params["batch"])
    attaches = bool(params["instance_id"]) and params["state"] == "present"
    if params["device_name"] is not None:
        check_device("device_name", params["device_name"])
    elif params["volume_id"] is None or attaches:
        raise CloudError("device_name is needed, such as /dev/vdb: it tells which volume of a VM is meant.")
    if params["volume_size"] is not None and params["volume_size"] < 1:
        raise CloudError(f"volume_size must be at least 1 GiB, not {params['volume_size']}.")
    if params["snapshot"] is not None:
        check_snapshot_id("snapshot", params["snapshot"])
    if params["availability_zone"] is not None:
        check_known("availability_zone", params["availability_zone"])
    if params["wait_timeout"] < 1:
        raise CloudError(f"wait_timeout must be at least 1 second, not {params['wait_timeout']}.")


def hold(session: Session) -> Journal:
    """Keep other runs that make or delete volumes on this machine waiting until this process ends."""
    connection = session.connection
    journal = Journal("*volumes*", connection.endpoint.url, connection.access_key, "volumes", session.warn)
    journal.open(session.params["wait_timeout"])
    return journal


def plan(session: Session) -> Plan:
    """Find out which volumes are meant, and decide what has to be done. Reads only."""
    if session.params["volume_id"] is not None:
        return plan_by_id(session, list_volumes(session.connection))
    return plan_by_device(session)


def main() -> None:
    """Run the module."""
    run(
        plan,
        check=check,
        options=OPTIONS,
        hold=hold,
        mutually_exclusive=[("instance_id", "batch"), ("volume_id", "batch"), ("volume_id", "volume_size"),
                            ("volume_id", "snapshot"), ("volume_id", "availability_zone")],
    )  # fmt: skip


if __name__ == "__main__":
    main()
