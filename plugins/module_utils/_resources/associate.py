# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Giving VMs floating addresses: what is missing is allocated first, then associated, then seen to be so."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field

from .._api.connection import attempt
from .._api.errors import ADDRESS_QUOTA, NO_POOL, NOT_SENT, POOL_EMPTY, REFUSED, UNKNOWN, CloudError, as_error
from .._module import Plan, Session
from .addresses import (
    LATE_SECONDS,
    View,
    address_view,
    by_number,
    freed,
    is_free,
    list_addresses,
    looks,
    new_address,
    settle,
    told,
)
from .instances import list_instances, own_only
from .release import disassociate, not_there, outcome, shown_free, take_back
from .wait import polls

Vms = dict[str, View]


@dataclass(frozen=True)
class Need:
    """A VM that is to get an address: one that the project has, or None for one to be allocated."""

    instance_id: str
    address: View | None


def plan_present(session: Session, views: list[View], ids: t.Sequence[str], vms: Vms | None) -> Plan:
    """Decide which VMs get which addresses. vms are the VMs, if they were listed already."""
    params = session.params
    chosen = [view for view in views if _is_meant(view, params["public_ip"], ids)]
    needs = _certain(params, views, ids) if params["public_ip"] else _any(params, views, ids)
    if not needs:
        chosen.sort(key=_order(ids))
        _tell_surplus(session, chosen)
        state = {"addresses": chosen}
        return Plan(before=state, after=state, result=outcome(session, chosen))
    if vms is None:
        vms = own_vms(session.connection, [need.instance_id for need in needs])
    waiting = check_vms(vms, [need.instance_id for need in needs])
    taken = [need.address for need in needs if need.address]
    before = sorted([*chosen, *(view for view in taken if view not in chosen)], key=by_number)
    given = [_given(need.address, vms[need.instance_id]) for need in needs]
    after = sorted([*(view for view in chosen if view not in taken), *given], key=_order(ids))

    def apply() -> dict[str, t.Any]:
        return _after_waiting(session, waiting, ids) if waiting else Giving(session, views, needs, ids).run()

    result = outcome(session, after)
    return Plan(before={"addresses": before}, after={"addresses": after}, result=result, apply=apply)


def _given(address: View | None, vm: View) -> View:
    """An address when it is at a VM. Only ec2-api, which tells domains, shows the private address there."""
    free = freed(address) if address else new_address(None)
    private = vm["private_ip_address"] if free["domain"] else None
    return {**free, "instance_id": vm["instance_id"], "private_ip_address": private}


def _is_meant(view: View, public_ip: str | None, ids: t.Sequence[str]) -> bool:
    return bool(view["public_ip"] == public_ip) if public_ip else view["instance_id"] in ids


def _order(ids: t.Sequence[str]) -> t.Callable[[View], t.Any]:
    """Sort key: by VM as the task names them, then by address; one that is not known yet comes last."""
    place = {value: number for number, value in enumerate(ids)}
    return lambda view: (
        place.get(view["instance_id"], -1),
        not view["public_ip"],
        by_number(view) if view["public_ip"] else (0, ""),
    )


def _tell_surplus(session: Session, chosen: list[View]) -> None:
    for instance_id, group in itertools.groupby(chosen, lambda view: view["instance_id"]):
        ips = [view["public_ip"] for view in group]
        if instance_id and len(ips) > 1:
            session.warn(f"{instance_id} has {len(ips)} floating addresses: {', '.join(ips)}. None was taken away.")


def _certain(params: dict[str, t.Any], views: list[View], ids: t.Sequence[str]) -> list[Need]:
    """What a task with public_ip needs: nothing, or this address at the VM."""
    public_ip = params["public_ip"]
    view = next((view for view in views if view["public_ip"] == public_ip), None)
    if view is None:
        raise not_there(public_ip, views)
    if not ids or view["instance_id"] == ids[0]:
        return []
    if is_free(view) or (view["instance_id"] and params["allow_reassociation"]):
        return [Need(ids[0], view)]
    where = view["instance_id"] or f"{view['private_ip_address']}, which is not a VM"
    advice = "Set allow_reassociation to true to have it moved." if view["instance_id"] else "It is left alone."
    raise CloudError(f"Address {public_ip} is at {where}, not at {ids[0]}. {advice}", addresses=[view])


