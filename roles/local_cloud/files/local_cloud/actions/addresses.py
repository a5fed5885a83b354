# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Floating addresses."""

from __future__ import annotations

from typing import Any

from ..errors import NovaError
from ..model import Address
from .call import Call
from .registry import action


@action()
def allocate_address(call: Call, /, domain: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Take the lowest free address of the pool."""
    held, pool_size = call.cloud.addresses, call.cloud.settings.floating_addresses
    if call.profile.ec2api and not pool_size:
        raise NovaError("Unsupported", "Feature is restricted by OS admin")
    mine = sum(one.tenant_id == call.tenant for one in held.values())
    if 0 <= call.cloud.settings.quota_addresses <= mine:
        text = "Maximum number of floating ips exceeded" if call.profile.pretty else "No more floating IPs available"
        if call.profile.ec2api:
            text = "The maximum number of addresses has been reached."
        raise NovaError("AddressLimit", text)
    pool = (call.cloud.floating_ip(number) for number in range(1, pool_size + 1))
    free = next((one for one in pool if one not in held), None)
    if free is None:
        raise NovaError("NoMoreAddresses", "Zero floating ips available.")
    held[free] = Address(free, call.tenant)
    return {"publicIp": free, "domain": "standard"} if call.profile.ec2api else {"publicIp": free}


def _in_pool(call: Call, ip: Any) -> bool:
    """Whether Nova has an address to give, which it keeps when nobody holds it. ec2-api only knows those held."""
    pool = range(1, call.cloud.settings.floating_addresses + 1)
    return not call.profile.ec2api and any(call.cloud.floating_ip(number) == ip for number in pool)


def _mine(call: Call, ip: Any) -> Address:
    address = call.cloud.addresses.get(ip)
    if address is None:
        if _in_pool(call, ip):
            raise NovaError("NotAuthorized", "Not authorized.")
        raise NovaError("AddressNotFound", f"Floating ip not found for address {ip}.", ip)
    if address.tenant_id != call.tenant and not call.user.is_admin:
        raise NovaError("NotAuthorized", "Not authorized.")
    return address


@action(also="allocation_id")
def describe_addresses(call: Call, /, public_ip: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the project's addresses, or those asked for."""
    if public_ip:
        chosen = [_listed(call, one) for one in public_ip]
    else:
        chosen = [one for one in call.cloud.addresses.values() if one.tenant_id == call.tenant]
    return {"addressesSet": [_entry(call, one) for one in chosen]}


def _listed(call: Call, ip: Any) -> Address:
    """Return an address for a listing; ec2-api then has another error for one that is not there."""
    if call.profile.ec2api and getattr(call.cloud.addresses.get(ip), "tenant_id", None) != call.tenant:
        raise NovaError("AddressUnknown", f"The allocation ID '{ip}' does not exist")
    if ip not in call.cloud.addresses and _in_pool(call, ip):
        # As Python writes nobody.
        return Address(ip, "None")
    return _mine(call, ip)


def _entry(call: Call, address: Address) -> dict[str, Any]:
    server = call.cloud.servers.get(address.server) if address.server is not None else None
    ec2_id = server.ec2_id if server else None
    if not call.profile.ec2api:
        return {"publicIp": address.ip, "instanceId": f"{ec2_id} ({address.tenant_id})" if call.mangles else ec2_id}
    at = {"privateIpAddress": server.fixed_ip, "instanceId": ec2_id} if server else {}
    return {"publicIp": address.ip, **at, "domain": "standard"}


@action(also="allocation_id network_interface_id private_ip_address allow_reassociation")
def associate_address(call: Call, /, instance_id: Any, public_ip: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Point an address at a server that has a private one; it may have pointed elsewhere before."""
    server = call.server(instance_id)
    if server.fixed_ip is None:
        raise NovaError("AddressUnusable", "Unable to associate IP Address, no fixed_ips.")
    try:
        address = _mine(call, public_ip)
    except NovaError:
        if call.profile.family == "legacy":
            raise NovaError("AddressUnusable", "Error, unable to associate floating ip.") from None
        raise
    address.server = server.number
    return {"return": True}


@action(also="association_id")
def disassociate_address(call: Call, /, public_ip: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Free an address from its server."""
    address = _mine(call, public_ip) if call.profile.ec2api else call.cloud.addresses.get(public_ip)
    if address is None or address.server is None:
        # Nova looks for the server first of all, whosever the address is and whether or not there is one.
        if call.profile.free_disassociate == "instance_not_found":
            raise NovaError("InstanceNotFound", "Instance None could not be found.")
        if call.profile.free_disassociate == "refuse":
            raise NovaError("AddressNotAssociated", "Floating ip is not associated.")
        return {"return": True}
    server = call.cloud.servers[address.server]
    if server.tenant_id != call.tenant and not call.user.is_admin:
        raise NovaError("InstanceNotFound", f"Instance {server.ec2_id} could not be found.")
    address.server = None
    return {"return": True}


@action(also="allocation_id")
def release_address(call: Call, /, public_ip: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Give an address back to the pool."""
    if call.profile.family == "legacy" and public_ip not in call.cloud.addresses and not _in_pool(call, public_ip):
        raise NovaError("AddressUnusable", "Unable to release IP Address.")
    address = _mine(call, public_ip)
    if address.server is not None and not call.profile.ec2api:
        raise NovaError("AddressInUse", f"Floating ip {public_ip} is associated.")
    del call.cloud.addresses[address.ip]
    return {"return": True}
