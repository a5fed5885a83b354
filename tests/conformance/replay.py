# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replaying a folder in order: the same requests, ids mapped, signatures made anew, states waited for.

Whoever recorded did things between the recorded exchanges: waited, removed VMs that were not needed any more, and once
launched others. What the recordings show afterwards tells what that was, and the replay does the same. Recordings that
tell it themselves (see recording.py) are believed instead, and ids are random there.

What is inferred may be wrong. A difference that comes of it says nothing about the local cloud: where the recording
shows other VMs than there are here, or ids that were only guessed, the verdict says so.
"""

from __future__ import annotations

import datetime
import re
import time
import typing as t
import urllib.parse

from .cloud import Cloud
from .compare import differences, learn, tree, values
from .ids import ID, NOBODY, Ids
from .recording import Exchange, Message
from .signing import shifted, signature, signed_host

# What the recorded clouds took to build, and for other actions.
BOOT_SECONDS = 4.0
ACTION_SECONDS = 3.0
# Idle seconds between two exchanges in which VMs were removed, or others launched, without being recorded.
UNRECORDED = 5.0
AHEAD = 4
SETTLE_SECONDS = 10.0
# Times are recorded in whole seconds.
PRECISION = 1.0
# What a VM that is busy refuses.
NEED_IDLE = ("StartInstances", "StopInstances")
IN_USE = re.compile(r"already used (\d+) of \d+ instances")
OTHER_VMS = "the recorded cloud had {} VMs, and here are {}: which ones were removed off the record is inferred"
MADE_UP = "VM {} was launched off the record, and how is inferred"
GUESSED = "which VM {} is was inferred from its neighbours"


class Verdict(t.NamedTuple):
    """One recorded exchange, and how the local reply differs from it (not at all if empty).

    inferred: why that may come of what the replay inferred, in words; empty if it cannot.
    """

    name: str
    differences: list[str]
    inferred: str = ""


class Replay:
    """One run of a folder's exchanges against one local cloud.

    hidden: the names of those whose replies nothing is inferred from; they are only compared.
    """

    def __init__(
        self, exchanges: list[Exchange], cloud: Cloud, secrets: dict[str, str], hidden: t.Container[str] = ()
    ) -> None:
        self.exchanges = exchanges
        self._hidden = hidden
        self.cloud = cloud
        self.secrets = secrets
        self.told = any(exchange.before for exchange in exchanges)
        self.ids = Ids(sequential=not self.told)
        self._last_mention = _last_mentions([(one, self._told_by(one)) for one in exchanges])
        self._sent_at = time.monotonic()
        self._inferred = False
        self._made_up: set[str] = set()

    def run(self) -> t.Iterator[Verdict]:
        """Send everything; yield a verdict for each exchange whose reply was recorded."""
        over = self.exchanges[0].at
        for position, exchange in enumerate(self.exchanges):
            idle, over_before = 0.0, over
            if exchange.at and over:
                idle = (exchange.at - over).total_seconds()
                over = max(over, exchange.at + datetime.timedelta(seconds=exchange.took))
            if self.told:
                self._follow(exchange.before)
            else:
                self._infer(position, idle)
                # A request does what it does at the end of the time that it takes, or nearly.
                passed = (over - over_before).total_seconds() if over and over_before else 0.0
                time.sleep(max(0.0, passed - (time.monotonic() - self._sent_at)))
                self._wait_for_idle(exchange)
            self._sent_at = time.monotonic()
            found = self._exchange(exchange)
            if exchange.reply is not None:
                yield Verdict(exchange.name, found, self._reason(exchange) if found and self._inferred else "")

    def _told_by(self, exchange: Exchange) -> Message | None:
        """The reply, if anything may be inferred from it."""
        return None if exchange.name in self._hidden else exchange.reply

    def _reason(self, exchange: Exchange) -> str:
        """Why a difference may come of what was inferred: other VMs than the recorded ones, or guessed ids."""
        assert exchange.reply is not None
        here, there = len(self.cloud.servers()), _number_of_vms(exchange)
        if there is not None and there != here:
            return OTHER_VMS.format(there, here)
        named = " ".join([*exchange.parameters.values(), exchange.reply.body])
        for match in ID.finditer(named):
            if match[0] in self._made_up:
                return MADE_UP.format(match[0])
            if match[1] == "i" and int(match[2], 16) < NOBODY and not self.ids.knows(match[0]):
                return GUESSED.format(match[0])
        return ""

    def _follow(self, orders: t.Iterable[str]) -> None:
        """Do what a recording says was done."""
        for order in orders:
            verb, *words = order.split()
            if verb == "settled":
                self.cloud.wait(BOOT_SECONDS + SETTLE_SECONDS, lambda servers: not any(map(_busy, servers.values())))
            elif verb == "state":
                self.cloud.control("POST", f"/servers/{self.ids.local(words[0])}", {"vm_state": words[1]})
            elif verb == "setting":
                self.cloud.control("POST", "/settings", {words[0]: int(words[1])})
            else:
                raise ValueError(f"nobody knows what {order!r} is")

    def _infer(self, position: int, idle: float) -> None:
        """Do what seems to have been done while nothing was recorded for so many seconds."""
        if idle >= UNRECORDED:
            self._remove_unmentioned(position)
        self._launch_unrecorded(position, AHEAD if idle >= UNRECORDED else 1)
        self._launch_named(self.exchanges[position])
        self._release_given_again(self.exchanges[position])

    def _exchange(self, exchange: Exchange) -> list[str]:
        """Send one request; a read is repeated until its states agree, or the time for that is over."""
        deadline = time.monotonic() + SETTLE_SECONDS
        if exchange.reply is None and exchange.parameters.get("Action") == "RunInstances":
            self._launch_left_out(exchange)
            return []
        while True:
            reply = self._send(exchange)
            if exchange.reply is None:
                return []
            if " 200 " in reply.start and " 200 " in exchange.reply.start:
                learn(exchange.reply.body, reply.body, self.ids)
            found = differences(exchange.reply, reply, self.ids)
            if not found or not self._may_settle(exchange) or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _may_settle(self, exchange: Exchange) -> bool:
        """Whether the same request may be answered otherwise in a moment."""
        return exchange.parameters.get("Action") == "DescribeInstances" if self.told else exchange.is_read

    def _launch_left_out(self, exchange: Exchange) -> None:
        """Send a launch whose reply was left out, and tell from the sequence of ids which recorded ones it made."""
        there = self.cloud.servers()
        self._send(exchange)
        highest = self.ids.highest("i")
        if highest is None:
            position = self.exchanges.index(exchange)
            highest = (
                min(number for number, last in self._last_mention.items() if position < last and number < NOBODY) - 1
            )
        for number, value in enumerate(sorted(set(self.cloud.servers()) - set(there)), highest + 1):
            self.ids.guess(f"i-{number:08x}", value)

    def _send(self, exchange: Exchange) -> Message:
        """The recorded request, made to fit this cloud and this time."""
        verb, target, protocol = exchange.request.start.split(" ")
        place = urllib.parse.urlsplit(target)
        pairs = [(key, self._fit(exchange, key, value)) for key, value in exchange.pairs]
        host = signed_host(exchange, self.secrets)
        if host is not None:
            secret = self.secrets[exchange.parameters["AWSAccessKeyId"]]
            fresh = signature(secret, verb, host, place.path, dict(pairs))
            pairs = [(key, fresh if key == "Signature" else value) for key, value in pairs]
        encoded = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote, safe="-_~")
        body = encoded if exchange.request.body else ""
        start = f"{verb} {place.path}{'?' + encoded if place.query else ''} {protocol}"
        headers = [pair for pair in exchange.request.headers if pair[0].lower() != "content-length"]
        if body:
            headers.append(("Content-Length", str(len(body.encode()))))
        return self.cloud.send(start, headers, body)

    def _fit(self, exchange: Exchange, key: str, value: str) -> str:
        if key in ("Timestamp", "Expires"):
            now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
            return shifted(value, exchange.at or now, now)
        return self.ids.local(value)

    def _remove_unmentioned(self, position: int) -> None:
        """Terminate the VMs that the recordings do not mention from here on."""
        mentioned = {
            f"i-{self.ids.number('i', number):08x}" for number, last in self._last_mention.items() if last >= position
        }
        doomed = [value for value in self.cloud.servers() if value not in mentioned]
        self._inferred = self._inferred or bool(doomed)
        for value in doomed:
            self.cloud.call("TerminateInstances", **{"InstanceId.1": value})
        self.cloud.wait(SETTLE_SECONDS, lambda servers: not set(doomed) & set(servers))

    def _launch_unrecorded(self, position: int, ahead: int) -> None:
        """Launch the VMs that one of the next listings shows, so many exchanges ahead, and no recorded request made."""
        for exchange in self.exchanges[position : position + ahead]:
            if exchange.parameters.get("Action") == "RunInstances":
                return
            reply = self._told_by(exchange)
            document = tree(reply.body) if reply is not None else None
            if document is None or exchange.parameters.get("Action") != "DescribeInstances":
                continue
            for reservation in (item for item in document.iter() if _child(item, "reservationId") is not None):
                there = self.cloud.servers()
                fresh = [value for value in values(reservation, "instanceId") if not self.ids.knows(value)]
                if fresh and not any(self.ids.local(value) in there for value in fresh):
                    self._launch_like(reservation, sorted(fresh), there)

    def _launch_named(self, exchange: Exchange) -> None:
        """Launch the VM that a request names, if it comes after all that were launched and the request finds it."""
        reply = self._told_by(exchange)
        if reply is not None and ("InstanceNotFound" in reply.body or "InvalidInstanceID.NotFound" in reply.body):
            return
        numbers = [
            int(match[2], 16)
            for key, value in exchange.pairs
            if key.startswith("InstanceId")
            for match in ID.finditer(value)
            if match[1] == "i"
        ]
        highest = self.ids.highest("i")
        if highest is None or not numbers or not highest < max(numbers) < NOBODY:
            return
        there = self.cloud.servers()
        self._inferred = True
        self.cloud.call("RunInstances", ImageId=self._any_image(), InstanceType="m1.tiny", MinCount="1", MaxCount="1")
        for value in set(self.cloud.servers()) - set(there):
            self.ids.learn(f"i-{max(numbers):08x}", value)
            self._made_up.add(f"i-{max(numbers):08x}")

    def _wait_for_idle(self, exchange: Exchange) -> None:
        """Wait for VMs that were certainly idle when a request came that they took, if that is a matter of rounding."""
        reply = self._told_by(exchange)
        if exchange.parameters.get("Action") not in NEED_IDLE or reply is None or " 200 " not in reply.start:
            return
        named = {self.ids.local(value) for key, value in exchange.pairs if key.startswith("InstanceId")}
        self.cloud.wait(PRECISION, lambda servers: not any(_busy(servers[one]) for one in named & set(servers)))

    def _release_given_again(self, exchange: Exchange) -> None:
        """Release the address that a request is given, if it was given before: it must have been released since."""
        reply = self._told_by(exchange)
        document = tree(reply.body) if reply is not None else None
        if document is None or exchange.parameters.get("Action") != "AllocateAddress":
            return
        held = self.cloud.control("GET", "/state")["addresses"]
        for address in (self.ids.local(value) for value in values(document, "publicIp")):
            for one in held:
                if one["ip"] == address:
                    self._inferred = True
                    if one["server"] is not None:
                        self.cloud.call("DisassociateAddress", PublicIp=address)
                    self.cloud.call("ReleaseAddress", PublicIp=address)

    def _any_image(self) -> str:
        """The image that most of the recorded launches name."""
        named = [exchange.parameters.get("ImageId", "") for exchange in self.exchanges]
        return self.ids.local(max((name for name in named if ID.fullmatch(name)), key=named.count))

    def _launch_like(self, reservation: t.Any, recorded: list[str], there: dict[str, t.Any]) -> None:
        options = {
            "ImageId": self.ids.local(values(reservation, "imageId")[0]),
            "InstanceType": values(reservation, "instanceType")[0],
            "MinCount": str(len(recorded)),
            "MaxCount": str(len(recorded)),
        }
        if keys := values(reservation, "keyName"):
            options["KeyName"] = keys[0]
        for number, group in enumerate(values(reservation, "groupId"), 1):
            options[f"SecurityGroup.{number}"] = group
        self._inferred = True
        self.cloud.call("RunInstances", **options)
        made = sorted(set(self.cloud.servers()) - set(there))
        for pair in zip(recorded, made):
            self.ids.learn(*pair)
        self.cloud.wait(SETTLE_SECONDS, lambda servers: all(servers[value]["vm_state"] == "active" for value in made))


def _busy(server: dict[str, t.Any]) -> bool:
    return server["task"] is not None


def _child(element: t.Any, tag: str) -> t.Any:
    return next((child for child in element if child.tag.rpartition("}")[2] == tag), None)


def _number_of_vms(exchange: Exchange) -> int | None:
    """How many VMs the recorded cloud had, as its reply tells; None if that does not."""
    body = exchange.reply.body if exchange.reply is not None else ""
    told = IN_USE.search(body)
    if told:
        return int(told[1])
    lists_all = exchange.parameters.get("Action") == "DescribeInstances" and not any(
        name.startswith(("InstanceId", "Filter", "MaxResults")) for name in exchange.parameters
    )
    document = tree(body) if lists_all else None
    return None if document is None else len(values(document, "instanceId"))


def _last_mentions(exchanges: list[tuple[Exchange, Message | None]]) -> dict[int, int]:
    """For each recorded VM number, the position of the last exchange that names it, in its request or its reply."""
    last: dict[int, int] = {}
    for position, (exchange, reply) in enumerate(exchanges):
        text = " ".join(exchange.parameters.values()) + (reply.body if reply else "")
        for match in ID.finditer(text):
            if match[1] == "i":
                last[int(match[2], 16)] = position
    return last
