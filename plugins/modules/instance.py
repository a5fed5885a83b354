#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance
short_description: Launch, start, stop, reboot and terminate VMs, singly or as a batch
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Brings VMs (EC2 calls them instances) of a cloud that offers Nova's EC2 API to a state.
  - A batch is a named set of VMs that were launched for one purpose. The task says how many members it shall have, and
    can be run as often as you like. What is missing is launched, what is too much is terminated.
  - Members are known by a mark that the launch itself sets, a security group without rules called
    C(ansible-batch-NAME). A VM without the mark is never counted and never touched by a batch task, whatever it looks
    like, and whoever may see it.
  - A launch request is sent once. If its answer gets lost, the batch is listed until the VMs show up; they are never
    requested a second time in the same run.
options:
  instance_ids:
    description:
      - The VMs to act on, by id. One of this and O(batch) is needed.
      - With O(state=absent), ids that do not exist are fine. With other states they are an error.
    type: list
    elements: str
    aliases: [instance_id]
  batch:
    description:
      - Name of the batch to act on. Letters without accents, digits, V(-) and V(_); up to 63.
      - The mark takes one of the project's security groups, of which Nova by default allows 10, until the batch is
        removed with O(state=absent).
    type: str
  count:
    description:
      - How many members the batch shall have, exactly. V(0) means none; the batch stays ready to be grown again.
      - Only with O(state=running). If not given, no VM is launched or terminated to reach a number.
      - Stopped members count, and are started. Members in error count as well; the task fails until you decide what
        becomes of them, so that it never launches more than you asked for.
      - When there are too many, those in error go first, then the newest.
    type: int
    aliases: [exact_count]
  state:
    description:
      - V(running) (also called V(present) and V(started)) launches what O(count) asks for and starts what is stopped.
      - V(stopped) stops what runs.
      - V(rebooted) (also called V(restarted)) reboots what runs, and starts what is stopped. It always changes
        something.
      - V(absent) (also called V(terminated)) terminates the VMs. With O(batch) it then removes the mark as well, for
        which it has to wait; with O(wait=false) the mark stays until the task is run again.
    type: str
    choices: [running, present, started, stopped, rebooted, restarted, absent, terminated]
    default: running
  image:
    description:
      - The image to launch from, as an id or the exact name of one available machine image.
      - A name takes one more request. Needed when VMs have to be launched.
    type: str
    aliases: [image_id]
  instance_type:
    description:
      - The flavor, by name. The API cannot list flavors.
      - If not given, the server decides. Nova takes C(m1.small); Icehouse and later refuse.
    type: str
    aliases: [type]
  key_name:
    description:
      - The key pair that may log in.
    type: str
    aliases: [keypair]
  security_groups:
    description:
      - Security groups, by name. The mark of the batch is added to them.
      - The group C(default) if not given.
    type: list
    elements: str
    aliases: [group, groups]
  user_data:
    description:
      - Data that the VM can read when it boots, such as a cloud-init file. Given as it is; it is encoded for you.
      - Up to 49149 bytes. It is treated as a secret, and so never shown.
    type: str
  availability_zone:
    description:
      - Where to launch.
    type: str
    aliases: [zone, aws_zone, ec2_zone]
  kernel_id:
    description:
      - Another kernel than the image's own (C(aki-...)).
    type: str
    aliases: [kernel]
  ramdisk_id:
    description:
      - Another ramdisk than the image's own (C(ari-...)).
    type: str
    aliases: [ramdisk]
  block_device_mapping:
    description:
      - Volumes and disks to launch with.
    type: list
    elements: dict
    aliases: [volumes]
    suboptions:
      device_name:
        description:
          - Name of the device, such as V(/dev/vdb).
        type: str
        required: true
      snapshot_id:
        description:
          - Snapshot to make a volume of. Nova also takes the id of a volume here, to attach that volume.
        type: str
        aliases: [snapshot]
      volume_size:
        description:
          - Size of the volume in GiB.
        type: int
      delete_on_termination:
        description:
          - Whether the volume is deleted with the VM.
        type: bool
        default: true
      virtual_name:
        description:
          - An ephemeral or swap disk, such as V(ephemeral0).
        type: str
        aliases: [ephemeral]
      no_device:
        description:
          - Leave out a device that the image defines.
        type: bool
        default: false
  tags:
    description:
      - Tags that each VM shall have, on servers that have tags (Nova since Havana, and ec2-api). Other tags are kept.
      - They are set once the VM is running, since Nova refuses to tag it before.
    type: dict
    aliases: [instance_tags]
  wait:
    description:
      - Whether to wait until all VMs are in the wanted state. A VM in error ends the waiting at once.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to wait. If that is not enough the task fails, and its result says what became of every VM.
        Running it again resumes the wait.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(state=rebooted) VMs are rebooted each time.
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes
seealso:
  - module: nova_ec2.cloud.instance_info
  - module: nova_ec2.cloud.keypair
