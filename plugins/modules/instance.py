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
  - Members are numbered from 1. A member that is lost is replaced by one with the same number, on servers that can
    keep numbers. Icehouse to Liberty and ec2-api keep them in the token of the launch, Havana in the tag
    C(ansible-launch). Grizzly can keep nothing; there numbers are worked out from the order of the launches, and a
    member that filled a gap may get another number when one below it is lost later.
  - A launch request is sent once. If its answer gets lost, the batch is listed until the VMs show up; they are never
    requested a second time in the same run. Runs of one batch by one user on one machine wait for each other. Runs on
    several machines at the same time take back what was launched twice.
  - While a batch builds or terminates, lines on the terminal (on standard error) tell how far it is.
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
      - Stopped members count, and are started before any are launched. Members in error count as well; what becomes
        of them is said by O(on_error).
      - To lose more than half of the members, O(max_terminate) is needed as well.
    type: int
    aliases: [exact_count]
  min_count:
    description:
      - Be content with this many members when the quota or failures allow no more. The result says under RV(missing)
        how many are missing, and the next run launches them.
      - A run that can launch none of them, and has nothing else to do, is no change. Check mode cannot know the quota,
        and tells that they would be launched.
      - If not given, the task fails unless it reaches O(count).
    type: int
  name_template:
    description:
      - Names for the members, such as V(web-{index:03d}), made of their number C(index) and the name of the C(batch).
        They are returned with the VMs and used by the role P(nova_ec2.cloud.provision#role) as names in the inventory.
      - The cloud does not learn them.
    type: str
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
      - Security groups, by name, in any order. The mark of the batch is added to them.
      - The group C(default) if not given.
    type: list
    elements: str
    aliases: [group, groups]
  user_data:
    description:
      - Data that the VM can read when it boots, such as a cloud-init file. Given as it is; it is encoded for you.
      - It is a text. What YAML or a template has made a mapping, a list or a number of is refused; write a cloud-init
        file as a block, with C(|).
      - Up to 49149 bytes. It is treated as a secret, and so never shown.
    type: str
  user_data_base64:
    description:
      - The same in base64, for data that is no text, such as a file packed by C(gzip). The module
        C(ansible.builtin.slurp) returns files like this.
      - Only one of this, O(user_data) and O(user_data_file) can be given.
    type: str
  user_data_file:
    description:
      - A file with the data, on the host that executes the module.
      - It may be packed by C(gzip), which cloud-init unpacks.
    type: path
    aliases: [user_data_path]
  availability_zone:
    description:
      - Where to launch.
    type: str
    aliases: [zone, aws_zone, ec2_zone]
  availability_zones:
    description:
      - Where to launch, spread evenly. New members go to the zone that has the fewest; members that are there stay.
      - Takes one launch request for each zone. What a zone refuses, or what fails there and is replaced
        (O(on_error=replace)), goes to the next zone.
    type: list
    elements: str
    aliases: [zones]
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
      - Keys and values are texts of ASCII, as with M(nova_ec2.cloud.tag).
    type: dict
    aliases: [instance_tags]
  wait:
    description:
      - Whether to wait until all VMs are in the wanted state. A VM in error ends the waiting at once.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to wait, for each step that is waited for. If that is not enough the task fails, and its
        result says what became of every VM. Running it again resumes the wait.
      - Also for how long to wait for another run of the same batch on this machine, to ask again for what the cloud
        refuses while VMs are in the middle of something, and to see what becomes of a run that was cut short.
    type: int
    default: 300
  on_error:
    description:
      - What becomes of members in error, that is of VMs which the cloud could not build.
      - With V(fail) the task fails at once, and leaves them as they are.
      - With V(keep) they stay and count as members.
      - With V(replace) they are terminated and launched again, with the same numbers. O(max_replacements) limits that.
      - With V(terminate) they are terminated. The task then fails unless O(min_count) is content with the rest, and the
        next run launches what is missing.
      - With O(state=stopped) and O(state=rebooted) only V(keep) makes a difference.
    type: str
    choices: [fail, keep, replace, terminate]
    default: fail
  max_replacements:
    description:
      - How many members in error one run may replace. As many as the batch has members if not given.
    type: int
  chunk_size:
    description:
      - Launch at most this many VMs with one request, and wait for them before the next.
      - For clouds that cannot build many VMs at once.
    type: int
  max_failures:
    description:
      - With O(chunk_size) and an O(on_error) other than V(fail), how many VMs may fail before no more are launched.
    type: int
    default: 0
  remove:
    description:
      - Which members go when there are too many. V(failed_first) means those in error and then the highest numbers,
        V(highest) the highest numbers, V(newest) and V(oldest) go by the time of the launch.
      - Or the ids of the members that may go; no other is terminated.
    type: list
    elements: str
    default: [failed_first]
  max_terminate:
    description:
      - How many VMs this run may terminate at most, for whatever reason; if it would be more, nothing is done.
      - If not given, a batch cannot be shrunk to less than half by O(count). O(state=absent) is not limited then.
    type: int
  release_addresses:
    description:
      - Whether the floating addresses of VMs that this task terminates are given back to the cloud.
      - Otherwise they stay allocated to the project, at no VM, and count for its quota.
      - They are taken away and released just before their VM is terminated. If that fails, the VM is not terminated.
      - This includes addresses that others than M(nova_ec2.cloud.address) have given to the VMs.
    type: bool
    default: false
  update:
    description:
      - Members whose image, type, key pair, security groups or user data are not those of the task are always reported
        under RV(drift). Only options that are given are compared.
      - With V(replace) they are replaced as well, at most O(max_unavailable) at a time, each time waiting until the new
        ones run. The first failure ends that.
      - Grizzly does not show user data, so there a change of O(user_data) goes unseen. RV(drift_unknown) says so.
    type: str
    choices: ["none", replace]
    default: none
  max_unavailable:
    description:
      - How many members O(update=replace) replaces at a time. They go first, and the new ones are launched for them.
      - May be V(0) with O(max_surge), so that there are never fewer members than O(count) says.
    type: int
    default: 1
  max_surge:
    description:
      - How many members O(update=replace) launches before those go whose place they take. They have the same numbers
        once the old ones are gone.
      - If the quota has no room for that, O(max_unavailable) is used instead, with a warning.
    type: int
    default: 0
  partition:
    description:
      - The lowest number that O(update=replace) replaces. Members with lower numbers stay as they are, and are still
        reported under RV(drift).
      - To try a change on a few members first, ask for the highest numbers, and then for lower ones.
    type: int
  wait_for:
    description:
      - What is waited for beyond that VMs run - V(running) for nothing else, V(address) until each has an address, or
        V(tcp:PORT), such as V(tcp:22), until each takes a connection at that port of its public address, or of its
        private one if it has no other.
      - With O(update=replace) this decides when the next members are replaced. A new member that is not as far within
        O(wait_timeout) ends the replacement.
      - Connections are tried from where the module runs. Nothing is sent.
    type: str
    default: running
  progress:
    description:
      - Whether to tell on the terminal how far it is. Never told with C(no_log), C(async), C(become) or in check mode,
        nor when the task runs on another machine than the controller.
      - If the play has one host, a bar on one line tells it, with an estimate from the pace so far. Line by line it is
        told to anything else than a terminal, with C(TERM=dumb), C(-v), C(--diff), and other callbacks than Ansible's
        own for people. C(NO_COLOR) and C(ANSIBLE_NOCOLOR) leave the colours out.
    type: bool
    default: true
  progress_file:
    description:
      - Append the lines that tell how far it is to this file instead.
    type: path
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

- name: Keep only two, and allow eight to go
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    count: 2
    max_terminate: 8

- name: Have twenty in two zones, replace what fails, and be content with fifteen
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    count: 20
    min_count: 15
    availability_zones: [north, south]
    user_data_file: files/user-data.gz
    on_error: replace
    image: ami-00000001
    instance_type: m1.tiny

- name: Replace all members by ones with a new image, two at a time
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    image: ami-00000004
    update: replace
    max_unavailable: 2

- name: Replace the members numbered 18 and up, each only when its successor answers on port 80
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    image: ami-00000004
    update: replace
    max_surge: 1
    max_unavailable: 0
    partition: 18
    wait_for: tcp:80

- name: Have only ten left, and give the floating addresses of the others back
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    count: 10
    release_addresses: true

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
    - Members of a batch come in the order of their numbers, with C(slot), the number, and C(name), which
      O(name_template) makes of it.
    - On failure, those that were last seen, if the task got as far.
  returned: always, except when the task failed before the VMs were listed
  type: list
  elements: dict
  sample:
    - instance_id: i-0000001a
      state: running
      private_ip_address: 10.0.0.2
      slot: 1
      name: web-001
endpoint:
  description: Address of the cloud's EC2 API, by which the same ids in several clouds can be told apart.
  returned: always, except when the task failed before the VMs were listed
  type: str
  sample: http://cloud.example.com:8773/services/Cloud
instance_ids:
  description: Their ids, in the same order.
  returned: always, except when the task failed before the VMs were listed
  type: list
  elements: str
  sample: [i-0000001a]
states:
  description: The same ids, by state.
  returned: always, except when the task failed before the VMs were listed
  type: dict
  sample:
    running: [i-0000001a]
    pending: [i-0000001b]
failed_instances:
  description: Those of them that are in error and, after a timeout, those that are not yet in the wanted state.
  returned: when the VMs were listed
  type: list
  elements: dict
  contains:
    instance_id:
      description: Id of the VM.
      type: str
      sample: i-0000001b
    slot:
      description: Its number in the batch.
      type: int
      sample: 2
    name:
      description: Its name, if there is a O(name_template).
      type: str
      sample: web-002
    state:
      description: Its state.
      type: str
      sample: error
    availability_zone:
      description: Its zone.
      type: str
      sample: nova
    age:
      description: For how many seconds it has existed, by this machine's clock.
      type: int
      sample: 31
    reason:
      description: What is known of why.
      type: str
      sample: The cloud could not build or run it; the EC2 API gives no reason (often no host has room).
    console:
      description: The last lines of its console, at most 10, of the first 3 such VMs.
      type: list
      elements: str
      sample: []
missing:
  description: How many members are missing to O(count).
  returned: for a batch
  type: int
  sample: 0
drift:
  description: In what members differ from the task, by id.
  returned: for a batch
  type: dict
  sample:
    i-0000001a: ["image is ami-00000001, not ami-00000004"]
drift_unknown:
  description: Options that could not be compared with the members, because the cloud does not show them.
  returned: for a batch
  type: list
  elements: str
  sample: []
released_addresses:
  description: The floating addresses that were given back. Empty in check mode.
  returned: when O(release_addresses) is true, except when the task failed before the VMs were listed
  type: list
  elements: str
  sample: [172.24.4.3]
quota:
  description: What the cloud said of the quota that refused a launch.
  returned: when it said so
  type: dict
  sample:
    resource: instances
    requested: 3
    used: 8
    limit: 10
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
    replaced:
      description: The ids of the VMs to replace, all of them also under C(terminated).
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
    slots:
      description: What happens to each member of a batch, and why.
      type: list
      elements: dict
      contains:
        slot:
          description: Its number.
          type: int
          sample: 2
        name:
          description: Its name, if there is a O(name_template).
          type: str
          sample: web-002
        action:
          description: One of C(keep), C(start), C(stop), C(reboot), C(terminate), C(replace) and C(launch).
          type: str
          sample: launch
        instance_id:
          description: Id of the VM that is there.
          type: str
          sample: null
        reason:
          description: Why.
          type: str
          sample: count is 2
        availability_zone:
          description: The zone that a VM is launched in, if one was asked for.
          type: str
          sample: null
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_batch, check_tags
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.goal import (
    REMOVE,
    RUNNING,
    STATES,
    check_launch_options,
    check_policies,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.plan import hold, plan
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.slots import check_name_template
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.user_data import user_data_of

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
    "user_data_base64": {"type": "str", "no_log": True},
    "user_data_file": {"type": "path", "no_log": False, "aliases": ["user_data_path"]},
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
    "min_count": {"type": "int"},
    "availability_zones": {"type": "list", "elements": "str", "aliases": ["zones"]},
    "chunk_size": {"type": "int"},
    "max_failures": {"type": "int", "default": 0},
    "on_error": {"type": "str", "choices": ["fail", "keep", "replace", "terminate"], "default": "fail"},
    "max_replacements": {"type": "int"},
    "remove": {"type": "list", "elements": "str", "default": ["failed_first"]},
    "max_terminate": {"type": "int"},
    "release_addresses": {"type": "bool", "default": False},
    "update": {"type": "str", "choices": ["none", "replace"], "default": "none"},
    "max_unavailable": {"type": "int", "default": 1},
    "max_surge": {"type": "int", "default": 0},
    "partition": {"type": "int"},
    "wait_for": {"type": "str", "default": "running"},
    "name_template": {"type": "str"},
    "progress": {"type": "bool", "default": True},
    "progress_file": {"type": "path"},
}

# More than any cloud has, and what still fits into memory.
LARGEST_COUNT = 100_000


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud; an empty selector must never mean everything."""
    if params["instance_ids"] is not None:
        check_instance_ids("instance_ids", params["instance_ids"])
    if params["batch"] is not None:
        check_batch("batch", params["batch"])
    check_count(params)
    check_policies(params)
    if params["remove"][0] not in REMOVE:
        check_instance_ids("remove", params["remove"])
    if params["name_template"] is not None:
        check_name_template(params["name_template"])
    check_launch_options(params)
    params["user_data"] = user_data_of(params)
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
    if not 0 <= count <= LARGEST_COUNT:
        raise CloudError(f"count must be 0 or more, and at most {LARGEST_COUNT}, not {count}.")
    if STATES[params["state"]] != RUNNING:
        raise CloudError(f"count says how many VMs shall be running; it does not go with state {params['state']}.")


def main() -> None:
    """Run the module."""
    run(
        plan,
        check=check,
        options=OPTIONS,
        required_one_of=[("instance_ids", "batch")],
        mutually_exclusive=[("instance_ids", "batch"), ("availability_zone", "availability_zones")],
        hold=hold,
        unseen=("user_data", "user_data_base64"),
    )


if __name__ == "__main__":
    main()
