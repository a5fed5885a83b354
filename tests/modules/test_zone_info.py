# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""availability_zone_info: zones and nothing else that looks like one."""

from __future__ import annotations

import typing as t

import pytest
from clouds import PROFILES

REQUESTS = ["DescribeAvailabilityZones", "DescribeRegions"]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_the_default_zone_with_two_requests(cloud: t.Any, run: t.Any) -> None:
    result = run("availability_zone_info")
    region = "RegionOne" if cloud.profile == "ec2api" else "nova"
    assert result["availability_zones"] == [{"name": "nova", "state": "available", "available": True, "region": region}]
    assert result["available"] == ["nova"] and result["unknown_names"] == [] and result["changed"] is False
    assert cloud.actions() == REQUESTS


@pytest.mark.needs("zones")
@pytest.mark.parametrize(
    ("args", "names", "unknown"),
    [
        ({}, ["east", "nova", "west"], []),
        ({"names": ["west", "south"]}, ["west"], ["south"]),
        ({"zone_name": "east"}, ["east"], []),
        ({"filters": {"zone-name": "*st"}}, ["east", "west"], []),
        ({"filters": {"zone-name": ["n?va", "east"], "state": "available"}}, ["east", "nova"], []),
        ({"filters": {"state": "not available"}}, [], []),
        ({"filters": {"region-name": "elsewhere"}}, [], []),
        ({"names": []}, [], []),
    ],
)
@pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
def test_zones_are_matched_here(
    cloud: t.Any, run: t.Any, args: dict[str, t.Any], names: list[str], unknown: list[str]
) -> None:
    cloud.settings(zones=["west", "nova", "east"])
    result = run("availability_zone_info", **args)
    assert [zone["name"] for zone in result["availability_zones"]] == names == result["available"]
    assert result["unknown_names"] == unknown
    assert all("ZoneName.1" not in entry["params"] for entry in cloud.control("GET", "log")["requests"])


@pytest.mark.needs("zones")
def test_zones_that_are_down_are_told_as_such(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(zones=["nova", "west"], down_zones=["west"])
    result = run("availability_zone_info")
    states = {zone["name"]: (zone["state"], zone["available"]) for zone in result["availability_zones"]}
    assert states == {"nova": ("available", True), "west": ("not available", False)}
    assert result["available"] == ["nova"]


@pytest.mark.needs("zones")
def test_rows_of_hosts_and_services_are_no_zones(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(zones=["nova", "|- nova-local", "| |- nova-compute"])
    result = run("availability_zone_info", user="adminuser")
    assert result["available"] == ["nova"] and len(result["availability_zones"]) == 1


def test_an_unknown_filter_is_refused_before_any_request(cloud: t.Any, run: t.Any) -> None:
    result = run("availability_zone_info", filters={"colour": "red"})
    assert result["failed"] and "no filter 'colour'" in result["msg"]
    assert cloud.actions() == []


def test_wrong_keys_are_a_clear_error(cloud: t.Any, run: t.Any) -> None:
    result = run("availability_zone_info", user=None, **{**cloud.options(), "secret_key": "wrong"})
    assert result["failed"] and result["msg"].startswith("Could not list availability zones: ")
