# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Making volumes and attaching them to VMs, detaching and deleting them: requests in an order that loses none."""

from __future__ import annotations

import typing as t

from .._api.connection import attempt
from .._api.errors import (
    NOT_SENT,
    REFUSED,
    UNKNOWN,
    VOLUME_GONE,
    VOLUME_HELD,
    CloudError,
    as_error,
)
from .._module import Session
from .volumes import LATE_SECONDS, View, letters, list_volumes, looks, send, wait_for
from .wait import insist

# What the journal knows under this name: the VM and the device that each volume was made for.
MADE = "volumes"


class Need(t.NamedTuple):
    """A VM that lacks a volume: its id, and the zone that it is in."""

    instance_id: str
    zone: str | None


class Making:
    """Gives VMs volumes. What was made and could not be attached is deleted again, or told."""

    def __init__(self, session: Session, views: t.Sequence[View], needs: t.Sequence[Need]) -> None:
        self.session = session
        self.needs = needs
        self.known = {view["volume_id"]: view for view in views}
        self.made: dict[str, str] = {}

    def run(self) -> None:
        """Make all volumes, then attach them all: the cloud builds them at the same time."""
        try:
            for need in self.needs:
                value = self._left_over(need) or self._create(need)
                self.made[value] = need.instance_id
                self._note({value: self._place(need.instance_id)})
            self._wait(self.made, lambda value, view: bool(view and view["state"] == "available"), "available", {})
            attach(self.session, self.made)
        except Exception as exc:  # pylint: disable=broad-exception-caught
            error = as_error(exc)
            self._undo(error)
            raise error from exc.__cause__
        self._note({}, done=self.made)

    def _place(self, instance_id: str) -> str:
        return f"{instance_id} {letters(self.session.params['device_name'])}"

    def _note(self, new: t.Mapping[str, str], done: t.Collection[str] = ()) -> None:
        """Note for the next run what this one makes; a volume that nobody attached tells nobody what it is for."""
        noted = {**self.session.held.recall(MADE), **new}
        self.session.held.remember(MADE, {value: at for value, at in noted.items() if value not in done})

    def _left_over(self, need: Need) -> str | None:
        """The volume that a run which was cut short made for this VM and device, if it is free and fits."""
        params, place = self.session.params, self._place(need.instance_id)
        noted: dict[str, str] = self.session.held.recall(MADE)
        for value, at in noted.items():
            view = self.known.get(value)
            fits = view and view["snapshot_id"] == params["snapshot"] and params["volume_size"] in (None, view["size"])
            if view and fits and at == place and view["state"] in ("available", "creating"):
                return value
        return None

    def _create(self, need: Need) -> str:
        """Have one volume made; its id."""
        params, connection = self.session.params, self.session.connection
        zone = params["availability_zone"] or need.zone or "nova"
        what = f"create a volume for {need.instance_id}"
        try:
            made = attempt(what, connection.create_volume, params["volume_size"], zone, params["snapshot"])
            if made.id in self.known or made.id in self.made:
                raise CloudError("The cloud's answer to CreateVolume names one that was there.", outcome=UNKNOWN)
        except CloudError as error:
            if error.outcome in (REFUSED, NOT_SENT):
                raise
            return self._late(error)
        return str(made.id)

    def _late(self, error: CloudError) -> str:
        """The volume that a request made whose answer was lost: the only new one of its size, seen twice."""
        size, seen = self.session.params["volume_size"], set[str]()
        for shown, last in looks(self.session.connection, LATE_SECONDS):
            new = {value for value in shown if value not in self.known and value not in self.made}
            fitting = {value for value in new if size is None or shown[value]["size"] == size}
            if len(fitting) == 1 and fitting == seen and not shown[min(fitting)]["instance_id"]:
                self.session.warn(f"{error.message} Volume {min(fitting)} was made all the same, and is used.")
                return min(fitting)
            if last and new:
                error.details["unclaimed_volumes"] = sorted(new)
                error.message += (
                    f" New since this run began: {', '.join(sorted(new))}. Another run may have made it, so none was "
                    "taken. Delete what nobody needs, with state absent and volume_id."
                )
            seen = fitting
        raise error

    def _wait(
        self, ids: t.Collection[str], fits: t.Callable[[str, View | None], bool], goal: str,
        lost: t.Mapping[str, CloudError],
    ) -> None:  # fmt: skip
        wait_for(self.session.connection, ids, fits, goal, self.session.params["wait_timeout"], lost)

    def _undo(self, error: CloudError) -> None:
        """Delete what was made and is at no VM; say what that could not be done with."""
        kept = []
        try:
            shown = {view["volume_id"]: view for view in list_volumes(self.session.connection)}
        except CloudError:
            shown = {value: {"instance_id": None} for value in self.made}
        idle = [value for value in self.made if value in shown and not shown[value]["instance_id"]]
        for value in idle:
            try:
                attempt(f"delete volume {value}", self.session.connection.delete_volume, value, absent=VOLUME_GONE)
            except CloudError:
                kept.append(value)
        error.details["volumes"] = [
            view for value, view in sorted(shown.items()) if value in self.made and value not in idle
        ]
        error.details["unattached_volumes"] = kept
        gone = [value for value in idle if value not in kept]
        self._note({}, done={*self.made} - {*kept})
        if gone:
            error.message += f" Made for this and deleted again: {', '.join(gone)}."
        if kept:
            error.message += f" Made for this and NOT deleted, because that failed too: {', '.join(kept)}."


