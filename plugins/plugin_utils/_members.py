# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The members of a batch as hosts of a running play: all of them at once, and no others.

A task runs in a process of its own. To the process that has the inventory it can say that there is a host, one at a
time, and never that one is gone; and all hosts are gone through for each. So that process is taught one more form of
it, a whole batch. It knows the form once it has loaded the action plugin, which it does before it starts the task.
"""

from __future__ import annotations

import functools
import json
import typing as t

from ._hosts import ID, Standing, Vm, vm_of

FORM = "nova_ec2_batch_of_hosts"
KNOWN = "_knows_batches_of_hosts"

Variables = dict[str, t.Any]


class Members(t.NamedTuple):
    """The hosts of a batch.

    batch: any VM of it; label: a word for its cloud; hosts: names and variables; gone: ids of VMs that were hosts.
    """

    batch: Vm
    label: str
    group: str | None
    hosts: list[tuple[str, Variables]]
    gone: tuple[str, ...] = ()

    @property
    def whose(self) -> tuple[t.Any, ...]:
        """What these are the members of."""
        return self.batch.endpoint, self.batch.batch, self.group

    def told(self) -> Variables:
        """What is said to the process that has the inventory, as the variables of one host."""
        # One text is sent ten times as quickly as many values, each of which Ansible has marks on. Without marks none
        # of them is a template.
        return {FORM: json.dumps([self.batch, *self[1:]], default=str)}


def _read(host_info: t.Any) -> Members | None:
    # A dictionary up to ansible-core 2.20.
    found = host_info.get("host_vars") if isinstance(host_info, dict) else getattr(host_info, "host_vars", None)
    if not isinstance(found, dict) or FORM not in found:
        return None
    batch, label, group, hosts, gone = json.loads(found[FORM])
    return Members(Vm(*batch), label, group, hosts, tuple(gone))


def teach(manager: t.Any) -> None:
    """Have a class of inventories know the form."""
    known = manager.add_dynamic_host
    if getattr(known, KNOWN, False):
        return

    @functools.wraps(known)
    def add_dynamic_host(self: t.Any, host_info: t.Any, *more: t.Any, **others: t.Any) -> t.Any:
        members = _read(host_info)
        if members is None:
            return known(self, host_info, *more, **others)
        result = more[0] if more and isinstance(more[0], dict) else {}
        if result.get("refresh") or others.get("already_in_cache"):
            _settle(self, members, again=True)
            return False
        now = _settle(self, members, again=False)
        # What is said last of a batch counts when the inventory is read anew.
        kept = self._cached_dynamic_hosts
        earlier = [found for found in map(_read, kept) if found is not None and found.whose == now.whose]
        now = now._replace(gone=(*now.gone, *(value for found in earlier for value in found.gone)))
        kept[:] = [one for one in kept if (found := _read(one)) is None or found.whose != now.whose]
        kept.append(host_info)
        (host_info["host_vars"] if isinstance(host_info, dict) else host_info.host_vars).update(now.told())
        # Nobody needs to see all of it in the result.
        result.pop("add_host", None)
        result["changed"] = False
        return False

    setattr(add_dynamic_host, KNOWN, True)
    manager.add_dynamic_host = add_dynamic_host


def arranged(members: Members, standing: Standing) -> tuple[Members, list[str]]:
    """The members by the names that they get, and the names of hosts that are to go.

    No host of anybody else is touched: where another VM has a name, the member gets another.
    """
    hosts: dict[str, Variables] = {}
    for wished, variables in members.hosts:
        name = standing.name_for(wished, vm_of(variables) or members.batch, members.label, renews=True)
        while name in hosts:
            name += "_"
        hosts[name] = variables
    said = {name: vm_of(variables) for name, variables in standing.hosts.items()}
    others = [name for name, vm in said.items() if vm is not None and vm.is_beside(members.batch) and name not in hosts]
    return members._replace(hosts=list(hosts.items())), others


def _settle(manager: t.Any, members: Members, again: bool) -> Members:
    """Have these be the hosts of their batch.

    again: whether the inventory has been read anew, and so may know of later members than these.
    """
    inventory = manager._inventory
    group = inventory.add_group(members.group) if members.group else None
    standing = Standing({name: host.vars for name, host in inventory.hosts.items()}, inventory.groups)
    now, others = arranged(members, standing)
    there = {variables[ID] for _name, variables in now.hosts}
    gone = [value for value in members.gone if value not in there]
    for name in others:
        value = inventory.hosts[name].vars[ID]
        if not again or value in gone:
            _remove(manager, inventory.hosts[name])
            gone += [value] if value not in there else []
    for name, variables in now.hosts:
        inventory.add_host(name, group or "all")
        host = inventory.hosts[name]
        was, vm = vm_of(host.vars), vm_of(variables)
        # Nothing is left of a VM that had the name before, nor an address that the VM has no more.
        kept = host.vars if was is None or vm is None or was.is_also(vm) else {}
        host.vars = {**{key: value for key, value in kept.items() if key != "ansible_host"}, **variables}
    manager.reconcile_inventory()
    return now._replace(gone=tuple(gone))


def _remove(manager: t.Any, host: t.Any) -> None:
    inventory = manager._inventory
    if host.name not in (manager._restriction or ()):
        inventory.remove_host(host)
        return
    # The play that runs has tasks for it, and Ansible does not get on without a host that it has counted.
    for group in [one for one in host.groups if one.name not in ("all", "ungrouped")]:
        group.remove_host(host)
