# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Security groups: which there are, and what uses them."""

from __future__ import annotations

import typing as t

from .._api.connection import attempt
from .._api.errors import CloudError
from .instances import list_instances
from .security_group_rules import Rule, rules_shown
from .views import text

View = dict[str, t.Any]


def group_view(group: t.Any) -> View:
    """A security group, with its rules for what comes in.

    Rules for what goes out are left out: Nova has none, and ec2-api gives each group one that allows everything, and
    refuses to change it.
    """
    return {
        "name": text(group.name),
        "description": text(group.description),
        "group_id": text(group.id),
        "vpc_id": text(group.vpc_id),
        "owner_id": text(group.owner_id),
        "rules": [rule._asdict() for rule in rules_shown(group)],
    }


def list_groups(connection: t.Any) -> list[View]:
    """The project's groups, by name. Listed whole: asking for an unknown name fails in ways that differ."""
    groups = map(group_view, attempt("list security groups", connection.get_all_security_groups))
    return sorted(groups, key=lambda view: (view["name"] or "", view["group_id"] or ""))


def find_group(groups: t.Sequence[View], name: str) -> View | None:
    """The group called name, or None. Several of one name, which ec2-api may have, cannot be told apart."""
    named = [view for view in groups if view["name"] == name]
    if len(named) > 1:
        ids = ", ".join(str(view["group_id"]) for view in named)
        raise CloudError(
            f"There are {len(named)} security groups called {name} ({ids}), and which of them is meant cannot be told. "
            "Delete all but one with another client, by their ids."
        )
    return named[0] if named else None


def rules_of(view: View | None) -> list[Rule]:
    """The rules of a group."""
    return [Rule(**rule) for rule in view["rules"]] if view else []


def ids_of(groups: t.Iterable[View]) -> dict[str, str | None]:
    """Ids by name; None on Nova, which shows none."""
    return {str(view["name"]): view["group_id"] for view in groups}


def members_in(connection: t.Any, group: View) -> list[View]:
    """The VMs that are in a group; those that have no network yet may not show theirs."""
    views = list_instances(connection).views
    return [
        view for view in views if view["owner_id"] == group["owner_id"] and group["name"] in view["security_groups"]
    ]


def named_by(groups: t.Iterable[View], group: View) -> list[str]:
    """The names of the other groups whose rules name a group."""
    own = [view for view in groups if view is not group]
    return [
        str(view["name"])
        for view in own
        if any(rule.group_name == group["name"] and not rule.group_owner_id for rule in rules_of(view))
    ]
