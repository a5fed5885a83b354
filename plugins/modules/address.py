#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: address
short_description: Give floating addresses to VMs, and take them away
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes sure that VMs have floating addresses (EC2 calls them elastic ones), or have none, in a cloud that offers
    Nova's EC2 API.
  - A task names what it is about, a VM, several VMs, the members of a batch, or one address. It cannot just ask for one
    more address, because each run would then allocate another one.
  - All addresses that are missing are allocated before the first is associated. What was allocated and could not be
    associated is released again before the task fails.
  - Runs of one user on one machine wait for each other, so that no two take the same address.
options:
  instance_id:
    description:
      - The VM that shall have an address, or have none.
      - If it has one already, nothing is changed, whichever it is, unless O(public_ip) is given.
    type: str
    aliases: [device_id]
  instance_ids:
    description:
      - Several VMs, each of which shall have an address of its own, or have none.
    type: list
    elements: str
  batch:
    description:
      - The batch whose members each shall have an address of their own, or have none, see
        M(nova_ec2.cloud.instance).
    type: str
  public_ip:
    description:
      - One address of the project.
      - With O(state=present) and O(instance_id), it shall be at that VM. Without O(instance_id), it only has to be the
        project's; the API cannot allocate a certain address.
      - With O(state=absent), it is taken away from its VM and released. With O(instance_id), only if it is at that VM
        or at none.
    type: str
    aliases: [ip]
  state:
    description:
      - Whether the VMs shall have addresses.
    type: str
    choices: [present, absent]
    default: present
  reuse_existing:
    description:
      - Take addresses that the project has and that are at no VM, before new ones are allocated.
    type: bool
    default: false
    aliases: [reuse_existing_ip_allowed]
  allow_reassociation:
    description:
      - Whether O(public_ip) may be taken away from another VM.
    type: bool
    default: false
  release:
    description:
      - With O(state=absent), whether addresses go back to the cloud's pool, or stay the project's.
      - An address that was at a VM when that was terminated stays the project's. So take addresses away before you
        terminate VMs.
    type: bool
    default: true
    aliases: [release_on_disassociation]
  wait_timeout:
    description:
      - For how many seconds to wait for the network of VMs that are being built, for the cloud to show what it
        accepted and to let go of what it holds, and for other runs on this machine.
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
  - module: nova_ec2.cloud.address_info
  - module: nova_ec2.cloud.instance
"""

EXAMPLES = r"""
- name: Give a VM an address
  nova_ec2.cloud.address:
    endpoint_url: http://cloud.example.com:8773/services/Cloud
    access_key: "{{ ec2_access_key }}"
    secret_key: "{{ ec2_secret_key }}"
    instance_id: i-0000001a
  register: given

- name: Give every member of a batch an address, those first that lie idle
  nova_ec2.cloud.address:
    rc_file: ~/ec2rc.sh
    batch: web
    reuse_existing: true

- name: Move an address to another VM
  nova_ec2.cloud.address:
    rc_file: ~/ec2rc.sh
    public_ip: 172.24.4.1
    instance_id: i-0000001b
    allow_reassociation: true

- name: Take the addresses of two VMs away, and keep them for later
  nova_ec2.cloud.address:
    rc_file: ~/ec2rc.sh
    instance_ids: [i-0000001a, i-0000001b]
    state: absent
    release: false

- name: Release an address, wherever it is
  nova_ec2.cloud.address:
    rc_file: ~/ec2rc.sh
    public_ip: 172.24.4.1
    state: absent
"""

RETURN = r"""
addresses:
  description:
    - The addresses that the VMs have now, in the order of the VMs, or the one of O(public_ip). With
      O(state=absent), those that were taken away and stay the project's.
    - In check mode, those that would be there; of one that would be allocated C(public_ip) is null.
    - On failure, those that are at the VMs all the same.
  returned: success, and on failure once something was tried
  type: list
  elements: dict
  contains:
    public_ip:
      description: The address.
      type: str
      sample: 172.24.4.1
    instance_id:
      description: Id of the VM that it is at, or null.
      type: str
      sample: i-0000001a
    private_ip_address:
      description: The private address that it is for, on ec2-api. Null on Nova.
      type: str
      sample: null
    domain:
      description: C(standard) or C(vpc) on ec2-api. Null on Nova.
      type: str
      sample: null
    allocation_id:
      description: Id of its allocation, for an address of a VPC on ec2-api.
      type: str
      sample: null
    association_id:
      description: Id of its association, for an address of a VPC on ec2-api.
      type: str
      sample: null
