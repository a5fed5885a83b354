# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The module volume: which volumes are meant, and what has to happen to them."""

from __future__ import annotations

import typing as t

from .._api.errors import CloudError
from .._module import Plan, Session
from .attach import Making, Need, attach, delete, detach, is_at
from .instances import list_instances, members_of, own_only, states_of
from .volumes import View, letters, list_volumes, new_volume
from .wait import wait_for

FREE = {"state": "available", "instance_id": None, "device_name": None, "attachment_state": None}


def plan_by_id(session: Session, views: list[View]) -> Plan:
    """Decide about one volume that has to exist: attach, detach or delete it, or only show it."""
    params = session.params
    value, instance_id, device = params["volume_id"], params["instance_id"], params["device_name"]
    volume = next((view for view in views if view["volume_id"] == value), None)
    if params["state"] == "absent":
        if volume and instance_id and volume["instance_id"] != instance_id:
            raise CloudError(f"Volume {value} is {where(volume)}, not attached to {instance_id}. Nothing was changed.")
        return _plan_delete(session, [volume] if volume else [])
    if volume is None:
        raise CloudError(f"There is no volume {value} in this project (any more). Nothing was changed.")
    if instance_id == "" and (volume["instance_id"] or volume["state"] == "detaching"):
        return _plan(session, [volume], [{**volume, **FREE}], lambda: detach(session, [volume]))
    if not instance_id or is_at(volume, instance_id, device):
        return _plan(session, [volume], [volume], None)
    if volume["state"] == "attaching" and volume["instance_id"] in (None, instance_id):
        raise CloudError(f"Volume {value} is being attached at this moment. Run the task again when that is done.")
    if volume["instance_id"] or volume["state"] != "available":
        raise CloudError(f"Volume {value} is {where(volume)}. Detach it first (instance_id: ''). Nothing was changed.")
    _check_device_free(views, instance_id, device)
    waiting = _check_vms(_own_vms(session, [instance_id]))

    def apply() -> None:
        _wait_for_vms(session, waiting)
        attach(session, {value: instance_id})

    return _plan(session, [volume], [attached(volume, instance_id, device)], apply)


def plan_by_device(session: Session) -> Plan:
    """Decide about the volumes that are one device of some VMs."""
    params, device = session.params, letters(session.params["device_name"])
    if params["batch"] is not None:
        members = members_of(session.connection, params["batch"]).views
        vms = [view for view in members if view["state"] != "error" or params["state"] == "absent"]
        if not vms and params["state"] == "present":
            session.warn(f"Batch {params['batch']} has no members that could have volumes.")
    else:
        vms = _own_vms(session, [params["instance_id"]], missing_ok=params["state"] == "absent")
    views = list_volumes(session.connection)
    ids = {view["instance_id"] for view in vms}
    there = [view for view in views if view["instance_id"] in ids and letters(view["device_name"]) == device]
    if params["state"] == "absent":
        return _plan_delete(session, there)
    leaving = [view["volume_id"] for view in there if view["state"] == "detaching"]
    if leaving:
        raise CloudError(f"{', '.join(leaving)}: being detached at this moment. Run the task again when that is done.")
    have = {view["instance_id"] for view in there}
    lacking = [view for view in vms if view["instance_id"] not in have]
    _tell_other_sizes(session, there)
    if not lacking:
        return _plan(session, there, there, None)
    if params["volume_size"] is None and params["snapshot"] is None:
        shown = ", ".join(view["instance_id"] for view in lacking[:20])
        raise CloudError(f"{shown}: no volume is there as {params['device_name']}, and to make one, volume_size (or "
                         "snapshot) is needed. Nothing was changed.")  # fmt: skip
    waiting = _check_vms(lacking)
    needs = [Need(view["instance_id"], view["availability_zone"]) for view in lacking]
    new = [
        attached(
            new_volume(params["volume_size"], params["availability_zone"] or need.zone, params["snapshot"]),
            need.instance_id, params["device_name"],
        )
        for need in needs
    ]  # fmt: skip

    def apply() -> None:
        _wait_for_vms(session, waiting)
        Making(session, views, needs).run()

    return _plan(session, there, [*there, *new], apply)


def attached(view: View, instance_id: str, device: str) -> View:
    """A volume when it is at a VM."""
    return {**view, "state": "in-use", "instance_id": instance_id, "device_name": device,
            "attachment_state": "attached"}  # fmt: skip


def where(view: View) -> str:
    """'in-use at i-0000001a as /dev/vdb' for messages."""
    at = f" at {view['instance_id']} as {view['device_name']}" if view["instance_id"] else ""
    return f"{view['state']}{at}"


def _plan_delete(session: Session, volumes: list[View]) -> Plan:
    broken = [view["volume_id"] for view in volumes if view["state"] in ("attaching", "creating")]
    if broken:
        raise CloudError(f"{', '.join(broken)}: still on the way. Run the task again when that is done.")
    return _plan(session, volumes, [], (lambda: delete(session, volumes)) if volumes else None)


def _plan(session: Session, before: list[View], after: list[View], apply: t.Callable[[], None] | None) -> Plan:
    """A plan of these volumes; what it returns when carried out is what the cloud then shows of them."""

    def carried_out() -> dict[str, t.Any]:
        if apply:
            apply()
        if not after:
            return outcome([])
        ids = {view["volume_id"] for view in after}
        places = {(view["instance_id"], letters(view["device_name"])) for view in after if view["instance_id"]}
        shown = list_volumes(session.connection)
        return outcome([
            view
            for view in shown
            if view["volume_id"] in ids or (view["instance_id"], letters(view["device_name"])) in places
        ])  # fmt: skip

    return Plan(
        before={"volumes": before},
        after={"volumes": after},
        result=outcome(after),
        apply=carried_out if apply else None,
    )


def outcome(volumes: list[View]) -> dict[str, t.Any]:
    """What the module returns of volumes."""
    return {"volumes": volumes, "volume_ids": [view["volume_id"] for view in volumes if view["volume_id"]]}


def _own_vms(session: Session, ids: list[str], missing_ok: bool = False) -> list[View]:
    listing = list_instances(session.connection)
    chosen = [view for view in listing.views if view["instance_id"] in ids]
    found = own_only(session.connection, listing, chosen).views
    if len(found) < len(ids) and not missing_ok:
        raise CloudError(f"There is no VM {', '.join(ids)} in this project (any more). Nothing was changed.")
    return found


def _check_vms(vms: list[View]) -> list[str]:
    """Refuse VMs that no volume can be attached to. Returns those that are still being built."""
    broken = [view for view in vms if view["state"] not in ("running", "stopped", "pending", "paused", "suspended")]
    if broken:
        raise CloudError(f"No volume can be attached to {states_of(broken)}. Nothing was changed.")
    return [view["instance_id"] for view in vms if view["state"] == "pending"]


def _wait_for_vms(session: Session, ids: list[str]) -> None:
    if ids:
        wait_for(session.connection, ids, "running", session.params["wait_timeout"])


def _check_device_free(views: list[View], instance_id: str, device: str) -> None:
    for view in views:
        if view["instance_id"] == instance_id and letters(view["device_name"]) == letters(device):
            raise CloudError(f"{instance_id} has volume {view['volume_id']} as {device}. Nothing was changed.")


def _tell_other_sizes(session: Session, views: list[View]) -> None:
    size = session.params["volume_size"]
    other = [f"{view['volume_id']} has {view['size']} GiB" for view in views if size and view["size"] != size]
    if other:
        session.warn(f"Volumes keep their size: {', '.join(other)}, and volume_size is {size}.")
