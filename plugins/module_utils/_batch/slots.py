# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The numbers of a batch's members: read back from the records of their launches, or given by age.

A launch writes its record into its client token (_record.py). Icehouse to Liberty and ec2-api show the token with every
VM. Havana does not; there, and wherever a member has no record, the same text is kept in the tag ``ansible-launch``.
Grizzly has neither: its members are numbered by launch and launch index.
"""

from __future__ import annotations

import string
import typing as t

from .._api.errors import CloudError
from .._resources.instances import View, age_order
from .._resources.record import TAG, Record, read


def claim(view: View) -> int | None:
    """The number that the record of a VM gives it, or None."""
    found = _found(view)
    if found is None or view["launch_index"] is None:
        return None
    return found.slot(view["launch_index"])


def data_fingerprint(view: View) -> str | None:
    """The fingerprint of a VM's user data, or None where the server cannot keep it."""
    found = _found(view)
    return found.data if found else None


def number(views: t.Iterable[View], known: t.Mapping[str, int]) -> dict[str, int]:
    """Number members by id: each as its record (or known) says, the oldest first.

    Launches without a record, the oldest first, fill the gaps that are left, each VM by its launch index. Those whose
    number an older one has come last.
    """
    taken: dict[int, str] = {}
    launches: dict[str | None, dict[int, str]] = {}
    rest = []
    for view in sorted(views, key=age_order):
        value, slot, index = view["instance_id"], known.get(view["instance_id"]) or claim(view), view["launch_index"]
        launch = launches.setdefault(view["reservation_id"], {})
        if slot and slot not in taken:
            taken[slot] = value
        elif not slot and index is not None and index not in launch:
            launch[index] = value
        else:
            rest.append(value)
    order = sorted(taken)
    for launch in launches.values():
        gaps = [(_gap(order, index), value) for index, value in launch.items()]
        taken.update(gaps)
        order = sorted(taken)
    taken.update(zip(free(taken, len(rest)), rest))
    return {value: slot for slot, value in taken.items()}


def free(taken: t.Container[int], count: int) -> list[int]:
    """The count lowest numbers that are not taken."""
    found: list[int] = []
    slot = 1
    while len(found) < count:
        if slot not in taken:
            found.append(slot)
        slot += 1
    return found


def _gap(order: t.Sequence[int], index: int) -> int:
    """The number that is free of a place in the order of the free ones, from 0; order: those taken, in order."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if order[middle] - middle > index + 1 else (middle + 1, high)
    return index + 1 + low


def check_name_template(template: str) -> None:
    """Refuse a template that does not give every number a name of its own."""
    try:
        fields = {field for _text, field, _spec, _conversion in string.Formatter().parse(template) if field is not None}
        if fields <= {"index", "batch"} and name_of(template, "b", 1) != name_of(template, "b", 2):
            return
    except (ValueError, LookupError, AttributeError):
        pass
    raise CloudError(
        f"name_template: {template!r} must hold {{index}}, and may hold {{batch}}, such as 'web-{{index:03d}}'."
    )


def name_of(template: str | None, batch: str, slot: int) -> str | None:
    """The name of a member."""
    return template.format(index=slot, batch=batch) if template else None


def _found(view: View) -> Record | None:
    return read(view["tags"].get(TAG) or view["client_token"])