"""

EXAMPLES = r"""
- name: Have ten VMs
  nova_ec2.cloud.instance:
    endpoint_url: http://cloud.example.com:8773/services/Cloud
    access_key: "{{ ec2_access_key }}"
    secret_key: "{{ ec2_secret_key }}"
    batch: web
    count: 10
    image: Cirros-0.3.0-x86_64
    instance_type: m1.tiny
    key_name: deploy
  register: web

- name: Stop them all
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    state: stopped

- name: Keep only two
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    count: 2

- name: Reboot one VM
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    instance_ids: i-0000001a
    state: rebooted

- name: Terminate the batch and remove its mark
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    state: absent
"""

RETURN = r"""
instances:
  description:
    - The VMs that there are now, of the batch or of those asked for by id, as M(nova_ec2.cloud.instance_info) shows
      them. In check mode, those that would be there; one that would be launched has no id.
    - On failure, those that were last seen, if the task got as far.
  returned: always, except when the task failed before the VMs were listed
  type: list
  elements: dict
  sample:
    - instance_id: i-0000001a
      state: running
      private_ip_address: 10.0.0.2
instance_ids:
  description: Their ids.
  returned: always, except when the task failed before the VMs were listed
  type: list
  elements: str
  sample: [i-0000001a]
plan:
  description: What was done, or in check mode would be done.
  returned: always, except when the task failed before the VMs were listed
  type: dict
  contains:
    launch:
      description: How many VMs are to be launched.
      type: int
      sample: 1
    created:
      description: The ids of the VMs that were launched.
      type: list
      elements: str
      sample: [i-0000001a]
    started:
      description: The ids of the stopped VMs to start.
      type: list
      elements: str
      sample: []
    stopped:
      description: The ids of the VMs to stop.
      type: list
      elements: str
      sample: []
    rebooted:
      description: The ids of the VMs to reboot.
      type: list
      elements: str
      sample: []
    terminated:
      description: The ids of the VMs to terminate.
      type: list
      elements: str
      sample: []
    tagged:
      description: The ids of the VMs that were there before and whose tags are to be set.
      type: list
      elements: str
      sample: []
    kept:
      description: The ids of the VMs that need no other step.
      type: list
      elements: str
      sample: []
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._instances import check_instance_ids
from ansible_collections.nova_ec2.cloud.plugins.module_utils._launch import check_launch_options
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._names import check_batch, check_tags
from ansible_collections.nova_ec2.cloud.plugins.module_utils._operation import plan
from ansible_collections.nova_ec2.cloud.plugins.module_utils._steps import RUNNING, STATES

OPTIONS: dict[str, dict[str, t.Any]] = {
    "instance_ids": {"type": "list", "elements": "str", "aliases": ["instance_id"]},
    "batch": {"type": "str"},
    "count": {"type": "int", "aliases": ["exact_count"]},
    "state": {"type": "str", "choices": list(STATES), "default": "running"},
    "image": {"type": "str", "aliases": ["image_id"]},
    "instance_type": {"type": "str", "aliases": ["type"]},
    "key_name": {"type": "str", "no_log": False, "aliases": ["keypair"]},
    "security_groups": {"type": "list", "elements": "str", "aliases": ["group", "groups"]},
    "user_data": {"type": "str", "no_log": True},
    "availability_zone": {"type": "str", "aliases": ["zone", "aws_zone", "ec2_zone"]},
    "kernel_id": {"type": "str", "aliases": ["kernel"]},
    "ramdisk_id": {"type": "str", "aliases": ["ramdisk"]},
    "block_device_mapping": {
        "type": "list",
        "elements": "dict",
        "aliases": ["volumes"],
        "options": {
            "device_name": {"type": "str", "required": True},
            "snapshot_id": {"type": "str", "aliases": ["snapshot"]},
            "volume_size": {"type": "int"},
            "delete_on_termination": {"type": "bool", "default": True},
            "virtual_name": {"type": "str", "aliases": ["ephemeral"]},
            "no_device": {"type": "bool", "default": False},
        },
    },
    "tags": {"type": "dict", "aliases": ["instance_tags"]},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud; an empty selector must never mean everything."""
    if params["instance_ids"] is not None:
        check_instance_ids("instance_ids", params["instance_ids"])
    if params["batch"] is not None:
        check_batch("batch", params["batch"])
    check_count(params)
    check_launch_options(params)
    params["tags"] = check_tags("tags", params["tags"] or {})
    if params["wait_timeout"] < 1:
        raise CloudError(f"wait_timeout must be at least 1 second, not {params['wait_timeout']}.")


def check_count(params: dict[str, t.Any]) -> None:
    """count is a number of members that shall be running; 0 is a number."""
    count = params["count"]
    if count is None:
        return
    if params["batch"] is None:
        raise CloudError("count needs a batch: name the set of VMs that shall have this many members.")
    if count < 0:
        raise CloudError(f"count must be 0 or more, not {count}.")
    if STATES[params["state"]] != RUNNING:
        raise CloudError(f"count says how many VMs shall be running; it does not go with state {params['state']}.")


def main() -> None:
    """Run the module."""
    run(
        plan,
        check=check,
        options=OPTIONS,
        required_one_of=[("instance_ids", "batch")],
        mutually_exclusive=[("instance_ids", "batch")],
    )


if __name__ == "__main__":
    main()
