# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups and their rules."""

from __future__ import annotations

import re
from typing import Any

from ..errors import NovaError
from ..model import Group, Rule
from . import filters, neutron_rules, nova_rules
from .call import Call
from .registry import action

_TEXT = re.compile(r"[A-Za-z0-9_\- ]+\Z")
_LONGEST = 255


def requested(call: Call, kwargs: dict[str, Any]) -> list[str]:
    """Return the names of the groups that a launch asks for, by default ``default``; all must exist."""
    names = list(kwargs.get("security_group") or [])
    if call.profile.ec2api:
        names += [by_id(call, sg_id).name for sg_id in kwargs.get("security_group_id") or []]
        _check_known(call, names)
    return [call.cloud.group(call.tenant, name).name for name in names or ["default"]]


def _check_known(call: Call, names: list[str]) -> None:
    """Refuse unknown groups of a launch with Nova's own words, which come through ec2-api as they are."""
    known = {group.name for group in call.cloud.groups_of(call.tenant)}
    for name in names:
        if name not in known:
            raise NovaError("LaunchRefused", f"Unable to find security_group with name or id '{name}'")


def by_id(call: Call, group_id: Any) -> Group:
    """Return a group of the project by its id."""
    for group in call.cloud.groups_of(call.tenant):
        if group_id == (group.sg_id if call.profile.ec2api else group.number):
            return group
    raise NovaError("GroupNotFound", f"Security group {group_id} not found for project {call.tenant}.", group_id)


def _find(call: Call, name: Any, group_id: Any) -> Group:
    if name is None and group_id is None:
        text = _text(call, "Not enough parameters", "need group_name or group_id")
        ours = "The required parameter 'group id or name' is missing"
        raise NovaError("MissingParameter", ours if call.profile.ec2api else text)
    return by_id(call, group_id) if name is None else call.cloud.group(call.tenant, name)


def _text(call: Call, opening: str, text: str) -> str:
    return f"{opening}: {text}" if call.profile.pretty else f"{opening}, {text}"


@action(also="max_results next_token")
def describe_security_groups(
    call: Call, /, group_name: Any = None, group_id: Any = None, filter: Any = None, **_ignored: Any
) -> dict[str, Any]:
    """Return the project's groups sorted by name, or those asked for."""
    if group_name is None and group_id is None:
        chosen = call.cloud.groups_of(call.tenant)
    else:
        chosen = [call.cloud.group(call.tenant, name) for name in group_name or []]
        chosen += [by_id(call, one) for one in group_id or []]
    if call.profile.ec2api:
        chosen = _filtered(chosen, filter)
    answer = {"securityGroupInfo": [_entry(call, group) for group in sorted(chosen, key=lambda one: one.name)]}
    meet(call)
    return answer


def meet(call: Call) -> None:
    """Have ec2-api know the project's groups, as it does from each list on."""
    for group in call.cloud.groups_of(call.tenant):
        group.known = True


def _filtered(chosen: list[Group], filter_: Any) -> list[Group]:
    known = {"group-name": "name", "group-id": "sg_id", "description": "description", "owner-id": "tenant_id"}
    for name, values in filters.pairs(filter_):
        if name not in known:
            raise NovaError("InvalidParameter", f"The filter '{name}' is invalid")
        chosen = [group for group in chosen if filters.matches([getattr(group, known[name])], values)]
    return chosen


def _entry(call: Call, group: Group) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "ipPermissions": [_permission(call, group, rule) for rule in nova_rules.shown(group.rules)],
        "groupName": group.name,
        "groupDescription": group.description,
        "ownerId": group.tenant_id,
    }
    if call.profile.ec2api:
        entry["groupId"] = group.sg_id
        entry["ipPermissionsEgress"] = [_permission(call, group, neutron_rules.EVERYTHING)]
    return entry


def _permission(call: Call, group: Group, rule: Rule) -> dict[str, Any]:
    source = [] if rule.source is None else [_source_entry(call, group, rule.source)]
    entry: dict[str, Any] = {
        "toPort": rule.to_port,
        "ipProtocol": rule.protocol,
        "ipRanges": [] if rule.cidr is None else [{"cidrIp": rule.cidr}],
        "groups": source,
        "fromPort": rule.from_port,
    }
    return {key: value for key, value in entry.items() if value != []} if call.profile.ec2api else entry


