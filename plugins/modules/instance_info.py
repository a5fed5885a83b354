#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_info
short_description: List VMs
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists VMs (EC2 calls them instances) of a cloud that offers Nova's EC2 API.
  - One request lists everything; ids, batch and filters are matched by the module itself, because Nova ignores most
    filters. What several of them ask for must all be true.
  - A terminated VM is no longer there on Nova, so it is not listed.
  - It can also wait until these VMs can be used.
options:
  instance_ids:
    description:
      - Only VMs with one of these ids.
    type: list
    elements: str
    aliases: [instance_id]
  batch:
    description:
      - Only members of this batch, see M(nova_ec2.cloud.instance).
    type: str
  filters:
    description:
      - Only VMs whose properties have one of the given values. Names are EC2's, listed below.
      - A value may be a list, and a pattern with V(*) and V(?).
      - V(availability-zone), V(client-token), V(group-name), V(image-id), V(instance-id), V(instance-state-name),
        V(instance-type), V(ip-address), V(kernel-id), V(key-name), V(launch-time), V(owner-id), V(private-dns-name),
        V(private-ip-address), V(ramdisk-id), V(reservation-id), V(root-device-type), V(tag-key) and V(tag:KEY).
    type: dict
    default: {}
  fail_on_unknown:
    description:
      - Whether it is an error if one of O(instance_ids) does not exist. They are reported in any case.
    type: bool
    default: false
  name_template:
    description:
      - Names for the members of O(batch), as in M(nova_ec2.cloud.instance), such as V(web-{index:03d}).
    type: str
  wait_for:
    description:
      - Wait until all these VMs are V(running); until they also have an V(address); or until an V(ssh) server answers
        at the public address of each, or at its private one if it has no other.
      - The cloud is asked once for each look, however many VMs there are, and all of them are tried at the same time.
      - It is an error if one has failed, or if one of O(instance_ids) does not exist.
    type: str
    choices: [running, address, ssh]
  wait_timeout:
    description:
      - How long O(wait_for) waits, in seconds.
    type: int
    default: 300
  ssh_port:
    description:
      - The port of the SSH servers.
    type: int
    default: 22
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.instance
"""

EXAMPLES = r"""
- name: List all VMs
  nova_ec2.cloud.instance_info:
    rc_file: ~/ec2rc.sh
  register: all

- name: List the members of a batch that are running
  nova_ec2.cloud.instance_info:
    rc_file: ~/ec2rc.sh
    batch: web
    filters:
      instance-state-name: running

- name: Look at two VMs
  nova_ec2.cloud.instance_info:
    rc_file: ~/ec2rc.sh
    instance_ids: [i-0000001a, i-0000001b]
    fail_on_unknown: true

- name: Wait until one can log in to every member of a batch
  nova_ec2.cloud.instance_info:
    rc_file: ~/ec2rc.sh
    batch: web
    wait_for: ssh
"""

RETURN = r"""
endpoint:
  description: Address of the cloud's EC2 API, by which the same ids in several clouds can be told apart.
  returned: success
  type: str
  sample: http://cloud.example.com:8773/services/Cloud
instances:
  description: The VMs that match, by id.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id:
      description: Its id.
      type: str
      sample: i-0000001a
    state:
      description:
        - V(pending), V(running), V(stopped), V(error), or another of the cloud's words.
        - Nova shows a VM that is being stopped or terminated in its old state until that is done.
      type: str
      sample: running
    image_id:
      description: The image it was launched from.
      type: str
      sample: ami-00000001
    instance_type:
      description: Its flavor.
      type: str
      sample: m1.tiny
    key_name:
      description: The key pair it was launched with, or null.
      type: str
      sample: deploy
    security_groups:
      description: The names of its security groups, among them the mark of its batch.
      type: list
      elements: str
      sample: [ansible-batch-web, default]
    availability_zone:
      description: Where it runs.
      type: str
      sample: nova
    private_ip_address:
      description: Its address inside the cloud, or null while it has none.
      type: str
      sample: 10.0.0.2
    public_ip_address:
      description: Its floating address, or null.
      type: str
      sample: null
    private_dns_name:
      description: The host name Nova gives it. It often cannot be resolved.
      type: str
      sample: server-1c0dd6f0-8d4f-4d27-a4c9-9c0c3c3d5c5e
    launch_time:
      description: When it was created, in UTC.
      type: str
      sample: "2026-01-31T08:27:13Z"
    kernel_id:
      description: Its kernel, or null.
      type: str
      sample: aki-00000002
    ramdisk_id:
      description: Its ramdisk, or null.
      type: str
      sample: ari-00000003
    root_device_name:
      description: Name of its root device.
      type: str
      sample: /dev/vda
    root_device_type:
      description: V(instance-store) or V(ebs).
      type: str
      sample: instance-store
    block_devices:
      description: Its volumes.
      type: list
      elements: dict
      contains:
        device_name:
          description: Name of the device.
          type: str
          sample: /dev/vdb
        volume_id:
          description: Id of the volume.
          type: str
          sample: vol-00000001
        delete_on_termination:
          description: Whether it is deleted with the VM.
          type: bool
          sample: false
    reservation_id:
      description: The launch request it came from.
      type: str
      sample: r-377mzb0g
    owner_id:
      description: The project it belongs to.
      type: str
      sample: 0f9f1946cbf1415f80b8a882d2a41c9f
    client_token:
      description: The token of the launch request, on servers that show it, or null.
      type: str
      sample: null
    launch_index:
      description: Which VM of its launch request it is, counted from 0.
      type: int
      sample: 0
    slot:
      description: Its number in the batch; with O(batch) only.
      type: int
      sample: 1
    name:
      description: Its name in the batch; with O(name_template) only.
      type: str
      sample: web-001
    tags:
      description: Its tags. Empty on servers without tags.
      type: dict
      sample: {}
