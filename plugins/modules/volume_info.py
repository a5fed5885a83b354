#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_info
short_description: List volumes
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the volumes of your project in a cloud that offers Nova's EC2 API.
  - One request lists everything; what is asked for is matched by the module itself. What several options ask for must
    all be true.
options:
  volume_ids:
    description:
      - Only volumes with one of these ids.
    type: list
    elements: str
    aliases: [volume_id]
  instance_ids:
    description:
      - Only volumes that are attached to one of these VMs.
    type: list
    elements: str
    aliases: [instance_id]
  states:
    description:
      - Only volumes in one of these states, such as V(available).
    type: list
    elements: str
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.volume
"""

EXAMPLES = r"""
- name: List the volumes that are at no VM
  nova_ec2.cloud.volume_info:
    rc_file: ~/ec2rc.sh
    states: [available]
  register: free
"""

RETURN = r"""
volumes:
  description: The volumes that match, by id.
  returned: success
  type: list
  elements: dict
  contains:
    volume_id:
      description: Its id.
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
unknown_ids:
  description: Those of O(volume_ids) that do not exist (any more).
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.volumes import check_volume_id, list_volumes

OPTIONS: dict[str, dict[str, t.Any]] = {
    "volume_ids": {"type": "list", "elements": "str", "aliases": ["volume_id"]},
    "instance_ids": {"type": "list", "elements": "str", "aliases": ["instance_id"]},
    "states": {"type": "list", "elements": "str"},
}
KEYS = {"volume_ids": "volume_id", "instance_ids": "instance_id", "states": "state"}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    for value in params["volume_ids"] or []:
        check_volume_id("volume_ids", value)
    check_instance_ids("instance_ids", params["instance_ids"] or [])


def gather(session: Session) -> dict[str, t.Any]:
    """List the volumes that match."""
    params, views = session.params, list_volumes(session.connection)
    known = {view["volume_id"] for view in views}
    for option, key in KEYS.items():
        if params[option] is not None:
            views = [view for view in views if view[key] in params[option]]
    return {
        "volumes": views,
        "volume_ids": [view["volume_id"] for view in views],
        "unknown_ids": [value for value in params["volume_ids"] or [] if value not in known],
    }


def main() -> None:
    """Run the module."""
    run(gather, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
