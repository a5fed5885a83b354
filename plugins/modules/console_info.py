#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: console_info
short_description: Show the consoles of VMs, and the SSH host keys on them
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Shows what VMs have written to their consoles, as text without control characters.
  - Can find the SSH host keys that cloud-init prints there, wait for them, and make lines of a C(known_hosts) file of
    them, so that the first connection to a VM need not be trusted blindly.
  - The API has no request for several consoles. This module sends one to list the VMs and one for each console. While
    it waits, only those VMs are asked that have not shown their keys yet.
  - Nova keeps the end of a console only, often the last 100 KiB.
options:
  instance_ids:
    description:
      - The VMs. One that does not exist is an error.
      - Exactly one of this and O(batch) is needed.
    type: list
    elements: str
    aliases: [instance_id]
  batch:
    description:
      - All members of the batch of this name, as M(nova_ec2.cloud.instance) made it. There may be none.
    type: str
  lines:
    description:
      - How many lines to return of each console, counted from its end; V(0) for none. All if not given.
      - Host keys are looked for in the whole console anyway.
    type: int
    aliases: [tail]
  raw:
    description:
      - Whether to also return what the cloud sent, unchanged.
    type: bool
    default: false
  host_keys:
    description:
      - Whether to look for SSH host keys.
      - They are the lines between C(-----BEGIN SSH HOST KEY KEYS-----) and C(-----END SSH HOST KEY KEYS-----), with or
        without C(ec2:) and the like before them. If there are several such blocks, the last complete one counts.
      - They are as trustworthy as the cloud, the image and whoever can write to the console in the VM. What is not
        exactly a public key is left out, and of a key only its type and its bytes get into a line of RV(known_hosts).
    type: bool
    default: false
  known_hosts_for:
    description:
      - Which addresses and names of a VM to make lines of RV(known_hosts) for. What a VM does not have is left out.
      - V(private_dns_name) is a name that the cloud, or who launched the VM, gave it.
    type: list
    elements: str
    choices: [public_ip_address, private_ip_address, private_dns_name]
    default: [public_ip_address, private_ip_address, private_dns_name]
  known_hosts:
    description:
      - Lines that an earlier run returned as RV(known_hosts). VMs that they tell at all their addresses are not asked
        for their consoles again; their lines are returned as they are, and they are not among RV(consoles).
      - Lines of other VMs are left out, and so are all that were not made by this module.
    type: list
    elements: str
    default: []
  ssh_port:
    description:
      - Port of the SSH servers. If it is not 22, lines of RV(known_hosts) have the form V([HOST]:PORT).
    type: int
    default: 22
  wait:
    description:
      - Whether to wait until every VM has shown its host keys. Needs O(host_keys).
      - The task fails when O(wait_timeout) is over, and at once when it is certain that a VM will not show them.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait.
    type: int
    default: 300
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.instance
  - module: nova_ec2.cloud.instance_info
"""

EXAMPLES = r"""
- name: Show the last lines of a console
  nova_ec2.cloud.console_info:
    rc_file: ~/ec2rc.sh
    instance_ids: i-0000001a
    lines: 20
  register: result

- name: Wait until all members of a batch have shown their host keys
  nova_ec2.cloud.console_info:
    rc_file: ~/ec2rc.sh
    batch: web
    lines: 0
    host_keys: true
    wait: true
  register: shown

- name: Know them
  ansible.builtin.copy:
    content: "{{ shown.known_hosts | join('\n') }}\n"
    dest: ~/.ssh/known_hosts_web
    mode: "0600"
