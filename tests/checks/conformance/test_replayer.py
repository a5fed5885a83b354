# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comparator notices what differs; the signer agrees with every recorded signature."""

from __future__ import annotations

import datetime
import itertools
import json
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))

from conformance.cloud import Cloud
from conformance.compare import differences
from conformance.ids import Ids
from conformance.recording import Message, load, parse
from conformance.replay import ACTION_SECONDS, BOOT_SECONDS, Replay, Verdict
from conformance.signing import shifted, signed_host
from virtual.world import World

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


def test_the_time_that_a_reply_took_is_read_and_shared_by_the_requests_of_a_file() -> None:
    text = (WIRE / "nova-2013.1.5" / "416-address-associate-pending.txt").read_text()
    several = parse("416", text)
    assert len(several) > 1 and len({one.took for one in several}) == 1 and several[0].took > 0


def test_addresses_inside_texts_are_paired_too() -> None:
    pairs = Ids()
    pairs.learn("203.0.113.72", "172.24.4.1")
    assert pairs.local("The address '203.0.113.72' is gone.") == "The address '172.24.4.1' is gone."


def replayed(change: dict[str, tuple[str, str]], hidden: str = "") -> dict[str, Verdict]:
    """The verdicts on the recording of Grizzly up to its tests of quotas, after changes of recorded replies."""
    exchanges = load(WIRE / "nova-2013.1.5")
    for exchange in exchanges:
        if exchange.name in change:
            old, new = change[exchange.name]
            assert exchange.reply is not None and old in exchange.reply.body
            exchange.reply.body = exchange.reply.body.replace(old, new)
    users = json.loads((WIRE / "users.json").read_text())
    with World().entered():
        cloud = Cloud("grizzly", WIRE / "users.json", BOOT_SECONDS, ACTION_SECONDS)
        secrets = {user["access"]: user["secret"] for user in users.values()}
        verdicts = Replay(exchanges, cloud, secrets, {hidden}).run()
        return {one.name: one for one in itertools.takewhile(lambda one: one.name < "158", verdicts)}


def test_what_the_replay_inferred_is_told_apart_from_what_the_cloud_does() -> None:
    wrong = {
        # As if fewer VMs had been removed off the record than the replay thinks.
        "156-run-over-quota-min11": ("already used 1 of", "already used 3 of"),
        # The same number of VMs, and something else.
        "154-run-over-quota-instances": ("Quota exceeded for", "Quota passed for"),
        # Before anything was inferred.
        "144-start-while-pending": ("UnknownError", "OddError"),
    }
    found = replayed(wrong)
    assert {name for name, one in found.items() if one.differences} == set(wrong)
    assert "had 3 VMs, and here are 1" in found["156-run-over-quota-min11"].inferred
    assert not found["154-run-over-quota-instances"].inferred and not found["144-start-while-pending"].inferred


def test_nothing_is_inferred_from_a_hidden_reply() -> None:
    # It alone shows the five VMs of a launch after which others are removed.
    name = "152-describe-several-pending"
    exchanges = load(WIRE / "nova-2013.1.5")
    position = next(at for at, one in enumerate(exchanges) if one.name == name)
    cloud = Cloud("grizzly", WIRE / "users.json", BOOT_SECONDS, ACTION_SECONDS)
    seen, unseen = (Replay(exchanges, cloud, {}, hidden) for hidden in ((), {name}))
    assert seen._last_mention[0x3F] == position > unseen._last_mention[0x3F]
