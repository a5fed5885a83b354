# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to the test bed's ec2-api, each written down with its reply in the form of the recordings under fixtures.

What is done between two requests by the native APIs, and unseen by clients, is noted before the next one, so that a
replay can do the same: ``# before: settled`` (no VM does anything any more), ``# before: state ID vm_state`` and
``# before: setting NAME NUMBER``.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import signal
import time
import typing as t
import urllib.parse

from ..conformance.compare import tree, values
from ..conformance.recording import REQUEST, RESPONSE
from ..conformance.signing import signature
from .bed import Bed
from .native import Native
from .processes import Processes

PATH = "/services/Cloud/"
VERSION = "2014-10-01"
# boto signs for the host without its port, and sends that.
HOST = "127.0.0.1"
REQUEST_SECONDS = 600.0
SETTLE_SECONDS = 180.0
LOOK_SECONDS = 0.2
# What an action takes on the local cloud while it is slow here, and in replays otherwise.
SLOW_SECONDS, USUAL_SECONDS = 12, 3
KEY = re.compile(r"(-----BEGIN RSA PRIVATE KEY-----\n)(.*)(\n-----END RSA PRIVATE KEY-----)", re.DOTALL)
ERROR = re.compile(r"<Code>(.*?)</Code><Message>(.*?)</Message>", re.DOTALL)
Parameters = t.Mapping[str, str]


class Answer(t.NamedTuple):
    """What became of a request."""

    status: int
    body: str

    def all(self, tag: str) -> list[str]:
        """The texts of every element of a name, in order and without repetitions."""
        root = tree(self.body)
        return [] if root is None else values(root, tag)

    def one(self, tag: str) -> str:
        """The text of the first element of a name. Raises ValueError if there is none."""
        found = self.all(tag)
        if not found:
            raise ValueError(f"no {tag} in {self.body}")
        return found[0]


