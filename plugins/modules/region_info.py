#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: region_info
short_description: List regions
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the regions that a cloud with Nova's EC2 API names. Most have one, called V(nova).
  - It is the smallest request there is, and so a way to see whether address and keys are right.
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
"""

EXAMPLES = r"""
- name: See whether the cloud answers
  nova_ec2.cloud.region_info:
    rc_file: ~/ec2rc.sh
  register: result
"""

RETURN = r"""
regions:
  description: The regions, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: nova
    endpoint_url:
      description: The address that the cloud says its EC2 API has. It need not be one you can reach.
      type: str
      sample: http://cloud.example.com:8773/services/Cloud
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import attempt
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run


def gather(session: Session) -> dict[str, t.Any]:
    """List the regions."""
    regions = attempt("list regions", session.connection.get_all_regions)
    found = [{"name": region.name, "endpoint_url": region.endpoint} for region in regions]
    return {"regions": sorted(found, key=lambda region: region["name"])}


def main() -> None:
    """Run the module."""
    run(gather, options={})


if __name__ == "__main__":
    main()
