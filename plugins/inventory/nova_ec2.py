# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: nova_ec2
short_description: VMs of clouds with Nova's EC2 API as hosts
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes a host of each VM of your project, in a cloud that offers Nova's EC2 API or in several.
  - The file has to be named C(nova_ec2.yml) or end in C(.nova_ec2.yml); C(.yaml) will do as well.
  - One request for each cloud lists everything; what is asked for is matched by the plugin itself.
  - Hosts have the variables that M(nova_ec2.cloud.instance_info) returns of VMs, and C(batch), C(slot), C(region) and
    (with several clouds) C(cloud); also C(nova_ec2_instance_id), C(nova_ec2_endpoint) and C(nova_ec2_batch), which say
    which VM a host is. The tags are in C(instance_tags), since C(tags) is a keyword of plays; expressions
    of this file can use either.
  - All hosts are in the group C(nova_ec2), members of batches also in C(batch_NAME), and those of several clouds in
    C(cloud_NAME).
  - No VM is left out silently, and two VMs never become one host, in whichever clouds and files of this plugin they
    are. VMs that would have the same name, or one that means something else to Ansible, such as C(localhost) or that
    of a group, have their ids added to it, and a warning tells of them.
  - No VM takes the place of another host. If a source of the inventory that was read before has a host of its name or
    address, that is an error, unless that host has a variable C(nova_ec2_instance_id) with the VM's id.
extends_documentation_fragment:
  - constructed
  - inventory_cache
  - nova_ec2.cloud.connection
