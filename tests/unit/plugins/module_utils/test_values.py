# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What values become before anything else sees them, and which are refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.values import settled_values

SPEC: dict[str, dict[str, t.Any]] = {
    "text": {"type": "str", "aliases": ["words"]},
    "secret_key": {"type": "str", "no_log": True},
    "user_data": {"type": "str"},
    "file": {"type": "path"},
    "number": {"type": "int"},
    "read_timeout": {"type": "float"},
    "names": {"type": "list", "elements": "str"},
    "rules": {"type": "list", "elements": "dict", "options": {"ports": {"type": "list", "elements": "str"}}},
    "tags": {"type": "dict"},
}


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        ({"text": " a b\r\n"}, {"text": "a b"}),
        ({"words": " a "}, {"words": "a"}),
        ({"text": None}, {}),
        ({"text": 14.5}, {"text": 14.5}),
        ({"user_data": " as it is\n"}, {"user_data": " as it is\n"}),
        ({"names": "b, a,b ,"}, {"names": ["b", "a"]}),
        ({"names": ["b", None, " ", " a", "b\n"]}, {"names": ["b", "a"]}),
        ({"names": 7}, {"names": [7]}),
        ({"names": ""}, {"names": []}),
        ({"rules": {"ports": "1, 2"}}, {"rules": [{"ports": ["1", "2"]}]}),
        ({"number": " 7 "}, {"number": "7"}),
        ({"number": 2**31 - 1}, {"number": 2**31 - 1}),
        ({"tags": {"a": " b ", "c": None}}, {"tags": {"a": " b ", "c": None}}),
        ({"_ansible_x": None, "other": [None]}, {"_ansible_x": None, "other": [None]}),
    ],
)
def test_they_are_made_the_same(given: dict[str, t.Any], settled: dict[str, t.Any]) -> None:
    assert settled_values(SPEC, given) == settled


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "a\0"}, "text holds the character NUL"),
        ({"file": "a\ud800"}, "file holds a lone surrogate"),
        ({"names": ["a", "b\udfff"]}, "names, number 2, holds a lone surrogate"),
        ({"tags": {"a\ud800": "b"}}, "tags, a key, holds a lone surrogate"),
        ({"tags": {1: "b"}}, "the key 1 is a number and not a text"),
        ({"tags": {"a": ["b", {}]}}, "tags.a must be a text, and is a mapping"),
        ({"rules": [{"ports": [["1"]]}]}, "rules, number 1: ports, number 1, must be a text, and is a list"),
        ({"rules": ["a"]}, "rules, number 1, must be a mapping, and is a text"),
        ({"secret_key": "\0never shown"}, "secret_key holds the character NUL, and so is no text."),
        ({"secret_key": ""}, "secret_key is empty"),
        ({"number": 2**31}, "must be a number up to 2147483647, not 2147483648"),
        ({"read_timeout": -0.5}, "must not be less than 0 seconds, and is -0.5"),
        ({"read_timeout": "nan"}, "must be a number up to"),
    ],
)
def test_they_are_refused(given: dict[str, t.Any], said: str) -> None:
    with pytest.raises(CloudError) as failure:
        settled_values(SPEC, given)
    assert said in failure.value.message and "never shown" not in failure.value.message
