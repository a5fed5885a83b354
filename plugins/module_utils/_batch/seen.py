# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What was seen of the VMs of a task the last time. Never changed: each look, and each answer, makes another."""

from __future__ import annotations

import typing as t

from .._resources.instances import Listing, View, host_of
from .._resources.record import TAG
from .memory import Memory
from .slots import number


class Seen(t.NamedTuple):
    """VMs by id, and their numbers in the batch.

    - lingering: those that were told to terminate; Nova shows them as they were for a while
    - old, standalone: what kind of cloud it is, see Listing
    - batch: whether they are members of one; VMs by id have no numbers
    - answering: the addresses at which somebody answers, if that was asked
    """

    views: t.Mapping[str, View] = {}
    slots: t.Mapping[str, int] = {}
    lingering: tuple[View, ...] = ()
    old: bool = False
    standalone: bool = False
    batch: bool = False
    answering: frozenset[str] = frozenset()

    def missing_tokens(self) -> bool:
        """Whether members have lost their token, as those that are on their way out.

        Nova takes it away as it terminates them. ec2-api shows without it, under new ids, what it takes back of a
        launch that it refused.
        """
        views = list(self.views.values())
        if not self.standalone:
            views = [view for view in views if view["state"] == "running"]
            if not any(view["client_token"] for view in views):
                return False
        return any(not view["client_token"] and TAG not in view["tags"] for view in views)

    def hosts(self) -> frozenset[str]:
        """The addresses of the VMs that run."""
        return frozenset(filter(None, (host_of(view) for view in self.states("running"))))

    def states(self, *states: str) -> list[View]:
        """The VMs in one of states."""
        return [view for view in self.views.values() if view["state"] in states]

    def joined(self, views: t.Iterable[View], memory: Memory) -> Seen:
        """With VMs that were just launched."""
        new = {view["instance_id"]: _placed(view, memory) for view in views}
        return self._numbered({**self.views, **new}, memory)

    def without(self, ids: t.Container[str], memory: Memory) -> Seen:
        """Without VMs that turned out to be another project's."""
        return self._numbered({key: view for key, view in self.views.items() if key not in ids}, memory)

    def left(self, ids: t.Container[str]) -> Seen:
        """After VMs were told to terminate. The others keep their numbers."""
        return self._replace(
            views={key: view for key, view in self.views.items() if key not in ids},
            slots={key: slot for key, slot in self.slots.items() if key not in ids},
            lingering=self.lingering + tuple(view for key, view in self.views.items() if key in ids),
        )

    def tagged(self, ids: t.Container[str], tags: t.Mapping[str, str]) -> Seen:
        """After VMs were given tags."""
        views = {
            key: {**view, "tags": {**view["tags"], **tags}} if key in ids else view for key, view in self.views.items()
        }
        return self._replace(views=views)

    def _numbered(self, views: t.Mapping[str, View], memory: Memory) -> Seen:
        # What this run knows of its own VMs is not yet written down; where it never will be, it does not count.
        known = {} if self.old else memory.own
        return self._replace(views=views, slots=number(views.values(), known) if self.batch else {})


def seen_in(listing: Listing, memory: Memory, batch: bool, kept: t.Mapping[str, int] | None = None) -> Seen:
    """What a list shows, to a run that remembers what it asked for.

    kept: while others are launched for those that go, the numbers that VMs keep. The quota has no room for them before
    those that go are not even parting any more.
    """
    views = {}
    lingering = [] if kept is None else [view for view in listing.parting if view["instance_id"] in memory.leaving]
    for view in listing.views:
        value = view["instance_id"]
        if value in memory.leaving:
            lingering.append(view)
        else:
            views[value] = _placed(view, memory)
    seen = Seen(views, {}, tuple(lingering), listing.old, listing.standalone, batch)
    if kept is not None and views.keys() <= kept.keys():
        return seen._replace(slots={key: kept[key] for key in views})
    return seen._numbered(views, memory)


def _placed(view: View, memory: Memory) -> View:
    """A VM in its zone: until it has a host Nova shows the default one, wherever it will be."""
    zone = memory.placed.get(view["instance_id"])
    return {**view, "availability_zone": zone} if zone else view
