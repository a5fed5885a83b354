#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot
short_description: Make and delete snapshots of volumes
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes sure that there is a snapshot of a volume, of a VM's volume, or of one volume of every member of a batch; or
    that there is none.
  - A snapshot has no name. Which one is meant is told by its id, or by its volume and its O(description).
  - Runs that make or delete volumes or snapshots wait for each other on one machine.
options:
  volume_id:
    description:
      - The volume.
    type: str
    aliases: [volume]
  instance_id:
    description:
      - The VM whose volume O(device_name) is meant.
    type: str
    aliases: [instance]
  batch:
    description:
      - The volumes O(device_name) of every member of the batch of this name, see M(nova_ec2.cloud.instance).
    type: str
  device_name:
    description:
      - The device that the volume is attached as, such as V(/dev/vdb). Nova puts the prefix of the VM's root device
        before its last letters, so V(/dev/sdb) and V(/dev/vdb) mean the same.
    type: str
  snapshot_id:
    description:
      - A snapshot that exists, to wait for it or to delete it.
    type: str
    aliases: [id]
  description:
    description:
      - What the snapshot is for. A volume gets one snapshot of a description, however often the task is run.
      - Put a date into it to have one each day. For a new snapshot, ASCII without line breaks, up to 255 characters.
      - Descriptions that Nova would take for a number, a boolean or nothing are refused for new ones.
    type: str
  last_snapshot_min_age:
    description:
      - Makes a snapshot unless there is one younger than so many minutes, of that O(description) if one is given.
      - It is measured with the clock of the machine that runs the module.
    type: int
  state:
    description:
      - Whether there shall be such a snapshot.
      - With V(absent), name it by O(snapshot_id), or by O(description) and its volume.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Wait until snapshots are completed, or no longer listed.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to wait at most; for other runs on this machine too.
    type: int
    default: 600
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
  - Most clouds make snapshots of volumes that are attached to no VM only. The stand-alone ec2-api makes them of
    attached ones too, of whatever is on them at that moment.
seealso:
  - module: nova_ec2.cloud.snapshot_info
  - module: nova_ec2.cloud.volume
"""

EXAMPLES = r"""
- name: Make a snapshot of a volume
  nova_ec2.cloud.snapshot:
    rc_file: ~/ec2rc.sh
    volume_id: vol-00000003
    description: before the upgrade
  register: made

- name: Give a VM a volume with what was on it
  nova_ec2.cloud.volume:
    rc_file: ~/ec2rc.sh
    instance_id: i-0000001a
    device_name: /dev/vdb
    snapshot: "{{ made.snapshot_ids[0] }}"

- name: Make a snapshot of a volume of each member of a batch, at most one a day
  nova_ec2.cloud.snapshot:
    rc_file: ~/ec2rc.sh
    batch: web
    device_name: /dev/vdb
    last_snapshot_min_age: 1440

- name: Delete a snapshot
  nova_ec2.cloud.snapshot:
    rc_file: ~/ec2rc.sh
    volume_id: vol-00000003
    description: before the upgrade
    state: absent
