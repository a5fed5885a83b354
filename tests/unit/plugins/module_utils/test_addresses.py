# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Floating addresses on clouds that are slow, of others' making, or have VPCs: what the local cloud cannot show."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import (
    ADDRESS_QUOTA,
    NO_POOL,
    POOL_EMPTY,
    CloudError,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import addresses as _addresses
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import associate as _associate
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import release as _release
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import wait as _wait

VM, OTHER = "i-0000001a", "i-0000001b"
VPC = {"domain": "vpc", "allocation_id": "eipalloc-1"}


def address(ip: str, instance_id: str | None = "", **more: t.Any) -> t.Any:
    """An address as boto parses it."""
    keys = ("private_ip_address", "domain", "allocation_id", "association_id")
    return types.SimpleNamespace(**{"public_ip": ip, "instance_id": instance_id, **dict.fromkeys(keys), **more})


class Connection:
    """Shows the given lists of addresses one after another, the last for ever, and notes what it is asked to do."""

    def __init__(self, *lists: list[t.Any]) -> None:
        self.lists = list(lists)
        self.asked: list[tuple[str, dict[str, t.Any]]] = []

    def get_all_addresses(self) -> list[t.Any]:
        return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]

    def allocate_address(self) -> t.Any:
        self.asked.append(("allocate", {}))
        return address("192.0.2.9", **VPC)

    def __getattr__(self, name: str) -> t.Any:
        if not name.endswith("_address"):
            raise AttributeError(name)
        return lambda **how: self.asked.append((name.removesuffix("_address"), how))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wait.time, "sleep", lambda seconds: None)
    clock = iter(range(10**6))
    monkeypatch.setattr(_wait.time, "monotonic", lambda: float(next(clock)))


def session(connection: Connection, **params: t.Any) -> Session:
    """A task about VM."""
    options = {"instance_id": VM, "public_ip": None, "reuse_existing": False, "allow_reassociation": False,
               "release": True, "wait_timeout": 30, **params}  # fmt: skip
    return Session(options, connection, lambda text: None)


def give(connection: Connection, **params: t.Any) -> dict[str, t.Any]:
    """What comes of giving VM an address."""
    vms = {VM: {"instance_id": VM, "state": "running", "private_ip_address": "10.0.0.2"}}
    plan = _associate.plan_present(session(connection, **params), _addresses.list_addresses(connection), [VM], vms)
    assert plan.apply is not None
    return plan.apply()


def test_an_address_of_a_vpc_is_associated_and_released_by_its_ids() -> None:
    at = address("192.0.2.9", VM, private_ip_address="10.0.0.2", association_id="eipassoc-1", **VPC)
    connection = Connection([], [at])
    assert give(connection)["address"]["association_id"] == "eipassoc-1"
    assert connection.asked == [("allocate", {}), ("associate", {"instance_id": VM, "allocation_id": "eipalloc-1"})]

    connection = Connection([at], [address("192.0.2.9", **VPC)])
    plan = _release.plan_absent(session(connection), _addresses.list_addresses(connection), [VM])
    assert plan.apply is not None and plan.apply()["addresses"] == []
    assert connection.asked == [
        ("disassociate", {"association_id": "eipassoc-1"}),
        ("release", {"allocation_id": "eipalloc-1"}),
    ]


def test_an_address_that_shows_late_is_waited_for() -> None:
    late = [address("192.0.2.9", **VPC)]
    connection = Connection([], late, late, [address("192.0.2.9", VM)])
    assert give(connection)["address"]["instance_id"] == VM


def test_an_address_that_never_shows_is_released_again() -> None:
    connection = Connection([], [address("192.0.2.9", **VPC)])
    with pytest.raises(CloudError, match=r"does not show 192\.0\.2\.9 at i-0000001a.*released again") as caught:
        give(connection)
    assert connection.asked[-1] == ("release", {"allocation_id": "eipalloc-1"})
    assert caught.value.details["addresses"] == []


