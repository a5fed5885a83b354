# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Taking floating addresses away from VMs, and giving them back to the pool."""

from __future__ import annotations

import time
import typing as t

from .._api.connection import attempt
from .._api.errors import ADDRESS_HELD, CloudError, may_pass
from .._module import Plan, Session
from .addresses import View, freed, held, is_free, list_addresses, looks, settle, told
from .wait import insist


def plan_absent(session: Session, views: list[View], ids: t.Sequence[str]) -> Plan:
    """Decide which addresses go, and whether only from their VMs or altogether."""
    public_ip, release = session.params["public_ip"], session.params["release"]
    if public_ip:
        chosen = [view for view in views if view["public_ip"] == public_ip]
        for view in chosen:
            _check_whose(view, ids)
    else:
        chosen = [view for view in views if view["instance_id"] in ids]
    after = [] if release else [freed(view) for view in chosen]
    needed = bool(chosen) if release else any(not is_free(view) for view in chosen)
    return Plan(
        before={"addresses": chosen},
        after={"addresses": after},
        result=outcome(session, after),
        apply=(lambda: take_away(session, views, chosen)) if needed else None,
    )


def release_of(connection: t.Any, ids: t.Collection[str], patience: float, warn: t.Callable[[str], None]) -> list[str]:
    """Give back the addresses of VMs that are about to go, and return them. One request if they have none.

    Before the VMs go: whoever is cut short in between leaves VMs without an address, and no address without a VM, which
    nobody could tell from any other. On failure, details of the error has the addresses that are left.
    """
    holding = held(connection, patience, warn)
    try:
        views = list_addresses(connection)
        chosen = [view for view in views if view["instance_id"] in ids]
        if chosen:
            params = {"release": True, "public_ip": None, "instance_id": None, "wait_timeout": patience}
            take_away(Session(params, connection, warn), views, chosen)
        return [view["public_ip"] for view in chosen]
    finally:
        holding.close()


def outcome(session: Session, views: list[View]) -> dict[str, t.Any]:
    """The result: all addresses that it is about and, where it can be only one, that one."""
    result: dict[str, t.Any] = {"addresses": views, "public_ips": [view["public_ip"] for view in views]}
    if session.params["instance_id"] or session.params["public_ip"]:
        result["address"] = views[0] if views else None
        result["public_ip"] = views[0]["public_ip"] if views else None
    return result


def _check_whose(view: View, ids: t.Sequence[str]) -> None:
    """Refuse an address that is at something else than what the task names."""
    if is_free(view) or view["instance_id"] in ids or (view["instance_id"] and not ids):
        return
    where = view["instance_id"] or f"{view['private_ip_address']}, which is not a VM"
    named = f"not {ids[0]}; nothing was changed. Leave out instance_id" if ids else "and is left alone. Use Neutron"
    raise CloudError(
        f"Address {view['public_ip']} is at {where}, {named} to take it away from there.", addresses=[view]
    )


def take_away(session: Session, views: list[View], chosen: list[View]) -> dict[str, t.Any]:
    """Disassociate the chosen of all addresses; release them if that is asked for. What is left over is named."""
    release, failed = session.params["release"], None
    loose = [view for view in chosen if is_free(view)]
    for view in chosen:
        try:
            if view not in loose:
                disassociate(session, view)
                loose.append(view)
        except CloudError as error:
            failed = error
            break
    left = loose
    try:
        if any(not is_free(view) for view in loose):
            shown = shown_free(session, loose)
            left = [shown[view["public_ip"]] for view in loose if view["public_ip"] in shown]
        if release:
            left, first = release_all(session, left, session.params["wait_timeout"])
            failed = failed or first
    except CloudError as error:
        failed = failed or error
    if failed:
        failed.details["addresses"] = [*(view for view in chosen if view not in loose), *left]
        raise _naming(failed, left) if release else failed
    return outcome(session, [] if release else left)