public_ips:
  description: The same addresses alone.
  returned: success
  type: list
  elements: str
  sample: [172.24.4.1]
address:
  description: The first of RV(addresses), or null.
  returned: success, with O(instance_id) or O(public_ip)
  type: dict
  sample:
    public_ip: 172.24.4.1
    instance_id: i-0000001a
public_ip:
  description: The first of RV(public_ips), or null.
  returned: success, with O(instance_id) or O(public_ip)
  type: str
  sample: 172.24.4.1
free_addresses:
  description: The addresses of the project that are at no VM.
  returned: when no more can be allocated
  type: list
  elements: str
  sample: [172.24.4.3]
unreleased_addresses:
  description: Addresses that are at no VM any more, or were never, and that could not be released.
  returned: on failure, if addresses were to be released
  type: list
  elements: str
  sample: []
unclaimed_addresses:
  description: Addresses that came to be in this run and that another run may have allocated.
  returned: on failure, if the answer to an allocation got lost
  type: list
  elements: str
  sample: [172.24.4.4, 172.24.4.5]
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_batch
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Plan, Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.addresses import (
    check_public_ips,
    held,
    list_addresses,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.associate import plan_present
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids, members_of
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.journal import Journal
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.release import plan_absent

OPTIONS: dict[str, dict[str, t.Any]] = {
    "instance_id": {"type": "str", "aliases": ["device_id"]},
    "instance_ids": {"type": "list", "elements": "str"},
    "batch": {"type": "str"},
    "public_ip": {"type": "str", "aliases": ["ip"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "reuse_existing": {"type": "bool", "default": False, "aliases": ["reuse_existing_ip_allowed"]},
    "allow_reassociation": {"type": "bool", "default": False},
    "release": {"type": "bool", "default": True, "aliases": ["release_on_disassociation"]},
    "wait_timeout": {"type": "int", "default": 300},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    if all(params[name] is None for name in ("instance_id", "instance_ids", "batch", "public_ip")):
        raise CloudError(
            "Which address is meant? Name the VMs that it is for (instance_id, instance_ids or batch), or public_ip. "
            "Just one more address is not to be had: every run of the task would allocate another one."
        )
    if params["instance_id"] is not None:
        check_instance_ids("instance_id", [params["instance_id"]])
    check_instance_ids("instance_ids", params["instance_ids"] or [])
    if params["batch"] is not None:
        check_batch("batch", params["batch"])
    if params["public_ip"] is not None:
        check_public_ips("public_ip", [params["public_ip"]])
    if params["allow_reassociation"] and params["public_ip"] is None:
        raise CloudError("allow_reassociation says that public_ip may be moved; there is no public_ip.")
    if params["wait_timeout"] < 1:
        raise CloudError(f"wait_timeout must be at least 1 second, not {params['wait_timeout']}.")


def hold(session: Session) -> Journal:
    """Keep other runs that give or take addresses on this machine waiting until this process ends."""
    return held(session.connection, session.params["wait_timeout"], session.warn)


def plan(session: Session) -> Plan:
    """Find out which VMs and addresses are meant, and decide what has to be done. Reads only."""
    params, vms = session.params, None
    ids = [params["instance_id"]] if params["instance_id"] else list(dict.fromkeys(params["instance_ids"] or []))
    if params["batch"] is not None:
        members = members_of(session.connection, params["batch"]).views
        vms = {view["instance_id"]: view for view in members}
        ids = list(vms)
        if not ids and params["state"] == "present":
            session.warn(f"Batch {params['batch']} has no members, so no addresses are given.")
    views = list_addresses(session.connection)
    if params["state"] == "absent":
        return plan_absent(session, views, ids)
    return plan_present(session, views, ids, vms)


def main() -> None:
    """Run the module."""
    run(
        plan,
        check=check,
        options=OPTIONS,
        hold=hold,
        mutually_exclusive=[
            ("instance_id", "instance_ids", "batch"),
            ("public_ip", "instance_ids"),
            ("public_ip", "batch"),
        ],
    )


if __name__ == "__main__":
    main()
