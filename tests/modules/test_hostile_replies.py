# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that means harm. What is dribbled, endless or too large, and forms of values: test_untrusted.py; what it
costs in memory and CPU: tests/integration/test_hostile_server.py.
"""

from __future__ import annotations

import gzip
import json
import pathlib
import re
import typing as t

import pytest
from clouds import CIRROS

LAUNCH = {"image": CIRROS, "instance_type": "m1.tiny"}
# NUL, ESC, DEL, a C1 character, overrides and isolates of the direction, a separator of lines.
STEERING = "\0\x1b[31m\x7f\x9b31m\u202e\u2066\u200f\u2028"
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# One request of each kind of module that may be answered with an error.
ASKED = [
    ("instance_info", "DescribeInstances", {}),
    ("image_info", "DescribeImages", {}),
    ("security_group_info", "DescribeSecurityGroups", {}),
    ("console_info", "GetConsoleOutput", {"batch": "web"}),
    ("cloud_info", "DescribeKeyPairs", {}),
    ("keypair", "CreateKeyPair", {"name": "one"}),
    ("keypair", "DescribeKeyPairs", {"name": "one"}),
    ("security_group", "CreateSecurityGroup", {"name": "one", "description": "one"}),
    ("address", "AllocateAddress", {"instance_id": "VM"}),
    ("volume", "CreateVolume", {"instance_id": "VM", "device_name": "/dev/vdc", "volume_size": 1}),
    ("instance", "RunInstances", {"batch": "web", "count": 3, "wait_timeout": 20, **LAUNCH}),
    ("instance", "TerminateInstances", {"batch": "web", "state": "absent", "wait_timeout": 20}),
    ("instance", "StopInstances", {"batch": "web", "state": "stopped", "wait_timeout": 20}),
]

pytestmark = pytest.mark.needs("forged")


def told(value: t.Any) -> list[str]:
    """All texts of a result, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in told(part)]
    return [text for one in value for text in told(one)] if isinstance(value, list) else []