instance_ids:
  description: Their ids.
  returned: success
  type: list
  elements: str
  sample: [i-0000001a]
unknown_ids:
  description: Those of O(instance_ids) that do not exist (any more).
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_batch
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.slots import check_name_template, name_of, number
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.filters import check_filters, passes_all
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import (
    check_instance_ids,
    list_instances,
    members_of,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.ready import GOALS, wait_until_ready

View = dict[str, t.Any]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "instance_ids": {"type": "list", "elements": "str", "aliases": ["instance_id"]},
    "batch": {"type": "str"},
    "filters": {"type": "dict", "default": {}},
    "fail_on_unknown": {"type": "bool", "default": False},
    "name_template": {"type": "str"},
    "wait_for": {"type": "str", "choices": list(GOALS)},
    "wait_timeout": {"type": "int", "default": 300},
    "ssh_port": {"type": "int", "default": 22},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    check_instance_ids("instance_ids", params["instance_ids"] or [])
    if params["batch"] is not None:
        check_batch("batch", params["batch"])
    if params["name_template"] is not None:
        check_name_template(params["name_template"])
    if params["wait_timeout"] < 1:
        raise CloudError(f"wait_timeout: {params['wait_timeout']} is not a number of seconds from 1 on.")
    if not 0 < params["ssh_port"] < 65536:
        raise CloudError(f"ssh_port: {params['ssh_port']} is not the number of a port.")
    check_filters("filters", params["filters"], tags=True)


def gather(session: Session) -> dict[str, t.Any]:
    """List the VMs that match; wait until they are as asked for."""
    params = session.params
    if params["wait_for"]:
        goal, port, timeout = (params[name] for name in ("wait_for", "ssh_port", "wait_timeout"))
        views, unknown = wait_until_ready(lambda: look(session)[0], goal, port, timeout), []
    else:
        views, unknown = look(session)
    return {
        "instances": views,
        "instance_ids": [view["instance_id"] for view in views],
        "unknown_ids": unknown,
        "endpoint": session.connection.endpoint.url,
    }


def look(session: Session) -> tuple[list[View], list[str]]:
    """The VMs that match, and which of the ids asked for do not exist."""
    params, connection = session.params, session.connection
    views = with_slots(session) if params["batch"] else list_instances(connection).views
    unknown = []
    if params["instance_ids"] is not None:
        known = {view["instance_id"] for view in views}
        unknown = [value for value in params["instance_ids"] if value not in known]
        views = [view for view in views if view["instance_id"] in params["instance_ids"]]
    if unknown and (params["fail_on_unknown"] or params["wait_for"]):
        raise CloudError(f"There are no VMs {', '.join(unknown)} (any more).", unknown_ids=unknown)
    return [view for view in views if passes_all(view, params["filters"])], unknown


def with_slots(session: Session) -> list[View]:
    """The members of a batch, with their numbers and names."""
    batch, template = session.params["batch"], session.params["name_template"]
    members = members_of(session.connection, batch).views
    slots = number(members, {})
    named = [{**view, "slot": slots[view["instance_id"]]} for view in members]
    return [{**view, "name": name_of(template, batch, view["slot"])} if template else view for view in named]


def main() -> None:
    """Run the module."""
    run(gather, check=check, options=OPTIONS, required_by={"name_template": "batch"})


if __name__ == "__main__":
    main()
