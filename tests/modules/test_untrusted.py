# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cloud answers is untrusted: nothing of it gets further that has not the form that servers give it."""

from __future__ import annotations

import pathlib
import re
import time
import typing as t

import pytest
from clouds import CIRROS
from conformance.recording import load

RECORDINGS = sorted((pathlib.Path(__file__).parents[1] / "fixtures" / "wire").glob("*/"))
LAUNCH = {"image": CIRROS, "instance_type": "m1.tiny"}
ID = rb"(?<=>)i-[0-9a-f]{8}"
KEY = b"-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----\n"
# ESC, a C1 character, DEL, an override of the direction, a line separator.
STEERING = "\x1b[31m\x9b31m\x7f\u202e\u2028"
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")

pytestmark = pytest.mark.needs("forged")


def in_body(old: bytes, new: bytes, count: int = 0) -> t.Callable[[bytes], bytes]:
    """What exchanges a pattern in the body of an answer."""

    def forge(whole: bytes) -> bytes:
        head, empty, body = whole.partition(b"\r\n\r\n")
        changed = re.sub(old, lambda _found: new, body, count=count)
        assert changed != body, (old, body)
        return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(changed), head) + empty + changed

    return forge


def element(name: str, text: str) -> t.Callable[[bytes], bytes]:
    """What gives the first element of a name, which may be empty, another text."""
    written = f"<{name}>{text}</{name}>".encode()
    return in_body(rf"<{name}(?:/>|>[^<]*</{name}>)".encode(), written, 1)


def document(action: str, inside: str, declaration: str = "") -> bytes:
    """A reply."""
    return f"{declaration}<{action}Response><requestId>req-1</requestId>{inside}</{action}Response>".encode()


def damaged(result: dict[str, t.Any]) -> str:
    """The message of a task that failed with a damaged reply, and not with a fault of ours."""
    assert result.get("failed"), result
    assert "damaged reply" in result["msg"], result["msg"]
    assert "A fault in" not in result["msg"] and not FORBIDDEN.search(result["msg"])
    return str(result["msg"])


