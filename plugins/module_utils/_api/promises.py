# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What each action promises to answer, and the one place where a reply is held against it.

A reply comes from whoever answers at an address. Nothing of it gets any further before all that is used of it has the
form that servers of every generation give it; what is not used is left out. So what comes behind may rely on ids that
are ids, addresses that are addresses, numbers that are small, and lists without doubles.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
import xml.etree.ElementTree as ET

from .errors import plain

# An element is 50 to 100 bytes of memory: a list of 10,000 VMs has a million tags at most.
MOST_TAGS = 2_500_000
# Replies have few attributes, or none, and an attribute is up to 500 bytes of memory; values may have such signs too.
MOST_ATTRIBUTES = 500_000
SHOWN = 40
# Whose replies hold secrets: nothing of them is told in any error.
SECRET = frozenset({"CreateKeyPair", "GetConsoleOutput", "GetPasswordData", "DescribeInstanceAttribute"})


class Broken(ValueError):
    """A reply that is not what its action promises; the text says where and how."""


class Leaf:
    """An element with text. form: what it is, in words; fits: whether a text is that, told by a test or a pattern."""

    __slots__ = ("_pattern", "fits", "form")

    def __init__(self, form: str, test: str | t.Callable[[str], t.Any]) -> None:
        self.form = form
        self._pattern = test if isinstance(test, str) else ""
        self.fits: t.Callable[[str], t.Any] = self._compiled if isinstance(test, str) else test

    def _compiled(self, value: str) -> t.Any:
        # Only once it is needed: every module is started anew, and needs few.
        self.fits = re.compile(self._pattern).fullmatch
        return self.fits(value)


class Structure(t.NamedTuple):
    """An element with others, of which only these are read. needed: those that must be there, and not be empty."""

    fields: t.Mapping[str, t.Any]
    needed: frozenset[str]
    least: int = 0


class Items(t.NamedTuple):
    """An element with any number of items. key: what no two of them may share in the whole reply."""

    each: Structure
    key: str | None = None
    least: int = 0


def _is_plain(value: str) -> bool:
    return len(value) <= LONGEST_NAME and plain(value) == value


def _is_host(value: str) -> bool:
    return value.isascii() and len(value) < 256 and value[0] not in "-." and not value.translate(HOST_SIGNS)


def _is_address(value: str) -> bool:
    return _is_ipv4(value) or (":" in value and "%" not in value and _parses(ipaddress.IPv6Address, value))


def _is_ipv4(value: str) -> bool:
    parts = value.split(".", 4)
    return len(parts) == 4 and all(
        part.isascii() and part.isdecimal() and len(part) < 4 and int(part) < 256 and (part[0] != "0" or part == "0")
        for part in parts
    )


def _is_network(value: str) -> bool:
    return "%" not in value and _parses(ipaddress.ip_interface, value)


def _parses(kind: t.Callable[[str], t.Any], value: str) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True


