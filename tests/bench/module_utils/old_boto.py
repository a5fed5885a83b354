# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boto as it was in its time, when it signed for EC2 with version 2, which is all that Nova knows."""

from __future__ import annotations

import urllib.parse

from boto.ec2.connection import EC2Connection
from boto.ec2.regioninfo import RegionInfo

TEXT = {"type": "str"}
OPTIONS = {
    "job": {"type": "str", "required": True},
    "endpoint": TEXT,
    "access": TEXT,
    "secret": {"type": "str", "no_log": True},
    "name": TEXT,
    "image": TEXT,
    "instance_type": TEXT,
    "count": {"type": "int"},
}


class OldConnection(EC2Connection):
    """A connection that signs with version 2."""

    def _required_auth_capability(self) -> list[str]:
        return ["ec2"]


def connect(endpoint: str, access: str, secret: str) -> OldConnection:
    """A connection to an endpoint."""
    url = urllib.parse.urlsplit(endpoint)
    region = RegionInfo(name="nova", endpoint=url.hostname)
    return OldConnection(access, secret, is_secure=False, port=url.port, path=url.path, region=region)
