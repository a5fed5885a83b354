# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Carrying out what becomes of a security group: single requests, and looking when an answer does not tell."""

from __future__ import annotations

import typing as t

from .._api.connection import attempt
from .._api.errors import (
    GROUP_DUPLICATE,
    GROUP_GONE,
    GROUP_IN_USE,
    NOT_SENT,
    QUOTA,
    REFUSED,
    RULE_DUPLICATE,
    RULE_GONE,
    CloudError,
    may_pass,
)
from .security_group_rules import Rule, line, parameters, with_wholes
from .security_groups import View, find_group, group_view, ids_of, list_groups, rules_of
from .wait import insist


class Changes(t.NamedTuple):
    """What shall become of a group: the groups as they are, itself among them if it exists, and as it shall be."""

    connection: t.Any
    groups: list[View]
    current: View | None
    after: View

    @property
    def name(self) -> str:
        """The group's name."""
        return str(self.after["name"])

    @property
    def add(self) -> list[Rule]:
        """The rules that it lacks."""
        have = rules_of(self.current)
        return [rule for rule in rules_of(self.after) if rule not in have]

    @property
    def remove(self) -> list[Rule]:
        """The rules that it shall lose."""
        keep = rules_of(self.after)
        return [rule for rule in rules_of(self.current) if rule not in keep]

    def seen(self) -> View | None:
        """The group as it is now."""
        return find_group(list_groups(self.connection), self.name)


def carry(changes: Changes, warn: t.Callable[[str], None]) -> View:
    """Make the group, add and remove its rules, and look. Returns it as it is then."""
    group = changes.current or create(changes, warn)
    missing = [rule for rule in changes.add if rule not in rules_of(group)]
    if not missing and not changes.remove:
        return group
    try:
        alter(changes, group, missing)
        seen = changes.seen()
        if seen is None or progress(changes, seen)[1]:
            raise CloudError(ineffective(changes, seen))
        return seen
    except CloudError as error:
        raise told(changes, error) from error.__cause__


def create(changes: Changes, warn: t.Callable[[str], None]) -> View:
    """Make the group. Another run that makes it at the same time is no harm, and nor is a lost answer."""
    name, after = changes.name, changes.after
    what = f"create security group {name}"
    try:
        made = attempt(what, changes.connection.create_security_group, name, after["description"])
        return {**after, "group_id": group_view(made)["group_id"], "rules": []}
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT) and not GROUP_DUPLICATE.matches(error):
            raise
        seen = changes.seen()
        if seen is None:
            raise
        warn(f"{error.message} The group is there all the same.")
        return seen


def alter(changes: Changes, group: View, add: list[Rule]) -> None:
    """Add first, so that nothing is cut off that shall go on; remove first where the quota leaves no other way."""
    try:
        authorize(changes, group, add)
    except CloudError as error:
        if not changes.remove or not QUOTA.matches(error):
            raise
        revoke(changes, group, changes.remove)
        have = rules_of(changes.seen())
        authorize(changes, group, [rule for rule in add if rule not in have])
        return
    revoke(changes, group, changes.remove)


def authorize(changes: Changes, group: View, rules: list[Rule]) -> None:
    """Add rules with one request. If some are there already or the answer gets lost, look which are left."""
    while rules:
        try:
            send(changes, "AuthorizeSecurityGroupIngress", "add rules to", group, rules)
            return
        except CloudError as error:
            duplicate = RULE_DUPLICATE.matches(error)
            if not duplicate and error.outcome in (REFUSED, NOT_SENT):
                raise
            have = rules_of(changes.seen())
            left = [rule for rule in rules if rule not in have]
            # Of several rules Nova adds none if one is there already, and ec2-api those before it.
            if left and (not duplicate or len(left) == len(rules)):
                raise
            rules = left


