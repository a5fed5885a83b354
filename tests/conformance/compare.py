# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a reply of the local cloud says the same as the recorded one."""

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

from .ids import ID, Ids
from .recording import Message

# What may differ between two clouds that behave alike: each is compared by its form alone.
FORMS = (
    (re.compile(r"\r"), ""),
    (re.compile(r"\b(nova-(fake\d*|local)|fakehost)\b"), "<host>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d"), r"<date>\1<time>"),
    (re.compile(r"(?<=<time>)\.\d{3}(?!\d)"), ".<ms>"),
    (re.compile(r"(?<=<time>)\.\d{6}"), ".<us>"),
    (re.compile(r"\b([0-9a-f]{2}:){15}[0-9a-f]{2}\b"), "<md5>"),
    (re.compile(r"\br-[0-9a-z]{8}\b"), "<reservation>"),
    (re.compile(r"\b10\.\d+\.\d+\.\d+\b"), "<fixed ip>"),
    # Nova's own number of a group, which counts those of the database.
    (re.compile(r"(?<='parent_group_id': )\d+"), "<number>"),
    (re.compile(r"(?<=//)127\.0\.0\.1:\d+"), "<endpoint>"),
    (re.compile(r"\A(-----BEGIN RSA PRIVATE KEY-----).*(-----END RSA PRIVATE KEY-----)\s*\Z", re.DOTALL), r"\1\2"),
)
# Console output is the hypervisor's; only that it is base64 is Nova's.
BASE64_TAGS = frozenset({"output"})
BASE64 = re.compile(r"\A[A-Za-z0-9+/\s]+=*\Z")


def differences(recorded: Message, local: Message, ids: Ids) -> list[str]:
    """What is not the same, in words; empty if all is."""
    found = []
    if recorded.start.split(" ")[1] != local.start.split(" ")[1]:
        found.append(f"status: recorded {recorded.start!r}, got {local.start!r}")
    ours, theirs = recorded.header("Content-Type"), local.header("Content-Type")
    if ours != theirs:
        found.append(f"content type: recorded {ours!r}, got {theirs!r}")
    expected, actual = tree(recorded.body), tree(local.body)
    if expected is None or actual is None:
        if form(ids.local(recorded.body)).strip() != form(local.body).strip():
            found.append(f"body: recorded {recorded.body[:200]!r}, got {local.body[:200]!r}")
    else:
        found += _elements(expected, actual, ids, expected.tag.rpartition("}")[2])
    if recorded.body.startswith("<?xml") != local.body.startswith("<?xml"):
        found.append("only one of the two has an XML declaration")
    return found


def tree(body: str) -> ElementTree.Element | None:
    """The XML document that body is, or None."""
    try:
        return ElementTree.fromstring(body.encode())
    except ElementTree.ParseError:
        return None


def form(text: str) -> str:
    """text with everything that may differ between clouds replaced by its form."""
    for pattern, replacement in FORMS:
        text = pattern.sub(replacement, text)
    return text


def _elements(expected: ElementTree.Element, actual: ElementTree.Element, ids: Ids, path: str) -> list[str]:
    """Differences of two elements; the order of children does not matter."""
    if expected.tag != actual.tag:
        return [f"{path}: recorded <{expected.tag}>, got <{actual.tag}>"]
    if not len(expected) and not len(actual):
        return _leaf(expected, actual, ids, path)
    found = []
    for tag in sorted({child.tag for child in [*expected, *actual]}):
        wanted, got = expected.findall(tag), actual.findall(tag)
        name = f"{path}/{tag.rpartition('}')[2]}"
        if len(wanted) != len(got):
            found.append(f"{name}: recorded {len(wanted)} of them, got {len(got)}")
            continue
        found += _matched(wanted, got, ids, name)
    return found


def _matched(wanted: list[ElementTree.Element], got: list[ElementTree.Element], ids: Ids, path: str) -> list[str]:
    """Differences of equally many elements of one name: each recorded one takes the local one most like it."""
    rest, found = list(got), []
    for element in wanted:
        judged = [
            (len(result), at, result)
            for at, result in ((at, _elements(element, one, ids, path)) for at, one in enumerate(rest))
        ]
        _count, at, result = min(judged)
        found += result
        del rest[at]
    return found


def _leaf(expected: ElementTree.Element, actual: ElementTree.Element, ids: Ids, path: str) -> list[str]:
    ours, theirs = (expected.text or "").strip(), (actual.text or "").strip()
    if path.rpartition("/")[2] in BASE64_TAGS:
        return [] if bool(BASE64.match(ours)) == bool(BASE64.match(theirs)) else [f"{path}: not base64"]
    ours, theirs = form(ids.local(ours)), form(theirs)
    return [] if ours == theirs else [f"{path}: recorded {ours[:200]!r}, got {theirs[:200]!r}"]


# Names of elements whose texts are learnt: of those that run in sequence, and of random ones.
LEARNT = ("instanceId", "imageId", "volumeId", "snapshotId", "publicIp", "reservationId")
LEARNT_RANDOM = (*LEARNT, "kernelId", "ramdiskId", "groupId", "imageOwnerId")


def learn(recorded: str, local: str, ids: Ids) -> None:
    """Pair the ids of two replies to the same request, instance by instance and otherwise position by position."""
    expected, actual = tree(recorded), tree(local)
    if expected is None or actual is None:
        return
    for tag in LEARNT if ids.sequential else LEARNT_RANDOM:
        ours, theirs = values(expected, tag), values(actual, tag)
        fresh = [value for value in ours if not ids.knows(value)]
        free = [value for value in theirs if value not in {ids.local(known) for known in ours if ids.knows(known)}]
        if len(fresh) == len(free):
            key = None if ids.sequential else {**_surroundings(expected, tag), **_surroundings(actual, tag)}.__getitem__
            for pair in zip(sorted(fresh, key=key), sorted(free, key=key)):
                ids.learn(*pair)


def _surroundings(root: ElementTree.Element, tag: str) -> dict[str, str]:
    """What stands beside each text of an element's name, but for ids: random ones are known by their company."""
    found: dict[str, str] = {}
    for parent in root.iter():
        element = next((child for child in parent if child.tag.rpartition("}")[2] == tag), None)
        if element is not None and element.text:
            words = sorted(form(child.text or "") for child in parent if not ID.search(child.text or ""))
            found.setdefault(element.text.strip(), "\n".join(words))
    return found


def values(root: ElementTree.Element, tag: str) -> list[str]:
    """The texts of all elements of a name, without repetitions."""
    found: dict[str, t.Any] = {}
    for element in root.iter():
        if element.tag.rpartition("}")[2] == tag and element.text and element.text.strip():
            found[element.text.strip()] = None
    return list(found)
