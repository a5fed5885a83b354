# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""User data: what VMs can read when they boot, as text, as bytes in base64, or from a file."""

from __future__ import annotations

import base64
import typing as t

from .._api.errors import CloudError

# In base64, Nova takes 65535 characters of it.
MOST_BYTES = 49149
OPTIONS = ("user_data", "user_data_base64", "user_data_file")


def user_data_of(params: t.Mapping[str, t.Any]) -> bytes | None:
    """What VMs shall be able to read, in bytes; None if nothing is said of it. Raises CloudError."""
    given = [option for option in OPTIONS if params[option] is not None]
    if len(given) > 1:
        raise CloudError(f"{' and '.join(given)} say the same thing: give one of them.")
    if not given:
        return None
    option, value = given[0], params[given[0]]
    if option == "user_data_file":
        from .._api.files import read_bytes

        data = read_bytes(option, value)[0]
    elif option == "user_data_base64":
        try:
            data = base64.b64decode("".join(value.split()), validate=True)
        except ValueError as exc:
            raise CloudError(
                "user_data_base64 is not base64. The module ansible.builtin.slurp and the filter b64encode make it; "
                "text as it is goes into user_data."
            ) from exc
    else:
        data = value.encode()
    if len(data) > MOST_BYTES:
        raise CloudError(f"{option}: longer than the {MOST_BYTES} bytes that Nova takes.")
    return data
