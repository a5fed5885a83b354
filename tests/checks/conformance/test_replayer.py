# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comparator notices what differs; the signer agrees with every recorded signature."""

from __future__ import annotations

import datetime
import json
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))

from conformance.compare import differences
from conformance.ids import Ids
from conformance.recording import Message, load
from conformance.signing import shifted, signed_host

WIRE = TESTS / "fixtures" / "wire"
WRONG_ON_PURPOSE = {"auth-wrong-secret", "auth-unknown-access-key", "auth-access-key-of-other-secret"}
RECORDED = """<?xml version="1.0" ?><R xmlns="x"><requestId>req-795d5b51-8a59-4d47-a4c8-8092b5ab8230</requestId><set>
<item><instanceId>i-00000007</instanceId><state>running</state><launchTime>2026-11-23T04:51:01.370Z</launchTime></item>
<item><instanceId>i-00000008</instanceId><state>stopped</state><launchTime>2026-11-23T04:51:02.370Z</launchTime></item>
</set></R>"""


def message(body: str, status: str = "200 OK", content_type: str = "text/xml") -> Message:
    return Message(f"HTTP/1.1 {status}", [("Content-Type", content_type)], body)


def ids() -> Ids:
    """Recorded instances 7 and 8 are local instances 1 and 2."""
    pairs = Ids()
    pairs.learn("i-00000007", "i-00000001")
    return pairs


def local(body: str) -> str:
    """The recorded body as the local cloud would send it."""
    return body.replace("i-00000007", "i-00000001").replace("i-00000008", "i-00000002").replace("795d5b51", "00000000")


def test_the_same_in_another_order_is_the_same() -> None:
    first, second = local(RECORDED).split("<item>")[1:]
    swapped = local(RECORDED).partition("<item>")[0] + "<item>" + second.replace("</set></R>", "")
    swapped += "<item>" + first + "</set></R>"
    assert differences(message(RECORDED), message(swapped), ids()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("running", "stopped"),
        ("i-00000002", "i-00000003"),
        (".370Z", "Z"),
        ("<state>running</state>", ""),
        ("</item>\n</set>", "<extra/></item>\n</set>"),
        ('xmlns="x"', 'xmlns="y"'),
        ('<?xml version="1.0" ?>', ""),
        ("req-", ""),
        ("<R ", "<S "),
        ("</R>", ""),
    ],
)
def test_every_kind_of_difference_is_noticed(old: str, new: str) -> None:
    changed = local(RECORDED).replace(old, new)
    assert changed != local(RECORDED)
    assert differences(message(RECORDED), message(changed), ids())


def test_status_and_content_type_count() -> None:
    same = local(RECORDED)
    assert differences(message(RECORDED), message(same, status="400 Bad Request"), ids())
    assert differences(message(RECORDED), message(same, content_type="text/plain"), ids())


@pytest.mark.parametrize(
    ("folder", "users_of", "wrong"),
    [
        ("nova-2013.1.5", ".", WRONG_ON_PURPOSE | {"auth-hmacsha1"}),
        ("nova-2014.1.5", ".", WRONG_ON_PURPOSE | {"auth-hmacsha1"}),
        ("ec2api-17.0.0", "ec2api-17.0.0", WRONG_ON_PURPOSE),
    ],
)
def test_every_recorded_signature_checks_but_those_that_are_wrong_on_purpose(
    folder: str, users_of: str, wrong: set[str]
) -> None:
    users = json.loads((WIRE / users_of / "users.json").read_text())
    secrets = {user["access"]: user["secret"] for user in users.values()}
    signed = [one for one in load(WIRE / folder) if {"Signature", "AWSAccessKeyId"} <= set(one.parameters)]
    assert len(signed) > 330
    assert {one.name.partition("-")[2] for one in signed if signed_host(one, secrets) is None} == wrong


def test_time_stamps_keep_their_distance_and_form() -> None:
    recorded, now = datetime.datetime(2026, 1, 1, 12), datetime.datetime(2027, 2, 3, 4, 5, 6)
    assert shifted("2026-01-01T12:05:10.000Z", recorded, now) == "2027-02-03T04:10:16.000Z"
    assert shifted("yesterday", recorded, now) == "yesterday"