def _source_entry(call: Call, group: Group, source: tuple[str, str]) -> dict[str, str]:
    owner, name = source
    if not call.profile.ec2api:
        return {"groupName": name, "userId": owner}
    named = call.cloud.group(owner, name)
    return {**({"groupId": named.sg_id} if named.known else {}), "groupName": name, "userId": owner}


@action(required="group_name group_description")
def create_security_group(call: Call, /, group_name: Any, group_description: Any, vpc_id: Any = None) -> dict[str, Any]:
    """Make a group. Nova takes no parameter beyond the first two, so that any other makes it fail."""
    mine = call.cloud.groups_of(call.tenant)
    if call.profile.ec2api:
        _check_place(group_name, vpc_id)
    elif vpc_id is not None:
        raise TypeError("Nova has no VPCs")
    else:
        _check_text(call, group_name, "name")
        _check_text(call, group_description, "description")
        _check_group_quota(call, mine)
    if any(group.name == group_name for group in mine):
        raise NovaError("GroupExists", f"Security group {group_name} already exists", group_name)
    # Behind ec2-api it is Neutron that counts, when all else is well.
    _check_group_quota(call, mine)
    group = call.cloud.add_group(call.tenant, group_name, group_description)
    if call.profile.ec2api:
        return {"return": True, "groupId": group.sg_id}
    return {"securityGroupSet": [_entry(call, group)]}


def _check_place(name: Any, vpc_id: Any) -> None:
    if name == "default":
        raise NovaError("GroupReserved", "The security group '%(group_name)' is reserved.")
    if vpc_id is not None:
        raise NovaError("VpcNotFound", f"The vpc ID '{vpc_id}' does not exist")


def _check_group_quota(call: Call, mine: list[Group]) -> None:
    if 0 <= call.cloud.settings.quota_groups <= len(mine):
        raise NovaError("GroupLimit", "Quota exceeded, too many security groups.")


def _check_rule_quota(call: Call, group: Group, more: int) -> None:
    if 0 <= call.cloud.settings.quota_group_rules < len(group.rules) + more:
        raise NovaError("RuleLimit", "Quota exceeded, too many security group rules.")


def _check_text(call: Call, value: Any, what: str) -> None:
    stripped = value.strip()
    if call.profile.common_lengths and not stripped:
        raise NovaError("InvalidInput", f"{what} has a minimum character requirement of 1.")
    if call.profile.common_lengths and len(stripped) > _LONGEST:
        raise NovaError("InvalidInput", f"{what} has more than {_LONGEST} characters.")
    if not stripped:
        raise NovaError("InvalidParameter", f"Security group {what} cannot be empty.")
    if len(stripped) > _LONGEST:
        raise NovaError("InvalidParameter", f"Security group {what} should not be greater than {_LONGEST} characters.")
    if not _TEXT.match(stripped):
        raise NovaError(
            "GroupNameInvalid",
            f"Value ({value}) for parameter Group{what.title()} is invalid. "
            r"Content limited to '^[a-zA-Z0-9_\- ]+$'.",
        )


@action()
def delete_security_group(
    call: Call, /, group_name: Any = None, group_id: Any = None, **_ignored: Any
) -> dict[str, Any]:
    """Delete a group that no server uses."""
    group = _find(call, group_name, group_id)
    if group.name == "default":
        reason = "Unable to delete system group 'default'"
        raise _in_use(call, group, reason, "Insufficient rights for removing default security group.")
    if any(group.name in server.groups for server in call.cloud.servers_of(call.tenant)):
        raise _in_use(call, group, "Security group is still in use", f"Security Group {call.cloud.new_uuid()} in use.")
    call.cloud.groups.remove(group)
    if call.profile.ec2api:
        _forget_as_source(call, group)
    return {"return": True}


def _forget_as_source(call: Call, group: Group) -> None:
    for other in call.cloud.groups:
        other.rules = [rule for rule in other.rules if rule.source != (group.tenant_id, group.name)]


