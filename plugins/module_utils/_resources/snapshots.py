# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Snapshots of volumes: the list, which one is meant, and making and deleting them."""

from __future__ import annotations

import datetime
import typing as t

from .._api.connection import attempt
from .._api.errors import NOT_SENT, REFUSED, SNAPSHOT_GONE, UNKNOWN, CloudError, as_error
from .._module import Session
from .instances import members_of
from .views import moment, text, whole
from .volumes import LATE_SECONDS, Kind, View, letters, list_volumes, looks, send, wait_for


def snapshot_view(snapshot: t.Any) -> View:
    """A snapshot. volume_size: GiB. state: pending, completed or error; one that is being deleted may be pending."""
    return {
        "snapshot_id": text(snapshot.id),
        "volume_id": text(snapshot.volume_id),
        "state": text(snapshot.status) or "unknown",
        "description": text(snapshot.description),
        "volume_size": whole(snapshot.volume_size),
        "progress": text(snapshot.progress),
        "start_time": moment(snapshot.start_time),
        "owner_id": text(snapshot.owner_id),
    }


def new_snapshot(volume: View, description: str | None, state: str) -> View:
    """A snapshot that is still to be made of a volume."""
    return {
        **dict.fromkeys(("snapshot_id", "progress", "start_time", "owner_id")),
        "volume_id": volume["volume_id"],
        "state": state,
        "description": description,
        "volume_size": volume["size"],
    }


def list_snapshots(connection: t.Any) -> list[View]:
    """Every snapshot of the project, by id."""
    snapshots = attempt("list snapshots", connection.get_all_snapshots)
    return sorted(map(snapshot_view, snapshots), key=lambda view: str(view["snapshot_id"]))


SNAPSHOTS = Kind("snapshot", "snapshot_id", list_snapshots)


def matches(view: View, description: str | None, minutes: int | None) -> bool:
    """Whether a snapshot is what a task asks for: sound, of that description, and no older than so many minutes."""
    if view["state"] == "error" or (description is not None and view["description"] != description):
        return False
    return minutes is None or age(view) < minutes * 60


def age(view: View) -> float:
    """How many seconds ago a snapshot was begun, by the clock of this machine."""
    begun = datetime.datetime.strptime(view["start_time"] or "1970-01-01T00:00:00Z", "%Y-%m-%dT%H:%M:%SZ")
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now - begun.replace(tzinfo=datetime.timezone.utc)).total_seconds()


def volumes_meant(session: Session) -> list[View]:
    """The volumes that snapshots are asked of. With state present, each has to be there and sound."""
    params, connection, needed = session.params, session.connection, session.params["state"] == "present"
    if params["volume_id"] is not None:
        volumes = [view for view in list_volumes(connection) if view["volume_id"] == params["volume_id"]]
        if not volumes:
            raise CloudError(f"There is no volume {params['volume_id']} in this project (any more).")
        return sound(volumes)
    if params["batch"] is not None:
        vms = [view["instance_id"] for view in members_of(connection, params["batch"]).views]
        if not vms and needed:
            session.warn(f"Batch {params['batch']} has no members.")
    else:
        vms = [params["instance_id"]]
    device = letters(params["device_name"])
    volumes = [view for view in list_volumes(connection) if letters(view["device_name"]) == device]
    at = {view["instance_id"]: view for view in volumes}
    lacking = [value for value in vms if value not in at]
    if lacking and needed:
        raise CloudError(f"{', '.join(lacking)}: no volume is there as {params['device_name']}. Nothing was changed.")
    volumes = [at[value] for value in vms if value in at]
    return sound(volumes) if needed else volumes


def sound(volumes: list[View]) -> list[View]:
    """Refuse volumes that no snapshot can be made of."""
    broken = [view for view in volumes if view["state"].startswith(("creating", "deleting", "error"))]
    if broken:
        shown = ", ".join(f"{view['volume_id']} is {view['state']}" for view in broken)
        raise CloudError(f"No snapshot can be made: {shown}. Nothing was changed.")
    return volumes