class TestForms:
    """Each element has the form that every generation gives it."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("instanceId", "prod-db-1"),
            ("instanceId", "i-0000001"),
            ("instanceId", "i-0000000A"),
            ("instanceId", "../i-00000001"),
            ("instanceId", "i-00000001\n"),
            ("instanceId", "i-00000001\u009b"),
            ("instanceId", ""),
            ("instanceId", "i-\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661"),
            ("reservationId", "r-../../x"),
            ("ownerId", ""),
            ("privateIpAddress", "-oProxyCommand=touch${IFS}x"),
            ("privateIpAddress", "10.0.0.256"),
            ("privateIpAddress", "10.0.0.1 -oX"),
            ("privateIpAddress", "fe80::1%eth0"),
            ("ipAddress", "localhost"),
            ("ipAddress", "{{ lookup('pipe', 'id') }}"),
            ("dnsName", "-oProxyCommand=x"),
            ("privateDnsName", "a b"),
            ("privateDnsName", "$(id)"),
            ("amiLaunchIndex", "1000000000"),
            ("amiLaunchIndex", "9" * 5000),
            ("amiLaunchIndex", "-1"),
            ("amiLaunchIndex", "\u0661"),
            ("code", "1" * 5000),
            ("name", "run\u009bning"),
            ("name", "RUNNING; rm -rf"),
            ("launchTime", "yesterday"),
            ("keyName", "k" * 2000),
            ("instanceType", "m1\u202etiny"),
            ("imageId", "ami-1; x"),
            ("availabilityZone", "nova\u0085"),
        ],
    )  # fmt: skip
    def test_of_a_vm(self, cloud: t.Any, run: t.Any, vms: list[str], name: str, text: str) -> None:
        cloud.forge("DescribeInstances", element(name, text))
        message = damaged(run("instance_info"))
        assert name in message and "Tried 3 times" in message
        assert len(message) < 500

    def test_of_a_token(self, run: t.Any, cloud: t.Any, vms: list[str]) -> None:
        inside = f"<clientToken>nova-ec2.{'0' * 18}.0.{'1-99999_' * 2400}1</clientToken><amiLaunchIndex>"
        cloud.forge("DescribeInstances", in_body(b"<amiLaunchIndex>", inside.encode(), 1))
        assert "clientToken" in damaged(run("instance_info"))

    @pytest.mark.parametrize("slots", ["1-999999_1-999999_1-999999_1-999999", "1-99999999999999999999999"])
    def test_of_a_record_of_many_numbers(self, run: t.Any, cloud: t.Any, vms: list[str], slots: str) -> None:
        inside = f"<clientToken>nova-ec2.{'0' * 18}.0.{slots}</clientToken><amiLaunchIndex>"
        cloud.forge("DescribeInstances", in_body(b"<amiLaunchIndex>", inside.encode()))
        began = time.perf_counter()
        assert len(run("instance", batch="web", count=2, **LAUNCH)["instances"]) == 2
        assert time.perf_counter() - began < 30

    @pytest.mark.parametrize(
        ("module", "action", "inside", "said"),
        [
            ("keypair_info", "DescribeKeyPairs", "<keySet><item><keyFingerprint>a</keyFingerprint></item></keySet>",
             "item without keyName"),
            ("keypair_info", "DescribeKeyPairs", "<keySet><item><keyName> </keyName></item></keySet>", "keyName is"),
            ("keypair_info", "DescribeKeyPairs", "<keySet><item><keyName>a</keyName></item><item><keyName>a</keyName>"
             "</item></keySet>", "twice"),
            ("keypair_info", "DescribeKeyPairs", "<keySet><item><keyName>a</keyName><keyName>b</keyName></item>"
             "</keySet>", "keyName twice"),
            ("keypair_info", "DescribeKeyPairs", "<keySet><item><keyName><b/>a</keyName></item></keySet>", "elements"),
            ("keypair_info", "DescribeKeyPairs", "", "without keySet"),
            ("instance_info", "DescribeInstances", "", "without reservationSet"),
            ("instance_info", "DescribeInstances", "<reservationSet/><nextToken>abc</nextToken>", "nextToken"),
            ("image_info", "DescribeImages", "<imagesSet><item><imageId>ami-00000001</imageId><isPublic>perhaps"
             "</isPublic></item></imagesSet>", "isPublic"),
            ("image_info", "DescribeImages", "<imagesSet><item><name>x</name></item></imagesSet>", "imageId"),
            ("volume_info", "DescribeVolumes", "<volumeSet><item><volumeId>vol-00000001</volumeId><size>big</size>"
             "</item></volumeSet>", "size"),
            ("volume_info", "DescribeVolumes", "<volumeSet><item><volumeId>vol-00000001</volumeId></item><item>"
             "<volumeId>vol-00000001</volumeId></item></volumeSet>", "volumeId twice"),
            ("snapshot_info", "DescribeSnapshots", "<snapshotSet><item><snapshotId>snap-00000001</snapshotId>"
             "<startTime>2026-02-30</startTime></item></snapshotSet>", "startTime"),
            ("address_info", "DescribeAddresses", "<addressesSet><item><publicIp>172.24.4.1;id</publicIp></item>"
             "</addressesSet>", "publicIp"),
            ("address_info", "DescribeAddresses", "<addressesSet><item><publicIp>172.24.4.1</publicIp><instanceId>x"
             "</instanceId></item></addressesSet>", "instanceId"),
            ("security_group_info", "DescribeSecurityGroups", "<securityGroupInfo><item><groupName>a</groupName>"
             "<ownerId>o</ownerId><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>70000</fromPort></item>"
             "</ipPermissions></item></securityGroupInfo>", "fromPort"),
            ("security_group_info", "DescribeSecurityGroups", "<securityGroupInfo><item><groupName>a</groupName>"
             "<ownerId>o</ownerId><ipPermissions><item><ipRanges><item><cidrIp>all</cidrIp></item></ipRanges></item>"
             "</ipPermissions></item></securityGroupInfo>", "cidrIp"),
            ("region_info", "DescribeRegions", "<regionInfo><item><regionEndpoint>x</regionEndpoint></item>"
             "</regionInfo>", "regionName"),
            ("availability_zone_info", "DescribeAvailabilityZones", "<availabilityZoneInfo><item><zoneState>x"
             "</zoneState></item></availabilityZoneInfo>", "zoneName"),
        ],
    )  # fmt: skip
    def test_of_everything_else(
        self, cloud: t.Any, run: t.Any, module: str, action: str, inside: str, said: str
    ) -> None:
        cloud.answer_with(action, document(action, inside))
        assert said in damaged(run(module))

    def test_names_of_what_boto_has_itself_have_no_effect(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        evil = b"<__class__>x</__class__><startElement>x</startElement><id>x</id><state>x</state><connection>x"
        evil += b"</connection><groups>x</groups><tags>x</tags><instanceId>"
        cloud.forge("DescribeInstances", in_body(b"<instanceId>", evil))
        assert [view["instance_id"] for view in run("instance_info")["instances"]] == vms

    def test_the_same_vm_twice(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        cloud.forge("DescribeInstances", in_body(ID, vms[0].encode()))
        assert "instanceId twice" in damaged(run("instance_info"))

    def test_real_answers_of_every_generation_are_taken(self, figure: t.Any) -> None:
        from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import boto as _boto
        from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import promises as _promises

        boto, taken, left_out = _boto.load(), 0, []
        for folder in RECORDINGS:
            for exchange in load(folder):
                action = exchange.parameters.get("Action", "")
                # Nobody asks for a part of a list, or for a VM by its id, let alone twice.
                asked = exchange.parameters.keys() & {"MaxResults"} or exchange.name.endswith("same-id-twice")
                if exchange.reply is None or " 200 " not in exchange.reply.start or asked:
                    continue
                if action not in _promises.PROMISES:
                    left_out.append(action)
                    continue
                body = exchange.reply.body.encode()
                _promises.fill(action, body, boto.ResultSet(), None)
                taken += 1
        assert taken > 400
        # Actions that no module asks for.
        unasked = {"DescribeImageAttribute", "DescribeInstanceAttribute", "DescribeInstancesV6", "DescribeVpcs"}
        assert set(left_out) <= {*unasked, "GetPasswordData", "describeRegions", ""}
        figure(
            f"{taken} recorded replies are what they promise, {len(left_out)} are of actions that no module asks for"
        )

    def test_every_action_that_is_asked_for_is_promised(self) -> None:
        from ansible_collections.nova_ec2.cloud.plugins.module_utils._api import promises as _promises

        root = pathlib.Path(__file__).parents[2] / "plugins"
        texts = " ".join(path.read_text() for path in root.rglob("*.py"))
        asked = set(re.findall(r'"((?:Describe|Create|Delete|Authorize|Revoke)[A-Z][A-Za-z]+)"', texts))
        assert asked <= set(_promises.PROMISES) | _promises.SECRET


class TestXml:
    """Documents that are expensive, or that mean something else to somebody else."""

    @pytest.mark.parametrize(
        "body",
        [
            b"<Response><Errors><Error><Code>" + b"a" * 240_000,
            b"<Response><Errors><Error><Code>" * 8000,
            b" " * 400_000,
            b"<?xml" + b" " * 400_000,
            b"<Response>" + b"<Code>" * 40_000,
            b"<Response><Message>" + b" " * 40_000 + b"</Message></Response>",
            b"<Response><Message>" + b"quota exceeded for " * 10_000 + b"</Message></Response>",
            b"<" * 200_000,
        ],
        ids=["code", "many", "spaces", "declaration", "unclosed", "message", "quota", "brackets"],
    )
    @pytest.mark.parametrize("status", ["200 OK", "400 Bad"])
    def test_errors_are_read_in_linear_time(self, cloud: t.Any, run: t.Any, body: bytes, status: str) -> None:
        cloud.answer_with("DescribeInstances", body, status=status)
        began = time.perf_counter()
        result = run("instance_info")
        assert time.perf_counter() - began < 30
        assert result["failed"] and len(result["msg"]) < 3000 and "A fault in" not in result["msg"]

    @pytest.mark.parametrize(
        ("inside", "declaration"),
        [
            ("<keySet>" + "<item>" * 100_000, ""),
            ("<keySet><item><keyName>" + "a" * 5_000_000 + "</keyName></item></keySet>", ""),
            ("<x>" + "a&#65;" * 1_000_000 + "</x>", ""),
            ("<a/>" * 500_000, ""),
            ("<x " + " ".join(f'a{n}=""' for n in range(300_000)) + "/>", ""),
            ("<keySet/>", '<!DOCTYPE x [<!ENTITY a "b">]>'),
            ("<keySet/>", " " * 9000 + '<!DOCTYPE x [<!ENTITY a "b">]>'),
            ("<keySet/>", '<?xml version="1.0" encoding="cp037"?>'),
            ("<keySet/>", '<?xml version="1.0" encoding="utf-16"?>'),
        ],
        ids=["deep", "long", "entities", "many", "attributes", "doctype", "late", "ebcdic", "utf-16"],
    )
    def test_documents(self, cloud: t.Any, run: t.Any, inside: str, declaration: str) -> None:
        cloud.answer_with("DescribeKeyPairs", document("DescribeKeyPairs", inside, declaration), once=True)
        began = time.perf_counter()
        result = run("keypair_info")
        assert time.perf_counter() - began < 30
        # The next answer is a right one.
        assert result.get("keypairs") == [], result

    def test_a_list_of_ten_thousand(self, cloud: t.Any, run: t.Any, vms: list[str], figure: t.Any) -> None:
        def forge(whole: bytes) -> bytes:
            body = whole.partition(b"\r\n\r\n")[2]
            reservation = re.search(rb"<reservationSet>\s*(<item>.*</item>)\s*</reservationSet>", body, re.DOTALL)
            assert reservation
            text = reservation[1].decode()
            many = []
            for number in range(5000):
                pair = iter((f"i-{2 * number:08x}", f"i-{2 * number + 1:08x}"))
                changed = re.sub(r"<instanceId>[^<]*", lambda _found, pair=pair: f"<instanceId>{next(pair)}", text)
                many.append(re.sub(r"<reservationId>[^<]*", f"<reservationId>r-{number:08d}", changed))
            inside = "".join(many)
            data = b"<DescribeInstancesResponse><reservationSet>%s</reservationSet></DescribeInstancesResponse>"
            data %= inside.encode()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data

        cloud.forge("DescribeInstances", forge)
        began = time.perf_counter()
        assert len(run("instance_info")["instances"]) == 10_000
        figure(f"a list of 10,000 VMs is read in {time.perf_counter() - began:.1f} s")


class TestWire:
    """An exchange has one deadline, and an answer a largest size."""

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK" + b" " * 1000,
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000,
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 90,
            b"HTTP/1.1 100 Continue\r\n\r\n" * 100,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1" + b";a" * 500,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 200,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 200,
            b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"<a/>" * 300,
            b"HTTP/1.1 200 OK\r\n\r\n" + b"<a/>" * 300,
        ],
        ids=["status", "header", "headers", "continue", "size", "chunks", "trailers", "body", "to the end"],
    )
    @pytest.mark.parametrize("action", ["DescribeKeyPairs", "CreateKeyPair"])
    def test_dribbled(self, cloud: t.Any, run: t.Any, data: bytes, action: str) -> None:
        cloud.forge(action, lambda _whole: data, pause=1.0)
        began = cloud.world.now
        module = {"DescribeKeyPairs": "keypair_info", "CreateKeyPair": "keypair"}[action]
        result = run(module, read_timeout=5, **({"name": "web"} if module == "keypair" else {}))
        assert "no answer within 5 s" in result["msg"], result["msg"]
        # A read is tried again for as long as it would still be in time.
        assert cloud.world.now - began < 11

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n<a/>",
            b"HTTP/1.1 200 OK\r\n\r\n" + b"<a/>" * (17 << 20),
            b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * (12 << 20),
            b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"b" * 60_000 + b"\r\n") * 90,
        ],
        ids=["announced", "endless", "continue", "trailers", "headers"],
    )
    def test_too_large(self, cloud: t.Any, run: t.Any, data: bytes) -> None:
        cloud.forge("DescribeKeyPairs", lambda _whole: data)
        began = time.perf_counter()
        result = run("keypair_info", read_timeout=1)
        assert result["failed"] and ("larger than 64 MiB" in result["msg"] or "not HTTP" in result["msg"]), result[
            "msg"
        ]
        assert time.perf_counter() - began < 120

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x00" * 100,
            b"<?xml version='1.0'?><a/>\r\n\r\n",
            b"HTTP/1.1 99999 OK\r\n\r\n",
            b"HTTP/1.1 -1 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n<a/>",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<a/>",
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nDate: Mon, 99 Foo 99999999999999 99:99:99 GMT\r\nContent-Length: 4\r\n\r\n<a/>",
            b"HTTP/1.1 403 No\r\nDate: Mon, 01 Jan 99999 00:00:00 GMT\r\nContent-Length: 4\r\n\r\n<a/>",
            b"HTTP/1.1 302 Go\r\nLocation: \x1b[31m\xc2\x9b" + b"x" * 9000 + b"\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 301 Go\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 500 \x1b[31mNo\x9b\r\nContent-Length: 0\r\n\r\n",
        ],
    )
    def test_what_is_no_http(self, cloud: t.Any, run: t.Any, data: bytes) -> None:
        cloud.forge("DescribeKeyPairs", lambda _whole: data)
        said = run("keypair_info", read_timeout=1)["msg"]
        assert said and "A fault in" not in said and not FORBIDDEN.search(said) and len(said) < 3000


class TestPeople:
    """Text from the cloud becomes text for people in one place."""

    def test_errors(self, cloud: t.Any, run: t.Any) -> None:
        said = "".join(char for char in STEERING if char != "\x1b")
        error = f"<Code>Bad{said}</Code><Message>No{said}\nmore\x1b[0m</Message>"
        body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>req{said}</RequestID></Response>".encode()
        cloud.answer_with("DescribeKeyPairs", body, status="400 Bad\x1b[31m")
        result = run("keypair_info")
        for name in ("msg", "error_code", "request_id"):
            assert not FORBIDDEN.search(result[name]), name
        assert "Bad" in result["msg"] and "more" in result["msg"]

    def test_warnings_and_diffs(self, cloud: t.Any, run: t.Any) -> None:
        cloud.forge("DescribeImages", element("name", "odd\u009b31m\u202e"))
        cloud.fault("ImportKeyPair", "drop_after")
        shown = run("image_info")
        assert shown["images"], shown
        cloud.answer_with("CreateKeyPair", b"\x9b\x1b<x>", status="500 \x9b")
        result = run("keypair", name="web", diff=True)
        assert not FORBIDDEN.search(str(result["msg"]))

    def test_progress(self, cloud: t.Any, run: t.Any, vms: list[str], tmp_path: pathlib.Path) -> None:
        from ansible_collections.nova_ec2.cloud.plugins.module_utils._batch.progress import Progress

        Progress(str(tmp_path / "told"), "web").say(f"1 {STEERING}", now=True)
        assert not FORBIDDEN.search((tmp_path / "told").read_text().rstrip("\n"))


class TestMutations:
    """A mutation whose answer is not whole may have been done; the reply that holds a key is never quoted."""

    @pytest.mark.parametrize(
        "forge",
        [
            lambda whole: whole.replace(b" 200 ", b" 202 ", 1),
            lambda whole: whole.replace(b" 200 ", b" 204 ", 1),
            lambda whole: whole.replace(b" 200 ", b" 408 ", 1),
            lambda whole: whole.replace(b" 200 ", b" 400 ", 1),
            lambda whole: whole.replace(b" 200 ", b" 500 ", 1),
            in_body(rb"\A", b"\xef\xbb\xbf"),
            in_body(rb"CreateKeyPairResponse", b"CreateKeyPair"),
            in_body(rb"CreateKeyPairResponse", b"Response"),
            in_body(rb"</CreateKeyPairResponse>", b""),
            in_body(rb"<keyName>", b"<keyName>\x01"),
            in_body(rb"<keyName>[^<]*</keyName>", b""),
            lambda whole: whole.partition(b"\r\n\r\n")[2],
            lambda whole: whole.partition(b"\r\n\r\n")[2].replace(b"\n", b" "),
            in_body(rb"<keyMaterial>", b"<keyMaterial>x<y/>"),
        ],
        ids=["202", "204", "408", "400", "500", "mark", "root", "error", "cut", "character", "nameless", "headless",
             "one line", "mixed"],
    )  # fmt: skip
    def test_nothing_of_a_key_is_ever_told(
        self, cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, forge: t.Any
    ) -> None:
        seen: list[bytes] = []

        def noting(whole: bytes) -> bytes:
            seen.append(whole)
            return bytes(forge(whole))

        cloud.forge("CreateKeyPair", noting)
        result = run("keypair", name="web", private_key_file=str(tmp_path / "web.pem"))
        assert result["failed"], result
        material = re.search(rb"KEY-----\s+(.*?)\s+-----END", seen[0], re.DOTALL)
        assert material
        for part in material[1].decode().split():
            assert part[:24] not in str(result)
        assert "PRIVATE KEY" not in str(result)
        assert not list(tmp_path.iterdir())
        assert cloud.actions().count("CreateKeyPair") == 1

    @pytest.mark.parametrize("status", ["201 Created", "202 Accepted", "204 No Content", "206 Some", "408 Timeout"])
    @pytest.mark.parametrize(
        ("action", "args"),
        [
            ("RunInstances", {"count": 3}),
            ("TerminateInstances", {"count": 1, "max_terminate": 1}),
            ("StopInstances", {"state": "stopped"}),
        ],
    )
    def test_other_statuses_leave_it_open(
        self, cloud: t.Any, run: t.Any, vms: list[str], action: str, args: dict[str, t.Any], status: str
    ) -> None:
        cloud.forge(action, lambda whole: whole.replace(b"200 OK", status.encode(), 1), once=True)
        result = run("instance", batch="web", **LAUNCH, **args)
        # It was done, which is seen, and not done again.
        assert not result.get("failed") and result["warnings"], result
        assert cloud.actions().count(action) == 1

    @pytest.mark.parametrize(
        "material",
        [b"", b"  ", b"&lt;html&gt;&lt;/html&gt;", b"ssh-rsa AAAA", KEY[:40], KEY.replace(b"RSA", b"PUBLIC"),
         b"-----BEGIN RSA PRIVATE KEY-----\n****\n-----END RSA PRIVATE KEY-----",
         b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", None],
    )  # fmt: skip
    @pytest.mark.parametrize("to_file", [True, False])
    def test_what_is_no_private_key(
        self, cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, material: bytes | None, to_file: bool
    ) -> None:
        new = b"" if material is None else b"<keyMaterial>%s</keyMaterial>" % material
        cloud.forge("CreateKeyPair", in_body(rb"(?s)<keyMaterial>.*</keyMaterial>", new))
        where = {"private_key_file": str(tmp_path / "web.pem")} if to_file else {}
        result = run("keypair", name="web", **where)
        assert result["failed"] and "holds no private key" in result["msg"], result
        assert "deleted again" in result["msg"] and "A fault" not in result["msg"]
        assert cloud.mutations() == ["CreateKeyPair", "DeleteKeyPair"]
        assert run("keypair_info")["keypairs"] == [] and not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("module", "action", "args", "inside"),
        [
            ("security_group", "CreateSecurityGroup", {"name": "g", "description": "d"}, ""),
            ("security_group", "CreateSecurityGroup", {"name": "g", "description": "d"}, "<return>false</return>"),
            ("security_group", "CreateSecurityGroup", {"name": "g", "description": "d"}, "<return>maybe</return>"),
            ("keypair", "CreateKeyPair", {"name": "k"}, "<return>true</return>"),
        ],
    )
    def test_answers_that_say_nothing(
        self, cloud: t.Any, run: t.Any, module: str, action: str, args: dict[str, t.Any], inside: str
    ) -> None:
        cloud.answer_with(action, document(action, inside))
        result = run(module, **args)
        told = str(result.get("msg")) + str(result.get("warnings"))
        assert "damaged reply" in told and cloud.actions().count(action) == 1

    def test_an_address_that_was_there_is_not_taken_for_a_new_one(
        self, cloud: t.Any, run: t.Any, vms: list[str]
    ) -> None:
        first = run("address", instance_id=vms[0])["addresses"][0]["public_ip"]
        cloud.forge("AllocateAddress", element("publicIp", first))
        run("address", instance_id=vms[1])
        held = {view["public_ip"]: view["instance_id"] for view in run("address_info")["addresses"]}
        assert held[first] == vms[0]

    def test_a_volume_that_was_there_is_not_taken_for_a_new_one(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        args = {"device_name": "/dev/vdc", "volume_size": 1}
        first = run("volume", instance_id=vms[0], **args)["volumes"][0]["volume_id"]
        cloud.forge("CreateVolume", element("volumeId", first))
        run("volume", instance_id=vms[1], **args)
        held = {view["volume_id"]: view["instance_id"] for view in run("volume_info")["volumes"]}
        assert held[first] == vms[0]


class TestLaunches:
    """Whatever goes wrong after a launch, the result has every id; an answer about others' VMs is not believed."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [("launchTime", "never"), ("instanceId", "prod-db-1"), ("amiLaunchIndex", "99999"), ("ipAddress", "x y")],
    )
    def test_odd_values_while_it_settles(self, cloud: t.Any, run: t.Any, vms: list[str], name: str, text: str) -> None:
        def spoil() -> None:
            cloud.forge("DescribeInstances", element(name, text))

        cloud.when("RunInstances", spoil)
        result = run("instance", batch="web", count=3, **LAUNCH)
        damaged(result)
        assert {*vms} < {*result["instance_ids"]} and len(result["instance_ids"]) == 3

    @pytest.mark.parametrize(
        "forge",
        [
            in_body(ID, b"i-0000dead", 1),
            element("instanceId", "prod-db-1"),
            element("amiLaunchIndex", "7"),
            in_body(rb"(?s)<instancesSet>.*</instancesSet>", b"<instancesSet/>"),
            in_body(rb"<amiLaunchIndex>", b"<clientToken>somebody-elses</clientToken><amiLaunchIndex>"),
        ],
        ids=["unknown", "malformed", "index", "none", "token"],
    )
    def test_an_answer_that_cannot_be(self, cloud: t.Any, run: t.Any, vms: list[str], forge: t.Any) -> None:
        cloud.forge("RunInstances", forge)
        result = run("instance", batch="web", count=3, wait_timeout=30, **LAUNCH)
        assert cloud.actions().count("RunInstances") == 1
        assert "A fault in" not in str(result.get("msg"))
        assert {*vms} <= {*result["instance_ids"]}
        assert len(cloud.servers()) == 3

    def test_members_are_not_taken_for_new_ones(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        cloud.forge("RunInstances", in_body(ID, vms[0].encode(), 1))
        result = run("instance", batch="web", count=3, **LAUNCH)
        assert not result.get("failed") and len(result["instance_ids"]) == 3, result.get("msg")
        assert "TerminateInstances" not in cloud.actions()


class TestOwners:
    """Before anything is stopped, rebooted or terminated it is certain whose VMs they are."""

    @pytest.mark.parametrize("state", ["absent", "stopped", "rebooted"])
    @pytest.mark.parametrize("cloud", ["grizzly", "liberty"], indirect=True)
    def test_of_another_project(self, cloud: t.Any, run: t.Any, vms: list[str], state: str) -> None:
        owner = cloud.users["demo"]["tenant_id"].encode()
        cloud.forge("DescribeInstances", in_body(owner, b"f" * 32))
        result = run("instance", batch="web", state=state)
        assert not {"TerminateInstances", "StopInstances", "RebootInstances"} & set(cloud.actions()), cloud.actions()
        assert "A fault in" not in str(result.get("msg"))

    @pytest.mark.parametrize("count", [0, 1])
    def test_shrinking(self, cloud: t.Any, run: t.Any, vms: list[str], count: int) -> None:
        owner = cloud.users["demo"]["tenant_id"].encode()
        cloud.forge("DescribeInstances", in_body(owner, b"f" * 32))
        run("instance", batch="web", count=count, max_terminate=9, wait_timeout=20, **LAUNCH)
        assert "TerminateInstances" not in cloud.actions()

    def test_without_a_sign_nothing_is_done(self, cloud: t.Any, run: t.Any, vms: list[str]) -> None:
        cloud.answer_with("DescribeSecurityGroups", document("DescribeSecurityGroups", "<securityGroupInfo/>"))
        result = run("instance", batch="web", state="absent")
        assert result["failed"] and "does not tell which project is yours" in result["msg"]
        assert "TerminateInstances" not in cloud.actions()

    def test_a_launch_of_the_run_is_a_sign(self, cloud: t.Any, run: t.Any) -> None:
        run("instance", batch="web", count=2, **LAUNCH)
        assert "DescribeSecurityGroups" not in cloud.actions()