def asked(cloud: t.Any, run: t.Any, vms: list[str], module: str, args: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a task returns; nothing of it steers a terminal, and none of it is a fault of ours."""
    given = {name: vms[0] if value == "VM" else value for name, value in args.items()}
    result: dict[str, t.Any] = run(module, diff=True, read_timeout=5, **given)
    for text in told(result):
        assert not FORBIDDEN.search(text), text
        assert "A fault in" not in text, text
    assert len(json.dumps(result)) < 100_000
    return result


class TestPeople:
    """Whatever an answer is made of, nothing of it steers the terminal of who reads the result."""

    @pytest.mark.parametrize(("module", "action", "args"), ASKED)
    def test_in_an_error(
        self, cloud: t.Any, run: t.Any, vms: list[str], module: str, action: str, args: dict[str, t.Any]
    ) -> None:
        said = f"<Code>Odd{STEERING}</Code><Message>Quota exceeded{STEERING}</Message>"
        body = f"<Response><Errors><Error>{said}</Error></Errors><RequestID>req{STEERING}</RequestID></Response>"
        status = "400 " + STEERING.replace("\u2028", "").encode("ascii", "ignore").decode()
        cloud.answer_with(action, body.encode(), status=status, headers=["Date: \x1b]0;x\x07"])
        result = asked(cloud, run, vms, module, args)
        assert "Quota exceeded" in str(result), result

    @pytest.mark.parametrize(("module", "action", "args"), ASKED)
    def test_in_a_page_that_is_no_answer(
        self, cloud: t.Any, run: t.Any, vms: list[str], module: str, action: str, args: dict[str, t.Any]
    ) -> None:
        cloud.answer_with(action, f"<odd{STEERING}>{STEERING} page</odd>".encode())
        asked(cloud, run, vms, module, args)

    @pytest.mark.parametrize(
        ("name", "text"),
        [("name", "running"), ("keyName", "k"), ("instanceType", "m"), ("availabilityZone", "z"), ("clientToken", "c")],
    )
    @pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\u202e", "\x7f", "&#x1b;", "&#x9b;", "&#x202e;", "&#x2028;"])
    def test_in_a_value(self, cloud: t.Any, run: t.Any, vms: list[str], name: str, text: str, sign: str) -> None:
        def forge(whole: bytes) -> bytes:
            head, empty, body = whole.partition(b"\r\n\r\n")
            odd = f"<{name}>{text}{sign}[2J</{name}>".encode()
            body = re.sub(rf"<{name}(?:/>|>[^<]*</{name}>)".encode(), lambda _found: odd, body)
            return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head) + empty + body

        cloud.forge("DescribeInstances", forge)
        asked(cloud, run, vms, "instance_info", {})
        asked(cloud, run, vms, "instance", {"batch": "web", "count": 3, "wait_timeout": 20, **LAUNCH})

    def test_in_lines_of_progress(self, cloud: t.Any, run: t.Any, vms: list[str], tmp_path: pathlib.Path) -> None:
        body = f"<Response><Errors><Error><Code>Odd{STEERING}</Code></Error></Errors></Response>".encode()
        cloud.answer_with("TerminateInstances", body, status="500 Odd")
        path = tmp_path / "progress"
        run("instance", batch="web", state="absent", wait_timeout=20, progress_file=str(path))
        lines = path.read_text().splitlines() if path.exists() else []
        assert not any(FORBIDDEN.search(line) for line in lines)


class TestRedirects:
    """Nobody is followed anywhere, and nothing is sent twice."""

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize(
        ("module", "action", "args"),
        [("keypair_info", "DescribeKeyPairs", {}), ("keypair", "CreateKeyPair", {"name": "k"})],
    )
    @pytest.mark.parametrize(
        "place", ["", "http://127.0.0.1:8773/services/Cloud/", "file:///etc/passwd", "\x1b[31m\x07"]
    )
    def test_are_refused(
        self, cloud: t.Any, run: t.Any, status: int, module: str, action: str, args: dict[str, t.Any], place: str
    ) -> None:
        cloud.answer_with(action, b"", status=f"{status} Go", headers=[f"Location: {place}"])
        result = asked(cloud, run, [], module, args)
        assert result["failed"] and "which is refused" in result["msg"], result
        assert cloud.actions().count(action) == 1


class TestDocuments:
    """What a document would grow to, or fetch, is of no effect."""

    @pytest.mark.parametrize("status", ["200 OK", "400 Bad"])
    def test_what_is_compressed_stays_so(self, cloud: t.Any, run: t.Any, status: str) -> None:
        bomb = gzip.compress(gzip.compress(b"<a/>" * (8 << 20)))
        for encoding in ("gzip", "deflate", "br", "gzip, gzip"):
            cloud.answer_with("DescribeKeyPairs", bomb, status=status, headers=[f"Content-Encoding: {encoding}"])
            result = asked(cloud, run, [], "keypair_info", {})
            assert result["failed"] and len(result["msg"]) < 1000

    @pytest.mark.parametrize("status", ["200 OK", "400 Bad"])
    @pytest.mark.parametrize(
        "declared",
        [
            '<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)),
            '<!ENTITY m SYSTEM "file:///etc/passwd">',
            '<!ENTITY % p SYSTEM "http://127.0.0.1:8773/dtd"> %p;',
            '<!ENTITY m PUBLIC "x" "file:///dev/zero">',
        ],
        ids=["laughs", "file", "parameter", "device"],
    )
    @pytest.mark.parametrize(
        "before", ["", " " * 9000, "<!-- " + "x" * 9000 + " -->"], ids=["first", "late", "comment"]
    )
    def test_no_entity_is_expanded(self, cloud: t.Any, run: t.Any, status: str, declared: str, before: str) -> None:
        root = "DescribeKeyPairsResponse" if status.startswith("200") else "Response"
        inside = "<keySet><item><keyName>&m;</keyName></item></keySet><Code>&m;</Code><Message>&m;</Message>"
        body = f"<?xml version='1.0'?>{before}<!DOCTYPE x [{declared}]><{root}>{inside}</{root}>"
        cloud.answer_with("DescribeKeyPairs", body.encode(), status=status)
        result = asked(cloud, run, [], "keypair_info", {})
        assert result["failed"] and "root:" not in str(result) and "haha" not in str(result)

    @pytest.mark.parametrize("name", ["x", "keySet", "item", "keyName"])
    def test_ten_thousand_deep(self, cloud: t.Any, run: t.Any, name: str) -> None:
        inside = f"<{name}>" * 10_000 + f"</{name}>" * 10_000
        for around in ("{}", "<keySet><item><keyName>k</keyName>{}</item></keySet>"):
            body = f"<DescribeKeyPairsResponse>{around.format(inside)}</DescribeKeyPairsResponse>"
            cloud.answer_with("DescribeKeyPairs", body.encode())
            asked(cloud, run, [], "keypair_info", {})

    @pytest.mark.parametrize("sign", ["\n", "\r", "&#65;", "a=''", "<a/>"])
    def test_too_many_pieces(self, cloud: t.Any, run: t.Any, sign: str) -> None:
        body = f"<DescribeKeyPairsResponse><keySet/><x>{sign * 2_600_000}</x></DescribeKeyPairsResponse>"
        cloud.answer_with("DescribeKeyPairs", body.encode())
        result = asked(cloud, run, [], "keypair_info", {})
        assert "more elements than any list" in result["msg"]


class TestWire:
    """One deadline, whoever is slow."""

    def test_a_server_that_takes_a_record_at_a_time(self, world: t.Any) -> None:
        from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import wire as _wire

        class Slow:
            """Takes as many bytes as one record of TLS holds, just before the time is up."""

            taken = 0

            def settimeout(self, seconds: float) -> None:
                self.patience = seconds

            def sendall(self, data: bytes) -> None:
                assert len(data) <= 1 << 14
                self.taken += len(data)
                world.sleep(min(4.0, self.patience))

        line = _wire._Line(Slow())
        began = world.now
        line.begin(world.monotonic() + 10)
        with pytest.raises(TimeoutError):
            line.sendall(bytes(1 << 20))
        assert world.now - began == 10 and Slow.taken == 0
