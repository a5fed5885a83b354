# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The way to the cloud, looked at step by step: name, port, TLS, HTTP, clock. Nothing here needs or sends a key."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
import typing as t

from .connection import Endpoint
from .errors import CloudError
from .replies import clock_of, error_in
from .wire import Lost, NotSent, Redirected, Reply, Wire, describe, tls_context

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"
UNKNOWN = "unknown"

PORTS = "Nova's EC2 API is at port 8773, ec2-api at 8788, unless they were configured otherwise."
UNSIGNED = b"Action=DescribeRegions&Version=2014-10-01"
SOON_DAYS = 30
CLOCK_WARNING, CLOCK_LIMIT = 60, 300
# Names that Python has from 3.10 on, or not at all; the numbers are OpenSSL's.
PARTIAL_CHAIN, NO_CHECK_TIME = 0x80000, 0x200000
DATE_MISSES, ISSUER_MISSES, NAME_MISSES = (9, 10), (18, 19, 20, 21), (62, 64)
TLS_ADVICE = {
    **dict.fromkeys(DATE_MISSES, "Have the certificate renewed, or set the clock of this machine right."),
    **dict.fromkeys(ISSUER_MISSES, "Give the certificate of the authority that issued it, or itself, as ca_bundle."),
    **dict.fromkeys(NAME_MISSES, "Use one of the names or addresses of the certificate in endpoint_url."),
}


class Check(t.NamedTuple):
    """What was looked at, how it is (ok, warning, problem or unknown), what was seen, and what to do."""

    name: str
    status: str
    detail: str
    advice: str | None = None


class Way(t.NamedTuple):
    """How far one gets: the checks, whether the API can be asked, and what else was learnt."""

    checks: list[Check]
    open: bool
    clock_skew: int | None = None
    certificate: dict[str, t.Any] | None = None


def look_at_way(endpoint: Endpoint, validate_certs: bool, ca_bundle: str | None, timeouts: tuple[float, float]) -> Way:
    """Go as far as the API's first answer. timeouts: for connecting, and for an answer."""
    try:
        trust = tls_context(True, ca_bundle) if endpoint.secure else None
    except NotSent as exc:
        raise CloudError(f"{exc}.") from exc
    checks = [resolve(endpoint)]
    if checks[-1].status == OK:
        checks.append(connects(endpoint, timeouts[0]))
    certificate = None
    if checks[-1].status == OK and trust is not None:
        tls, certificate = look_at_tls(endpoint, trust, validate_certs, timeouts[0])
        checks.append(tls)
    if checks[-1].status == PROBLEM and certificate is None:
        return Way(checks, False)
    http, skew = look_at_http(endpoint, timeouts)
    checks.append(http)
    checks.append(clock(skew))
    way_is_open = all(check.status != PROBLEM for check in checks if check.name != "clock")
    return Way(checks, way_is_open, skew, certificate)


def resolve(endpoint: Endpoint) -> Check:
    """Whether the host has an address."""
    host = endpoint.host.strip("[]")
    if is_literal(host):
        return Check("dns", OK, f"{host} is an address; no name has to be resolved.")
    started = time.monotonic()
    try:
        found = socket.getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        said = exc.strerror if isinstance(exc, OSError) else str(exc)
        advice = "Check the host in endpoint_url, and the name servers and /etc/hosts of this machine."
        return Check("dns", PROBLEM, f"{host} cannot be resolved: {said}.", advice)
    addresses = ", ".join(sorted({str(row[4][0]) for row in found}))
    return Check("dns", OK, f"{host} is {addresses} ({time.monotonic() - started:.2f} s).")


