#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_info
short_description: List snapshots of volumes
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the snapshots of volumes of your project in a cloud that offers Nova's EC2 API.
  - One request lists everything; what is asked for is matched by the module itself. What several options ask for must
    all be true.
options:
  snapshot_ids:
    description:
      - Only snapshots with one of these ids.
    type: list
    elements: str
    aliases: [snapshot_id]
  volume_ids:
    description:
      - Only snapshots of one of these volumes.
    type: list
    elements: str
    aliases: [volume_id]
  descriptions:
    description:
      - Only snapshots with one of these descriptions.
    type: list
    elements: str
    aliases: [description]
  states:
    description:
      - Only snapshots in one of these states, such as V(completed).
    type: list
    elements: str
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.snapshot
  - module: nova_ec2.cloud.volume_info
"""

EXAMPLES = r"""
- name: List the snapshots of a volume
  nova_ec2.cloud.snapshot_info:
    rc_file: ~/ec2rc.sh
    volume_ids: [vol-00000003]
  register: found
"""

RETURN = r"""
snapshots:
  description: The snapshots that match, by id.
  returned: success
  type: list
  elements: dict
  contains:
    snapshot_id:
      description: Its id.
      type: str
      sample: snap-00000001
    volume_id:
      description: The volume that it was made of.
      type: str
      sample: vol-00000003
    state:
      description: V(pending), V(completed), V(error), or another of the cloud's words.
      type: str
      sample: completed
    description:
      description: What it is for, or null.
      type: str
      sample: before the upgrade
    volume_size:
      description: The size of the volume in GiB.
      type: int
      sample: 10
    progress:
      description: How far it is, as the cloud says it.
      type: str
      sample: 100%
    start_time:
      description: When it was begun, in UTC.
      type: str
      sample: "2026-01-31T08:27:13Z"
    owner_id:
      description: The id of the project that owns it.
      type: str
      sample: 0f9f1946cbf1415f80b8a882d2a41c9f
snapshot_ids:
  description: Their ids.
  returned: success
  type: list
  elements: str
  sample: [snap-00000001]
unknown_ids:
  description: Those of O(snapshot_ids) that do not exist (any more).
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.snapshots import list_snapshots
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.volumes import (
    check_snapshot_id,
    check_volume_id,
)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "snapshot_ids": {"type": "list", "elements": "str", "aliases": ["snapshot_id"]},
    "volume_ids": {"type": "list", "elements": "str", "aliases": ["volume_id"]},
    "descriptions": {"type": "list", "elements": "str", "aliases": ["description"]},
    "states": {"type": "list", "elements": "str"},
}
KEYS = {"snapshot_ids": "snapshot_id", "volume_ids": "volume_id", "descriptions": "description", "states": "state"}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    for value in params["snapshot_ids"] or []:
        check_snapshot_id("snapshot_ids", value)
    for value in params["volume_ids"] or []:
        check_volume_id("volume_ids", value)


def gather(session: Session) -> dict[str, t.Any]:
    """List the snapshots that match."""
    params, views = session.params, list_snapshots(session.connection)
    known = {view["snapshot_id"] for view in views}
    for option, key in KEYS.items():
        if params[option] is not None:
            views = [view for view in views if view[key] in params[option]]
    return {
        "snapshots": views,
        "snapshot_ids": [view["snapshot_id"] for view in views],
        "unknown_ids": [value for value in params["snapshot_ids"] or [] if value not in known],
    }


def main() -> None:
    """Run the module."""
    run(gather, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