def test_an_address_that_somebody_else_moved_is_left_to_them() -> None:
    connection = Connection([], [address("192.0.2.9", OTHER)])
    with pytest.raises(CloudError, match=f"gave it to {OTHER}"):
        give(connection)
    assert [verb for verb, _how in connection.asked] == ["allocate", "associate"]


@pytest.mark.parametrize("params", [{"reuse_existing": True}, {"public_ip": "192.0.2.1", "allow_reassociation": True}])
def test_what_is_at_something_that_is_no_vm_is_not_free(params: dict[str, t.Any]) -> None:
    at_router = address("192.0.2.1", None, private_ip_address="10.0.0.9")
    connection = Connection([at_router], [at_router, address("192.0.2.9", VM)])
    if "public_ip" in params:
        with pytest.raises(CloudError, match="not a VM"):
            give(connection, **params)
        assert connection.asked == []
    else:
        assert give(connection, **params)["public_ip"] == "192.0.2.9"


def test_an_address_given_away_while_it_was_freed_is_not_released() -> None:
    both = [address("192.0.2.1", VM), address("192.0.2.2", VM)]
    connection = Connection(both, both, [address("192.0.2.1", OTHER), address("192.0.2.2")])
    plan = _release.plan_absent(session(connection), _addresses.list_addresses(connection), [VM])
    assert plan.apply is not None and plan.apply()["addresses"] == []
    assert connection.asked[2:] == [("release", {"public_ip": "192.0.2.2"})]


def test_an_address_that_somebody_else_took_in_a_move_is_left_to_them() -> None:
    connection = Connection([address("192.0.2.1", OTHER)], [address("192.0.2.1", "i-0000001c")])
    with pytest.raises(CloudError, match="taken by somebody else"):
        give(connection, public_ip="192.0.2.1", allow_reassociation=True)
    assert [verb for verb, _how in connection.asked] == ["disassociate"]


@pytest.mark.parametrize(
    ("shown", "instance_id"), [("i-0000001a (demo)", VM), ("None (demo)", None), ("", None), (None, None), (VM, VM)]
)
def test_what_administrators_are_shown_is_stripped(shown: str | None, instance_id: str | None) -> None:
    assert _addresses.address_view(address("192.0.2.1", shown))["instance_id"] == instance_id


def test_addresses_come_in_the_order_of_their_numbers() -> None:
    connection = Connection([address("192.0.2.10"), address("192.0.2.9"), address("")])
    assert [view["public_ip"] for view in _addresses.list_addresses(connection)] == ["192.0.2.9", "192.0.2.10"]


@pytest.mark.parametrize(
    ("code", "said", "meant"),
    [
        ("EC2APIError", "No more floating IPs available", ADDRESS_QUOTA),
        ("NoMoreFloatingIps", "Zero floating ips available.", POOL_EMPTY),
        ("UnsupportedOpperation", "Zero floating ips available.", POOL_EMPTY),
        ("UnsupportedOperation", "Zero floating ips available.", POOL_EMPTY),
        ("IpAddressGenerationFailureClient", "No more IP addresses available on network 1.", POOL_EMPTY),
        ("ResourceLimitExceeded", "Maximum number of floating ips exceeded", ADDRESS_QUOTA),
        ("AddressLimitExceeded", "The maximum number of addresses has been reached.", ADDRESS_QUOTA),
        ("UnsupportedOperation", "Floating ip pool not found.", NO_POOL),
        ("Unsupported", "Feature is restricted by OS admin", NO_POOL),
        ("UnsupportedOperation", "Floating ip 172.24.4.1 is associated.", None),
    ],
)
def test_a_refusal_means_one_thing(code: str, said: str, meant: t.Any) -> None:
    error = CloudError("", error_code=code, cloud_message=said)
    assert [one for one in (ADDRESS_QUOTA, POOL_EMPTY, NO_POOL) if one.matches(error)] == ([meant] if meant else [])
