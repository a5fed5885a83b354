# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The clouds that an inventory file names: their connection options, and asking them for their VMs."""

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._api.connection import connect
from ..module_utils._api.errors import CloudError
from ..module_utils._api.options import CONNECTION_OPTIONS, settled
from ..module_utils._api.values import settled_values
from ..module_utils._resources.instances import list_instances, own_project

# Who and where: these are a cloud's own. The others may be said once for all clouds.
IDENTITY = ("endpoint_url", "access_key", "secret_key", "rc_file")
FILES = ("rc_file", "ca_bundle")
# What of a VM in a cache is relied on.
VIEW = {
    *("instance_id", "state", "owner_id", "image_id", "instance_type", "key_name", "kernel_id", "ramdisk_id"),
    *("security_groups", "tags", "block_devices", "availability_zone", "client_token", "launch_index", "launch_time"),
    *("private_ip_address", "public_ip_address", "private_dns_name", "root_device_name", "root_device_type"),
}


class Cloud(t.NamedTuple):
    """A cloud: its name (if the file has several), and the arguments of connect."""

    name: str | None
    arguments: dict[str, t.Any]

    @property
    def identity(self) -> str:
        """What its VMs are kept under in a cache: another user, or another cloud, is another one."""
        known = (self.arguments["endpoint"].url, self.arguments["access_key"])
        return hashlib.sha256("\0".join(known).encode()).hexdigest()[:16]

    def fetch(self, all_projects: bool) -> dict[str, t.Any]:
        """Its VMs, and the project that is the user's own, if there are those of several. Raises CloudError."""
        connection = connect(**self.arguments)
        listing = list_instances(connection)
        own = None
        if not all_projects and (listing.admin or len({view["owner_id"] for view in listing.views}) > 1):
            own = own_project(connection)
        return {"instances": listing.views, "own": own}


def is_listing(kept: t.Any) -> bool:
    """Whether what a cache has is what a cloud's fetch returns, as this version has it."""
    views = kept.get("instances") if isinstance(kept, dict) and "own" in kept else None
    return isinstance(views, list) and all(isinstance(view, dict) and view.keys() >= VIEW for view in views)


def clouds_of(
    shared: t.Mapping[str, t.Any],
    entries: t.Sequence[t.Mapping[str, t.Any]],
    beside: str,
    warn: t.Callable[[str], None],
) -> list[Cloud]:
    """The clouds of a file. shared: its connection options; entries: its clouds, if it names some; beside: its folder.

    Raises CloudError on bad input, before anything is sent.
    """
    if not entries:
        return [Cloud(None, settled(_checked("", shared, beside), warn))]
    own = [name for name in IDENTITY if shared.get(name) is not None]
    if own:
        raise CloudError(f"{', '.join(own)}: with clouds, each of them says this for itself.")
    clouds: list[Cloud] = []
    for place, entry in enumerate(entries, 1):
        name = entry.get("name")
        if not isinstance(name, str) or not name or name in [cloud.name for cloud in clouds]:
            raise CloudError(f"clouds: number {place} needs a name of its own.")
        options = {key: value for key, value in entry.items() if key != "name"}
        try:
            clouds.append(Cloud(name, settled(_checked(f"clouds: {name}: ", {**shared, **options}, beside), warn)))
        except CloudError as error:
            error.message = f"clouds: {name}: {error.message.removeprefix(f'clouds: {name}: ')}"
            raise
    return clouds


def _checked(where: str, options: t.Mapping[str, t.Any], beside: str) -> dict[str, t.Any]:
    """The options as modules have them: by their first names, of their types. Relative paths are beside the file."""
    try:
        given = settled_values(CONNECTION_OPTIONS, options)
    except CloudError as error:
        error.message = f"{where}{error.message}"
        raise
    for name in FILES:
        if isinstance(given.get(name), str):
            given[name] = os.path.join(beside, os.path.expanduser(given[name]))
    result = ArgumentSpecValidator(CONNECTION_OPTIONS).validate(given)
    if result.error_messages:
        raise CloudError(f"{where}{' '.join(result.error_messages)}")
    return dict(result.validated_parameters)
