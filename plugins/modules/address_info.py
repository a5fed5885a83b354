#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: address_info
short_description: List floating addresses
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the floating addresses of a project of a cloud that offers Nova's EC2 API, and the VMs that they are at.
  - One request lists everything; addresses, ids and filters are matched by the module itself. What several of them ask
    for must all be true.
options:
  public_ips:
    description:
      - Only these addresses.
    type: list
    elements: str
    aliases: [public_ip]
  instance_ids:
    description:
      - Only addresses that are at one of these VMs.
    type: list
    elements: str
    aliases: [instance_id]
  filters:
    description:
      - Only addresses whose properties have one of the given values. Names are EC2's, listed below.
      - A value may be a list, and a pattern with V(*) and V(?). An empty text stands for nothing, so that
        V({"instance-id":""}) finds the addresses that are at no VM.
      - V(allocation-id), V(association-id), V(domain), V(instance-id), V(private-ip-address) and V(public-ip).
    type: dict
    default: {}
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.address
"""

EXAMPLES = r"""
- name: List all floating addresses of the project
  nova_ec2.cloud.address_info:
    rc_file: ~/ec2rc.sh
  register: all

- name: Find those that nobody uses
  nova_ec2.cloud.address_info:
    rc_file: ~/ec2rc.sh
    filters:
      instance-id: ""

- name: Find the address of a VM
  nova_ec2.cloud.address_info:
    rc_file: ~/ec2rc.sh
    instance_ids: i-0000001a
"""

RETURN = r"""
addresses:
  description: The addresses that match, in order.
  returned: success
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
free_addresses:
  description: Those of them that are at nothing.
  returned: success
  type: list
  elements: str
  sample: []
unknown_public_ips:
  description: Those of O(public_ips) that are not the project's.
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.addresses import (
    check_public_ips,
    is_free,
    list_addresses,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.filters import check_filters, like
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids

OPTIONS: dict[str, dict[str, t.Any]] = {
    "public_ips": {"type": "list", "elements": "str", "aliases": ["public_ip"]},
    "instance_ids": {"type": "list", "elements": "str", "aliases": ["instance_id"]},
    "filters": {"type": "dict", "default": {}},
}

PROPERTIES = {
    "allocation-id": "allocation_id",
    "association-id": "association_id",
    "domain": "domain",
    "instance-id": "instance_id",
    "private-ip-address": "private_ip_address",
    "public-ip": "public_ip",
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    check_public_ips("public_ips", params["public_ips"] or [])
    check_instance_ids("instance_ids", params["instance_ids"] or [])
    check_filters("filters", params["filters"], PROPERTIES)


def gather(session: Session) -> dict[str, t.Any]:
    """List the addresses that match."""
    params = session.params
    views = list_addresses(session.connection)
    known = {view["public_ip"] for view in views}
    for option, key in (("public_ips", "public_ip"), ("instance_ids", "instance_id")):
        if params[option] is not None:
            views = [view for view in views if view[key] in params[option]]
    views = [
        view for view in views if all(like([view[PROPERTIES[name]]], want) for name, want in params["filters"].items())
    ]
    return {
        "addresses": views,
        "public_ips": [view["public_ip"] for view in views],
        "free_addresses": [view["public_ip"] for view in views if is_free(view)],
        "unknown_public_ips": [ip for ip in params["public_ips"] or [] if ip not in known],
    }


def main() -> None:
    """Run the module."""
    run(gather, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
