# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies and options changed at random: a module gives a right result or a clear error, and never a fault of ours.

NOVA_EC2_FUZZ is how many replies, or tasks, each test changes (``make fuzz``); without it they are few, and always the
same.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import re
import typing as t

import pytest
from clouds import CIRROS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from option_values import MODULES, NEEDED, options_of

MANY = int(os.environ.get("NOVA_EC2_FUZZ", "0"))
# The whole file takes 30 seconds.
EXAMPLES = 100
SETTINGS = settings(
    max_examples=MANY or EXAMPLES,
    derandomize=not MANY,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LAUNCH = {"image": CIRROS, "instance_type": "m1.tiny"}
INFO = {
    "address_info": "DescribeAddresses",
    "availability_zone_info": "DescribeAvailabilityZones",
    "image_info": "DescribeImages",
    "instance_info": "DescribeInstances",
    "keypair_info": "DescribeKeyPairs",
    "region_info": "DescribeRegions",
    "security_group_info": "DescribeSecurityGroups",
    "snapshot_info": "DescribeSnapshots",
    "volume_info": "DescribeVolumes",
}
ODD = ["", " ", "None", "true", "-1", "0", "9" * 5000, "1e9", "nan", "i-00000001", "prod-db-1", "../../x", "-oX=y",
       "{{ 1 }}", "\u009b31m", "\u202e", "\u0661", "10.0.0.1", "::1", "<a/>", "&#x9b;", "&amp;", "&x;", "]]>",
       "2026-02-30T25:61:61Z", "a" * 20_000, "<item/>", "<item><instanceId>i-00000001</instanceId></item>"]  # fmt: skip
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
LEAF = re.compile(rb">([^<>]*)</")
ELEMENT = re.compile(rb"<([A-Za-z]+)(?: [^>]*)?(?:/>|>[^<]*</\1>)")
TAG = re.compile(rb"</?[A-Za-z]+[^>]*>")

# Whatever YAML and templates make of what somebody writes.
SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 5), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from([*ODD, "a, b", "a\0b", "Jörg", " web\n", "default", "0x10", "1e400", "10.0.0.0/8", "/dev/vdb",
                     "ami-00000001", "vol-00000001", "running", "22", "1-5", "tag:role", "web-{index}", "~", "/",
                     10**20, -(10**20), [], {}]),
)  # fmt: skip
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(max_size=8), st.sampled_from(["image-id", "tag:role", "ports", "cidr_ip", "device_name"])
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
# Which cloud it is.
FIXED = frozenset({"endpoint_url", "access_key", "secret_key"})

CHANGE = st.tuples(
    st.sampled_from(["text", "text", "text", "gone", "twice", "tag", "cut", "byte", "insert", "swap"]),
    st.integers(0, 1 << 20),
    st.integers(0, 1 << 20),
    st.one_of(st.sampled_from(ODD), st.text(max_size=30)),
)
CHANGES = st.lists(CHANGE, min_size=1, max_size=4)

pytestmark = pytest.mark.needs("forged")


def sound(spec: dict[str, t.Any]) -> st.SearchStrategy[t.Any]:
    """Values that an option of such a specification may well have."""
    words = st.sampled_from(spec.get("choices") or ["web", " web ", "ami-00000001", "i-00000001", "/dev/vdc"])
    kinds = {"int": st.integers(1, 30), "float": st.sampled_from([0.5, 5, "7"]), "bool": st.booleans()}
    if spec["type"] == "list":
        return st.lists(words, max_size=4)
    return st.just({}) if spec["type"] == "dict" else kinds.get(spec["type"], words)


def changed(body: bytes, change: tuple[str, int, int, str]) -> bytes:
    """A reply after one change."""
    kind, first, second, text = change
    new = text.encode("utf-8", "replace")
    found = list(
        {"text": LEAF, "gone": ELEMENT, "twice": ELEMENT, "swap": ELEMENT, "tag": TAG}.get(kind, LEAF).finditer(body)
    )
    if not body or not found:
        return new
    one, other = found[first % len(found)], found[second % len(found)]
    place = first % len(body)
    if kind == "text":
        return body[: one.start(1)] + new + body[one.end(1) :]
    if kind in ("gone", "tag"):
        return body[: one.start()] + body[one.end() :]
    if kind == "twice":
        return body[: other.end()] + one[0] + body[other.end() :]
    if kind == "swap":
        return body[: one.start()] + other[0] + body[one.end() :]
    if kind == "cut":
        return body[:place]
    if kind == "byte":
        return body[:place] + bytes([second % 256]) + body[place + 1 :]
    return body[:place] + new + body[place:]


def forging(changes: t.Sequence[tuple[str, int, int, str]]) -> t.Callable[[bytes], bytes]:
    """What makes all changes in the body of an answer."""

    def forge(whole: bytes) -> bytes:
        body = whole.partition(b"\r\n\r\n")[2]
        for change in changes:
            body = changed(body, change)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    return forge


def judged(result: dict[str, t.Any]) -> str:
    """'right' or 'error'; anything else is an AssertionError."""
    said = str(result.get("msg", ""))
    assert "A fault in" not in said, said
    # What Ansible itself says of an option quotes it as it is.
    assert "error_code" not in result or not FORBIDDEN.search(said), said
    for warning in result.get("warnings", []):
        assert not FORBIDDEN.search(str(warning))
    if result.get("failed"):
        return "error"
    ids = [view["instance_id"] for view in result.get("instances", [])]
    assert all(re.fullmatch("i-[0-9a-f]{8}(?:[0-9a-f]{9})?", value) for value in ids) and len(ids) == len(set(ids))
    for view in result.get("instances", []):
        for key in ("private_ip_address", "public_ip_address"):
            assert view[key] is None or re.fullmatch("[0-9a-f.:]+", view[key])
    return "right"