def attach(session: Session, places: t.Mapping[str, str]) -> None:
    """Attach volumes to VMs (ids by ids), and wait until they are there."""
    connection, device = session.connection, session.params["device_name"]
    lost: dict[str, CloudError] = {}
    for value, instance_id in places.items():
        error = send(f"attach {value} to {instance_id}", connection.attach_volume, value, instance_id, device)
        if error:
            lost[value] = error

    def fits(value: str, view: View | None) -> bool:
        return bool(view) and is_at(t.cast(View, view), places[value], device)

    wait_for(connection, places, fits, f"attached as {device}", session.params["wait_timeout"], lost)


def is_at(view: View, instance_id: str, device: str | None) -> bool:
    """Whether a volume is attached to a VM, as that device if one is named, and done with it."""
    return (
        view["instance_id"] == instance_id
        and view["state"] == "in-use"
        and view["attachment_state"] in (None, "attached")
        and (device is None or letters(view["device_name"]) == letters(device))
    )


def detach(session: Session, views: t.Sequence[View]) -> None:
    """Detach volumes from whatever they are attached to, and wait until they are free."""
    connection, lost = session.connection, {}
    for view in views:
        value = view["volume_id"]
        if view["state"] != "detaching":
            error = send(f"detach {value} from {view['instance_id']}", connection.detach_volume, value)
            if error:
                lost[value] = error

    def fits(value: str, view: View | None) -> bool:
        return view is None or (view["state"] == "available" and not view["instance_id"])

    ids = [view["volume_id"] for view in views]
    wait_for(connection, ids, fits, "detached", session.params["wait_timeout"], lost)


def delete(session: Session, views: t.Sequence[View]) -> None:
    """Detach what is attached, delete them all, and wait until they are gone."""
    connection, lost = session.connection, {}
    attached = [view for view in views if view["instance_id"] or view["state"] == "detaching"]
    if attached:
        detach(session, attached)
    for view in views:
        # Of what was detached a moment ago, the cloud may not have let go yet.
        patience = session.params["wait_timeout"] if view in attached else 0

        def ask(value: str = view["volume_id"]) -> None:
            error = send(f"delete volume {value}", connection.delete_volume, value, absent=VOLUME_GONE)
            if error:
                lost[value] = error

        insist(ask, VOLUME_HELD.matches, patience)
    ids = [view["volume_id"] for view in views]
    wait_for(connection, ids, lambda _value, view: view is None, "deleted", session.params["wait_timeout"], lost)
