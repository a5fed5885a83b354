# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The connection that every module and plugin uses: boto's EC2Connection over our own wire."""

from __future__ import annotations

import random
import ssl
import time
import typing as t
import urllib.parse

from . import boto as _boto
from .errors import NOT_SENT, REFUSED, UNKNOWN, CloudError
from .promises import Broken, fill
from .replies import error_in
from .wire import Lost, NotSent, NotTrusted, Redirected, Reply, Wire

READ_ATTEMPTS = 3
BACKOFF = 0.5
CHECK = "Check host and port in endpoint_url (Nova's EC2 API is usually at port 8773), and that the service runs there."
CERTIFICATE = "Give the certificate of its authority as ca_bundle, and in endpoint_url a name that it is for."
PLAIN = "If this port speaks plain HTTP, begin endpoint_url with http://."
SECURE = " If this port speaks TLS, begin endpoint_url with https://."
LOOK = "The module cloud_info looks at every step of the way there."
SIGNING = {2: ["sign-v2"], 4: ["hmac-v4"]}


class Endpoint(t.NamedTuple):
    """Where and as whom to connect. host is lower-case, in brackets if it is an IPv6 address; port is a number."""

    url: str
    secure: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Split an http or https URL. Raises CloudError on anything else."""
        url = url.strip()
        if not (url.isascii() and url.isprintable()) or " " in url:
            raise CloudError(
                f"endpoint_url {url!r} is not a URL: it holds white space, or a character that a URL writes otherwise "
                "(as xn-- in host names, and with % in paths)."
            )
        try:
            parts = urllib.parse.urlsplit(url)
            port = parts.port
        except ValueError as exc:
            raise CloudError(f"endpoint_url {url!r} is not a URL: {exc}.") from exc
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CloudError(
                f"endpoint_url {url!r} is not an http or https URL, such as "
                "http://cloud.example.com:8773/services/Cloud."
            )
        if parts.username or parts.password or parts.query or parts.fragment:
            raise CloudError("endpoint_url holds more than scheme, host, port and path; keys have their own options.")
        secure = parts.scheme == "https"
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(url, secure, host, port or (443 if secure else 80), parts.path or "/")


class _OverOurWire:
    """What replaces boto's transport: retries, redirects, proxies, timeouts, TLS and error parsing.

    Mixed into boto's EC2Connection once that could be imported. Any method of boto's either returns boto's objects or
    raises CloudError. A mutation is sent once; an action that only reads is tried up to three times, in all within
    twice the read timeout.
    """

    boto: t.Any
    wire: Wire
    patience: float
    endpoint: Endpoint
    signature_version: int
    project: str | None = None
    image_ids: dict[str, str]

    def _required_auth_capability(self) -> list[str]:
        return SIGNING[self.signature_version]

    def handle_proxy(self, *unused: t.Any) -> None:
        """No proxy: neither the environment nor a file may redirect what a task says."""
        self.proxy = self.proxy_port = self.proxy_user = self.proxy_pass = None
        self.no_proxy = "*"
        self.use_proxy = False

    def set_host_header(self, request: t.Any) -> None:
        """Host as it is signed: with version 2 boto signs the bare host, whatever the port."""
        if self.signature_version == 4:
            super().set_host_header(request)  # type: ignore[misc]
        else:
            request.headers["Host"] = self.endpoint.host

    def make_request(self, action: str, params: t.Any = None, path: str = "/", verb: str = "POST") -> Reply:
        """Always by POST: Nova takes either verb, and a signed query string would end in logs on the way."""
        return super().make_request(action, params, path, "POST")  # type: ignore[misc, no-any-return]

    def get_list(
        self, action: str, params: t.Any, markers: t.Any, path: str = "/", parent: t.Any = None, verb: str = "GET"
    ) -> t.Any:
        """What boto's get_list returns, of a reply that is what it promises to be."""
        return self._asked(action, params, lambda: self.boto.ResultSet(markers), parent)

    def get_object(
        self, action: str, params: t.Any, cls: t.Any, path: str = "/", parent: t.Any = None, verb: str = "GET"
    ) -> t.Any:
        """What boto's get_object returns, likewise."""
        return self._asked(action, params, lambda: cls(parent or self), parent)

    def get_status(self, action: str, params: t.Any, path: str = "/", parent: t.Any = None, verb: str = "GET") -> t.Any:
        """What boto's get_status returns, likewise."""
        return self._asked(action, params, self.boto.ResultSet, parent).status

    def _asked(self, action: str, params: t.Any, make: t.Callable[[], t.Any], parent: t.Any) -> t.Any:
        """Ask, and have what make makes be filled; reads whose answer got lost or broken are repeated."""
        last_start = time.monotonic() + min(self.wire.read_timeout, self.patience)
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                return self._filled(action, self.make_request(action, params), make(), parent)
            except CloudError as exc:
                error = exc
            pause = max(BACKOFF * 2 ** (attempt - 1) * random.uniform(0.5, 1.5), error.retry_after or 0)
            last = attempt == READ_ATTEMPTS or not _again(action, error)
            if last or time.monotonic() + pause > last_start:
                if attempt > 1:
                    error.message += f" Tried {attempt} times."
                raise error
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _filled(self, action: str, reply: Reply, made: t.Any, parent: t.Any) -> t.Any:
        """The object that boto makes of a reply, once that has been checked. Raises CloudError."""
        try:
            fill(action, reply.body, made, parent or self)
        except Broken as exc:
            why = str(exc)
        except Exception as exc:  # pylint: disable=broad-exception-caught
            # Whatever boto makes of it: the reply is at fault, and what boto says may quote it.
            why = f"boto cannot read it: {type(exc).__name__}"
        else:
            return made
        raise self._unanswered(action, f"answered {action} with a damaged reply ({why}).", UNKNOWN)

    def _mexe(self, request: t.Any, *unused: t.Any, **also_unused: t.Any) -> Reply:
        """Sign and send one request, once; hand over only an answer that is the action's own."""
        action = request.params["Action"]
        request.authorize(connection=self)
        self.set_host_header(request)
        try:
            body = request.body.encode() if isinstance(request.body, str) else request.body
            reply = self.wire.exchange(request.method, request.path, body, request.headers, fresh=not is_read(action))
        except NotTrusted as exc:
            advice = CERTIFICATE if isinstance(exc.__cause__, ssl.SSLCertVerificationError) else PLAIN
            raise self._unanswered(action, f"cannot be trusted: {exc}. {advice} {LOOK}", REFUSED) from exc
        except NotSent as exc:
            raise self._unanswered(action, f"cannot be reached: {exc}. {CHECK} {LOOK}", NOT_SENT) from exc
        except Lost as exc:
            plain = not (self.endpoint.secure or self.wire.answered or isinstance(exc.__cause__, TimeoutError))
            said = f"gave no whole answer to {action}: {exc}.{SECURE if plain else ''}"
            raise self._unanswered(action, said, UNKNOWN) from exc
        except Redirected as exc:
            said = f"wants {action} sent to {exc} instead, which is refused: give the right address as endpoint_url."
            raise self._unanswered(action, said, REFUSED) from exc
        error = error_in(reply, action, self.endpoint.url, self.signature_version)
        if error:
            raise error
        return reply

    def _unanswered(self, action: str, what: str, outcome: str) -> CloudError:
        return CloudError(f"{self.endpoint.url} {what}", endpoint=self.endpoint.url, action=action, outcome=outcome)


