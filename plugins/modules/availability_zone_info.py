#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: availability_zone_info
short_description: List availability zones
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the availability zones of a cloud that offers Nova's EC2 API. Most have one, called V(nova).
  - Hosts and services, which Nova can list among the zones for administrators, are left out.
options:
  names:
    description:
      - Only zones with one of these names.
    type: list
    elements: str
    aliases: [name, zone_names, zone_name]
  filters:
    description:
      - Only zones that pass all of these filters, which are V(zone-name), V(state) and V(region-name).
      - A value is a pattern with C(*) and C(?), or a list of patterns of which one has to match.
      - They are applied here and not by the server, which would ignore them.
    type: dict
    default: {}
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.instance
  - module: nova_ec2.cloud.region_info
"""

EXAMPLES = r"""
- name: List the zones
  nova_ec2.cloud.availability_zone_info:
    rc_file: ~/ec2rc.sh
  register: zones

- name: Spread a batch over all zones that can take VMs
  nova_ec2.cloud.instance:
    rc_file: ~/ec2rc.sh
    batch: web
    count: 6
    image: Cirros-0.3.0-x86_64
    instance_type: m1.tiny
    availability_zones: "{{ zones.available }}"
"""

RETURN = r"""
availability_zones:
  description: The zones, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: nova
    state:
      description: The cloud's word for its state, V(available) or V(not available), which ec2-api calls V(unavailable).
      type: str
      sample: available
    available:
      description: Whether it is available.
      type: bool
      sample: true
    region:
      description:
        - The region that it is in. Nova does not say so; it is the one region that the cloud has, and V(null) if the
          cloud has several.
      type: str
      sample: nova
available:
  description: Names of those zones that are available.
  returned: success
  type: list
  elements: str
  sample: [nova]
unknown_names:
  description: Those of O(names) that do not exist.
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import attempt
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.filters import check_filters, like
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.views import text

View = dict[str, t.Any]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "names": {"type": "list", "elements": "str", "aliases": ["name", "zone_names", "zone_name"]},
    "filters": {"type": "dict", "default": {}},
}
PROPERTIES = {"zone-name": "name", "state": "state", "region-name": "region"}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    check_filters("filters", params["filters"], PROPERTIES)


def gather(session: Session) -> dict[str, t.Any]:
    """List the zones that match."""
    views, names = list_zones(session.connection), session.params["names"]
    there = {view["name"] for view in views}
    if names is not None:
        views = [view for view in views if view["name"] in names]
    filters = session.params["filters"].items()
    found = [view for view in views if all(like([view[PROPERTIES[name]]], wanted) for name, wanted in filters)]
    return {
        "availability_zones": found,
        "available": [view["name"] for view in found if view["available"]],
        "unknown_names": [name for name in names or () if name not in there],
    }


def list_zones(connection: t.Any) -> list[View]:
    """Every zone, by name."""
    zones = attempt("list availability zones", connection.get_all_zones)
    regions = attempt("list regions", connection.get_all_regions)
    only = text(regions[0].name) if len(regions) == 1 else None
    views = [zone_view(zone, only) for zone in zones]
    # '|- host' and '| |- service' are rows of a tree that Nova draws for administrators.
    named = [view for view in views if view["name"] and not view["name"].startswith("|")]
    return sorted(named, key=lambda view: str(view["name"]))


def zone_view(zone: t.Any, region: str | None) -> View:
    """A zone. region: the one region that there is, if there is one."""
    state = text(zone.state)
    return {
        "name": text(zone.name),
        "state": state,
        "available": state == "available",
        "region": text(zone.region_name) or region,
    }


def main() -> None:
    """Run the module."""
    run(gather, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
