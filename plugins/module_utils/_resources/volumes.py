# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Volumes: the list, which device is which, and waiting until they, or their snapshots, are as they shall be."""

from __future__ import annotations

import itertools
import re
import time
import typing as t

from .._api.connection import attempt
from .._api.errors import NOT_SENT, REFUSED, CloudError
from .instances import own_project
from .views import ADMIN_SUFFIX, moment, text, whole, without_admin_suffix
from .wait import polls

VOLUME_ID = re.compile(r"vol-[0-9a-f]{8}\Z")
SNAPSHOT_ID = re.compile(r"snap-[0-9a-f]{8}\Z")
DEVICE = re.compile(r"/dev/(?:s|v|xv|h)d([a-z]{1,2})\Z")
# For how long to look for what a request whose answer was lost may still bring about.
LATE_SECONDS = 8.0

View = dict[str, t.Any]


def check_volume_id(option: str, value: str) -> None:
    """Refuse what cannot be the id of a volume."""
    if not VOLUME_ID.match(value):
        raise CloudError(f"{option}: {value!r} is not a volume id such as vol-0000001a.")


def check_snapshot_id(option: str, value: str) -> None:
    """Refuse what cannot be the id of a snapshot."""
    if not SNAPSHOT_ID.match(value):
        raise CloudError(f"{option}: {value!r} is not a snapshot id such as snap-0000001a.")


def check_device(option: str, value: str) -> None:
    """Refuse what is not the name of a device that a volume can be attached as."""
    if not DEVICE.match(value) or letters(value) == "a":
        raise CloudError(
            f"{option}: {value!r} is not a device for a volume, such as /dev/vdb; the first is the root's."
        )


def letters(device: str | None) -> str | None:
    """What tells a device of a VM: the cloud puts the prefix of the root device before it, whatever it was given."""
    found = DEVICE.match(device or "")
    return found[1] if found else device


def volume_view(volume: t.Any) -> View:
    """A volume, and where it is attached. size: GiB."""
    at = volume.attach_data
    return {
        "volume_id": text(volume.id),
        "state": ADMIN_SUFFIX.sub("", text(volume.status) or "unknown"),
        "size": whole(volume.size),
        "availability_zone": text(volume.zone),
        "snapshot_id": text(volume.snapshot_id),
        "create_time": moment(volume.create_time),
        "instance_id": without_admin_suffix(getattr(at, "instance_id", None)),
        "device_name": text(getattr(at, "device", None)),
        "attachment_state": text(getattr(at, "status", None)),
    }


def new_volume(size: int | None, zone: str | None, snapshot: str | None) -> View:
    """A volume that is still to be made."""
    return {
        **dict.fromkeys(("volume_id", "create_time", "instance_id", "device_name", "attachment_state")),
        "state": "available",
        "size": size,
        "availability_zone": zone,
        "snapshot_id": snapshot,
    }


def list_volumes(connection: t.Any) -> list[View]:
    """Every volume of the project, by id. An administrator is shown other projects' by some servers, with their ids."""
    volumes = list(attempt("list volumes", connection.get_all_volumes))
    if any(ADMIN_SUFFIX.search(volume.status or "") for volume in volumes):
        own = own_project(connection)
        volumes = [volume for volume in volumes if f"({own}," in (volume.status or "")]
    return sorted(map(volume_view, volumes), key=lambda view: str(view["volume_id"]))


class Kind(t.NamedTuple):
    """What is waited for: its name, the key of its id, and what lists it."""

    noun: str
    key: str
    list: t.Callable[[t.Any], list[View]]


VOLUMES = Kind("volume", "volume_id", list_volumes)


def looks(connection: t.Any, seconds: float, kind: Kind = VOLUMES) -> t.Iterator[tuple[dict[str, View], bool]]:
    """What there is by ids, now and again for as many seconds, and whether it is the last look."""
    for last in itertools.chain([seconds <= 0], polls(1, seconds) if seconds > 0 else ()):
        yield {view[kind.key]: view for view in kind.list(connection)}, last


def send(what: str, call: t.Callable[..., t.Any], *args: t.Any, absent: t.Any = None) -> CloudError | None:
    """Make one request that changes something. Its error, if nobody can know whether it was carried out."""
    try:
        attempt(what, call, *args, absent=absent)
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT):
            raise
        return error
    return None


def wait_for(
    connection: t.Any,
    ids: t.Collection[str],
    fits: t.Callable[[str, View | None], bool],
    goal: str,
    timeout: float,
    lost: t.Mapping[str, CloudError],
    kind: Kind = VOLUMES,
) -> None:
    """Look until the volumes fit, None being one that is gone. goal: in words; lost: errors of requests by volume.

    What was asked for by a request whose answer was lost is looked for less long, and its error raised.
    """
    open_ones, begun = set(ids), time.monotonic()
    for shown, last in looks(connection, max(timeout, 0.0) if open_ones - lost.keys() else LATE_SECONDS, kind):
        open_ones = {value for value in open_ones if not fits(value, shown.get(value))}
        if not open_ones:
            return
        failed = [value for value in sorted(open_ones) if value in shown and shown[value]["state"].startswith("error")]
        if failed:
            raise CloudError(f"The cloud failed with {', '.join(failed)}: {shown[failed[0]]['state']}, not {goal}.")
        only_lost = open_ones <= lost.keys() and time.monotonic() >= begun + LATE_SECONDS
        if last or only_lost:
            first = min(open_ones & lost.keys() or open_ones)
            if first in lost:
                error = lost[first]
                error.message += f" {kind.noun.title()} {first} does not show as {goal}. Nothing was sent again."
                raise error
            states = ", ".join(f"{value} {shown[value]['state'] if value in shown else 'gone'}" for value in open_ones)
            raise CloudError(f"After {timeout:g} s (wait_timeout), {kind.noun}s are not {goal}: {states}.")