def is_read(action: str) -> bool:
    """Whether an action changes nothing, so that it may be sent again."""
    return action.startswith(("Describe", "Get"))


def _again(action: str, error: CloudError) -> bool:
    """Whether a request may be sent again: one that changes nothing, and was not refused for good.

    Never one that changes something, though it was only sent too often: what passed it on may have done a part of it.
    """
    # What Nova's Get actions ask of a compute host fails slowly, and for ever.
    patient = action.startswith("Describe") or (action.startswith("Get") and error.throttled)
    return patient and error.outcome != REFUSED


def attempt(what: str, call: t.Callable[..., t.Any], *args: t.Any, absent: t.Any = None, **kwargs: t.Any) -> t.Any:
    """Make one API call; errors say that it was tried to do what. None if the error is the Condition absent."""
    try:
        return call(*args, **kwargs)
    except CloudError as error:
        if absent is not None and absent.matches(error):
            return None
        raise error.doing(what) from error.__cause__


def connect(
    endpoint: Endpoint,
    access_key: str,
    secret_key: str,
    *,
    region: str = "nova",
    validate_certs: bool = True,
    ca_bundle: str | None = None,
    connect_timeout: float = 10,
    read_timeout: float = 120,
    signature_version: int = 2,
) -> t.Any:
    """A boto EC2Connection to endpoint and nowhere else. Nothing is sent yet. Raises CloudError."""
    boto = _boto.load()
    try:
        wire = Wire(
            endpoint.host,
            endpoint.port,
            secure=endpoint.secure,
            validate_certs=validate_certs,
            ca_bundle=ca_bundle,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
    except NotSent as exc:
        raise CloudError(f"{exc}.", endpoint=endpoint.url, outcome=NOT_SENT) from exc
    connection_class: t.Any = type("NovaConnection", (_OverOurWire, boto.EC2Connection), {})
    # Without its constructor, which would look for a default region; the base class gets what it needs below.
    connection = connection_class.__new__(connection_class)
    connection.boto, connection.wire, connection.endpoint, connection.signature_version = (
        boto,
        wire,
        endpoint,
        signature_version,
    )
    connection.region = boto.RegionInfo(connection, region, endpoint.host)
    boto.AWSQueryConnection.__init__(
        connection,
        host=endpoint.host,
        port=endpoint.port,
        path=endpoint.path,
        is_secure=endpoint.secure,
        provider=_provider(boto.Provider, access_key, secret_key),
    )
    if signature_version == 4:
        connection.auth_region_name, connection.auth_service_name = region, "ec2"
    connection.image_ids, connection.patience = {}, read_timeout
    connection.block_device_types = (boto.BlockDeviceMapping, boto.BlockDeviceType)
    connection.snapshot_type = boto.Snapshot
    return connection


def _provider(provider_class: t.Any, access_key: str, secret_key: str) -> t.Any:
    """boto's holder of credentials with exactly these: its constructor would read files and the environment."""
    provider = provider_class.__new__(provider_class)
    provider._credential_expiry_time = None
    provider.name = "aws"
    provider.host = provider.port = provider.host_header = None
    provider.access_key, provider.secret_key = access_key, secret_key
    provider.security_token = provider.profile_name = None
    return provider
