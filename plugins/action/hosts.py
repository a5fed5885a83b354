# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has the members of a batch, and no others, be hosts of the running play's inventory."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_batch
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.slots import check_name_template, name_of
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import check_instance_ids
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._hosts import (
    ID,
    UNSAFE,
    Standing,
    Vm,
    address_of,
    is_host_name,
    label_of,
    vm_of,
)
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._members import Members, arranged, teach

# Ansible loads this file in the process that has the inventory, before it starts a task elsewhere.
teach(InventoryManager)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "batch": {"type": "str", "required": True},
    "endpoint": {"type": "str"},
    "group": {"type": "str"},
    "variables": {"type": "dict", "default": {}},
    "name_template": {"type": "str"},
    "count": {"type": "int"},
}
WHY = (
    "letters, digits, '_', '-', '.', '+' and inner spaces, beginning with a letter or digit, make names that Ansible's "
    "inventory does not split or expand."
)
# So many names are looked at before a batch comes up.
MOST_NAMES = 10_000


class ActionModule(ActionBase):
    """Decides which host each VM is; the hosts themselves are added by the process that has the inventory."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Look at the names, and tell of the hosts."""
        result: dict[str, t.Any] = super().run(tmp, task_vars) or {}
        # Ansible sends a task's arguments back with its result, and copies what it checks. With many VMs either would
        # take longer than all the rest.
        given = dict(self._task.args)
        instances = given.pop("instances", None)
        if not (self._task.until or self._task.retries):
            self._task.args.pop("instances", None)
        if instances is not None and not (
            isinstance(instances, list) and all(isinstance(view, dict) for view in instances)
        ):
            raise AnsibleActionFail("instances: a list of VMs, as nova_ec2.cloud.instance returns them, is needed.")
        validation = ArgumentSpecValidator(OPTIONS).validate(given)
        if validation.error_messages:
            raise AnsibleActionFail(" ".join(validation.error_messages))
        options = {**validation.validated_parameters, "instances": instances}
        try:
            result.update(changed=False, **self._tell(options, task_vars or {}, result))
        except CloudError as error:
            raise AnsibleActionFail(error.message) from None
        return result

    def _tell(
        self, options: dict[str, t.Any], task_vars: dict[str, t.Any], result: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """Look at all names and addresses, and then tell the process that has the inventory."""
        batch = check_batch("batch", options["batch"])
        group = options["group"] or UNSAFE.sub("_", batch)
        if not is_host_name(group):
            raise CloudError(f"{group!r} cannot name a group: {WHY}")
        standing, suffix = _standing(task_vars), _suffix(task_vars)
        if group in standing.hosts:
            Display().warning(f"The group {group} is named as a host is, so that a play for {group} means that host.")
        if options["instances"] is None:
            _look_ahead(options, group, standing, suffix)
            return {"group": group, "hosts": [], "removed": []}
        endpoint = options["endpoint"] or None
        # In check mode, a VM that would be launched has no id.
        views = [view for view in options["instances"] if view.get("instance_id") is not None]
        hosts = [_host(view, Vm(endpoint, "", batch), options["variables"], suffix) for view in views]
        for name, variables in hosts:
            _check_name(name, group, standing)
            standing.refuse(name, variables.get("ansible_host"), Vm(endpoint, variables[ID], batch))
        members = Members(Vm(endpoint, "", batch), label_of(endpoint), group if hosts else None, hosts)
        now, removed = arranged(members, standing)
        if hasattr(self, "add_host"):
            # From ansible-core 2.21 on.
            self.add_host(host_name="", host_vars=members.told())
        else:
            # Whoever does not know the form refuses an empty name.
            result["add_host"] = {"host_name": "", "host_vars": members.told()}
        shown = [
            {"name": name, "instance_id": variables[ID], "address": variables.get("ansible_host")}
            for name, variables in now.hosts
        ]
        return {"group": group, "hosts": shown, "removed": removed}


def _host(view: dict[str, t.Any], batch: Vm, variables: dict[str, t.Any], suffix: str) -> tuple[str, dict[str, t.Any]]:
    """The name and the variables of a VM."""
    check_instance_ids("instances", [str(view.get("instance_id"))])
    address = address_of(view)
    found = {
        **{key: value for key, value in variables.items() if value is not None},
        **({"ansible_host": address} if address else {}),
        "nova_ec2_instance": view,
        **batch._replace(instance_id=view["instance_id"]).variables(),
    }
    return _named(view.get("name") or view["instance_id"], suffix), found


def _check_name(name: str, group: str, standing: Standing) -> None:
    if not is_host_name(name):
        raise CloudError(f"{name!r} cannot name a host: {WHY}")
    if standing.is_taken(name) or name == group:
        raise CloudError(f"{name!r} cannot name a host: it is a group of the inventory, or this machine.")


def _look_ahead(options: dict[str, t.Any], group: str, standing: Standing, suffix: str) -> None:
    """Refuse names of members to come that other hosts have."""
    template, batch = options["name_template"], options["batch"]
    if not template:
        return
    check_name_template(template)
    for number in range(1, min(options["count"] or 0, MOST_NAMES) + 1):
        name = _named(name_of(template, batch, number) or "", suffix)
        _check_name(name, group, standing)
        if name in standing.hosts and vm_of(standing.hosts[name]) is None:
            standing.refuse(name, None, Vm(None, f"number {number} of batch {batch}", batch))


def _standing(task_vars: dict[str, t.Any]) -> Standing:
    """The inventory of this run."""
    # There is no other way to what the inventory says of all hosts that does not make every variable of each.
    manager = task_vars["hostvars"]._inventory
    return Standing({name: host.vars for name, host in manager.hosts.items()}, manager.groups)


def _suffix(task_vars: dict[str, t.Any]) -> str:
    """What tells the VMs of one of a play's several hosts, each of which may be for another cloud."""
    several = len(task_vars.get("ansible_play_hosts_all") or ()) > 1
    return str(task_vars["inventory_hostname"]) if several else ""


def _named(name: str, suffix: str) -> str:
    return name if suffix in name else f"{name}-{suffix}"
