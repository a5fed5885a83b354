#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_info
short_description: Find out what a cloud is, and what is wrong with it
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Looks at everything between a task and a cloud with Nova's EC2 API, step by step, and tells of each what it is,
    whether it is right, and what to do if not.
  - It does not fail because of what it finds, and never changes anything. It fails if the options make no sense.
  - It sends about ten small requests and never shows the keys.
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.region_info
"""

EXAMPLES = r"""
- name: See what is wrong
  nova_ec2.cloud.cloud_info:
    rc_file: ~/ec2rc.sh
  register: cloud

- name: Show it
  ansible.builtin.debug:
    var: cloud.problems

- name: Go on only with a cloud that works
  ansible.builtin.assert:
    that: cloud.healthy
    fail_msg: "{{ cloud.problems | join(' ') }}"
"""

RETURN = r"""
healthy:
  description: Whether no check found a problem. Warnings and what could not be found out do not count.
  returned: success
  type: bool
  sample: true
problems:
  description: The problems, each in a sentence or two with what to do.
  returned: success
  type: list
  elements: str
  sample: []
checks:
  description: Everything that was looked at, in this order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description:
        - What was looked at, which is one of V(python), V(ansible), V(collection), V(boto), V(dns), V(tcp), V(tls),
          V(http), V(clock), V(credentials), V(signatures), V(generation), V(tags), V(client_tokens), V(filters) and
          V(usage).
        - Steps on the way that were not reached are missing; V(tls) is missing with http.
      type: str
      sample: clock
    status:
      description: V(ok), V(warning), V(problem), or V(unknown) if it cannot be told.
      type: str
      sample: ok
    detail:
      description: What was found.
      type: str
      sample: The clocks agree within 1 s.
    advice:
      description: What to do about it.
      type: str
      sample: null
endpoint_url:
  description: The endpoint that was looked at.
  returned: success
  type: str
  sample: http://cloud.example.com:8773/services/Cloud
generation:
  description: The server's generation, as far as it shows.
  returned: success
  type: dict
  contains:
    candidates:
      description:
        - The releases of Nova, such as V(grizzly), that answer like this one, or V(ec2api) for the stand-alone service.
          Empty if none does.
      type: list
      elements: str
      sample: [grizzly]
    evidence:
      description: What tells so.
      type: list
      elements: str
      sample: ["It says of an unknown key pair: KeypairNotFound (HTTP 400)."]
signature_versions:
  description: The signature versions that the cloud accepts; V(null) if that could not be found out.
  returned: success
  type: list
  elements: int
  sample: [2]
features:
  description: What works; V(null) where that is not known.
  returned: success
  type: dict
  contains:
    tags:
      description: Whether there are tags.
      type: bool
      sample: false
    client_tokens:
      description: Whether launches with a client token can be repeated without harm. Known from the generation only.
      type: bool
      sample: false
    filters:
      description: Whether the server filters lists. No module of this collection relies on it.
      type: bool
      sample: false
usage:
  description:
    - How many C(instances), C(security_groups), C(addresses) and C(volumes) the project has, and how many C(key_pairs)
      the user has; V(null) for what could not be listed.
  returned: success
  type: dict
  sample: {instances: 3, key_pairs: 1, security_groups: 2, addresses: 0, volumes: 0}
limits:
  description: How many C(instances) the project may have; V(null) where the cloud does not tell. Only ec2-api does.
  returned: success
  type: dict
  sample: {instances: null}
clock_skew:
  description: By how many seconds this machine's clock is ahead of the server's; V(null) if not known.
  returned: success
  type: int
  sample: 0
certificate:
  description: The server's certificate; V(null) without TLS.
  returned: success
  type: dict
  contains:
    subject:
      description: Whose it is.
      type: str
      sample: commonName=cloud.example.com
    issuer:
      description: Who issued it.
      type: str
      sample: commonName=Example CA
    names:
      description: The names and addresses that it is for.
      type: list
      elements: str
      sample: [cloud.example.com]
    not_after:
      description: When it expires, in UTC.
      type: str
      sample: "2027-11-23T04:53:14Z"
    days_left:
      description: In how many days that is.
      type: int
      sample: 365
versions:
  description: Of the software on this side.
  returned: success
  type: dict
  contains:
    boto:
      description: Version of boto; V(null) if it cannot be imported.
      type: str
      sample: 2.49.0
    boto_path:
      description: Where it is.
      type: str
      sample: /usr/lib/python3/dist-packages/boto/__init__.py
    python:
      description: Version of the Python that executes modules.
      type: str
      sample: 3.11.2
    python_path:
      description: Where it is.
      type: str
      sample: /usr/bin/python3
    ansible_core:
      description: Version of ansible-core.
      type: str
      sample: 2.19.0
    collection:
      description: Version of this collection.
      type: str
      sample: 0.1.0
"""

import sys
import typing as t

from ansible.module_utils.ansible_release import __version__ as ansible_version
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import boto as _boto
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError, plain_all
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.options import settled
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.reach import OK, PROBLEM, WARNING, Check
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.diagnosis import COLLECTION_VERSION, examine


def gather(session: Session) -> dict[str, t.Any]:
    """Look at this machine, the way, and the cloud. Connected to nothing yet, the session holds connect's arguments."""
    settings = session.connection
    boto, boto_version, boto_path = look_at_boto()
    versions = {
        "boto": boto_version,
        "boto_path": boto_path,
        "python": sys.version.split()[0],
        "python_path": sys.executable,
        "ansible_core": ansible_version,
        "collection": COLLECTION_VERSION,
    }
    checks, way, found = examine(settings, boto.status != PROBLEM)
    checks = [*on_this_side(versions), boto, *checks]
    wrong = [check for check in checks if check.status == PROBLEM]
    found_out = {
        "healthy": not wrong,
        "problems": [f"{check.name}: {check.detail} {check.advice or ''}".strip() for check in wrong],
        "checks": [check._asdict() for check in checks],
        "endpoint_url": settings["endpoint"].url,
        "generation": {"candidates": list(found.generations), "evidence": list(found.evidence)},
        "signature_versions": found.signature_versions,
        "features": dict(found.features),
        "usage": dict(found.usage),
        "limits": dict(found.limits),
        "clock_skew": way.clock_skew,
        "certificate": way.certificate,
        "versions": versions,
    }
    # It is all told to people.
    return dict(plain_all(found_out))


def on_this_side(versions: dict[str, t.Any]) -> list[Check]:
    """The software that runs this."""
    return [
        Check("python", OK, f"Python {versions['python']} ({versions['python_path']})."),
        Check("ansible", OK, f"ansible-core {versions['ansible_core']}."),
        Check("collection", OK, f"nova_ec2.cloud {versions['collection']}."),
    ]


def look_at_boto() -> tuple[Check, str | None, str | None]:
    """Whether boto can be imported, its version, and where it is."""
    try:
        _boto.load()
    except CloudError as error:
        return Check("boto", PROBLEM, error.message), None, None
    boto = sys.modules["boto"]
    version, path = str(getattr(boto, "__version__", None)), str(boto.__file__)
    if version != _boto.REQUIRED:
        advice = f"This collection is tested with boto {_boto.REQUIRED}: pip install boto=={_boto.REQUIRED}."
        return Check("boto", WARNING, f"boto {version} ({path}).", advice), version, path
    return Check("boto", OK, f"boto {version} ({path})."), version, path


def main() -> None:
    """Run the module."""
    run(gather, options={}, connect=settled)


if __name__ == "__main__":
    main()