LONGEST_TEXT = 4096
LONGEST_NAME = 1024
HOST_SIGNS = dict.fromkeys(map(ord, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"))

INSTANCE_ID = Leaf("the id of a VM", r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
IMAGE_ID = Leaf("the id of an image", r"a[kmr]i-[0-9a-f]{8,17}")
VOLUME_ID = Leaf("the id of a volume", r"vol-[0-9a-f]{8,17}")
SNAPSHOT_ID = Leaf("the id of a snapshot", r"snap-[0-9a-f]{8,17}")
GROUP_ID = Leaf("the id of a security group", r"sg-[0-9a-f]{8,17}")
RESERVATION_ID = Leaf("the id of a reservation", r"r-[0-9a-z]{8,17}")
# Administrators are shown whose it is, in brackets.
HOLDER = Leaf("the id of a VM", r"(?:i-[0-9a-f]{8,17}|None)(?: \([^()\x00-\x1f]{0,255}\))?")
WORD = Leaf("a word", r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")
STATE = Leaf("a state", r"[a-z][a-z_-]{0,31}(?: \([^()\x00-\x1f]{0,255}\))?")
NAME = Leaf("a name", _is_plain)
TOKEN = Leaf("a token", lambda value: len(value) < 256 and _is_plain(value))
TEXT = Leaf("a text", lambda value: len(value) <= LONGEST_TEXT)
ADDRESS = Leaf("an IP address", _is_address)
HOST_NAME = Leaf("a host name", lambda value: _is_host(value) or _is_address(value))
NETWORK = Leaf("a network", _is_network)
TIME = Leaf(
    "a time", r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
YES_OR_NO = Leaf("true or false", "true|false")
YES = Leaf("true", "true")
CODE = Leaf("a small number", "[0-9]{1,5}")
INDEX = Leaf("an index", "[0-9]{1,4}")
SIZE = Leaf("a size", "[0-9]{1,9}")
PERCENT = Leaf("a percentage", "[0-9]{1,3}%?")
PROTOCOL = Leaf("a protocol", "[a-z]{1,8}|-1|[0-9]{1,3}")
PORT = Leaf("a port", lambda value: re.fullmatch("-1|[0-9]{1,5}", value) and int(value) <= 65535)
KEY_MATERIAL = Leaf("a text", lambda value: len(value) <= 1 << 16)
BASE64 = Leaf("base64", r"[A-Za-z0-9+/=\s]{0,16777216}")
NOTHING = Leaf("left out, for the list is to be whole", lambda value: False)


def _has(*needed: str, **fields: t.Any) -> Structure:
    return Structure(fields, frozenset(needed))


def _list(name: str, items: Items) -> Structure:
    """A reply that is a list: one without it would be taken for an empty one."""
    return Structure({name: items, "nextToken": NOTHING}, frozenset({name}))


_GROUP = _has(groupId=NAME, groupName=NAME)
_TAG = _has("key", key=TEXT, value=TEXT)
_VM = _has(
    "instanceId",
    "instanceState",
    instanceId=INSTANCE_ID,
    imageId=WORD,
    instanceState=_has("name", code=CODE, name=STATE),
    privateDnsName=HOST_NAME,
    dnsName=HOST_NAME,
    publicDnsName=HOST_NAME,
    privateIpAddress=ADDRESS,
    ipAddress=ADDRESS,
    keyName=NAME,
    instanceType=NAME,
    launchTime=TIME,
    amiLaunchIndex=INDEX,
    placement=_has(availabilityZone=NAME),
    kernelId=WORD,
    ramdiskId=WORD,
    rootDeviceName=NAME,
    rootDeviceType=WORD,
    clientToken=TOKEN,
    groupSet=Items(_GROUP),
    tagSet=Items(_TAG),
    blockDeviceMapping=Items(
        # Before 2013.1.1 Nova shows the ids of volumes as it has them itself.
        _has("deviceName", "ebs", deviceName=NAME, ebs=_has(volumeId=WORD, deleteOnTermination=YES_OR_NO))
    ),
)
_RESERVATION = {"reservationId": RESERVATION_ID, "ownerId": NAME, "groupSet": Items(_GROUP)}
_RESERVED = frozenset({"reservationId", "ownerId", "instancesSet"})
_IMAGE = _has(
    "imageId",
    imageId=IMAGE_ID,
    imageLocation=TEXT,
    imageState=STATE,
    imageOwnerId=NAME,
    isPublic=YES_OR_NO,
    architecture=WORD,
    imageType=WORD,
    kernelId=WORD,
    ramdiskId=WORD,
    name=TEXT,
    description=TEXT,
    rootDeviceType=WORD,
    rootDeviceName=NAME,
)
_RULE = _has(
    ipProtocol=PROTOCOL,
    fromPort=PORT,
    toPort=PORT,
    groups=Items(_has(userId=NAME, groupId=NAME, groupName=NAME)),
    ipRanges=Items(_has(cidrIp=NETWORK)),
)
_SECURITY_GROUP = _has(
    "groupName",
    "ownerId",
    groupName=NAME,
    groupId=GROUP_ID,
    groupDescription=TEXT,
    ownerId=NAME,
    vpcId=WORD,
    ipPermissions=Items(_RULE),
)
_ADDRESS = _has(
    "publicIp",
    publicIp=ADDRESS,
    instanceId=HOLDER,
    privateIpAddress=ADDRESS,
    domain=WORD,
    allocationId=WORD,
    associationId=WORD,
)
_VOLUME = _has(
    "volumeId",
    volumeId=VOLUME_ID,
    status=STATE,
    size=SIZE,
    snapshotId=WORD,
    availabilityZone=NAME,
    createTime=TIME,
    attachmentSet=Items(_has(instanceId=HOLDER, device=NAME, status=STATE)),
)
_SNAPSHOT = _has(
    "snapshotId",
    snapshotId=SNAPSHOT_ID,
    volumeId=VOLUME_ID,
    status=STATE,
    startTime=TIME,
    progress=PERCENT,
    ownerId=NAME,
    volumeSize=SIZE,
    description=TEXT,
)
_PAIR: dict[str, t.Any] = {"keyName": NAME, "keyFingerprint": TOKEN}
# A reply that only says that it was done; some say it by showing what it was done to.
_DONE = Structure({"return": YES}, frozenset(), 1)
_IMAGE_MADE = _has("imageId", imageId=IMAGE_ID)

PROMISES: dict[str, Structure] = {
    "AllocateAddress": _ADDRESS,
    "AssociateAddress": Structure({"associationId": WORD, **_DONE.fields}, frozenset(), 1),
    "AttachVolume": _DONE,
    "AuthorizeSecurityGroupIngress": _DONE,
    "CreateImage": _IMAGE_MADE,
    # Whether the material is a key is for who asked to see, who can take the pair back.
    "CreateKeyPair": _has("keyName", keyMaterial=KEY_MATERIAL, **_PAIR),
    "CreateSecurityGroup": Structure({"groupId": GROUP_ID, **_DONE.fields}, frozenset(), 1),
    "CreateSnapshot": _has("snapshotId", snapshotId=SNAPSHOT_ID),
    "CreateTags": _DONE,
    "CreateVolume": _has("volumeId", volumeId=VOLUME_ID),
    "DeleteKeyPair": _DONE,
    "DeleteSecurityGroup": _DONE,
    "DeleteSnapshot": _DONE,
    "DeleteTags": _DONE,
    "DeleteVolume": _DONE,
    "DeregisterImage": _DONE,
    "DescribeAccountAttributes": _list(
        "accountAttributeSet",
        Items(
            _has("attributeName", attributeName=NAME, attributeValueSet=Items(_has(attributeValue=TEXT))),
            "attributeName",
        ),
    ),
    "DescribeAddresses": _list("addressesSet", Items(_ADDRESS, "publicIp")),
    "DescribeAvailabilityZones": _list("availabilityZoneInfo", Items(_has("zoneName", zoneName=NAME, zoneState=NAME))),
    "DescribeImages": _list("imagesSet", Items(_IMAGE, "imageId")),
    "DescribeInstances": _list(
        "reservationSet",
        Items(Structure({**_RESERVATION, "instancesSet": Items(_VM, "instanceId")}, _RESERVED), "reservationId"),
    ),
    "DescribeKeyPairs": _list("keySet", Items(_has("keyName", **_PAIR), "keyName")),
    "DescribeRegions": _list("regionInfo", Items(_has("regionName", regionName=NAME, regionEndpoint=NAME))),
    "DescribeSecurityGroups": _list("securityGroupInfo", Items(_SECURITY_GROUP, "groupId")),
    "DescribeSnapshots": _list("snapshotSet", Items(_SNAPSHOT, "snapshotId")),
    "DescribeTags": _list("tagSet", Items(_has("key", resourceId=WORD, resourceType=WORD, key=TEXT, value=TEXT))),
    "DescribeVolumes": _list("volumeSet", Items(_VOLUME, "volumeId")),
    "DetachVolume": _DONE,
    "DisassociateAddress": _DONE,
    "GetConsoleOutput": _has("instanceId", instanceId=INSTANCE_ID, timestamp=TIME, output=BASE64),
    "ImportKeyPair": _has("keyName", **_PAIR),
    "ModifyImageAttribute": _DONE,
    "RebootInstances": _DONE,
    "RegisterImage": _IMAGE_MADE,
    "ReleaseAddress": _DONE,
    "RevokeSecurityGroupIngress": _DONE,
    "RunInstances": Structure({**_RESERVATION, "instancesSet": Items(_VM, "instanceId", 1)}, _RESERVED),
    "StartInstances": _DONE,
    "StopInstances": _DONE,
    "TerminateInstances": _DONE,
}


def fill(action: str, body: bytes, made: t.Any, connection: t.Any) -> None:
    """Check a reply, and have made, an object of boto's, take up what of it is promised. Raises Broken.

    What has become of made is of use only if nothing was raised.
    """
    root = _parsed(body)
    promise = PROMISES.get(action)
    if promise is None:
        raise Broken("it is not known what it is to be")
    reader = _Reader(connection, root.tag[: root.tag.rfind("}") + 1], action not in SECRET)
    name = f"{action}Response"
    if reader.name(root.tag) != name:
        raise Broken("it is the answer to something else")
    reader.structure(name, root, promise, made)


def _parsed(body: bytes) -> ET.Element:
    """The document. Only UTF-8 and no document type, so that no entity makes it larger than it is."""
    # A line's end is a piece of text of its own to the parser, and an entity too.
    if any(body.count(sign) > MOST_TAGS for sign in (b"<", b"\n", b"\r", b"&")) or body.count(b"=") > MOST_ATTRIBUTES:
        raise Broken("it has more elements than any list")
    if b"<!DOCTYPE" in body:
        raise Broken("an XML document type, which no EC2 API sends and which is not read")
    try:
        return ET.fromstring(body, parser=ET.XMLParser(encoding="utf-8"))
    except (ET.ParseError, ValueError) as exc:
        # What expat says of it quotes nothing.
        raise Broken(f"not XML: {exc}") from None


class _Reader:
    """One pass over a reply, in which boto's objects are told what they would hear of their own parser.

    Each has startElement, which may return another object for what is inside, and endElement, which takes a text.
    """

    def __init__(self, connection: t.Any, namespace: str, may_quote: bool) -> None:
        self._connection = connection
        self._namespace = namespace
        self._may_quote = may_quote
        self._names: dict[str, str] = {}
        self._seen: dict[str, set[str]] = {}

    def name(self, tag: str) -> str:
        """The name of an element; an empty one for one of another namespace, which nothing is promised of."""
        found = self._names.get(tag)
        if found is None:
            found = self._names[tag] = tag[len(self._namespace) :] if tag.startswith(self._namespace) else ""
        return found

    def structure(self, name: str, element: ET.Element, promise: Structure, node: t.Any) -> None:
        """An element with others."""
        connection, fields, found, others = self._connection, promise.fields, set(), 0
        inside = node.startElement(name, None, connection)
        node = node if inside is None else inside
        for child in element:
            tag = self.name(child.tag)
            field = fields.get(tag)
            if field is None:
                others += tag != "requestId"
                continue
            if tag in found:
                raise Broken(f"{tag} twice in one {name}")
            found.add(tag)
            if field.__class__ is Leaf:
                text = child.text
                if len(child):
                    raise Broken(f"{tag} holds elements")
                if text is None or text.isspace():
                    if tag in promise.needed:
                        raise Broken(f"{tag} is empty")
                elif field.fits(text):
                    node.endElement(tag, text, connection)
                else:
                    raise Broken(f"{tag} {self._quoted(text)}is not {field.form}")
            elif field.__class__ is Items:
                self._items(tag, child, field, node)
            else:
                self.structure(tag, child, field, node)
        if not promise.needed <= found:
            raise Broken(f"{name} without {', '.join(sorted(promise.needed - found))}")
        if len(found) + others < promise.least:
            raise Broken(f"{name} says nothing")
        node.endElement(name, "", connection)

    def _items(self, name: str, element: ET.Element, promise: Items, node: t.Any) -> None:
        inside = node.startElement(name, None, self._connection)
        node = node if inside is None else inside
        key, seen, number = promise.key, self._seen.setdefault(name, set()), 0
        for child in element:
            if self.name(child.tag) != "item":
                continue
            number += 1
            self.structure("item", child, promise.each, node)
            value = child.findtext(self._namespace + key) if key else None
            if value in seen:
                raise Broken(f"the same {key} twice")
            if value:
                seen.add(value)
        if number < promise.least:
            raise Broken(f"{name} is empty")
        node.endElement(name, "", self._connection)

    def _quoted(self, text: str) -> str:
        return f"{text[:SHOWN]!r}{'...' if len(text) > SHOWN else ''} " if self._may_quote else ""
