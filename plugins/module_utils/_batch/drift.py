# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""In what the members of a batch differ from what the task says now."""

from __future__ import annotations

import typing as t

from .._api.errors import CloudError
from .._resources.instances import View, mark_of
from .._resources.record import fingerprint
from .slots import data_fingerprint

COMPARED = {"image_id": "image", "instance_type": "instance_type", "key_name": "key_name"}


def drift_of(
    connection: t.Any, params: t.Mapping[str, t.Any], views: t.Sequence[View]
) -> tuple[dict[str, list[str]], list[str]]:
    """What is wrong with members, by id, and the options that cannot be compared here. Only given options count.

    Costs a request if the image is given by name.
    """
    unknown: list[str] = []
    wanted = {name: params[option] or None for name, option in COMPARED.items() if params[option] is not None}
    if views and params["image"]:
        from .._resources.images import find_machine_image

        try:
            wanted["image_id"] = find_machine_image(connection, params["image"])
        except CloudError:
            if params["update"] == "replace":
                raise
            # The image may be long gone; the members run on.
            del wanted["image_id"]
            unknown.append("image")
    data = params["user_data"]
    drift = {view["instance_id"]: _differences(params, view, wanted, data) for view in views}
    if data is not None and any(data_fingerprint(view) is None for view in views):
        unknown.append("user_data")
    return {key: reasons for key, reasons in drift.items() if reasons}, unknown


def _differences(
    params: t.Mapping[str, t.Any], view: View, wanted: t.Mapping[str, t.Any], data: bytes | None
) -> list[str]:
    reasons = [
        f"{COMPARED[name]} is {view[name]}, not {value}" for name, value in wanted.items() if view[name] != value
    ]
    # None at all are shown while a VM is still without its network.
    if params["security_groups"] is not None and view["security_groups"]:
        groups = sorted(params["security_groups"] or ["default"])
        has = sorted(set(view["security_groups"]) - {mark_of(params["batch"])})
        if has != groups:
            reasons.append(f"security_groups are {', '.join(has) or 'none'}, not {', '.join(groups)}")
    if data is not None and data_fingerprint(view) not in (None, fingerprint(data)):
        reasons.append("user_data is another")
    return reasons