"""

RETURN = r"""
consoles:
  description: The consoles, by instance id. Also when waiting fails.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id:
      description: Id of the VM.
      type: str
      sample: i-0000001a
    name:
      description: Its tag C(Name), if it has one.
      type: str
      sample: web-1
    state:
      description: Its state.
      type: str
      sample: running
    timestamp:
      description: When the cloud looked, in UTC.
      type: str
      sample: "2026-11-23T04:53:14Z"
    lines:
      description: The console's lines, without control characters and escape sequences.
      type: list
      elements: str
      sample: ["Linux version 3.0.0-12-virtual", "login:"]
    output:
      description: The same as one text; V(null) if the VM has no console.
      type: str
      sample: "Linux version 3.0.0-12-virtual\nlogin:\n"
    error:
      description: Why there is no console, such as that the VM is still pending.
      type: str
      sample: null
    raw:
      description: What the cloud sent, in Base64, as it need not be text.
      returned: O(raw=true)
      type: str
      sample: TGludXggdmVyc2lvbiAzLjAuMC0xMi12aXJ0dWFsCmxvZ2luOiA=
    host_keys_state:
      description:
        - V(complete) if there are host keys, V(unfinished) while they are being printed, V(cut_off) if only their end
          is left on the console, V(none) otherwise.
      returned: O(host_keys=true)
      type: str
      sample: complete
    host_keys:
      description: The host keys, by type.
      returned: O(host_keys=true)
      type: list
      elements: dict
      contains:
        type:
          description: Type of the key.
          type: str
          sample: ssh-ed25519
        key:
          description: The key in Base64.
          type: str
          sample: AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
        comment:
          description: What followed it. It may say anything.
          type: str
          sample: root@web-1
        fingerprint:
          description: Its fingerprint, as C(ssh-keygen -l) shows it.
          type: str
          sample: SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA
    known_hosts:
      description: Lines of a C(known_hosts) file for this VM, each with its id behind the key.
      returned: O(host_keys=true)
      type: list
      elements: str
      sample: [10.0.0.2 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f i-0000001a]
known_hosts:
  description: The lines of all VMs, sorted, each once. Also when waiting fails.
  returned: O(host_keys=true)
  type: list
  elements: str
  sample: [10.0.0.2 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f i-0000001a]