def _in_use(call: Call, group: Group, nova: str, neutron: str) -> NovaError:
    """Return the refusal to delete a group, in the words of whoever keeps groups."""
    if not call.profile.ec2api:
        return NovaError("GroupInUse", f"Group not valid. Reason: {nova}")
    request = f"Neutron server returns request_ids: ['req-{call.cloud.new_uuid()}']"
    return NovaError("GroupInUse", f"Object {group.sg_id} has dependent resource {neutron}\n{request}")


@action(also="ip_permissions")
def authorize_security_group_ingress(
    call: Call, /, group_name: Any = None, group_id: Any = None, **kwargs: Any
) -> dict[str, Any]:
    """Add rules; one that exists already refuses them all, or on ec2-api those that come after it."""
    if call.profile.ec2api:
        return _authorize_in_neutron(call, group_name, group_id, kwargs.get("ip_permissions"))
    group = _find(call, group_name, group_id)
    rules = nova_rules.wanted(call, kwargs)
    for rule in rules:
        if rule in group.rules:
            raise NovaError("RuleExists", _exists(call, group, rule))
    _check_rule_quota(call, group, len(rules))
    group.rules += rules
    return {"return": True}


def _authorize_in_neutron(call: Call, group_name: Any, group_id: Any, permissions: Any) -> dict[str, Any]:
    neutron_rules.check_given(permissions)
    group = _find(call, group_name, group_id)
    for rule in neutron_rules.wanted(permissions, lambda one, name: _find(call, name, one)):
        if rule in group.rules:
            raise NovaError("RuleExists", "")
        _check_rule_quota(call, group, 1)
        group.rules.append(rule)
    return {"return": True}


@action(also="ip_permissions")
def revoke_security_group_ingress(
    call: Call, /, group_name: Any = None, group_id: Any = None, **kwargs: Any
) -> dict[str, Any]:
    """Remove the rules that match; it is an error if none does."""
    if call.profile.ec2api:
        return _revoke_in_neutron(call, group_name, group_id, kwargs.get("ip_permissions"))
    group = _find(call, group_name, group_id)
    found = [rule for rule in nova_rules.wanted(call, kwargs) if rule in group.rules]
    if not found:
        raise NovaError("RuleNotFound", "No rule for the specified parameters.")
    group.rules = [rule for rule in group.rules if rule not in found]
    return {"return": True}


def _revoke_in_neutron(call: Call, group_name: Any, group_id: Any, permissions: Any) -> dict[str, Any]:
    """Remove nothing, unless each rule is known again: newer Neutrons tell more of one than ec2-api expects."""
    neutron_rules.check_given(permissions)
    group = _find(call, group_name, group_id)
    found = neutron_rules.wanted(permissions, lambda one, name: _find(call, name, one))
    if call.profile.rules_recognized and all(rule in group.rules for rule in found):
        group.rules = [rule for rule in group.rules if rule not in found]
    elif found and group_id is None:
        raise AttributeError(f"nothing has the id that group {group.name} was not given by")
    return {"return": True}


@action(lambda profile: profile.ec2api, also="ip_permissions", required="group_id")
def authorize_security_group_egress(call: Call, /, group_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Refuse: rules for outgoing traffic need a VPC, and this cloud has none."""
    by_id(call, group_id)
    raise NovaError("InvalidParameter", "Only Amazon VPC security groups may be used with this operation.")


@action(lambda profile: profile.ec2api, also="ip_permissions", required="group_id")
def revoke_security_group_egress(call: Call, /, group_id: Any, **kwargs: Any) -> dict[str, Any]:
    """Refuse, as for the opposite action."""
    return authorize_security_group_egress(call, group_id=group_id, **kwargs)


def _exists(call: Call, group: Group, rule: Rule) -> str:
    where = f"'cidr': u'{rule.cidr}'" if rule.cidr is not None else "'group_id': 1"
    text = (
        f"{{'to_port': {rule.to_port}, {where}, 'from_port': {rule.from_port}, 'protocol': '{rule.protocol}', "
        f"'parent_group_id': {group.number}}}"
    )
    if call.profile.pretty:
        return f"Rule already exists in group: {text}"
    return f"{text} - This rule already exists in group"
