#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: keypair_info
short_description: List key pairs
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the key pairs of a user of a cloud that offers Nova's EC2 API, with names and fingerprints.
  - Nova's API hands out no key material when it lists, neither public nor private.
options:
  names:
    description:
      - Only key pairs with one of these names.
    type: list
    elements: str
    aliases: [name]
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.keypair
"""

EXAMPLES = r"""
- name: List all key pairs
  nova_ec2.cloud.keypair_info:
    rc_file: ~/ec2rc.sh
  register: pairs

- name: Look for one
  nova_ec2.cloud.keypair_info:
    rc_file: ~/ec2rc.sh
    names: deploy
"""

RETURN = r"""
keypairs:
  description: The key pairs, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: deploy
    fingerprint:
      description: MD5 of the public key, as the cloud shows it.
      type: str
      sample: ab:c6:a8:90:22:55:c3:6d:17:ad:3d:24:51:02:d8:63
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
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.views import keypair_view

OPTIONS: dict[str, dict[str, t.Any]] = {"names": {"type": "list", "elements": "str", "aliases": ["name"]}}


def gather(session: Session) -> dict[str, t.Any]:
    """List the key pairs that match."""
    pairs = [keypair_view(pair) for pair in attempt("list key pairs", session.connection.get_all_key_pairs)]
    names = session.params["names"]
    if names is None:
        names = [pair["name"] for pair in pairs]
    found = sorted((pair for pair in pairs if pair["name"] in names), key=lambda pair: pair["name"])
    unknown = [name for name in names if name not in {pair["name"] for pair in pairs}]
    return {"keypairs": found, "unknown_names": unknown}


def main() -> None:
    """Run the module."""
    run(gather, options=OPTIONS)


if __name__ == "__main__":
    main()
