#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: security_group_info
short_description: List security groups
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the security groups of a project of a cloud that offers Nova's EC2 API, with their rules for what comes in.
  - One request lists everything; names and filters are matched by the module itself, because Nova ignores filters. What
    several of them ask for must all be true.
  - The marks of batches (V(ansible-batch-...)) are security groups, and listed with them.
options:
  names:
    description:
      - Only security groups with one of these names.
    type: list
    elements: str
    aliases: [name, group_names]
  filters:
    description:
      - Only security groups whose properties have one of the given values. Names are EC2's, listed below.
      - A value may be a list, and a pattern with V(*) and V(?). Of a group with several rules, one that has the value
        is enough.
      - V(description), V(group-id), V(group-name), V(ip-permission.cidr), V(ip-permission.from-port),
        V(ip-permission.group-name), V(ip-permission.protocol), V(ip-permission.to-port), V(owner-id) and V(vpc-id).
    type: dict
    default: {}
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.security_group
"""

EXAMPLES = r"""
- name: List all security groups
  nova_ec2.cloud.security_group_info:
    rc_file: ~/ec2rc.sh
  register: groups

- name: Look at one
  nova_ec2.cloud.security_group_info:
    rc_file: ~/ec2rc.sh
    names: web

- name: Find the groups that let everybody in to something
  nova_ec2.cloud.security_group_info:
    rc_file: ~/ec2rc.sh
    filters:
      ip-permission.cidr: 0.0.0.0/0
"""

RETURN = r"""
security_groups:
  description: The security groups that match, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: web
    description:
      description: What was written on it when it was made.
      type: str
      sample: Web servers
    group_id:
      description: Its id on ec2-api. Null on Nova, which knows groups by their names.
      type: str
      sample: sg-28697a5d
    vpc_id:
      description: The VPC it is in, on ec2-api, or null.
      type: str
      sample: null
    owner_id:
      description: The project it belongs to.
      type: str
      sample: 0f9f1946cbf1415f80b8a882d2a41c9f
    rules:
      description: Its rules for what comes in, one for each range of ports and source.
      type: list
      elements: dict
      contains:
        proto:
          description: V(tcp), V(udp), V(icmp), V(all), or the number of another protocol.
          type: str
          sample: tcp
        from_port:
          description: First port, or type of ICMP, V(-1) for any. Null with V(all).
          type: int
          sample: 80
        to_port:
          description: Last port, or code of ICMP, V(-1) for any. Null with V(all).
          type: int
          sample: 80
        cidr_ip:
          description: The network that is let in, or null.
          type: str
          sample: 0.0.0.0/0
        group_name:
          description: The group that is let in, or null.
          type: str
          sample: null
        group_owner_id:
          description: The project of that group, if it is another one.
          type: str
          sample: null
unknown_names:
  description: Those of O(names) that do not exist.
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.filters import check_filters, like
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.security_groups import list_groups

View = dict[str, t.Any]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "names": {"type": "list", "elements": "str", "aliases": ["name", "group_names"]},
    "filters": {"type": "dict", "default": {}},
}

PROPERTIES = {
    "description": "description",
    "group-id": "group_id",
    "group-name": "name",
    "owner-id": "owner_id",
    "vpc-id": "vpc_id",
}
OF_RULES = {
    "ip-permission.cidr": "cidr_ip",
    "ip-permission.from-port": "from_port",
    "ip-permission.group-name": "group_name",
    "ip-permission.protocol": "proto",
    "ip-permission.to-port": "to_port",
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    check_filters("filters", params["filters"], [*PROPERTIES, *OF_RULES])


def gather(session: Session) -> dict[str, t.Any]:
    """List the security groups that match."""
    views, names = list_groups(session.connection), session.params["names"]
    there = {view["name"] for view in views}
    if names is not None:
        views = [view for view in views if view["name"] in names]
    filters = session.params["filters"].items()
    found = [view for view in views if all(passes(view, name, value) for name, value in filters)]
    return {"security_groups": found, "unknown_names": [name for name in names or () if name not in there]}


def passes(view: View, name: str, asked: t.Any) -> bool:
    """Whether a group passes one filter."""
    has = [rule[OF_RULES[name]] for rule in view["rules"]] if name in OF_RULES else [view[PROPERTIES[name]]]
    # EC2 calls all protocols -1.
    if name == "ip-permission.protocol":
        has += ["-1" for value in has if value == "all"]
    return like(has, asked)


def main() -> None:
    """Run the module."""
    run(gather, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