def _any(params: dict[str, t.Any], views: list[View], ids: t.Sequence[str]) -> list[Need]:
    """What a task without public_ip needs: some address at each VM that has none."""
    have = {view["instance_id"] for view in views}
    lacking = [value for value in ids if value not in have]
    spare = [view for view in views if is_free(view)] if params["reuse_existing"] else []
    return [Need(value, view) for value, view in itertools.zip_longest(lacking, spare[: len(lacking)])]


def own_vms(connection: t.Any, ids: t.Sequence[str]) -> Vms:
    """Those of the VMs that there are, of the caller's own project, by id."""
    listing = list_instances(connection)
    chosen = [view for view in listing.views if view["instance_id"] in ids]
    return {view["instance_id"]: view for view in own_only(connection, listing, chosen).views}


def check_vms(vms: Vms, ids: t.Sequence[str]) -> list[str]:
    """Refuse VMs that cannot get an address. Returns those that have no network yet."""
    missing = [value for value in ids if value not in vms]
    if missing:
        raise CloudError(
            f"There is no VM {', '.join(missing)} (any more), so it cannot get an address. Nothing was changed."
        )
    broken = [value for value in ids if vms[value]["state"] == "error"]
    if broken:
        raise CloudError(
            f"{', '.join(broken)} in error: the cloud could not build or run it, so it cannot get an address. Nothing "
            "was changed. Terminate or replace it first."
        )
    return [value for value in ids if not vms[value]["private_ip_address"]]


def _after_waiting(session: Session, waiting: list[str], ids: t.Sequence[str]) -> dict[str, t.Any]:
    """Wait until VMs have their network, letting other runs work meanwhile; then decide anew."""
    timeout = session.params["wait_timeout"]
    if session.held is not None:
        session.held.close()
    vms: Vms = {}
    for last in polls(len(waiting), timeout):
        vms = own_vms(session.connection, ids)
        waiting = check_vms(vms, waiting)
        if not waiting:
            break
        if last:
            raise CloudError(
                f"After {timeout} s (wait_timeout), {', '.join(waiting)} had no network yet, which an address needs. "
                "Nothing was changed; run the task again to wait on."
            )
    if session.held is not None:
        session.held.open(timeout)
    again = plan_present(session, list_addresses(session.connection), ids, vms)
    return again.apply() if again.apply else {**again.result, "changed": False}


