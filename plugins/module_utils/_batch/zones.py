# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Which zones new members go to."""

from __future__ import annotations

import typing as t

from .._resources.instances import View

Zoned = list[tuple[t.Optional[str], list[int]]]


def spread(
    slots: t.Sequence[int],
    zones: t.Sequence[str],
    views: t.Iterable[View],
    shunned: t.Mapping[int, t.Container[str]],
) -> Zoned:
    """Give each number the zone with the fewest members: [(zone, numbers)], in the order of zones.

    shunned: the zones in which a number has failed already; they are taken again only when all have failed.
    """
    if not zones:
        return [(None, list(slots))]
    load = dict.fromkeys(zones, 0)
    for view in views:
        if view["availability_zone"] in load:
            load[view["availability_zone"]] += 1
    chosen: dict[str, list[int]] = {zone: [] for zone in zones}
    for slot in slots:
        left = [zone for zone in zones if zone not in shunned.get(slot, ())] or zones
        zone = min(left, key=lambda name: load[name])
        chosen[zone].append(slot)
        load[zone] += 1
    return [(zone, numbers) for zone, numbers in chosen.items() if numbers]
