# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A launcher as people wrote it in 2013, to show that the schedules find what they look for.

It lists the VMs, counts its own, launches what is missing, waits, and then tags. boto repeats what fails.
"""

from __future__ import annotations

import time
import typing as t
import urllib.parse

TAG = "launcher"
DEAD = ("terminated", "shutting-down")
PAUSE = 1.0


def connect(url: str, access_key: str, secret_key: str) -> t.Any:
    """A plain connection of boto, signing as it did in 2013."""
    from boto.ec2.connection import EC2Connection
    from boto.regioninfo import RegionInfo

    class Connection(EC2Connection):  # type: ignore[misc, unused-ignore]
        """boto's own but for the signature, which was version 2 then."""

        def _required_auth_capability(self) -> list[str]:
            return ["sign-v2"]

    parts = urllib.parse.urlsplit(url)
    return Connection(
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        is_secure=False,
        port=parts.port,
        path=parts.path,
        region=RegionInfo(name="nova", endpoint=parts.hostname),
    )


def main(options: dict[str, t.Any]) -> None:
    """Launch what is missing to have ``count`` VMs; ``prepare`` only makes the key pair."""
    connection = connect(options["endpoint_url"], options["access_key"], options["secret_key"])
    name = options["batch"]
    if options.get("prepare"):
        connection.create_key_pair(name)
        return
    missing = options["count"] - len(mine(connection, name, options["tags"]))
    if missing < 1:
        return
    image = next(found for found in connection.get_all_images() if found.name == options["image"])
    reservation = connection.run_instances(
        image.id, min_count=missing, max_count=missing, key_name=name, instance_type=options["instance_type"]
    )
    for instance in reservation.instances:
        while instance.update() == "pending":
            time.sleep(PAUSE)
    if options["tags"]:
        connection.create_tags([instance.id for instance in reservation.instances], {TAG: name})


def mine(connection: t.Any, name: str, tags: bool) -> list[t.Any]:
    """The launcher's VMs: by tag where there are tags, and else by key pair."""
    found = [instance for one in connection.get_all_instances() for instance in one.instances]
    alive = [instance for instance in found if instance.state not in DEAD]
    if tags:
        return [instance for instance in alive if instance.tags.get(TAG) == name]
    return [instance for instance in alive if instance.key_name == name]