options:
  plugin:
    description: Tells that the file is for this plugin.
    type: str
    required: true
    choices: [nova_ec2.cloud.nova_ec2]
  clouds:
    description:
      - Several clouds. Each is a dictionary with a C(name) of its own, and the connection options that are not the same
        for all.
      - The endpoint, the keys and O(rc_file) are said for each of them, and not outside.
    type: list
    elements: dict
    default: []
  unreachable:
    description:
      - What to do if a cloud does not answer, or refuses. V(warn) goes on with the others, and so without its VMs.
    type: str
    choices: [fail, warn]
    default: fail
  all_projects:
    description:
      - Whether administrators get the VMs of all projects, where the cloud shows them. Otherwise only those of the own.
    type: bool
    default: false
  batches:
    description:
      - Only members of the batches of these names, see M(nova_ec2.cloud.instance). An empty list is no VM at all.
    type: list
    elements: str
  states:
    description:
      - Only VMs in one of these states, such as V(running). By default all that are not gone or going.
    type: list
    elements: str
  include_filters:
    description:
      - Only VMs that pass all filters of one of these dictionaries.
      - The filters are those of M(nova_ec2.cloud.instance_info).
    type: list
    elements: dict
  exclude_filters:
    description:
      - No VMs that pass all filters of one of these dictionaries.
    type: list
    elements: dict
    default: []
  hostnames:
    description:
      - What hosts are named by - the first of these that a VM has.
      - Each is the name of a variable, such as V(public_ip_address), V(tag:KEY), or an expression in C({{ }}).
      - A VM that has none of them is named by its id.
      - A name has letters, digits, C(_), C(-), C(.), C(+) and inner spaces, which Ansible's inventory neither splits
        nor expands, and begins with a letter or digit; or it is an IP address. Others are passed over with a warning.
    type: list
    elements: str
    default: ["tag:Name", instance_id]
  hostvars_prefix:
    description:
      - What the names of the variables begin with.
      - In expressions of this file they can be used without it as well.
    type: str
    default: ""
  hostvars_suffix:
    description:
      - What the names of the variables end with.
      - In expressions of this file they can be used without it as well.
    type: str
    default: ""
  name_template:
    description:
      - What members of batches are named by, before O(hostnames), such as V(web-{index:03d}). It is made of the number
        C(index) and the name of the C(batch), as with O(nova_ec2.cloud.instance#module:name_template).
    type: str
  connect_with:
    description:
      - What becomes C(ansible_host), the first that a VM has of its V(floating) address, its V(fixed) address, and its
        host name in the cloud (V(dns)).
    type: list
    elements: str
    choices: [floating, fixed, dns]
    default: [floating, fixed]
  use_legacy_names:
    description:
      - Adds the variables (such as C(ec2_id)) and groups (such as C(type_m1_tiny)) of the script C(ec2.py) that came
        with Ansible 2.9 and before.
    type: bool
    default: false
notes:
  - The endpoint, the keys and file names may be templates, for example of the lookup plugin C(ansible.builtin.env).
  - Relative paths are looked for beside the inventory file.
"""

EXAMPLES = r"""
# prod.nova_ec2.yml: all VMs of a project, by tag or id
plugin: nova_ec2.cloud.nova_ec2
rc_file: ec2rc.sh

---
# web.nova_ec2.yml: the running members of a batch, named web-1, web-2 and so on
plugin: nova_ec2.cloud.nova_ec2
rc_file: ec2rc.sh
batches: [web]
states: [running]
hostnames: ["{{ batch }}-{{ slot }}"]
compose:
  ansible_user: "'cirros'"
keyed_groups:
  - key: instance_type
    prefix: type

---
# all.nova_ec2.yml: two clouds, of which one may be down
plugin: nova_ec2.cloud.nova_ec2
clouds:
  - name: north
    rc_file: north.sh
  - name: south
    endpoint_url: https://south.example.com:8773/services/Cloud
    access_key: "{{ lookup('ansible.builtin.env', 'SOUTH_ACCESS_KEY') }}"
    secret_key: "{{ lookup('ansible.builtin.env', 'SOUTH_SECRET_KEY') }}"
unreachable: warn
exclude_filters:
  - tag:role: [test]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/nova_ec2
cache_timeout: 300
"""

import contextlib
import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError, plain
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.options import CONNECTION_OPTIONS
from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.slots import check_name_template, name_of
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.filters import check_filters, passes_all
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._clouds import Cloud, clouds_of, is_listing
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._hosts import (
    Host,
    Standing,
    Vm,
    address_of,
    apart,
    is_host_name,
    legacy_groups,
    legacy_variables,
    with_batches,
)

# Ansible warns of variables that are named like keywords of plays.
RENAMED = {"tags": "instance_tags"}
ENDINGS = ("nova_ec2.yml", "nova_ec2.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin nova_ec2.cloud.nova_ec2."""

    NAME = "nova_ec2.cloud.nova_ec2"

    @staticmethod
    def _sanitize_group_name(name: str) -> str:
        return str(to_safe_group_name(name, force=True, silent=True))

    def verify_file(self, path: str) -> bool:
        """Whether the file is named as those for this plugin are."""
        name = os.path.basename(path)
        return bool(super().verify_file(path)) and (
            name in ENDINGS or name.endswith(tuple(f".{end}" for end in ENDINGS))
        )

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory with the VMs that the file asks for."""
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            self._check()
            clouds = clouds_of(*self._connection_options(config), os.path.dirname(os.path.abspath(path)), self._warn)
            listings = self._listings(clouds, self.get_cache_key(path), cache)
            self._fill([host for cloud, listing in listings for host in self._hosts(cloud, listing)])
        except CloudError as error:
            raise AnsibleParserError(f"{path}: {error.message}") from None

    def _warn(self, text: str) -> None:
        self.display.warning(plain(text))

    def _check(self) -> None:
        """Refuse what is bad before anything is sent."""
        if self.get_option("name_template"):
            check_name_template(self.get_option("name_template"))
        for option in ("include_filters", "exclude_filters"):
            for filters in self.get_option(option) or []:
                check_filters(option, filters, tags=True)

    def _connection_options(self, config: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
        """The file's connection options, and those of each of its clouds, with their templates made into values."""
        shared = {name: self._made(self.get_option(name)) for name in CONNECTION_OPTIONS}
        for name in ("rc_file", "ca_bundle"):
            # Ansible has made the path an absolute one from the directory that it was started in.
            given = next(
                (config[key] for key in (name, *CONNECTION_OPTIONS[name].get("aliases", ())) if key in config), None
            )
            shared[name] = self._made(given) if given is not None else shared[name]
        return shared, [{key: self._made(value) for key, value in entry.items()} for entry in self.get_option("clouds")]

    def _made(self, value: t.Any) -> t.Any:
        return self.templar.template(value) if isinstance(value, str) else value

    def _listings(self, clouds: t.Sequence[Cloud], key: str, cache: bool) -> list[tuple[Cloud, dict[str, t.Any]]]:
        """What each cloud has, from the cache if that may be; a cloud that did not answer is asked again next time."""
        caching, everybody = self.get_option("cache"), self.get_option("all_projects")
        kept: dict[str, t.Any] = {}
        if caching and cache:
            # What the cache cannot read, it does not have.
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                kept = self._cache[key] if isinstance(self._cache[key], dict) else {}
        found: dict[str, t.Any] = {}
        reached = []
        for cloud in clouds:
            at = f"{cloud.identity}-{'all' if everybody else 'own'}"
            try:
                found[at] = kept[at] if is_listing(kept.get(at)) else cloud.fetch(everybody)
            except CloudError as error:
                if self.get_option("unreachable") == "fail":
                    raise
                self._warn(f"The VMs of {cloud.name or cloud.arguments['endpoint'].url} are missing. {error.message}")
                continue
            reached.append((cloud, found[at]))
        if caching and found != kept:
            self._cache[key] = found
        return reached

    def _chosen(self, option: str) -> list[str] | None:
        """What a list of names names, without blanks; None if nothing is said."""
        given = self.get_option(option)
        return None if given is None else [str(value).strip() for value in given if str(value).strip()]

    def _hosts(self, cloud: Cloud, listing: dict[str, t.Any]) -> list[Host]:
        """The VMs of one cloud that the file asks for, with their variables."""
        own, batches, states = listing["own"], self._chosen("batches"), self._chosen("states")
        include, exclude = self.get_option("include_filters"), self.get_option("exclude_filters")
        legacy, region = self.get_option("use_legacy_names"), cloud.arguments["region"]
        hosts = []
        for view in with_batches([view for view in listing["instances"] if own in (None, view["owner_id"])]):
            if batches is not None and view["batch"] not in batches:
                continue
            if states is not None and view["state"] not in states:
                continue
            if include is not None and not any(passes_all(view, filters) for filters in include):
                continue
            if any(passes_all(view, filters) for filters in exclude):
                continue
            variables = {**view, "region": region, **({"cloud": cloud.name} if cloud.name else {})}
            if legacy:
                variables.update(legacy_variables(view, region))
            vm = Vm(cloud.arguments["endpoint"].url, view["instance_id"], view["batch"])
            hosts.append(Host(cloud.name, view, variables, vm))
        return hosts

    def _fill(self, hosts: t.Sequence[Host]) -> None:
        """Add the hosts, their variables and their groups."""
        before = {name: host.vars for name, host in self.inventory.hosts.items()}
        wished, groups = [self._wished(host) for host in hosts], [self._groups(host) for host in hosts]
        # A group with the id of its only host is not made if the host has that name.
        own = {host.instance_id for host in hosts}
        known = {"nova_ec2", *self.inventory.groups, *(name for found in groups for name in found if name not in own)}
        ways = self.get_option("connect_with")
        while True:
            standing = Standing(before, known)
            names, refused = apart(hosts, wished, standing)
            for name, host in zip(names, hosts):
                standing.refuse(name, address_of(host.view, ways), host.vm)
            self.inventory.add_group("nova_ec2")
            for name, host, found in zip(names, hosts, groups):
                self._add(name, host, found)
            # A play for a group must not be one for a host: which groups the file asks for shows only now.
            hidden = {name for name in names if name not in known and self._hides(name)}
            if not hidden:
                break
            known |= hidden
            for name in set(names) - set(before):
                self.inventory.remove_host(self.inventory.hosts[name])
        if refused:
            shown = ", ".join(refused[:10]) + (f" and {len(refused) - 10} more" if len(refused) > 10 else "")
            self._warn(f"Not one VM's name alone, so that ids are added to it: {shown}.")

    def _hides(self, name: str) -> bool:
        """Whether a host is named as a group that has others."""
        group = self.inventory.groups.get(name)
        return group is not None and {host.name for host in group.get_hosts()} != {name}

    def _wished(self, host: Host) -> str | None:
        """The name of a member, or the first of hostnames that a VM has."""
        template = self.get_option("name_template") if host.view["slot"] else None
        for wish in [*([template] if template else []), *self.get_option("hostnames")]:
            value = None
            if wish is template:
                value = name_of(template, host.view["batch"], host.view["slot"])
            elif "{{" in wish:
                try:
                    self.templar.available_variables = host.variables
                    value = self.templar.template(wish)
                except Exception as error:  # whatever a template may raise
                    if self.get_option("strict"):
                        raise AnsibleParserError(f"hostnames: {wish} for {host.instance_id}: {error}") from error
            elif wish.startswith("tag:"):
                value = host.view["tags"].get(wish[4:])
            else:
                value = host.variables.get(wish)
            if value in (None, ""):
                continue
            if is_host_name(str(value)):
                return str(value)
            self._warn(f"{host.instance_id}: what {wish} says is no name for a host: {str(value)[:80]!r}.")
        return None

    def _add(self, name: str, host: Host, its_groups: t.Iterable[str]) -> None:
        prefix, suffix, strict = (self.get_option(name) for name in ("hostvars_prefix", "hostvars_suffix", "strict"))
        self.inventory.add_host(name, group="nova_ec2")
        for key, value in host.variables.items():
            told = f"{prefix}{key}{suffix}" if prefix or suffix else RENAMED.get(key, key)
            self.inventory.set_variable(name, told, value)
        for key, value in host.vm.variables().items():
            self.inventory.set_variable(name, key, value)
        address = address_of(host.view, self.get_option("connect_with"))
        if address:
            self.inventory.set_variable(name, "ansible_host", address)
        variables = {**host.variables, **self.inventory.get_host(name).vars}
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        for group in its_groups:
            # A group named as its only host would hide it, and says no more than the host's name.
            if group != name:
                self.inventory.add_host(name, group=self.inventory.add_group(group))
        groups, keyed = self.get_option("groups"), self.get_option("keyed_groups")
        if groups or keyed:
            variables = {**variables, **self.inventory.get_host(name).vars}
            self._add_host_to_composed_groups(groups, variables, name, strict=strict, fetch_hostvars=False)
            self._add_host_to_keyed_groups(keyed, variables, name, strict=strict, fetch_hostvars=False)

    def _groups(self, host: Host) -> list[str]:
        """The groups that need not be asked for."""
        found = [f"batch_{host.view['batch']}"] if host.view["batch"] else []
        found += [f"cloud_{host.cloud}"] if host.cloud else []
        groups = [self._sanitize_group_name(name) for name in found]
        return groups + (
            legacy_groups(host.view, host.variables["region"]) if self.get_option("use_legacy_names") else []
        )
