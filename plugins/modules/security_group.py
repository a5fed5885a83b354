#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: security_group
short_description: Create, change and delete security groups
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes sure that a security group exists with exactly the rules you list, or does not exist, in a cloud that offers
    Nova's EC2 API.
  - Rules are for what comes in. Nova has none for what goes out, and ec2-api gives each group one that allows
    everything and refuses to change it, so these rules are neither shown nor touched.
  - Rules are added with one request and removed with another, however many there are. They are added first, unless the
    quota leaves no room for that.
options:
  name:
    description:
      - Name of the security group. For a new one, letters without accents, digits, V(-), V(_) and inner spaces; up to
        255. One that exists may have other names of ASCII.
      - Names that Nova would take for a number, a boolean or nothing are refused, and so are the marks of batches
        (V(ansible-batch-...)), which are the business of M(nova_ec2.cloud.instance).
    type: str
    required: true
    aliases: [group_name]
  state:
    description:
      - Whether the group shall exist.
      - A group that VMs are in, or that rules of other groups name, is not deleted; the task fails and tells which.
        The group V(default) cannot be deleted.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - What is written on a new group. Letters without accents, digits, V(-), V(_) and spaces; up to 255.
      - It cannot be changed later; a group with another description is left as it is, with a warning.
      - A new group is called V(Made by Ansible) if nothing is given.
    type: str
  rules:
    description:
      - The rules that the group shall have. An empty list is no rules at all.
      - If this is not given, the rules are left as they are.
    type: list
    elements: dict
    suboptions:
      proto:
        description:
          - The protocol. V(all) (or V(-1)) is everything. To Nova that is ICMP, TCP and UDP, three rules; ec2-api has
            one for it.
        type: str
        choices: [tcp, udp, icmp, all, "-1"]
        default: tcp
      from_port:
        description:
          - First port, at least 1; the type, with V(icmp). Needed for TCP and UDP, unless O(rules[].ports) is given.
        type: int
      to_port:
        description:
          - Last port, at most 65535; the code, with V(icmp).
        type: int
      ports:
        description:
          - Ports, and ranges of ports such as V(8000-8100). Each becomes a rule.
        type: list
        elements: str
      icmp_type:
        description:
          - Type of ICMP, V(-1) for any, which is the default.
        type: int
      icmp_code:
        description:
          - Code of ICMP, V(-1) for any, which is the default.
        type: int
      cidr_ip:
        description:
          - IPv4 networks to be let in. Each becomes a rule. Either this or O(rules[].group_name) is needed.
        type: list
        elements: str
      group_name:
        description:
          - Names of security groups of the project, of which the VMs are to be let in. Each becomes a rule. The group
            itself may be among them, and marks of batches.
        type: list
        elements: str
  purge_rules:
    description:
      - Whether rules that O(rules) does not list are removed.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to go on deleting a group that the cloud says is in use, although no VM that it shows is in
        it and no rule names it. Clouds let go of a group some seconds after its last VM has gone.
    type: int
    default: 60
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
notes:
  - Some releases of ec2-api say that they removed a rule and keep it. The module looks, and fails in that case.
seealso:
  - module: nova_ec2.cloud.security_group_info
  - module: nova_ec2.cloud.instance
"""

EXAMPLES = r"""
- name: Let everybody in to web servers, and the office to SSH
  nova_ec2.cloud.security_group:
    rc_file: ~/ec2rc.sh
    name: web
    description: Web servers
    rules:
      - ports: [80, 443]
        cidr_ip: 0.0.0.0/0
      - ports: 22
        cidr_ip: [192.0.2.0/24, 198.51.100.7]
      - proto: icmp
        icmp_type: 8
        cidr_ip: 0.0.0.0/0

- name: Let the web servers in to the database, and its own VMs to each other
  nova_ec2.cloud.security_group:
    rc_file: ~/ec2rc.sh
    name: db
    rules:
      - ports: 5432
        group_name: web
      - proto: all
        group_name: db

- name: Add a rule and leave the others as they are
  nova_ec2.cloud.security_group:
    rc_file: ~/ec2rc.sh
    name: web
    rules:
      - ports: 8000-8100
        cidr_ip: 10.0.0.0/8
    purge_rules: false

- name: Delete it
  nova_ec2.cloud.security_group:
    rc_file: ~/ec2rc.sh
    name: web
    state: absent
"""

RETURN = r"""
security_group:
  description: The security group, or null if it does not exist (any more).
  returned: success
  type: dict
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
      description: Its id on ec2-api. Null on Nova, which knows groups by their names, and in check mode for a new one.
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
done:
  description: What was done before the task failed. Null if it cannot be seen.
  returned: when a change failed on its way
  type: list
  elements: str
  sample: [add tcp 80 from 0.0.0.0/0]
left:
  description: What would have been left to do. Null if it cannot be seen.
  returned: when a change failed on its way
  type: list
  elements: str
  sample: [remove tcp 22 from 0.0.0.0/0]
instance_ids:
  description: The VMs that are in the group.
  returned: when the group could not be deleted because it is in use
  type: list
  elements: str
  sample: [i-0000001a]
