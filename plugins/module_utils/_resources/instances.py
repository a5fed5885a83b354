# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Which VMs there are, and which of them a task means. Always read by one unfiltered list, matched here.

Nova ignores most filters, and fails a lookup by ids wholly when a single one is gone (nova/api/ec2/cloud.py).
"""

from __future__ import annotations

import re
import sys
import typing as t

from .._api.connection import attempt
from .._api.errors import NO_SUCH_ACTION, CloudError
from .record import batch_fingerprint, read
from .views import instance_view, seen_by_admin

INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})\Z")
PARTING = "shutting-down"
GONE = frozenset({"terminated", PARTING})
MARK_PREFIX = "ansible-batch-"

View = dict[str, t.Any]


def mark_of(batch: str) -> str:
    """The name of the security group that marks the members of a batch.

    Why a security group: RunInstances sets it atomically with the launch on every generation, the one list call shows
    it for every VM that has its network, nothing can take it away from a running VM, and it belongs to the project as
    the VMs do. Tags and tokens do not exist on Grizzly; a key pair belongs to a user, and the user has a say in which
    one is used. The group has no rules, so it opens nothing. It takes one of the project's security groups (Nova's
    default quota is 10) for as long as the batch is not removed.
    """
    return MARK_PREFIX + batch


def check_instance_ids(option: str, ids: t.Sequence[str]) -> None:
    """Refuse ids that cannot be instance ids."""
    for value in ids:
        if not INSTANCE_ID.match(value):
            raise CloudError(f"{option}: {value!r} is not an instance id such as i-0000001a.")


class Listing(t.NamedTuple):
    """VMs by id (without those already gone), and what their list tells of the cloud.

    admin: whether it was made for an administrator, who is shown all projects' VMs. old: whether it is of a generation
    (Grizzly and before) that has neither tags nor tokens; such a one repeats private addresses as public ones.
    standalone: whether it is ec2-api, whose groups have ids besides names. parting: VMs that are gone but for their
    place in the quota, which ec2-api shows so.
    """

    views: list[View]
    admin: bool
    old: bool
    standalone: bool = False
    parting: tuple[View, ...] = ()


def list_instances(connection: t.Any) -> Listing:
    """Every VM that the cloud shows."""
    admin = old = standalone = False
    views = []
    for reservation in attempt("list instances", connection.get_all_reservations):
        standalone = standalone or any(group.id and group.name for group in reservation.groups or [])
        for instance in reservation.instances:
            admin = admin or seen_by_admin(instance)
            old = old or bool(instance.ip_address and instance.ip_address == instance.private_ip_address)
            views.append(instance_view(instance, reservation))
    there = sorted((view for view in views if view["state"] not in GONE), key=id_order)
    parting = tuple(view for view in views if view["state"] == PARTING)
    return Listing(there, admin, old, standalone, parting)


def members_of(connection: t.Any, batch: str) -> Listing:
    """The VMs of batch that are of the caller's own project."""
    listing = list_instances(connection)
    # Group names are per project: another project's batch of the same name has the same mark.
    return own_only(connection, listing, [view for view in listing.views if is_of(view, batch)])


def own_only(connection: t.Any, listing: Listing, chosen: list[View]) -> Listing:
    """Of the VMs chosen from listing those that are of the caller's own project.

    A list with the VMs of one project alone is taken for that of the caller's; before anything is done to one of them
    that cannot be undone, certain makes sure.
    """
    several = listing.admin or len({view["owner_id"] for view in listing.views}) > 1
    if chosen and (several or connection.project is not None):
        chosen = certain(connection, chosen)
    return listing._replace(views=chosen)


def certain(connection: t.Any, views: t.Iterable[View]) -> list[View]:
    """Those of views that are certainly of the caller's own project. Costs a request, unless this run has learnt it."""
    views = list(views)
    own = own_project(connection) if views else None
    return [view for view in views if view["owner_id"] == own]


def is_of(view: View, batch: str) -> bool:
    """Whether a VM bears the mark of batch.

    ec2-api shows no groups at all until a VM has its port, and for good if it never gets one; until then the record of
    its launch says whose it is.
    """
    if view["security_groups"]:
        return mark_of(batch) in view["security_groups"]
    launch = read(view["client_token"])
    return launch is not None and launch.batch == batch_fingerprint(batch)


def own_project(connection: t.Any) -> str:
    """The id of the caller's project: Nova shows even administrators only their own project's groups.

    A launch of this run tells it as well (_launch.py), so that it need not be asked for.
    """
    if connection.project is None:
        groups = attempt("learn the id of this project", connection.get_all_security_groups)
        owners = {group.owner_id for group in groups}
        if len(owners) != 1:
            raise CloudError(
                "The cloud does not tell which project is yours, so it is not certain which of the VMs that it shows "
                "are your own. Use credentials of a user without the admin role."
            )
        connection.project = str(owners.pop())
    return str(connection.project)


def tags_supported(connection: t.Any) -> bool:
    """Whether this generation has tags: Nova from Havana on and ec2-api do, Grizzly and older do not."""
    return attempt("learn whether the cloud has tags", connection.get_all_tags, absent=NO_SUCH_ACTION) is not None


def host_of(view: View) -> str | None:
    """The address at which a VM is reached: its public one, or else its private one."""
    host: str | None = view["public_ip_address"] or view["private_ip_address"]
    return host


def id_order(view: View) -> tuple[int, str]:
    """Sort key: by the number in the id; those still to be launched have none, and come last."""
    if view["instance_id"] is None:
        return sys.maxsize, ""
    return int(view["instance_id"].rpartition("-")[2], 16), view["instance_id"]


def by_index(view: View) -> tuple[int, tuple[int, str]]:
    """Sort key: in the order of the launch."""
    return view["launch_index"] or 0, id_order(view)


def age_order(view: View) -> tuple[str, tuple[int, str]]:
    """Sort key: oldest first; ids decide within a second."""
    return view["launch_time"] or "", id_order(view)


def states_of(views: t.Iterable[View]) -> str:
    """'i-00000001 running, i-00000002 error' for messages, at most twenty."""
    shown = [f"{view['instance_id']} {view['state']}" for view in views]
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")