@dataclass
class Giving:
    """One run that gives addresses to VMs. What was done is kept, so that a failure leaves nothing behind unnamed."""

    session: Session
    views: list[View]
    needs: list[Need]
    ids: t.Sequence[str]
    allocated: list[View] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, t.Any]:
        """Allocate, associate and verify; what was allocated for nothing is released again."""
        moved = [need.address for need in self.needs if need.address and not is_free(need.address)]
        try:
            pairs = [(need.instance_id, need.address or self._allocate()) for need in self.needs]
            for view in moved:
                disassociate(self.session, view)
                if not shown_free(self.session, [view]):
                    raise CloudError(f"Address {view['public_ip']} was taken by somebody else meanwhile.")
            for instance_id, view in pairs:
                self._associate(instance_id, view)
            return self._verified()
        except Exception as exc:  # pylint: disable=broad-exception-caught
            error = as_error(exc)
            self._undo(error, moved)
            raise error from exc.__cause__

    def _allocate(self) -> View:
        connection = self.session.connection
        try:
            made = address_view(attempt("allocate a floating address", connection.allocate_address))
            if made["public_ip"] in {view["public_ip"] for view in (*self.views, *self.allocated)}:
                raise CloudError("The cloud's answer to AllocateAddress names one that was there.", outcome=UNKNOWN)
        except CloudError as error:
            if error.outcome in (REFUSED, NOT_SENT):
                raise self._explained(error) from error.__cause__
            made = self._found(error)
        self.allocated.append(made)
        return made

    def _explained(self, error: CloudError) -> CloudError:
        """error, saying what it means and what the project has."""
        free = [view["public_ip"] for view in self.views if is_free(view)]
        if POOL_EMPTY.matches(error):
            why = (
                "The cloud's pool of floating addresses is empty, whatever the project's quota: ask those who run the "
                "cloud for more."
            )
        elif ADDRESS_QUOTA.matches(error):
            why = "The project's quota of floating addresses is used up: release some, or have the quota raised."
        elif NO_POOL.matches(error):
            why = "This cloud has no network or pool that floating addresses could come from."
        else:
            return error
        advice = " Set reuse_existing to true to use those that are free." if free else ""
        error.message += f" {why} {told(self.views)}{'' if self.session.params['reuse_existing'] else advice}"
        error.details["free_addresses"] = free
        return error

    def _found(self, error: CloudError) -> View:
        """The one address that came to be although the answer got lost; raise error if that is not certain.

        An address that another run allocated at this moment would soon be at a VM, so the new one must be seen free
        twice. Of several new ones none is taken.
        """
        known = {view["public_ip"] for view in (*self.views, *self.allocated)}
        seen: set[str] = set()
        for shown, last in looks(self.session.connection, LATE_SECONDS):
            new = {ip for ip in shown if ip not in known}
            if len(new) == 1 and new == seen and is_free(shown[min(new)]):
                self.session.warn(f"{error.message} Address {min(new)} was allocated all the same, and is used.")
                return shown[min(new)]
            if len(new) > 1 or any(not is_free(shown[ip]) for ip in new) or (last and new):
                error.details["unclaimed_addresses"] = sorted(new)
                error.message += (
                    f" New since this run began: {', '.join(sorted(new))}. Another run may have allocated it, so none "
                    "was taken. Release what nobody needs, with state absent and public_ip."
                )
                raise error
            seen = new
        error.message += " No new address is to be seen. Nothing was sent again."
        raise error

    def _associate(self, instance_id: str, view: View) -> None:
        """Associate one address with one VM; if that fails, look whether it is there."""
        ip, connection = view["public_ip"], self.session.connection
        # The ids that ec2-api gives some addresses are the only way to associate those; Nova has none.
        way = {"allocation_id": view["allocation_id"]} if view["allocation_id"] else {"public_ip": ip}
        try:
            what = f"associate address {ip} with {instance_id}"
            attempt(what, connection.associate_address, instance_id=instance_id, **way)
        except CloudError as error:
            away: View = {"instance_id": None}
            settle(connection, error, lambda s: s.get(ip, away)["instance_id"] == instance_id, self.session.warn)
        self.done[ip] = instance_id

    def _verified(self) -> dict[str, t.Any]:
        """Look until all associations show, and return the result."""
        params = self.session.params
        for shown, last in looks(self.session.connection, params["wait_timeout"]):
            at = {ip: shown[ip]["instance_id"] if ip in shown else None for ip in self.done}
            open_ones = {ip: value for ip, value in self.done.items() if at[ip] != value}
            for ip, instance_id in open_ones.items():
                elsewhere = at[ip]
                if elsewhere:
                    self.done[ip] = elsewhere
                    raise CloudError(
                        f"Address {ip} was associated with {instance_id}, but somebody else gave it to {elsewhere} "
                        "meanwhile. Run the task again for another one."
                    )
            if not open_ones:
                chosen = [view for view in shown.values() if _is_meant(view, params["public_ip"], self.ids)]
                chosen.sort(key=_order(self.ids))
                _tell_surplus(self.session, chosen)
                return outcome(self.session, chosen)
            if last:
                self.done = {ip: value for ip, value in self.done.items() if ip not in open_ones}
                raise CloudError(
                    f"After {params['wait_timeout']} s (wait_timeout), the cloud does not show "
                    f"{', '.join(f'{ip} at {value}' for ip, value in sorted(open_ones.items()))}, although it "
                    "accepted the association."
                )
        raise CloudError("The addresses could not be read again.")

    def _undo(self, error: CloudError, moved: t.Sequence[View]) -> None:
        """Release what was allocated and is at no VM; say where everything is."""
        take_back(self.session, error, [view for view in self.allocated if view["public_ip"] not in self.done])
        for view in moved:
            if view["public_ip"] not in self.done:
                error.message += f" Address {view['public_ip']} was at {view['instance_id']} before."
        had = [view for view in self.views if _is_meant(view, self.session.params["public_ip"], self.ids)]
        by_ip = {view["public_ip"]: view for view in (*self.views, *self.allocated)}
        given = [{**by_ip[ip], "instance_id": value} for ip, value in self.done.items()]
        others = [view for view in had if view["public_ip"] not in self.done]
        error.details["addresses"] = sorted([*others, *given], key=_order(self.ids))