def is_literal(host: str) -> bool:
    """Whether host is an address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def connects(endpoint: Endpoint, timeout: float) -> Check:
    """Whether something listens at the port."""
    where = f"{endpoint.host} port {endpoint.port}"
    started = time.monotonic()
    try:
        open_socket(endpoint, timeout).close()
    except OSError as exc:
        advice = f"Check host and port in endpoint_url, and that the service runs there. {PORTS}"
        if isinstance(exc, TimeoutError):
            advice = f"A firewall may be in between, or the host be down. Otherwise check endpoint_url. {PORTS}"
        return Check("tcp", PROBLEM, f"{where}: {describe(exc, timeout)}.", advice)
    return Check("tcp", OK, f"{where} accepts connections ({time.monotonic() - started:.2f} s).")


def open_socket(endpoint: Endpoint, timeout: float) -> socket.socket:
    """A connection to the endpoint."""
    return socket.create_connection((endpoint.host.strip("[]"), endpoint.port), timeout)


def look_at_tls(
    endpoint: Endpoint, trust: ssl.SSLContext, validate_certs: bool, timeout: float
) -> tuple[Check, dict[str, t.Any] | None]:
    """Whether the server proves who it is, and its certificate; no certificate if it does not speak TLS."""
    untrusted, advice = "", None
    try:
        certificate = view_of(handshake(endpoint, trust, timeout)[0])
    except ssl.SSLCertVerificationError as exc:
        untrusted = f"is not trusted: {exc.verify_message.rstrip('.')}"
        advice = TLS_ADVICE.get(exc.verify_code, "Check the certificate, and ca_bundle.")
        certificate = view_of(untrusted_certificate(endpoint, timeout))
    except (OSError, ValueError) as exc:
        advice = "Check endpoint_url, and the TLS settings of the server."
        if speaks_http(endpoint, timeout):
            advice = "It answers plain HTTP: begin endpoint_url with http:// instead of https://."
        return Check("tls", PROBLEM, f"No TLS connection: {describe(exc, timeout)}.", advice), None
    shown = f"of {certificate['subject'] or 'nobody'}, issued by {certificate['issuer'] or 'nobody'}"
    detail = f"The certificate {shown}, valid until {certificate['not_after']}, {untrusted or 'is trusted'}."
    left = certificate["days_left"]
    if not validate_certs:
        advice = f"validate_certs is false, so nobody would notice a wrong server. {advice or 'Set it to true.'}"
        return Check("tls", WARNING, detail, advice), certificate
    if not untrusted and left is not None and left < SOON_DAYS:
        return Check("tls", WARNING, detail, f"It ends in {left} days: have it renewed."), certificate
    return Check("tls", PROBLEM if untrusted else OK, detail, advice), certificate


def handshake(endpoint: Endpoint, context: ssl.SSLContext, timeout: float) -> tuple[dict[str, t.Any], bytes]:
    """The server's certificate, parsed if context verifies anything, and as bytes."""
    name = endpoint.host.strip("[]")
    with open_socket(endpoint, timeout) as plain, context.wrap_socket(plain, server_hostname=name) as secured:
        return dict(secured.getpeercert() or {}), secured.getpeercert(True) or b""


def untrusted_certificate(endpoint: Endpoint, timeout: float) -> dict[str, t.Any]:
    """A certificate that is not trusted, parsed: Python does so only for one that is verified, if only by itself."""
    try:
        _unparsed, data = handshake(endpoint, tls_context(False, None), timeout)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= PARTIAL_CHAIN | NO_CHECK_TIME
        context.load_verify_locations(cadata=data)
        return handshake(endpoint, context, timeout)[0]
    except (OSError, ValueError):
        return {}


