# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Setting and removing tags of VMs: what has to change, and the few requests that change it."""

from __future__ import annotations

import typing as t

from .._api.connection import attempt
from .._api.errors import NOT_SENT, REFUSED, CloudError
from .instances import Listing, list_instances, own_only, states_of, tags_supported
from .record import TAG

# States in which Nova takes tags; ec2-api keeps tags itself, and takes them in all.
TAGGABLE = frozenset({"running", "stopped", "paused", "suspended"})

View = dict[str, t.Any]
Tags = dict[str, str]


class Change(t.NamedTuple):
    """What one VM lacks, and the keys that it has to lose."""

    add: Tags
    remove: frozenset[str]


def own_vms(connection: t.Any, ids: t.Sequence[str]) -> Listing:
    """The VMs of these ids. Raises CloudError if one is not there, or not of the caller's own project."""
    listing = list_instances(connection)
    found = own_only(connection, listing, [view for view in listing.views if view["instance_id"] in ids])
    there = {view["instance_id"] for view in found.views}
    unknown = [value for value in ids if value not in there]
    if unknown:
        raise CloudError(
            f"There are no VMs {', '.join(unknown)} in this project (any more). Nothing was changed.",
            unknown_ids=unknown,
        )
    return found


def check_taggable(connection: t.Any, vms: Listing) -> None:
    """Refuse to write tags that the cloud, or the state of a VM, does not allow."""
    seen = vms.standalone or any(view["tags"] for view in vms.views)
    if not seen and (vms.old or not tags_supported(connection)):
        raise CloudError(
            "This cloud has no tags: Nova has them since Havana, and this one is Grizzly or older. Nothing was changed."
        )
    building = [view for view in vms.views if not vms.standalone and view["state"] not in TAGGABLE]
    if building:
        raise CloudError(
            f"Nova takes no tags for VMs that do not run and are not stopped: {states_of(building)}. Nothing was "
            "changed. Wait until they run, or leave them out.",
        )


def change_of(has: Tags, wanted: t.Mapping[str, str], absent: bool, purge: bool) -> Change:
    """How the tags of a VM have to change. The tag that keeps a batch's numbers stays in any case.

    Of tags that shall be absent, one with a value goes only if it has that value.
    """
    if absent:
        gone = {key for key, value in wanted.items() if key in has and value in ("", has[key])}
        return Change({}, frozenset(gone - {TAG}))
    surplus = has.keys() - wanted.keys() - {TAG} if purge else set()
    return Change({key: value for key, value in wanted.items() if has.get(key) != value}, frozenset(surplus))


def changed(has: Tags, change: Change) -> Tags:
    """The tags of a VM after a change."""
    left = {key: value for key, value in has.items() if key not in change.remove}
    return dict(sorted({**left, **change.add}.items()))


def carry_out(connection: t.Any, changes: t.Mapping[str, Change], wanted: Tags, warn: t.Callable[[str], None]) -> None:
    """One request for all that have to gain tags, and one for each set of keys that some have to lose."""
    gaining = [value for value, change in changes.items() if change.add]
    if gaining:
        _settled(
            connection, warn, gaining, lambda tags: wanted.items() <= tags.items(),
            lambda: attempt(f"set tags of {', '.join(gaining)}", connection.create_tags, gaining, wanted),
        )  # fmt: skip
    for keys in dict.fromkeys(change.remove for change in changes.values() if change.remove):
        losing = [value for value, change in changes.items() if change.remove == keys]
        _remove(connection, warn, losing, sorted(keys))


def _remove(connection: t.Any, warn: t.Callable[[str], None], losing: list[str], keys: list[str]) -> None:
    _settled(
        connection, warn, losing, lambda tags: not set(keys) & tags.keys(),
        lambda: attempt(f"remove tags of {', '.join(losing)}", connection.delete_tags, losing, keys),
    )  # fmt: skip


def _settled(
    connection: t.Any,
    warn: t.Callable[[str], None],
    ids: t.Sequence[str],
    is_done: t.Callable[[Tags], bool],
    request: t.Callable[[], t.Any],
) -> None:
    """Send a request; if its answer is lost, look whether it was carried out."""
    try:
        request()
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT):
            raise
        views = [view for view in list_instances(connection).views if view["instance_id"] in ids]
        if not all(is_done(view["tags"]) for view in views):
            error.details["tags"] = {view["instance_id"]: view["tags"] for view in views}
            raise
        warn(f"{error.message} It was carried out all the same.")
