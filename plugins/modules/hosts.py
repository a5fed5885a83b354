# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hosts
short_description: Have the members of a batch be hosts of the play
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes hosts of the VMs of a batch, in the inventory of the running play, so that a later play can be for them. VMs
    that are no members any more are no hosts any more.
  - One task does it for all VMs, in plays of any strategy, and for each host of a play.
  - Unlike C(ansible.builtin.add_host) it never makes another machine of a host that there is. The same names in two
    clouds are two hosts.
  - The role P(nova_ec2.cloud.provision#role) does this for you.
options:
  batch:
    description: Name of the batch.
    type: str
    required: true
  instances:
    description:
      - The members, as M(nova_ec2.cloud.instance) returns them. Of an empty list, none are hosts. One without an id,
        which would be launched if it were not for check mode, is left out.
      - If not given, no host is added or removed, and only O(group) and the names that O(name_template) and O(count)
        would make are looked at. That is for before a launch.
    type: list
    elements: dict
  endpoint:
    description:
      - Which cloud they are of, as M(nova_ec2.cloud.instance) returns it. Ids are the same in many clouds.
    type: str
  group:
    description: The group that they are added to. If not given, the batch's name with V(_) for V(-).
    type: str
  variables:
    description: Variables for all of them, such as C(ansible_user). Those that are null are left out.
    type: dict
    default: {}
  name_template:
    description: The template that the members are named by, as with O(nova_ec2.cloud.instance#module:name_template).
    type: str
  count:
    description: How many members there will be.
    type: int
notes:
  - A host is named by the C(name) of its VM, or else by its id. In a play for several hosts, each of which may be for
    another cloud, the name of the play's host is added unless it is a part of the name.
  - A name that another VM has gets a word for the cloud added, or the id. A name or an address that the inventory has
    for anything else is an error, as are names that Ansible's inventory would split or expand.
  - C(ansible_host) is the floating address, or else the private one; it is only set to an IP address.
  - Hosts have C(nova_ec2_instance), C(nova_ec2_instance_id), C(nova_ec2_batch) and C(nova_ec2_endpoint). A host of
    your own inventory with C(nova_ec2_instance_id) says that it is that VM.
  - C(meta=refresh_inventory) keeps the hosts.
extends_documentation_fragment:
  - nova_ec2.cloud.attributes.controller
attributes:
  check_mode:
    details:
      - The inventory of the running play is changed in check mode too.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Have three VMs
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    count: 3
    image: Cirros-0.3.0-x86_64
    instance_type: m1.tiny
  register: web

- name: Have them be the hosts of the group web
  nova_ec2.cloud.hosts:
    batch: web
    endpoint: "{{ web.endpoint }}"
    instances: "{{ web.instances }}"
    variables:
      ansible_user: cirros
"""

RETURN = r"""
group:
  description: The group.
  returned: success
  type: str
  sample: web
hosts:
  description: The hosts of the batch.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name in the inventory.
      type: str
      sample: i-0000001a
    instance_id:
      description: Id of the VM.
      type: str
      sample: i-0000001a
    address:
      description: Where it is, or null.
      type: str
      sample: 10.0.0.2
removed:
  description: Names of hosts that are no members any more.
  returned: success
  type: list
  elements: str
  sample: []
"""
