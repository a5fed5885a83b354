# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS over real sockets: verification that verifies and is really off when off, and what cloud_info says of it."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

pytestmark = pytest.mark.needs("tls")


@pytest.fixture
def cloud(clouds: t.Callable[..., t.Any]) -> t.Any:
    """A local cloud that speaks https with a certificate for 127.0.0.1 and localhost of its own authority."""
    found = clouds("grizzly", "--tls")
    found.reset()
    return found


def check(result: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    """One check of cloud_info."""
    return next(one for one in result["checks"] if one["name"] == name)


def wrong(result: dict[str, t.Any], name: str) -> str:
    """What cloud_info tells of the one thing that is wrong."""
    assert not result.get("failed") and result["healthy"] is False, result
    assert [one["name"] for one in result["checks"] if one["status"] == "problem"] == [name], result["checks"]
    return str(result["problems"][0])


def test_the_right_authority_is_trusted(cloud: t.Any, run: t.Any) -> None:
    assert cloud.url.startswith("https://127.0.0.1:")
    by_name = cloud.url.replace("127.0.0.1", "localhost")
    assert run("keypair_info", ca_bundle=cloud.ca_bundle, endpoint_url=by_name)["keypairs"] == []
    result = run("cloud_info", ca_bundle=cloud.ca_bundle)
    assert result["healthy"] and check(result, "tls")["status"] == "ok", result
    shown = result["certificate"]
    assert shown["subject"] == "commonName=127.0.0.1" and shown["issuer"] == "commonName=local cloud CA"
    assert shown["names"] == ["127.0.0.1", "localhost"] and 3640 < shown["days_left"] <= 3650


def test_an_unknown_authority_is_refused(cloud: t.Any, run: t.Any) -> None:
    result = run("keypair_info")
    assert result["failed"] and "certificate is not trusted" in result["msg"]
    assert cloud.actions() == []
    told = run("cloud_info")
    said = wrong(told, "tls")
    assert "ca_bundle" in said and "issued by commonName=local cloud CA" in said
    assert check(told, "clock")["status"] == "ok" and check(told, "credentials")["status"] == "unknown"
    # Nothing that is signed goes to a server that does not prove who it is.
    (request,) = cloud.control("GET", "log")["requests"]
    assert request["action"] == "DescribeRegions" and "Signature" not in request["params"]


def test_another_name_is_refused_and_verification_can_be_turned_off(clouds: t.Any, run: t.Any) -> None:
    other = clouds("grizzly", "--tls", "--host", "127.0.0.2")
    assert other.url.startswith("https://127.0.0.2:")
    options = {"user": None, **other.options()}
    result = run("keypair_info", **options, ca_bundle=other.ca_bundle)
    assert result["failed"] and "certificate is not trusted" in result["msg"], result
    told = run("cloud_info", **options, ca_bundle=other.ca_bundle)
    assert "names or addresses of the certificate" in wrong(told, "tls")
    assert told["certificate"]["names"] == ["127.0.0.1", "localhost"]

    assert run("keypair_info", **options, validate_certs=False)["keypairs"] == []
    told = run("cloud_info", **options, validate_certs=False)
    assert told["healthy"] and check(told, "tls")["status"] == "warning"
    assert "validate_certs is false" in check(told, "tls")["advice"]


@pytest.mark.parametrize(
    ("days", "status", "said"),
    [
        ((-1, 100), "ok", "is trusted"),
        ((-1, 9), "warning", "ends in 9 days"),
        ((-9, -2), "problem", "certificate renewed"),
        ((2, 9), "problem", "clock"),
    ],
)
def test_certificates_that_issued_themselves(
    clouds: t.Any, run: t.Any, tmp_path: pathlib.Path, days: tuple[int, int], status: str, said: str
) -> None:
    cloud = clouds("grizzly", *certificate(tmp_path, *days))
    result = run("cloud_info", user=None, **cloud.options(), ca_bundle=cloud.ca_bundle)
    found = check(result, "tls")
    assert found["status"] == status and said in f"{found['detail']} {found['advice']}", result["checks"]
    assert result["certificate"]["subject"] == result["certificate"]["issuer"] == "commonName=cloud of tests"
    assert result["certificate"]["days_left"] == days[1] and result["healthy"] is (status != "problem")


def test_http_and_https_taken_for_each_other(clouds: t.Any, cloud: t.Any, run: t.Any) -> None:
    secure = {"user": None, **cloud.options(), "endpoint_url": cloud.url.replace("https:", "http:")}
    result = run("keypair_info", **secure)
    assert result["failed"] and "Traceback" not in str(result)
    assert "speaks TLS, begin endpoint_url with https://" in result["msg"], result
    assert "begin endpoint_url with https://" in wrong(run("cloud_info", **secure), "http")

    plain = clouds("grizzly")
    options = {"user": None, **plain.options(), "endpoint_url": plain.url.replace("http:", "https:")}
    result = run("keypair_info", **options)
    assert result["failed"] and "cannot be trusted: TLS failed" in result["msg"]
    assert "speaks plain HTTP, begin endpoint_url with http://" in result["msg"], result
    told = run("cloud_info", **options)
    assert "begin endpoint_url with http://" in wrong(told, "tls") and told["certificate"] is None


def certificate(folder: pathlib.Path, first_day: int, last_day: int) -> list[str]:
    """Options that have a cloud show a certificate that it issued itself, with a validity in days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cloud of tests")])
    now = datetime.datetime.now(datetime.timezone.utc)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + datetime.timedelta(days=first_day))
        .not_valid_after(now + datetime.timedelta(days=last_day, hours=1))
        .add_extension(addresses, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return ["--certfile", str(folder / "cert.pem"), "--keyfile", str(folder / "key.pem")]
