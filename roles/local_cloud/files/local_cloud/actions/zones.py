# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeRegions, DescribeAvailabilityZones and DescribeAccountAttributes."""

from __future__ import annotations

import datetime
from typing import Any

from .. import servers
from ..errors import NovaError
from ..model import ZONE
from .call import Call
from .registry import action

_CONTROL_SERVICES = ("nova-conductor", "nova-cert", "nova-scheduler", "nova-network")
_ZED_SERVICES = ("nova-scheduler", "nova-conductor")


@action(also="region_name")
def describe_regions(call: Call, /, **_ignored: Any) -> dict[str, Any]:
    """Return the one region; a list of names is ignored."""
    region = {"regionEndpoint": call.cloud.region_endpoint, "regionName": call.profile.region}
    return {"regionInfo": [region]}


@action(lambda profile: profile.ec2api, also="attribute_name")
def describe_account_attributes(call: Call, /, attribute_name: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return what the account may do, and the quota of servers."""
    values: dict[str, list[Any]] = {
        "supported-platforms": ["EC2", "VPC"],
        "default-vpc": ["none"],
        "max-instances": [call.cloud.settings.quota_instances],
    }
    rows = [
        {"attributeName": name, "attributeValueSet": [{"attributeValue": value} for value in held]}
        for name, held in values.items()
        if attribute_name is None or name in attribute_name
    ]
    return {"accountAttributeSet": rows}


@action(lambda profile: profile.ec2api, also="vpc_id")
def describe_vpcs(call: Call, /, **_ignored: Any) -> dict[str, Any]:
    """Return no networks: this cloud has none of one's own."""
    return {"vpcSet": []}


@action(also="zone_name")
def describe_availability_zones(call: Call, /, zone_name: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the zones; administrators who ask for ``verbose`` also get hosts and services as pseudo-zones."""
    if zone_name and "verbose" in zone_name and call.user.is_admin:
        rows = _verbose_rows(call)
    else:
        settings, down = call.cloud.settings, "unavailable" if call.profile.ec2api else "not available"
        rows = [(name, down if name in settings.down_zones else "available") for name in settings.zones]
        if zone_name and call.profile.ec2api:
            for name in zone_name:
                if name not in call.cloud.settings.zones:
                    raise NovaError("ZoneNotFound", f"Availability zone {name} not found")
            rows = [row for row in rows if row[0] in zone_name]
    return {"availabilityZoneInfo": [{"zoneState": state, "zoneName": name} for name, state in rows]}


def _verbose_rows(call: Call) -> list[tuple[str, str]]:
    # Later generations no longer know when a service was last heard of.
    now = datetime.datetime.fromtimestamp(call.cloud.now(), datetime.timezone.utc)
    beat = None if call.profile.pretty else now.strftime("%Y-%m-%d %H:%M:%S.%f")
    control = _CONTROL_SERVICES
    if call.profile.ec2api:
        beat, control = now.strftime("%Y-%m-%dT%H:%M:%S.000000"), _ZED_SERVICES
    rows: list[tuple[str, str]] = []
    for zone, services in (("internal", control), (ZONE, ("nova-compute",))):
        rows += [(zone, "available"), (f"|- {servers.HOST}", "")]
        rows += [(f"| |- {service}", f"enabled :-) {beat}") for service in services]
    return rows