def revoke(changes: Changes, group: View, rules: list[Rule]) -> None:
    """Remove rules with one request. Whether they are gone is looked at afterwards: not every answer is true."""
    if not rules:
        return
    try:
        wholes = rules if group["group_id"] else with_wholes(rules)
        send(changes, "RevokeSecurityGroupIngress", "remove rules from", group, wholes)
    except CloudError as error:
        if error.outcome == NOT_SENT or (error.outcome == REFUSED and not RULE_GONE.matches(error)):
            raise
        if error.outcome != REFUSED and set(rules) & set(rules_of(changes.seen())):
            raise


def send(changes: Changes, action: str, what: str, group: View, rules: list[Rule]) -> None:
    """One request with several rules, which boto's own method cannot make."""
    # ec2-api fails to remove rules from a group that is given by name.
    of = {"GroupId": group["group_id"]} if group["group_id"] else {"GroupName": group["name"]}
    ids = ids_of([*changes.groups, group])
    asked = {**of, **parameters(rules, ids, neutron=group["group_id"] is not None)}
    attempt(f"{what} security group {changes.name}", changes.connection.get_status, action, asked, verb="POST")


def progress(changes: Changes, seen: View | None) -> tuple[list[str], list[str]]:
    """What has been done and what is left, for people."""
    have = rules_of(seen)
    steps = [(f"create group {changes.name}", seen is not None)] if changes.current is None else []
    steps += [(f"add {line(rule)}", rule in have) for rule in changes.add]
    steps += [(f"remove {line(rule)}", rule not in have) for rule in changes.remove]
    return [what for what, done in steps if done], [what for what, done in steps if not done]


def ineffective(changes: Changes, seen: View | None) -> str:
    """Why a group is not as it should be although the cloud did not refuse anything."""
    if seen is None:
        return f"Security group {changes.name} has vanished while its rules were changed. Run the task again."
    stay = [rule for rule in changes.remove if rule in rules_of(seen)]
    if stay and seen["group_id"]:
        return (
            f"The cloud says that it removed rules from security group {changes.name}, but they are still there. "
            "Some releases of ec2-api cannot remove rules from newer Neutrons. Remove them with 'openstack security "
            "group rule delete', or delete the group and have it made again, or set purge_rules to false."
        )
    if stay:
        return (
            f"Rules of security group {changes.name} are still there after they were to be removed. One that was made "
            "without a protocol shows as three (icmp, tcp, udp), and can only be removed whole: have all rules from "
            "that group removed first, and then added as you want them."
        )
    return f"Security group {changes.name} was changed by somebody else at the same time. Run the task again."


def told(changes: Changes, error: CloudError) -> CloudError:
    """The error, with what has been done and what is left."""
    try:
        done, left = progress(changes, changes.seen())
    except CloudError as unseen:
        error.message += f" What has been done cannot be seen either ({unseen.message})."
        error.details.update(changed=True, done=None, left=None)
        return error
    error.message += f" Done: {'; '.join(done) or 'nothing'}. Left to do: {'; '.join(left) or 'nothing'}."
    error.details.update(changed=bool(done), done=done, left=left)
    return error


def delete(connection: t.Any, group: View, patience: float) -> None:
    """Delete a group; if the answer does not tell, look whether it is gone.

    patience: for how many seconds to go on while the cloud has not let go of it, as just after its last VM has gone.
    """
    name = group["name"]
    by = {"group_id": group["group_id"]} if group["group_id"] else {"name": name}

    def ask() -> None:
        try:
            attempt(f"delete security group {name}", connection.delete_security_group, absent=GROUP_GONE, **by)
        except CloudError as error:
            if error.outcome in (REFUSED, NOT_SENT) or find_group(list_groups(connection), name):
                raise

    try:
        insist(ask, lambda error: may_pass(error, GROUP_IN_USE), patience)
    except CloudError as error:
        if error.outcome != NOT_SENT:
            error.message += (
                " No VM that the cloud shows is in it, and no rule of another group names it; ports, load balancers or "
                "VMs without a network may use it."
            )
        raise
