# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection: where it comes from, what it survives, what it refuses, and what it says."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest
from clouds import PROFILES

BROKEN_REPLIES = {
    "empty_body": "nothing at all",
    "garbage": "instead of a DescribeKeyPairsResponse",
    "truncated": "damaged reply",
    "short": "bytes before the answer did",
    "html": "an HTML page",
    "doctype": "an XML document type",
    "drop_before": "closed without an answer",
    "drop_after": "closed without an answer",
}
TRANSIENT = [*BROKEN_REPLIES, "http_500", "http_503", "unknown_error", "html_error", "keystone_down"]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.parametrize("kind", [kind for kind in TRANSIENT if kind not in ("doctype", "keystone_down")])
def test_a_read_outlives_one_fault(cloud: t.Any, run: t.Any, kind: str) -> None:
    cloud.fault("DescribeKeyPairs", kind)
    result = run("keypair_info")
    assert result.get("keypairs") == [], result
    assert cloud.actions() == ["DescribeKeyPairs"] * 2


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.parametrize("kind", TRANSIENT)
def test_a_lasting_fault_is_a_clear_error_within_a_bound(cloud: t.Any, run: t.Any, kind: str) -> None:
    cloud.fault("DescribeKeyPairs", kind, times=-1)
    started = time.monotonic()
    result = run("keypair_info")
    # There are two pauses at most, of half a second and one, each half as long again if chance wants it.
    assert time.monotonic() - started <= 1.5 * (0.5 + 1) + cloud.slack
    assert result["failed"] and "Traceback" not in str(result), result
    assert result["msg"].startswith("Could not list key pairs: ")
    assert BROKEN_REPLIES.get(kind, "HTTP ") in result["msg"]
    assert result["ec2_action"] == "DescribeKeyPairs" and result["endpoint"] == cloud.url
    # That is a key of Ansible's own.
    assert "action" not in result
    assert 1 <= len(cloud.actions()) <= 3


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.parametrize("kind", [*TRANSIENT, "http_500_after", "http_503_after", "redirect"])
def test_a_mutation_is_sent_once(cloud: t.Any, run: t.Any, kind: str) -> None:
    cloud.fault("CreateKeyPair", kind, times=-1, location=cloud.url)
    result = run("keypair", name="web")
    assert result["failed"] and "Traceback" not in str(result)
    assert cloud.mutations() == ["CreateKeyPair"]


def test_no_answer_at_all_ends_with_the_timeout(cloud: t.Any, run: t.Any, lasts: t.Any) -> None:
    cloud.fault("*", "hang", times=-1)
    with lasts(1.5):
        result = run("keypair_info", read_timeout=1.5)
    assert result["failed"] and "no answer within 1.5 s" in result["msg"]


def test_a_redirect_is_refused(cloud: t.Any, run: t.Any) -> None:
    elsewhere = "http://127.0.0.1:9/services/Cloud"
    cloud.fault("DescribeKeyPairs", "redirect", location=elsewhere)
    result = run("keypair_info")
    assert result["failed"] and elsewhere in result["msg"] and "refused" in result["msg"]
    assert cloud.actions() == ["DescribeKeyPairs"]


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.parametrize("change", [{"secret_key": "wrong"}, {"access_key": "wrong", "secret_key": "wrong"}])
def test_wrong_keys_are_said_to_be_wrong(cloud: t.Any, run: t.Any, change: dict[str, str]) -> None:
    result = run("keypair_info", user=None, **{**cloud.options(), **change})
    assert result["failed"] and "access_key and secret_key belong together" in result["msg"], result
    assert result["error_code"] in ("Unauthorized", "AuthFailure") and result["http_status"] in (400, 401, 404)
    assert result["request_id"].startswith("req-")
    assert cloud.options()["secret_key"] not in str(result)


def test_a_refused_connection_is_a_clear_error(cloud: t.Any, run: t.Any) -> None:
    url = "http://127.0.0.1:1/services/Cloud"
    result = run("keypair", name="web", endpoint_url=url)
    assert result["failed"] and "connection refused" in result["msg"]
    assert result["endpoint"] == url and result["http_status"] is None


@pytest.mark.needs("nova")
def test_hints_say_what_to_do(cloud: t.Any, run: t.Any) -> None:
    wrong_path = run("keypair_info", endpoint_url=cloud.url.replace("/services/Cloud", "/v2"))
    assert "Nova serves it at /services/Cloud" in wrong_path["msg"] and wrong_path["http_status"] == 404
    version_4 = run("keypair_info", signature_version=4)
    assert "set signature_version to 2" in version_4["msg"]
    cloud.settings(clock_offset=4000)
    late = run("keypair_info")
    assert "behind the server's" in late["msg"] and late["http_status"] == 403
    cloud.settings(clock_offset=0)
    tls = run("keypair_info", endpoint_url=cloud.url.replace("http:", "https:"))
    assert tls["failed"] and "cannot be trusted: TLS failed" in tls["msg"]


@pytest.mark.parametrize("cloud", ["liberty", "ec2api"], indirect=True)
def test_signature_version_4_works_where_the_server_knows_it(cloud: t.Any, run: t.Any) -> None:
    assert run("keypair", name="web", signature_version=4)["changed"]
    vms = run(
        "instance", batch="web", count=1, image="Cirros-0.3.0-x86_64", instance_type="m1.tiny", signature_version=4
    )
    assert run("instance", batch="web", state="rebooted", signature_version=4)["changed"], vms


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("cloud.example.com:8773", "is not an http or https URL"),
        ("ftp://cloud.example.com/", "is not an http or https URL"),
        ("http://cloud.example.com:notaport/", "is not a URL"),
        ("http://user:word@cloud.example.com/", "keys have their own options"),
    ],
)
def test_a_bad_endpoint_is_refused(cloud: t.Any, run: t.Any, url: str, said: str) -> None:
    result = run("keypair_info", endpoint_url=url)
    assert result["failed"] and said in result["msg"]