def disassociate(session: Session, view: View) -> None:
    """Take one address away from its VM; if that fails, look whether it is away."""
    ip, instance_id = view["public_ip"], view["instance_id"]
    way = {"association_id": view["association_id"]} if view["association_id"] else {"public_ip": ip}
    try:
        attempt(f"take address {ip} away from {instance_id}", session.connection.disassociate_address, **way)
    except CloudError as error:
        gone: View = {"instance_id": None}
        settle(session.connection, error, lambda s: s.get(ip, gone)["instance_id"] != instance_id, session.warn)


def shown_free(session: Session, loose: list[View]) -> dict[str, View]:
    """Wait until addresses that were taken away show as free. Returns them, without those that went elsewhere."""
    had = {view["public_ip"]: view["instance_id"] for view in loose}
    for shown, last in looks(session.connection, session.params["wait_timeout"]):
        there = {ip: view for ip, view in shown.items() if ip in had}
        still = [ip for ip, view in there.items() if not is_free(view) and view["instance_id"] in (had[ip], None)]
        if not still:
            for ip, view in there.items():
                if not is_free(view):
                    session.warn(f"Address {ip} was given to {view['instance_id']} by somebody else meanwhile.")
            return {ip: view for ip, view in there.items() if is_free(view)}
        if last:
            raise CloudError(
                f"After {session.params['wait_timeout']} s (wait_timeout), the cloud still shows {', '.join(still)} "
                "at a VM, although it accepted that they are taken away. Run the task again."
            )
    return {}


def release_all(session: Session, views: t.Sequence[View], patience: float = 0) -> tuple[list[View], CloudError | None]:
    """Give addresses back. Returns those that could not be given back, and why the first could not.

    patience: for how many seconds to go on while the cloud has not let go of one, as just after its VM has gone.
    """
    left, first, end = [], None, time.monotonic() + patience
    for view in views:
        try:
            _release(session, view, end - time.monotonic())
        except CloudError as error:
            left.append(view)
            first = first or error
    return left, first


def _release(session: Session, view: View, patience: float) -> None:
    ip = view["public_ip"]
    # ec2-api has addresses with ids of their own, and does not release those by the address.
    way = {"allocation_id": view["allocation_id"]} if view["allocation_id"] else {"public_ip": ip}

    def ask() -> None:
        try:
            attempt(f"release address {ip}", session.connection.release_address, **way)
        except CloudError as error:
            settle(session.connection, error, lambda shown: ip not in shown, session.warn)

    insist(ask, lambda error: may_pass(error, ADDRESS_HELD), patience)


def _naming(error: CloudError, left: t.Sequence[View]) -> CloudError:
    """error, naming addresses that are at no VM any more but still the project's."""
    ips = [view["public_ip"] for view in left]
    error.details["unreleased_addresses"] = ips
    if ips:
        error.message += (
            f" Taken away from their VMs but still allocated: {', '.join(ips)}. Release them with state absent and "
            "public_ip."
        )
    return error


def take_back(session: Session, error: CloudError, mine: t.Sequence[View]) -> None:
    """Release what this run allocated and could not use; error says so, or what could not be released."""
    if not mine:
        return
    left, _first = release_all(session, mine)
    ips = [view["public_ip"] for view in left]
    back = [view["public_ip"] for view in mine if view not in left]
    error.details["unreleased_addresses"] = ips
    if back:
        error.message += f" Allocated by this run and released again: {', '.join(back)}."
    if ips:
        error.message += (
            f" Allocated by this run and NOT released, because that failed too: {', '.join(ips)}. Release them with "
            "state absent and public_ip, or have them used by setting reuse_existing to true."
        )


def not_there(public_ip: str, views: t.Sequence[View]) -> CloudError:
    """That an address is not the project's."""
    return CloudError(
        f"Address {public_ip} is not one of this project's. {told(views)} The EC2 API cannot ask for a certain one: "
        "leave out public_ip and name the VM, and the cloud chooses one."
    )
