# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What names and tags the cloud would change."""

from __future__ import annotations

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_name, check_tags, guessed_type


@pytest.mark.parametrize(
    "value",
    [
        *("123", "0123", "1e3", "1.5", "-7", "+5", " 7 ", "0x1F", "0b11", "nan", "inf", "1_000", "1j", "089", "10L"),
        *("true", "False", "TRUE", "None", "None "),
    ],
)
def test_what_nova_would_turn_into_something_else_is_seen(value: str) -> None:
    assert guessed_type(value)
    with pytest.raises(CloudError):
        check_name("name", value)


@pytest.mark.parametrize(
    "value", ["web", "none", "web-1", "1-web", "v1.0", "truely", "e3", "x123", "infinite", "", "0x"]
)
def test_what_stays_text_is_left_alone(value: str) -> None:
    assert guessed_type(value) is None


def test_tags_become_text_or_are_refused() -> None:
    assert check_tags("tags", {"role": "web", "empty": None}) == {"role": "web", "empty": ""}
    for tags in ({"index": 7}, {"index": True}, {"9": "x"}, {"": "x"}, {"k": "v" * 256}):
        with pytest.raises(CloudError):
            check_tags("tags", tags)
