# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The port: the one narrow way by which a run sees and changes the VMs of its task."""

from __future__ import annotations

import typing as t

from .._api.connection import attempt
from .._api.errors import NO_SUCH_ACTION, CloudError
from .._resources.instances import Listing, View, certain, list_instances, members_of
from .actions import Change, Launch, Tag

if t.TYPE_CHECKING:
    from .launch import Launch as Wanted


class Cloud:
    """What can be asked of the cloud; the options of the task say how. Every method raises CloudError.

    What only runs that change something need is imported when it is needed: most runs find everything as it should be.
    """

    def __init__(self, connection: t.Any, params: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> None:
        self.connection = connection
        self.params = params
        self.batch: str | None = params["batch"]
        self.endpoint: str = connection.endpoint.url
        self._warn = warn
        self._wanted: Wanted | None = None

    def look(self) -> Listing:
        """The VMs that the task is about, as the cloud shows them now, with one request."""
        if self.batch is not None:
            return members_of(self.connection, self.batch)
        ids = set(self.params["instance_ids"])
        found = list_instances(self.connection)
        return found._replace(views=[view for view in found.views if view["instance_id"] in ids])

    def certain(self, views: t.Iterable[View]) -> list[View]:
        """Those of views that are certainly of the caller's own project; a task that names VMs by id has said so."""
        return list(views) if self.batch is None else certain(self.connection, views)

    def wanted(self, number: int) -> Wanted:
        """What is launched; an image that is given by name is looked up once."""
        from .launch import launch_of

        if self._wanted is None:
            self._wanted = launch_of(self.connection, self.params, number)
        return self._wanted

    def answering(self, hosts: t.Collection[str], port: int) -> frozenset[str]:
        """Those of hosts (addresses) that take a connection at port."""
        from .._resources.ready import open_at

        return frozenset(open_at(hosts, port)) if hosts else frozenset()

    def launch(self, action: Launch, known: t.Container[str]) -> tuple[str, list[View]]:
        """Ask once for VMs; the record that they were launched with, and them. known: ids that cannot be among them."""
        from .launch import request

        wanted = self.wanted(len(action.slots))
        return request(self.connection, wanted, action.slots, action.zone, action.least, known)

    def advice(self, error: CloudError) -> str:
        """What a refused launch might have named instead."""
        from .launch import advice

        return advice(self.connection, self.wanted(1), error)

    def terminate(self, ids: t.Sequence[str]) -> None:
        """Terminate VMs; those that are gone already are left out."""
        from .lifecycle import terminate

        if ids:
            terminate(self.connection, ids, self._warn)

    def release_addresses(self, ids: t.Sequence[str]) -> list[str]:
        """Give back the floating addresses of VMs that are about to go, if the task says so; which they were."""
        if not ids or not self.params["release_addresses"]:
            return []
        from .._resources.release import release_of

        return release_of(self.connection, ids, self.params["wait_timeout"], self._warn)

    def change(self, action: Change) -> None:
        """Start, stop or reboot VMs."""
        from .lifecycle import SETTLE_SECONDS, reboot, start, stop

        patience = self.params["wait_timeout"]
        if not self.params["wait"]:
            patience = min(SETTLE_SECONDS, patience)
        if action.verb == "reboot":
            reboot(self.connection, action.ids, patience)
        else:
            {"start": start, "stop": stop}[action.verb](self.connection, action.ids, patience, self._warn)

    def mark(self) -> bool:
        """Make the mark of the batch unless it is there; whether it was made."""
        from .launch import ensure_mark

        return ensure_mark(self.connection, self.batch or "")

    def single_mark(self) -> None:
        """Have one mark of the batch where there are several."""
        from .launch import single_mark

        single_mark(self.connection, self.batch or "")

    def unmark(self) -> None:
        """Remove the mark of the batch, once the cloud has let go of it."""
        from .launch import remove_mark

        remove_mark(self.connection, self.batch or "", self.params["wait_timeout"] if self.params["wait"] else 0)

    def tag(self, action: Tag) -> None:
        """Give VMs tags."""
        absent = None if action.vital else NO_SUCH_ACTION
        attempt(action.what, self.connection.create_tags, list(action.ids), dict(action.tags), absent=absent)
