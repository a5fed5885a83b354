# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorded exchanges, read from files."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import re
import urllib.parse

REQUEST = ">>>>>>>> REQUEST\n"
RESPONSE = "<<<<<<<< RESPONSE\n"
LEFT_OUT = "(left out)"


@dataclasses.dataclass
class Message:
    """A request or a reply: first line, headers in order, and body."""

    start: str
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclasses.dataclass
class Exchange:
    """One request, and its reply unless that was left out. ``at`` is when it was sent, if the file has it, and
    ``took`` how many seconds the reply took.

    ``before`` tells what was done unseen since the exchange before, where a recording says so.
    """

    name: str
    at: datetime.datetime | None
    request: Message
    reply: Message | None
    before: tuple[str, ...] = ()
    took: float = 0.0

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters, decoded, in the order they were sent."""
        query = urllib.parse.urlsplit(self.request.start.split(" ")[1]).query
        return urllib.parse.parse_qsl(query or self.request.body, keep_blank_values=True)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters by name."""
        return dict(self.pairs)

    @property
    def is_read(self) -> bool:
        """Whether the request changes nothing, so that it may be sent again until states agree."""
        return self.parameters.get("Action", "").startswith(("Describe", "Get"))


def load(folder: pathlib.Path) -> list[Exchange]:
    """Every exchange of a folder, in order; a file may hold several."""
    exchanges = []
    for path in sorted(folder.glob("[0-9]*.txt")):
        exchanges += parse(path.stem, path.read_text(encoding="utf-8"))
    return exchanges


def parse(name: str, text: str) -> list[Exchange]:
    """The exchanges of one file's text."""
    found = re.search(r"^# at (\S+) UTC(?:, took ([\d.]+)s)?", text, re.MULTILINE)
    at = datetime.datetime.fromisoformat(found[1]) if found else None
    took = float(found[2] or 0) if found else 0.0
    before = tuple(re.findall(r"^# before: (.*)$", text.partition(REQUEST)[0], re.MULTILINE))
    exchanges = []
    for part in text.split(REQUEST)[1:]:
        sent, _marker, answered = part.partition(RESPONSE)
        request = message(re.split(r"^-------- decoded ", sent, maxsplit=1, flags=re.MULTILINE)[0])
        reply = None if answered.strip().startswith(LEFT_OUT) else message(answered)
        exchanges.append(Exchange(name, at, request, reply, before))
    for exchange in exchanges:
        exchange.took = took / len(exchanges)
    return exchanges


def message(text: str) -> Message:
    """A request or reply from its text."""
    head, _blank, body = text.partition("\n\n")
    start, *lines = head.split("\n")
    headers = [(key, value.strip()) for key, _colon, value in (line.partition(":") for line in lines if line)]
    return Message(start, headers, body.strip("\n"))