named_by:
  description: The groups of which rules name the group.
  returned: when the group could not be deleted because it is in use
  type: list
  elements: str
  sample: [db]
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import (
    check_description,
    check_known,
    check_name,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Plan, Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import MARK_PREFIX, states_of
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.security_group_changes import (
    Changes,
    carry,
    delete,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.security_group_rules import (
    RULE_OPTIONS,
    Rule,
    as_kept,
    line,
    order,
    rules_written,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.security_groups import (
    find_group,
    list_groups,
    members_in,
    named_by,
    rules_of,
)

View = dict[str, t.Any]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True, "aliases": ["group_name"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "description": {"type": "str"},
    "rules": RULE_OPTIONS,
    "purge_rules": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    name = check_known("name", params["name"])
    if name.startswith(MARK_PREFIX):
        batch = name[len(MARK_PREFIX) :]
        raise CloudError(
            f"name: {name} is the mark of a batch. It is made and removed by the module nova_ec2.cloud.instance with "
            f"batch {batch}."
        )
    if params["state"] == "absent" and name == "default":
        raise CloudError("name: the group default belongs to the project, and no cloud deletes it.")
    if params["description"] is not None:
        check_description("description", params["description"])
    rules_written("rules", params["rules"] or [])
    if params["wait_timeout"] < 0:
        raise CloudError(f"wait_timeout must be 0 seconds or more, not {params['wait_timeout']}.")


def plan(session: Session) -> Plan:
    """Compare what exists with what is asked for. Reads only."""
    groups = list_groups(session.connection)
    current = find_group(groups, session.params["name"])
    if session.params["state"] == "absent":
        return removal(session, groups, current)
    after = wanted(session, groups, current)
    changes = Changes(session.connection, groups, current, after)
    check_removable(changes.remove)
    apply = (lambda: {"security_group": carry(changes, session.warn)}) if current != after else None
    return Plan(shown(current), shown(after), {"security_group": after}, apply)


def wanted(session: Session, groups: list[View], current: View | None) -> View:
    """The group as it shall be."""
    params, described = session.params, session.params["description"]
    if current and described is not None and described != current["description"]:
        session.warn(
            f"The description of security group {params['name']} is {current['description']!r}, and no cloud can "
            f"change it to {described!r}. Delete the group first to have another one."
        )
    if not current:
        check_name("name", params["name"])
    own = current or {
        "name": params["name"],
        "description": described or "Made by Ansible",
        "group_id": None,
        "vpc_id": None,
        # The cloud shows groups of this project only, and at least the one called default.
        "owner_id": groups[0]["owner_id"] if groups else None,
        "rules": [],
    }
    if params["rules"] is None:
        return own
    neutron = any(view["group_id"] for view in groups)
    rules = as_kept("rules", rules_written("rules", params["rules"]), neutron)
    check_sources(rules, groups, params["name"])
    kept = [] if params["purge_rules"] else rules_of(current)
    return {**own, "rules": [rule._asdict() for rule in sorted({*kept, *rules}, key=order)]}


def check_sources(rules: list[Rule], groups: list[View], name: str) -> None:
    """Refuse rules that name groups which do not exist, except the one that will be made."""
    names = {rule.group_name for rule in rules if rule.group_name}
    unknown = sorted(source for source in names if source != name and find_group(groups, source) is None)
    if unknown:
        there = ", ".join(str(view["name"]) for view in groups)
        raise CloudError(
            f"rules: there is no security group {', '.join(unknown)} in this project. Make it first. There are: "
            f"{there}."
        )


def check_removable(rules: list[Rule]) -> None:
    """Refuse to begin what cannot be ended."""
    for rule in rules:
        if rule.cidr_ip is None and rule.group_name is None:
            raise CloudError(
                f"The rule '{line(rule)}' cannot be removed through the EC2 API. Remove it with 'openstack security "
                "group rule delete', or set purge_rules to false."
            )


def removal(session: Session, groups: list[View], current: View | None) -> Plan:
    """The plan for a group that shall not be."""
    result = {"security_group": None}
    if current is None:
        return Plan({}, {}, result)
    check_unused(session, groups, current)

    def apply() -> dict[str, t.Any]:
        delete(session.connection, current, session.params["wait_timeout"])
        return result

    return Plan(shown(current), {}, result, apply)


def check_unused(session: Session, groups: list[View], group: View) -> None:
    """Refuse to delete a group that is in use, and tell by whom."""
    members, naming = members_in(session.connection, group), named_by(groups, group)
    reasons = []
    if members:
        reasons.append(f"VMs are in it ({states_of(members)}); terminate them")
    if naming:
        reasons.append(f"rules of {', '.join(naming)} name it, and would go with it; remove these rules")
    if reasons:
        raise CloudError(
            f"Security group {group['name']} is in use, and not deleted: {'. Besides, '.join(reasons)} first.",
            instance_ids=[view["instance_id"] for view in members],
            named_by=naming,
        )


def shown(view: View | None) -> View:
    """A group as a diff shows it, with a line for each rule."""
    if view is None:
        return {}
    return {"name": view["name"], "description": view["description"], "rules": [line(rule) for rule in rules_of(view)]}


def main() -> None:
    """Run the module."""
    run(plan, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