class TestSources:
    """Task, then rc file, then EC2_*, then AWS_*; pairs never mixed; never Amazon."""

    def test_without_an_endpoint_it_fails(self, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("EC2_REGION", "us-east-1")
        result = run("keypair_info", user=None, access_key="a-key", secret_key="a-secret", region="us-east-1")
        assert result["failed"] and result["msg"].startswith("No endpoint") and result["endpoint"] is None

    @pytest.mark.parametrize(
        ("url", "access", "secret"),
        [
            ("EC2_URL", "EC2_ACCESS_KEY", "EC2_SECRET_KEY"),
            ("AWS_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY", "AWS_SECRET_KEY"),
        ],
    )
    def test_the_environment(
        self, cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch, url: str, access: str, secret: str
    ) -> None:
        keys = cloud.users["demo"]
        for name, value in ((url, cloud.url), (access, keys["access"]), (secret, keys["secret"])):
            monkeypatch.setenv(name, value)
        assert run("keypair_info", user=None)["keypairs"] == []

    def test_ec2_names_win_over_aws_names(self, cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = cloud.users["demo"]
        monkeypatch.setenv("EC2_URL", cloud.url)
        monkeypatch.setenv("AWS_URL", "http://127.0.0.1:9/")
        monkeypatch.setenv("EC2_ACCESS_KEY", keys["access"])
        monkeypatch.setenv("EC2_SECRET_KEY", keys["secret"])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "amazon")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "amazon")
        assert run("keypair_info", user=None)["keypairs"] == []

    def test_half_a_pair_is_not_completed_from_elsewhere(
        self, cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EC2_ACCESS_KEY", cloud.users["demo"]["access"])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.users["demo"]["access"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", cloud.users["demo"]["secret"])
        result = run("keypair_info", user=None, endpoint_url=cloud.url)
        assert result["failed"] and "EC2_ACCESS_KEY but not EC2_SECRET_KEY" in result["msg"]
        result = run("keypair_info", user=None, endpoint_url=cloud.url, access_key="a-key")
        assert result["failed"] and "must be given together" in result["msg"]
        assert cloud.actions() == []

    def test_an_rc_file_wins_over_the_environment(
        self, cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EC2_URL", "http://127.0.0.1:9/")
        monkeypatch.setenv("EC2_ACCESS_KEY", "other")
        monkeypatch.setenv("EC2_SECRET_KEY", "other")
        result = run("keypair_info", user=None, rc_file=str(cloud.directory / "ec2rc.sh"))
        assert result["keypairs"] == [] and "warnings" not in result

    def test_a_task_wins_over_its_rc_file(self, cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
        rc_file = tmp_path / "ec2rc.sh"
        rc_file.write_text("export EC2_URL=http://127.0.0.1:9/\nEC2_ACCESS_KEY=no\nEC2_SECRET_KEY=no\n")
        rc_file.chmod(0o644)
        result = run("keypair_info", rc_file=str(rc_file))
        assert result["keypairs"] == []
        assert any("can be read by others" in str(warning) for warning in result["warnings"])

    def test_a_missing_rc_file_is_a_clear_error(self, run: t.Any) -> None:
        result = run("keypair_info", user=None, rc_file="/nonexistent/ec2rc.sh")
        assert result["failed"] and "cannot be read: No such file" in result["msg"]


def test_files_and_variables_of_boto_and_proxies_have_no_effect(
    cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    config = "[Boto]\nis_secure = True\nproxy = 127.0.0.1\nproxy_port = 9\nnum_retries = 9\nec2_version = 1999-01-01\n"
    config += "debug = 2\nhttps_validate_certificates = False\n[Credentials]\naws_access_key_id = file\n"
    config += "aws_secret_access_key = file\naws_host = 127.0.0.9\naws_port = 9\n"
    (tmp_path / ".boto").write_text(config)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("this is not a configuration file")
    (tmp_path / "keys").write_text("AWSAccessKeyId=file\nAWSSecretKey=file\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BOTO_CONFIG", str(tmp_path / ".boto"))
    monkeypatch.setenv("AWS_CREDENTIAL_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_SECURITY_TOKEN", "not-for-this-cloud")
    monkeypatch.setenv("AWS_PROFILE", "none-such")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert run("keypair_info")["keypairs"] == []
    (request,) = cloud.control("GET", "log")["requests"]
    assert request["params"]["Version"] == "2014-10-01" and "SecurityToken" not in request["params"]
    assert request["params"]["AWSAccessKeyId"] == cloud.users["demo"]["access"]
    assert str(request["params"]["SignatureVersion"]) == "2" and request["verb"] == "POST"


def test_a_missing_ca_bundle_is_a_clear_error(cloud: t.Any, run: t.Any) -> None:
    secure = cloud.url.replace("http:", "https:")
    result = run("keypair_info", endpoint_url=secure, ca_bundle="/nonexistent/ca.pem")
    assert result["failed"] and "ca_bundle /nonexistent/ca.pem cannot be used" in result["msg"]
    for device in ("/dev/zero", "/dev/null"):
        result = run("keypair_info", endpoint_url=secure, ca_bundle=device)
        assert result["failed"] and ", and not a regular file" in result["msg"]
    assert cloud.actions() == []