def ended(cloud: t.Any) -> set[str]:
    """The ids of all VMs that were asked to terminate."""
    log = cloud.control("GET", "log")["requests"]
    asked = [entry["params"] for entry in log if entry["action"] == "TerminateInstances"]
    return {value for params in asked for name, value in params.items() if name.startswith("InstanceId")}


@pytest.mark.parametrize("cloud", ["grizzly", "ec2api"], indirect=True)
def test_info_modules(cloud: t.Any, run: t.Any, vms: list[str], figure: t.Any) -> None:
    run("keypair", name="one")
    run("volume", instance_id=vms[0], device_name="/dev/vdc", volume_size=1)
    run("address", instance_id=vms[0])
    counts: collections.Counter[str] = collections.Counter()

    @SETTINGS
    @given(st.sampled_from(sorted(INFO)), CHANGES)
    def check(module: str, changes: t.Any) -> None:
        cloud.forge(INFO[module], forging(changes))
        counts[judged(run(module, read_timeout=5))] += 1
        cloud.believe()

    check()
    figure(f"{cloud.profile}: info modules, changed replies: {counts['right']} right results, {counts['error']} errors")


@pytest.mark.parametrize("cloud", ["grizzly", "liberty"], indirect=True)
def test_instance(cloud: t.Any, run: t.Any, vms: list[str], figure: t.Any) -> None:
    counts: collections.Counter[str] = collections.Counter()

    @SETTINGS
    @given(st.sampled_from(["DescribeInstances", "RunInstances", "TerminateInstances"]), CHANGES)
    def check(action: str, changes: t.Any) -> None:
        cloud.believe()
        # What one example left behind, such as a launch that seemed lost, is no matter of the next.
        before = run("instance", batch="web", count=2, max_terminate=50, read_timeout=60, **LAUNCH)
        assert judged(before) == "right", before["msg"]
        cloud.forget_log()
        cloud.forge(action, forging(changes))
        more = action != "TerminateInstances"
        count = 3 if more else 1
        result = run("instance", batch="web", count=count, max_terminate=50, read_timeout=5, wait_timeout=20, **LAUNCH)
        counts[judged(result)] += 1
        # A list that hides a member has one launched too many, which the run takes back; never one that was there.
        taken_back = "taken back" in str(result.get("warnings"))
        assert cloud.actions().count("RunInstances") <= 1 or taken_back
        assert not more or not ended(cloud) & set(before["instance_ids"])

    check()
    figure(f"{cloud.profile}: instance, changed replies: {counts['right']} right results, {counts['error']} errors")


@pytest.mark.parametrize("cloud", ["icehouse", "ec2api"], indirect=True)
def test_options(
    cloud: t.Any, run: t.Any, vms: list[str], figure: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    counts: collections.Counter[str] = collections.Counter()

    # They are quick.
    @settings(SETTINGS, max_examples=MANY or 3 * EXAMPLES)
    @given(st.data())
    def check(data: t.Any) -> None:
        module = data.draw(st.sampled_from(MODULES))
        names = sorted(options_of(module).keys() - FIXED)
        args = dict(NEEDED.get(module, {}))
        for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)):
            args[name] = data.draw(st.one_of(VALUE, sound(options_of(module)[name])))
        # What cannot be written in UTF-8 does not get as far as to a module.
        args = json.loads(json.dumps(args, ensure_ascii=False).encode("utf-8", "replace"))
        counts[judged(run(module, check=True, **args))] += 1
        assert cloud.mutations() == []

    check()
    figure(f"{cloud.profile}: odd options: {counts['right']} right results, {counts['error']} errors")


@pytest.mark.parametrize("cloud", ["icehouse"], indirect=True)
def test_texts_that_are_sent(cloud: t.Any, run: t.Any, vms: list[str], figure: t.Any) -> None:
    """Whatever is written, the cloud can be listed afterwards, and a second run changes nothing."""
    counts: collections.Counter[str] = collections.Counter()
    text = st.one_of(st.text(max_size=12), st.sampled_from(ODD), st.text("abc.-_ 019", min_size=1, max_size=8))

    @SETTINGS
    @given(st.sampled_from(["tag", "keypair", "security_group", "described"]), text, text)
    def check(kind: str, one: str, other: str) -> None:
        module, args = {
            "tag": ("tag", {"resources": vms[:1], "tags": {one: other}}),
            "keypair": ("keypair", {"name": one}),
            "security_group": ("security_group", {"name": one}),
            "described": ("security_group", {"name": "described", "description": other}),
        }[kind]
        found = run(module, **args)
        counts[judged(found)] += 1
        for listed in ("instance_info", "keypair_info", "security_group_info"):
            assert not run(listed).get("failed"), (args, run(listed)["msg"])
        if not found.get("failed"):
            assert run(module, **args)["changed"] is False, args
        for undone in ("keypair", "security_group") if kind in ("keypair", "security_group") else ():
            run(undone, name=one, state="absent")

    check()
    figure(f"texts: {counts['right']} right results, {counts['error']} errors")