"""

RETURN = r"""
snapshots:
  description: The snapshots that are meant, by id, as they are now. Empty when they have been deleted.
  returned: success
  type: list
  elements: dict
  contains:
    snapshot_id:
      description: Its id. Null for one that check mode would make.
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
  description: Their ids. On failure, those that this run made or waited for.
  returned: success, and on failure if some were begun
  type: list
  elements: str
  sample: [snap-00000001]
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_batch, check_known
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Plan, Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.journal import Journal
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.snapshots import (
    chosen,
    delete,
    list_snapshots,
    make,
    matches,
    new_snapshot,
    volumes_meant,
    wait_completed,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.volumes import (
    check_device,
    check_snapshot_id,
    check_volume_id,
)

View = dict[str, t.Any]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "volume_id": {"type": "str", "aliases": ["volume"]},
    "instance_id": {"type": "str", "aliases": ["instance"]},
    "batch": {"type": "str"},
    "device_name": {"type": "str"},
    "snapshot_id": {"type": "str", "aliases": ["id"]},
    "description": {"type": "str"},
    "last_snapshot_min_age": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    if params["snapshot_id"] is not None:
        check_snapshot_id("snapshot_id", params["snapshot_id"])
    elif params["description"] is None and (params["state"] == "absent" or params["last_snapshot_min_age"] is None):
        raise CloudError(
            "Which snapshot is meant? Name it (snapshot_id), or tell it from others of its volume (description)."
            if params["state"] == "absent"
            else "Every run of this task would make one more snapshot. Say which one there shall be (description), or "
            "how old the last one must be for another (last_snapshot_min_age)."
        )
    if params["volume_id"] is not None:
        check_volume_id("volume_id", params["volume_id"])
    if params["instance_id"] is not None:
        check_instance_ids("instance_id", [params["instance_id"]])
    if params["batch"] is not None:
        check_batch("batch", params["batch"])
    if params["device_name"] is not None:
        check_device("device_name", params["device_name"])
    elif params["instance_id"] is not None or params["batch"] is not None:
        raise CloudError("device_name is needed, such as /dev/vdb: it tells which volume of a VM is meant.")
    if params["last_snapshot_min_age"] is not None and params["state"] == "absent":
        raise CloudError("last_snapshot_min_age goes with state present.")
    for option in ("last_snapshot_min_age", "wait_timeout"):
        if params[option] is not None and params[option] < 1:
            raise CloudError(f"{option} must be at least 1, not {params[option]}.")


def hold(session: Session) -> Journal:
    """Keep other runs that make or delete volumes or snapshots on this machine waiting until this process ends."""
    connection = session.connection
    journal = Journal("*volumes*", connection.endpoint.url, connection.access_key, "volumes", session.warn)
    journal.open(session.params["wait_timeout"])
    return journal


def plan(session: Session) -> Plan:
    """Find out which snapshots are meant, and decide what has to be done. Reads only."""
    params, there = session.params, list_snapshots(session.connection)
    if params["snapshot_id"] is not None:
        found = [view for view in there if view["snapshot_id"] == params["snapshot_id"]]
        if params["state"] == "absent":
            return to_delete(session, found)
        if not found:
            raise CloudError(f"There is no snapshot {params['snapshot_id']} in this project (any more).")
        return to_have(session, found, [], there)
    if params["state"] == "absent":
        named = params["volume_id"]
        ids = [named] if named else [view["volume_id"] for view in volumes_meant(session)]
        return to_delete(session, chosen(there, ids, params["description"]))
    return to_have(session, *present(session, there), there)


def present(session: Session, there: list[View]) -> tuple[list[View], list[View]]:
    """The snapshots that are there already, and the volumes that lack one."""
    params = session.params
    found = [view for view in there if matches(view, params["description"], params["last_snapshot_min_age"])]
    if params["volume_id"] is not None:
        own = [view for view in found if view["volume_id"] == params["volume_id"]]
        if own:
            return own, []
    volumes = volumes_meant(session)
    ids = {view["volume_id"] for view in volumes}
    own = [view for view in found if view["volume_id"] in ids]
    have = {view["volume_id"] for view in own}
    return own, [view for view in volumes if view["volume_id"] not in have]


def to_have(session: Session, own: list[View], lacking: list[View], there: list[View]) -> Plan:
    """The plan to make what is lacking, and to wait for what is not completed yet."""
    params, wait = session.params, session.params["wait"]
    if lacking and params["description"] is not None:
        check_known("description", params["description"])
    broken = [f"{view['snapshot_id']} is {view['state']}" for view in own if view["state"] == "error"]
    if broken:
        raise CloudError(f"The cloud failed with it: {', '.join(broken)}. Delete it, and make another.")
    state = "completed" if wait else "pending"
    after = [{**view, "state": state if wait else view["state"]} for view in own]
    after += [new_snapshot(volume, params["description"], state) for volume in lacking]
    pending = [view["snapshot_id"] for view in own if view["state"] != "completed"] if wait else []

    def apply() -> dict[str, t.Any]:
        made = make(session, lacking, {view["snapshot_id"] for view in there})
        if wait:
            wait_completed(session, [*pending, *made])
        ids = {*made, *(view["snapshot_id"] for view in own)}
        return outcome([view for view in list_snapshots(session.connection) if view["snapshot_id"] in ids])

    return Plan(
        before={"snapshots": own},
        after={"snapshots": after},
        result=outcome(after),
        apply=apply if lacking or pending else None,
        changes=bool(lacking),
    )


def to_delete(session: Session, views: list[View]) -> Plan:
    """The plan to delete snapshots."""
    ids = [view["snapshot_id"] for view in views]

    def apply() -> dict[str, t.Any]:
        delete(session, ids)
        return outcome([])

    return Plan(before={"snapshots": views}, after={"snapshots": []}, result=outcome([]), apply=apply if ids else None)


def outcome(views: list[View]) -> dict[str, t.Any]:
    """What the module returns of snapshots."""
    return {"snapshots": views, "snapshot_ids": [view["snapshot_id"] for view in views if view["snapshot_id"]]}


def main() -> None:
    """Run the module."""
    run(
        plan,
        check=check,
        options=OPTIONS,
        hold=hold,
        required_one_of=[("volume_id", "instance_id", "batch", "snapshot_id")],
        mutually_exclusive=[
            ("volume_id", "instance_id", "batch", "snapshot_id"),
            ("snapshot_id", "description"),
            ("snapshot_id", "last_snapshot_min_age"),
            ("volume_id", "device_name"),
            ("snapshot_id", "device_name"),
        ],
    )


if __name__ == "__main__":
    main()