def chosen(there: list[View], volume_ids: t.Collection[str], description: str) -> list[View]:
    """The snapshots of these volumes that a description means: one of each, or it is not said which."""
    found = [view for view in there if view["volume_id"] in volume_ids and view["description"] == description]
    for value in volume_ids:
        several = [view["snapshot_id"] for view in found if view["volume_id"] == value]
        if len(several) > 1:
            raise CloudError(
                f"{value} has {len(several)} snapshots described as {description!r}: {', '.join(several)}. "
                "Give one of them as snapshot_id. Nothing was changed.",
                snapshot_ids=several,
            )
    return found


def make(session: Session, volumes: t.Sequence[View], known: t.Collection[str]) -> list[str]:
    """Begin a snapshot of each volume; their ids. known: the ids of those that were there before."""
    made: list[str] = []
    try:
        for volume in volumes:
            made.append(_create(session, volume, [*known, *made]))
    except Exception as exc:  # pylint: disable=broad-exception-caught
        raise carrying(session, as_error(exc), made) from exc.__cause__
    return made


def _create(session: Session, volume: View, known: t.Collection[str]) -> str:
    value, description, connection = volume["volume_id"], session.params["description"], session.connection
    asked = {"VolumeId": value, **({"Description": description} if description else {})}
    try:
        # boto's own create_snapshot goes on to look at the volume, and to copy its name with a second mutation.
        made = attempt(
            f"create a snapshot of {value}", connection.get_object, "CreateSnapshot", asked, connection.snapshot_type
        )
        if made.id in known:
            raise CloudError("The cloud's answer to CreateSnapshot names one that was there.", outcome=UNKNOWN)
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT):
            if error.outcome == REFUSED and volume["instance_id"]:
                error.message += f" It is attached to {volume['instance_id']}; many clouds want it detached first."
            raise
        return _late(session, volume, known, error)
    return str(made.id)


def _late(session: Session, volume: View, known: t.Collection[str], error: CloudError) -> str:
    """The snapshot that a request made whose answer was lost: a new one of the volume with the description."""
    for shown, _last in looks(session.connection, LATE_SECONDS, SNAPSHOTS):
        for value, view in shown.items():
            same = view["volume_id"] == volume["volume_id"] and view["description"] == session.params["description"]
            if same and value not in known:
                session.warn(f"{error.message} Snapshot {value} was made all the same.")
                return value
    raise error


def wait_completed(session: Session, ids: t.Collection[str]) -> None:
    """Wait until snapshots are completed."""

    def fits(value: str, view: View | None) -> bool:
        if view is None:
            raise CloudError(f"Snapshot {value} vanished while it was waited for.")
        return bool(view["state"] == "completed")

    try:
        wait_for(session.connection, ids, fits, "completed", session.params["wait_timeout"], {}, SNAPSHOTS)
    except Exception as exc:  # pylint: disable=broad-exception-caught
        raise carrying(session, as_error(exc), ids) from exc.__cause__


def carrying(session: Session, error: CloudError, ids: t.Collection[str]) -> CloudError:
    """The error with the snapshots that this run made or waited for."""
    error.details["snapshot_ids"] = sorted(ids)
    if ids:
        error.message += (
            f" Snapshots that are there: {', '.join(sorted(ids))}. The task goes on with them if run again."
        )
    return error


def delete(session: Session, ids: t.Collection[str]) -> None:
    """Delete snapshots. With wait, until they are no longer listed."""
    connection, lost = session.connection, {}
    for value in ids:
        error = send(f"delete snapshot {value}", connection.delete_snapshot, value, absent=SNAPSHOT_GONE)
        if error:
            lost[value] = error
    looked = ids if session.params["wait"] else lost
    timeout = session.params["wait_timeout"]
    wait_for(connection, looked, lambda _value, view: view is None, "deleted", timeout, lost, SNAPSHOTS)