def view_of(certificate: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A certificate as plain data."""
    ends = certificate.get("notAfter")
    seconds = ssl.cert_time_to_seconds(ends) if ends else None
    return {
        "subject": distinguished(certificate.get("subject", ())),
        "issuer": distinguished(certificate.get("issuer", ())),
        "names": [value for _kind, value in certificate.get("subjectAltName", ())],
        "not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds is not None else None,
        "days_left": int((seconds - time.time()) // 86400) if seconds is not None else None,
    }


def distinguished(name: t.Iterable[t.Iterable[tuple[str, str]]]) -> str:
    """'commonName=cloud, organizationName=Example'."""
    return ", ".join(f"{key}={value}" for part in name for key, value in part)


def speaks_tls(endpoint: Endpoint, timeout: float) -> bool:
    """Whether the server of an http endpoint speaks TLS."""
    try:
        handshake(endpoint, tls_context(False, None), timeout)
    except (OSError, ValueError):
        return False
    return True


def speaks_http(endpoint: Endpoint, timeout: float) -> bool:
    """Whether the server of an https endpoint answers plain HTTP."""
    try:
        with open_socket(endpoint, timeout) as plain:
            plain.sendall(f"HEAD / HTTP/1.1\r\nHost: {endpoint.host}\r\nConnection: close\r\n\r\n".encode())
            return plain.recv(5) == b"HTTP/"
    except OSError:
        return False


def look_at_http(endpoint: Endpoint, timeouts: tuple[float, float]) -> tuple[Check, int | None]:
    """Whether an EC2 API answers, asked without a signature, and by how many seconds the clocks differ."""
    started = time.time()
    try:
        reply = ask_unsigned(endpoint, endpoint.path, timeouts)
    except Redirected as exc:
        advice = "Give the address of the EC2 API itself as endpoint_url; redirects are not followed."
        return Check("http", PROBLEM, f"The server redirects to {exc}.", advice), None
    except (NotSent, Lost) as exc:
        return Check("http", PROBLEM, f"No answer: {exc}.", scheme_advice(endpoint, timeouts[0])), None
    took = time.time() - started
    error = error_in(reply, "DescribeRegions", endpoint.url, 2)
    skew = skew_of(reply, started + took / 2)
    if error is None or error.error_code:
        return Check("http", OK, f"HTTP {reply.status} from an EC2 API ({took:.2f} s)."), skew
    advice = "Check endpoint_url: Nova serves the EC2 API at /services/Cloud (port 8773), ec2-api at / (port 8788)."
    if not endpoint.secure and speaks_tls(endpoint, timeouts[0]):
        advice = scheme_advice(endpoint, timeouts[0])
    return Check("http", PROBLEM, f"HTTP {reply.status}, and not from an EC2 API: {error.cloud_message}", advice), skew


def scheme_advice(endpoint: Endpoint, timeout: float) -> str:
    """What to do when nothing comes back."""
    if not endpoint.secure and speaks_tls(endpoint, timeout):
        return "It speaks TLS: begin endpoint_url with https:// instead of http://."
    return "Something listens there and does not speak HTTP, or is overloaded. Check host and port in endpoint_url."


def ask_unsigned(endpoint: Endpoint, path: str, timeouts: tuple[float, float]) -> Reply:
    """Ask for the regions without a signature: an EC2 API says that it misses one. Certificates do not matter."""
    host = endpoint.host
    wire = Wire(
        host,
        endpoint.port,
        secure=endpoint.secure,
        validate_certs=False,
        connect_timeout=timeouts[0],
        read_timeout=timeouts[1],
    )
    headers = {"Host": host, "Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}
    return wire.exchange("POST", path, UNSIGNED, headers, fresh=True)


def skew_of(reply: Reply, asked: float) -> int | None:
    """By how many seconds this machine's clock is ahead of the server's."""
    told = clock_of(reply)
    return None if told is None else round(asked - told)


def clock(skew: int | None) -> Check:
    """Whether the clocks agree."""
    if skew is None:
        return Check("clock", UNKNOWN, "The server does not tell its time.", "Compare the clocks by hand.")
    apart = f"This machine's clock is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the server's."
    advice = "Set both clocks by NTP: from Grizzly on requests are refused when they are more than 300 s apart."
    if abs(skew) > CLOCK_LIMIT:
        return Check("clock", PROBLEM, apart, advice)
    if abs(skew) > CLOCK_WARNING:
        return Check("clock", WARNING, apart, advice)
    return Check("clock", OK, f"The clocks agree within {max(abs(skew), 1)} s.")