"""

import itertools
import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import UNKNOWN, CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_batch
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.consoles import (
    Console,
    console_view,
    read_console,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.host_keys import (
    host_keys_in,
    hosts_of,
    known_hosts,
    still_known,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import (
    check_instance_ids,
    list_instances,
    members_of,
    own_only,
    states_of,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.wait import polls

View = dict[str, t.Any]

ADDRESSES = ["public_ip_address", "private_ip_address", "private_dns_name"]
OPTIONS: dict[str, dict[str, t.Any]] = {
    "instance_ids": {"type": "list", "elements": "str", "aliases": ["instance_id"]},
    "batch": {"type": "str"},
    "lines": {"type": "int", "aliases": ["tail"]},
    "raw": {"type": "bool", "default": False},
    "host_keys": {"type": "bool", "default": False},
    "known_hosts_for": {"type": "list", "elements": "str", "choices": ADDRESSES, "default": ADDRESSES},
    "known_hosts": {"type": "list", "elements": "str", "default": []},
    "ssh_port": {"type": "int", "default": 22},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 300},
}
# What a VM does not leave by itself; its console shows nothing more until then.
AT_REST = frozenset({"error", "stopped"})


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    check_instance_ids("instance_ids", params["instance_ids"] or [])
    if params["batch"] is not None:
        check_batch("batch", params["batch"])
    if params["lines"] is not None and params["lines"] < 0:
        raise CloudError("lines must not be less than 0.")
    if not 0 < params["ssh_port"] < 65536:
        raise CloudError("ssh_port must be from 1 to 65535.")
    for name in ("wait", "known_hosts"):
        if params[name] and not params["host_keys"]:
            raise CloudError(f"{name} is about host keys: set host_keys to true as well.")
    if params["wait"] and params["wait_timeout"] < 0:
        raise CloudError("wait_timeout must not be less than 0.")


def gather(session: Session) -> dict[str, t.Any]:
    """Read the consoles, again and again if there is something to wait for."""
    views = chosen(session)
    consoles = {view["instance_id"]: read_console(session.connection, view) for view in strangers(session, views)}
    if session.params["wait"]:
        views = wait(session, views, consoles)
    failed = [console.cause for console in consoles.values() if console.cause]
    refused = [error for error in failed if error.outcome != UNKNOWN]
    # The host of one VM may be in trouble by itself; others are shown then.
    if refused or (failed and len(failed) == len(consoles)):
        raise [*refused, *failed][0]
    return result(session, views, consoles)


def chosen(session: Session) -> list[View]:
    """The VMs that the task means."""
    connection, ids = session.connection, session.params["instance_ids"]
    if ids is None:
        return members_of(connection, session.params["batch"]).views
    listing = list_instances(connection)
    views = own_only(connection, listing, [view for view in listing.views if view["instance_id"] in ids]).views
    there = {view["instance_id"] for view in views}
    unknown = [value for value in ids if value not in there]
    if unknown:
        raise CloudError(f"There are no VMs {', '.join(unknown)} (any more).", unknown_ids=unknown)
    return views


def lines_before(session: Session, view: View) -> list[str]:
    """The lines of the option known_hosts that tell a VM, if they tell it whole."""
    params = session.params
    if not params["known_hosts"]:
        return []
    return still_known(
        params["known_hosts"], hosts_of(view, params["known_hosts_for"]), params["ssh_port"], view["instance_id"]
    )


def strangers(session: Session, views: list[View]) -> list[View]:
    """The VMs that the option known_hosts does not tell."""
    return [view for view in views if not lines_before(session, view)]


def wait(session: Session, views: list[View], consoles: dict[str, Console]) -> list[View]:
    """Look again at what has not shown host keys, until all have. The VMs as they are then."""
    timeout = session.params["wait_timeout"]
    for last in itertools.chain([None], polls(len(views), timeout)):
        if last is not None:
            views = chosen(session)
            for view in missing(strangers(session, views), consoles):
                consoles[view["instance_id"]] = read_console(session.connection, view)
        late = missing(strangers(session, views), consoles)
        if not late:
            break
        hopeless = [view for view in late if will_not_show(view, consoles[view["instance_id"]])]
        if hopeless:
            why = "They are at rest, or the console has lost the beginning of the keys."
            raise given_up(session, views, consoles, f"VMs will not show host keys: {states_of(hopeless)}. {why}")
        if last:
            said = f"After {timeout} s (wait_timeout), {len(late)} of {len(views)} VMs show no host keys: "
            advice = "Only images with cloud-init, or something like it, print them."
            raise given_up(session, views, consoles, f"{said}{states_of(late)}. {advice}")
    return views


def missing(views: list[View], consoles: dict[str, Console]) -> list[View]:
    """The VMs that have not shown host keys."""
    return [
        view
        for view in views
        if view["instance_id"] not in consoles or not host_keys_in(consoles[view["instance_id"]].lines).keys
    ]


def will_not_show(view: View, console: Console) -> bool:
    """Whether it is certain that a VM that has not shown its host keys will not do so."""
    return view["state"] in AT_REST or host_keys_in(console.lines).state == "cut_off"


def given_up(session: Session, views: list[View], consoles: dict[str, Console], message: str) -> CloudError:
    """The end of waiting in vain, with what there is."""
    return CloudError(message, **result(session, views, consoles))


def result(session: Session, views: list[View], consoles: dict[str, Console]) -> dict[str, t.Any]:
    """What the module returns."""
    params, found = session.params, []
    for view in strangers(session, views):
        console = consoles[view["instance_id"]]
        found.append(console_view(view, console, params["lines"], params["raw"]))
        if params["host_keys"]:
            shown = host_keys_in(console.lines)
            hosts = hosts_of(view, params["known_hosts_for"])
            found[-1]["host_keys_state"], found[-1]["host_keys"] = shown.state, shown.keys
            found[-1]["known_hosts"] = known_hosts(hosts, shown.keys, params["ssh_port"], view["instance_id"])
            if shown.refused:
                session.warn(f"{view['instance_id']}: {shown.refused} lines among its host keys are no public keys.")
    if not params["host_keys"]:
        return {"consoles": found}
    lines = {line for view in views for line in lines_before(session, view)}
    return {"consoles": found, "known_hosts": sorted(lines.union(*(one["known_hosts"] for one in found)))}


def main() -> None:
    """Run the module."""
    one_of = [["instance_ids", "batch"]]
    run(gather, check=check, options=OPTIONS, required_one_of=one_of, mutually_exclusive=one_of)


if __name__ == "__main__":
    main()