class Recorder:
    """Sends requests as the tenants of ``native``, and writes a file for each into ``folder``."""

    def __init__(self, bed: Bed, native: Native, folder: pathlib.Path) -> None:
        self.native = native
        self.folder = folder
        self._port = bed.ports["ec2"]
        self._processes = Processes(bed)
        self._number = 0
        self._before: list[str] = []
        self._index: list[str] = []

    # Requests ----------------------------------------------------------------------------------------------------

    def ask(
        self, name: str, action: str, parameters: Parameters | None = None, *, role: str = "demo",
        verb: str = "POST", path: str = PATH, protocol: t.Mapping[str, str | None] | None = None,
        signed_by: str | None = None, shift: float = 0.0, note: str = "",
    ) -> Answer:  # fmt: skip
        """Send and write down one request, signed with version 2.

        protocol: overrides parameters that every request has; None leaves one out. signed_by: a secret that is not the
        tenant's. shift: seconds that its time stamp is off.
        """
        tenant, stamp = self.native.tenants[role], _now() + datetime.timedelta(seconds=shift)
        sent: dict[str, str | None] = {"AWSAccessKeyId": tenant.access, "Action": action, **(parameters or {})}
        sent |= {"SignatureMethod": "HmacSHA256", "SignatureVersion": "2"}
        sent |= {"Timestamp": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"), "Version": VERSION}
        sent |= protocol or {}
        pairs = {key: value for key, value in sorted(sent.items()) if value is not None}
        if "Signature" not in sent:
            pairs["Signature"] = signature(signed_by or tenant.secret, verb, HOST, path, pairs)
        encoded = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote, safe="-_~")
        headers = [("Host", HOST), ("Accept-Encoding", "identity"), ("User-Agent", "raw/1")]
        if verb == "GET":
            return self._exchange(name, verb, f"{path}?{encoded}", headers, "", pairs, note)
        return self._exchange(name, verb, path, [*headers, *_form(encoded)], encoded, pairs, note)

    def ask_v4(self, name: str, action: str, secret: str | None = None, note: str = "") -> Answer:
        """Send and write down one request of the tenant demo, signed with version 4 as boto does by itself."""
        tenant, host = self.native.tenants["demo"], f"{HOST}:{self._port}"
        pairs = {"Action": action, "Version": VERSION}
        body, stamp = urllib.parse.urlencode(pairs), _now().strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/0/127/aws4_request"
        canonical = f"POST\n{PATH}\n\nhost:{host}\nx-amz-date:{stamp}\n\nhost;x-amz-date\n{_sha256(body)}"
        key = f"AWS4{secret or tenant.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{_sha256(canonical)}"
        signed = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={tenant.access}/{scope},SignedHeaders=host;x-amz-date,Signature={signed}"
        )
        headers = [("Host", host), ("Accept-Encoding", "identity"), ("User-Agent", "raw/1"), ("X-Amz-Date", stamp)]
        headers += [*_form(body), ("Authorization", authorization)]
        return self._exchange(name, "POST", PATH, headers, body, pairs, note)

    def _exchange(
        self, name: str, verb: str, target: str, headers: list[tuple[str, str]], body: str, pairs: Parameters, note: str
    ) -> Answer:
        at, began = _now(), time.monotonic()
        connection = http.client.HTTPConnection(HOST, self._port, timeout=REQUEST_SECONDS)
        try:
            connection.putrequest(verb, target, skip_host=True, skip_accept_encoding=True)
            for key, value in headers:
                connection.putheader(key, value)
            connection.endheaders(body.encode())
            reply = connection.getresponse()
            answer = Answer(reply.status, reply.read().decode())
        finally:
            connection.close()
        took = time.monotonic() - began
        result = _result(answer)
        lines = [f"# {name}", *([f"# note: {note}"] if note else []), *(f"# before: {one}" for one in self._before)]
        lines += [f"# at {at:%Y-%m-%dT%H:%M:%S} UTC, took {took:.2f}s", f"# client result: {result}", ""]
        lines += [REQUEST + f"{verb} {target} HTTP/1.1", *(f"{key}: {value}" for key, value in headers), ""]
        lines += [body, ""] if body else []
        lines += [f"-------- decoded {'body' if body else 'query'} parameters"]
        lines += [f"{key} = {value}" for key, value in pairs.items()]
        lines += ["", RESPONSE + f"HTTP/1.1 {reply.status} {reply.reason}"]
        lines += [f"{key}: {value}" for key, value in reply.getheaders()]
        lines += ["", KEY.sub(_left_out, answer.body).rstrip("\n"), ""]
        self._before.clear()
        self._number += 1
        path = self.folder / f"{self._number:03d}-{name}.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        self._index.append(f"{path.name:58} {f'{reply.status} {reply.reason}':18} {result}")
        print(f"{self._index[-1]:110.110} {took:6.2f} s", flush=True)
        return answer

    def finish(self) -> None:
        """Write the index, and the keys of the tenants."""
        (self.folder / "INDEX.txt").write_text("\n".join([*self._index, ""]), encoding="utf-8")
        users = {
            role: {
                "tenant": tenant.project,
                "tenant_id": tenant.project_id,
                "user_id": tenant.user_id,
                "access": tenant.access,
                "secret": tenant.secret,
            }
            for role, tenant in self.native.tenants.items()
        }
        (self.folder / "users.json").write_text(json.dumps(users, indent=1) + "\n", encoding="utf-8")

    # Off the record ----------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Wait until no VM of the tenant demo does anything any more."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.native.busy(self.native.tenants["demo"]):
            if time.monotonic() > deadline:
                raise ValueError("VMs do not settle")
            time.sleep(LOOK_SECONDS)
        self._before.append("settled")

    def bring(self, ec2_id: str, vm_state: str) -> None:
        """Have a VM be in a state, or deleted, by the native API."""
        self.native.bring_to(self.native.uuid_of(ec2_id), vm_state)
        self._before.append(f"state {ec2_id} {vm_state}")

    @contextlib.contextmanager
    def slowly(self) -> t.Iterator[None]:
        """Have nothing that is asked for be done meanwhile: the machine of the VMs stands still."""
        pids = [pid for pid, name in self._processes.running().items() if name == "nova-compute"]
        self.note("action_seconds", SLOW_SECONDS)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        self.note("action_seconds", USUAL_SECONDS)

    def note(self, name: str, number: int) -> None:
        """Note how the cloud is set up, by the name of a setting of the local cloud."""
        self._before.append(f"setting {name} {number}")

    def limit(self, quota: str, number: int) -> None:
        """Change a quota of every tenant."""
        self.native.set_quotas({quota: number})
        self.note(quota, number)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _form(body: str) -> list[tuple[str, str]]:
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    return [("Content-Type", kind), ("Content-Length", str(len(body.encode())))]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _left_out(match: re.Match[str]) -> str:
    return f"{match[1]}[{len(match[2].replace(chr(10), ''))} characters of base64 left out]{match[3]}"


def _result(answer: Answer) -> str:
    failure = ERROR.search(answer.body)
    if failure:
        return " ".join(f"{failure[1]}: {failure[2]}".split())
    return str(answer.status)


def encoded(text: str) -> str:
    """Text in base64."""
    return base64.b64encode(text.encode()).decode()
