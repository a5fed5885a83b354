#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tag
short_description: Set and remove tags of VMs
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes sure that VMs have tags, or do not have them, in a cloud that offers Nova's EC2 API.
  - Nova has tags since Havana, for VMs only. On older servers the task fails before anything is changed.
  - The tag C(ansible-launch) belongs to M(nova_ec2.cloud.instance), which keeps the numbers of a batch in it. It is
    neither set nor removed here, not even with O(purge_tags).
options:
  resources:
    description:
      - The ids of the VMs. One that does not exist, or is not of your project, is an error.
    type: list
    elements: str
    required: true
    aliases: [resource, instance_ids]
  tags:
    description:
      - The tags, keys and values. Up to 255 characters of ASCII each; Nova up to Icehouse cannot list a project any
        more that has others.
      - Values are texts. Lists and mappings are refused.
      - Nova takes a value such as V(1) or V(true) for a number or a boolean and then refuses it, so such values are
        refused here.
      - With O(state=absent), a tag with a value is removed only where it has that value, and one without a value, such
        as V(Name:), wherever it is.
    type: dict
    required: true
  state:
    description:
      - Whether the VMs shall have these tags.
    type: str
    choices: [present, absent]
    default: present
  purge_tags:
    description:
      - Whether all other tags are removed.
    type: bool
    default: false
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
  - module: nova_ec2.cloud.instance
  - module: nova_ec2.cloud.instance_info
"""

EXAMPLES = r"""
- name: Say what a VM is for
  nova_ec2.cloud.tag:
    rc_file: ~/ec2rc.sh
    resources: [i-0000001a]
    tags:
      Name: web-1
      env: prod

- name: Have exactly these tags on two VMs
  nova_ec2.cloud.tag:
    rc_file: ~/ec2rc.sh
    resources: [i-0000001a, i-0000001b]
    tags:
      env: prod
    purge_tags: true

- name: Remove a tag, whatever its value is
  nova_ec2.cloud.tag:
    rc_file: ~/ec2rc.sh
    resources: [i-0000001a]
    tags:
      env:
    state: absent
"""

RETURN = r"""
tags:
  description: The tags that each VM has now, by its id.
  returned: success
  type: dict
  sample:
    i-0000001a: {Name: web-1, env: prod}
added_tags:
  description: The tags that were set, or have another value now, by the ids of the VMs.
  returned: success
  type: dict
  sample:
    i-0000001a: {env: prod}
removed_tags:
  description: The tags that were removed, with the values that they had, by the ids of the VMs.
  returned: success
  type: dict
  sample:
    i-0000001a: {owner: alex}
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_tags
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Plan, Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.record import TAG
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.tags import (
    carry_out,
    change_of,
    changed,
    check_taggable,
    own_vms,
)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "resources": {"type": "list", "elements": "str", "required": True, "aliases": ["resource", "instance_ids"]},
    "tags": {"type": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge_tags": {"type": "bool", "default": False},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    if not params["resources"]:
        raise CloudError("resources: no VM is named.")
    check_instance_ids("resources", params["resources"])
    check_tags("tags", params["tags"])
    if TAG in params["tags"]:
        raise CloudError(f"tags: the tag {TAG} belongs to the module instance, which keeps a batch's numbers in it.")
    if not params["tags"] and not params["purge_tags"]:
        raise CloudError("tags: no tag is named. To remove all, set purge_tags to true.")
    if params["purge_tags"] and params["state"] == "absent":
        raise CloudError("purge_tags goes with state present: it removes all tags but those named.")


def plan(session: Session) -> Plan:
    """Compare the tags that there are with those asked for. Reads only."""
    params, connection = session.params, session.connection
    wanted = check_tags("tags", params["tags"])
    ids = list(dict.fromkeys(params["resources"]))
    vms = own_vms(connection, ids)
    before = {view["instance_id"]: view["tags"] for view in vms.views}
    changes = {
        value: change_of(has, wanted, params["state"] == "absent", params["purge_tags"])
        for value, has in before.items()
    }
    changes = {value: change for value, change in changes.items() if change.add or change.remove}
    after = {value: changed(has, changes[value]) if value in changes else has for value, has in before.items()}
    result = {
        "tags": after,
        "added_tags": {value: change.add for value, change in changes.items() if change.add},
        "removed_tags": {
            value: {key: before[value][key] for key in sorted(change.remove)}
            for value, change in changes.items()
            if change.remove
        },
    }
    if not changes:
        return Plan(before=before, after=after, result=result)
    check_taggable(connection, vms._replace(views=[view for view in vms.views if view["instance_id"] in changes]))

    def apply() -> dict[str, t.Any]:
        carry_out(connection, changes, wanted, session.warn)
        return result

    return Plan(before=before, after=after, result=result, apply=apply)


def main() -> None:
    """Run the module."""
    run(plan, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
