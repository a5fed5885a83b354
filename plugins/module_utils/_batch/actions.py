# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What a run can do next, as data. loop.py carries them out, memory.py says what is known after each."""

from __future__ import annotations

import typing as t

from .._api.errors import CloudError


class Waiting(t.NamedTuple):
    """What is being waited for, until when at most, and who was there when it began.

    what: late, lost, gone, built, room (in the quota), settled or single; until: by the monotonic clock; rounds: how
    many looks so far; ids: who it is about; begun: how many were not as they shall be when it began; quick: whether
    they were fewer at the first look.
    """

    what: str
    until: float = 0.0
    rounds: int = 0
    ids: frozenset[str] = frozenset()
    there: frozenset[str] = frozenset()
    begun: int = 0
    quick: bool = False


class Look(t.NamedTuple):
    """Sleep for pause seconds, and list the VMs."""

    pause: float
    waiting: Waiting


class Launch(t.NamedTuple):
    """Ask once for VMs for slots in zone, least of them at the least.

    expected: how many members there are then; instead_of: the members whose numbers these are, and which go once the
    new ones are well.
    """

    slots: tuple[int, ...]
    zone: str | None
    least: int
    expected: int
    instead_of: tuple[str, ...] = ()


class Found(t.NamedTuple):
    """Take over what was found of a launch of which the answer was lost."""

    ids: tuple[str, ...]


class Terminate(t.NamedTuple):
    """Terminate VMs.

    why: removed, differing (others take their place), replaced or failed (others take the place of failed ones, or
    not), or double (launched by this run as well as by another).
    """

    ids: tuple[str, ...]
    why: str
    warning: str | None = None


class Change(t.NamedTuple):
    """Ask for another state of VMs. verb: start, stop or reboot."""

    verb: str
    ids: tuple[str, ...]


class Tag(t.NamedTuple):
    """Give VMs tags. what: for messages; vital: whether a cloud without tags is an error."""

    what: str
    ids: tuple[str, ...]
    tags: t.Mapping[str, str]
    vital: bool = True


class Mark(t.NamedTuple):
    """Make the mark of the batch unless it is there."""


class SingleMark(t.NamedTuple):
    """Have one mark of the batch where there are several."""


class Unmark(t.NamedTuple):
    """Remove the mark of the batch."""


class Note(t.NamedTuple):
    """Nothing is asked of the cloud: known is what the memory holds from now on."""

    known: t.Mapping[str, t.Any]
    warning: str | None = None


class Refuse(t.NamedTuple):
    """Give up. advise: whether the cloud is asked what could have been named instead."""

    error: CloudError
    advise: bool = False


class Done(t.NamedTuple):
    """All is as it shall be."""


Action = t.Union[Look, Launch, Found, Terminate, Change, Tag, Mark, SingleMark, Unmark, Note, Refuse, Done]
