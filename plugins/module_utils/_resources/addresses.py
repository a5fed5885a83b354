# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Floating addresses: which there are, and looking again at what became of them. Always read by one unfiltered list."""

from __future__ import annotations

import ipaddress
import itertools
import typing as t

from .._api.connection import attempt
from .._api.errors import NOT_SENT, UNKNOWN, CloudError
from .journal import Journal
from .views import text, without_admin_suffix
from .wait import polls

# For how long to look for what a request whose answer was lost may still bring about.
LATE_SECONDS = 8.0

View = dict[str, t.Any]


def held(connection: t.Any, patience: float, warn: t.Callable[[str], None]) -> Journal:
    """Keep other runs that give or take addresses on this machine waiting until what is returned is closed."""
    journal = Journal("*addresses*", connection.endpoint.url, connection.access_key, "the floating addresses", warn)
    journal.open(patience)
    return journal


def address_view(address: t.Any) -> View:
    """A floating address. Nova itself shows only the address and the VM that it is at."""
    return {
        "public_ip": text(address.public_ip),
        "instance_id": without_admin_suffix(address.instance_id),
        "private_ip_address": text(address.private_ip_address),
        "domain": text(address.domain),
        "allocation_id": text(address.allocation_id),
        "association_id": text(address.association_id),
    }


def new_address(instance_id: str | None) -> View:
    """An address that is still to be allocated: which one the cloud will give is not known."""
    keys = ("private_ip_address", "domain", "allocation_id", "association_id")
    return {"public_ip": None, "instance_id": instance_id, **dict.fromkeys(keys)}


def freed(view: View) -> View:
    """The same address when it is at nothing."""
    return {**view, "instance_id": None, "private_ip_address": None, "association_id": None}


def is_free(view: View) -> bool:
    """Whether an address is at nothing: on ec2-api it can be at something else than a VM."""
    return not (view["instance_id"] or view["private_ip_address"] or view["association_id"])


def list_addresses(connection: t.Any) -> list[View]:
    """Every address of the project, in order; every generation shows even administrators only their own project's."""
    found = map(address_view, attempt("list floating addresses", connection.get_all_addresses))
    return sorted((view for view in found if view["public_ip"]), key=by_number)


def by_number(view: View) -> tuple[int, str]:
    """Sort key: 10.0.0.9 comes before 10.0.0.10."""
    try:
        return int(ipaddress.ip_address(view["public_ip"])), ""
    except ValueError:
        return 0, view["public_ip"]


def check_public_ips(option: str, values: t.Iterable[str]) -> None:
    """Refuse what is not an address as the cloud writes it."""
    for value in values:
        try:
            ipaddress.IPv4Address(value)
        except ValueError as exc:
            raise CloudError(f"{option}: {value!r} is not an IPv4 address such as 172.24.4.1 ({exc}).") from exc


def looks(connection: t.Any, seconds: float) -> t.Iterator[tuple[dict[str, View], bool]]:
    """The addresses by themselves, now and again for as many seconds, and whether it is the last look."""
    for last in itertools.chain([seconds <= 0], polls(1, seconds) if seconds > 0 else ()):
        yield {view["public_ip"]: view for view in list_addresses(connection)}, last


def settle(
    connection: t.Any,
    error: CloudError,
    done: t.Callable[[dict[str, View]], bool],
    warn: t.Callable[[str], None],
) -> None:
    """Return if it shows that what was asked for is so although the request failed; raise its error if not."""
    if error.outcome == NOT_SENT:
        raise error
    lost = error.outcome == UNKNOWN
    try:
        for shown, _last in looks(connection, LATE_SECONDS if lost else 0):
            if done(shown):
                if lost:
                    warn(f"{error.message} It was done all the same.")
                return
    except CloudError as unseen:
        error.message += f" Whether it was done cannot be seen either ({unseen.message})."
        raise error from unseen
    if lost:
        error.message += " It does not show that it was done. Nothing was sent again."
    raise error


def told(views: t.Sequence[View]) -> str:
    """How many addresses the project has, and which of them are free, for messages."""
    free = [view["public_ip"] for view in views if is_free(view)]
    if not views:
        return "The project has no floating addresses."
    shown = f": {', '.join(free[:20])}{', ...' if len(free) > 20 else ''}" if free else ""
    return f"The project has {len(views)} floating addresses, {len(free)} of them free{shown}."
