# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cloud_info: it says what is wrong and what to do, and does nothing."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
import yaml
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.diagnosis import (
    COLLECTION_VERSION,
    generation_of,
)
from clouds import PROFILES
from virtual.line import Line
from virtual.world import World

ROOT = pathlib.Path(__file__).resolve().parents[2]
VM = {"image": "Cirros-0.3.0-x86_64", "instance_type": "m1.tiny"}
LISTS = ["DescribeInstances", "DescribeKeyPairs", "DescribeSecurityGroups", "DescribeAddresses", "DescribeVolumes"]
# Unsigned, of an unknown key pair, signed the other way; then what there is, tags, and groups with a filter.
REQUESTS = ["DescribeRegions", "DescribeKeyPairs", "DescribeRegions", *LISTS, "DescribeTags", "DescribeSecurityGroups"]
CANDIDATES = {
    "grizzly": ["grizzly"],
    "havana": ["havana", "icehouse", "juno"],
    "icehouse": ["havana", "icehouse", "juno"],
    "juno": ["juno"],
    "liberty": ["kilo", "liberty"],
    "ec2api": ["ec2api"],
}


def statuses(result: dict[str, t.Any]) -> dict[str, str]:
    """How each check ended."""
    return {check["name"]: check["status"] for check in result["checks"]}


def check(result: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    """One check."""
    return next(check for check in result["checks"] if check["name"] == name)


def wrong(result: dict[str, t.Any], name: str) -> str:
    """What is told of the one thing that is wrong."""
    assert not result.get("failed") and result["healthy"] is False and result["changed"] is False, result
    assert [one["name"] for one in result["checks"] if one["status"] == "problem"] == [name], result["checks"]
    found = check(result, name)
    assert result["problems"] == [f"{name}: {found['detail']} {found['advice']}"] and found["advice"]
    return str(found["detail"] + " " + found["advice"])


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_a_healthy_cloud_and_its_generation(cloud: t.Any, run: t.Any) -> None:
    run("instance", batch="web", count=2, **VM)
    run("keypair", name="web")
    cloud.forget_log()
    result = run("cloud_info")
    assert result["healthy"] is True and result["problems"] == [] and result["changed"] is False, result
    assert "problem" not in statuses(result).values() and "warning" not in statuses(result).values()
    assert result["generation"]["candidates"] == CANDIDATES[cloud.profile] and result["generation"]["evidence"]
    later = cloud.profile != "grizzly"
    assert result["features"] == {"tags": later, "client_tokens": later, "filters": cloud.profile == "ec2api"}
    assert result["signature_versions"] == ([2, 4] if cloud.profile in ("juno", "liberty", "ec2api") else [2])
    assert result["usage"] == {"instances": 2, "key_pairs": 1, "security_groups": 2, "addresses": 0, "volumes": 0}
    assert result["limits"] == {"instances": 10 if cloud.profile == "ec2api" else None}
    assert abs(result["clock_skew"]) <= 1 and result["certificate"] is None
    # Juno is asked at another path too, which is not in its log because it serves nothing there.
    more = ["DescribeAccountAttributes"] if cloud.profile == "ec2api" else []
    # A real ec2-api answers there.
    more += ["DescribeRegions"] if cloud.profile == "ec2api" and "/services/Cloud" in cloud.url else []
    assert sorted(cloud.actions()) == sorted(REQUESTS + more)
    assert cloud.mutations() == []


def test_the_software_on_this_side(cloud: t.Any, run: t.Any) -> None:
    result = run("cloud_info")
    assert result["versions"]["boto"] == "2.49.0" and "boto" in result["versions"]["boto_path"]
    assert result["versions"]["python"][:2] == "3." and result["versions"]["python_path"].startswith("/")
    assert result["versions"]["ansible_core"][:2] == "2." and result["versions"]["collection"] == COLLECTION_VERSION
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == COLLECTION_VERSION


def test_keys_are_never_shown(cloud: t.Any, run: t.Any) -> None:
    keys = cloud.users["demo"]
    for change in ({}, {"secret_key": keys["secret"][::-1]}):
        result = run("cloud_info", user=None, **{**cloud.options(), **change})
        told = {name: value for name, value in result.items() if name != "invocation"}
        assert keys["secret"] not in str(result) and keys["secret"][::-1] not in str(result)
        assert keys["access"] not in str(told)


@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
@pytest.mark.parametrize("change", [{"secret_key": "wrong"}, {"access_key": "wrong", "secret_key": "wrong"}])
def test_wrong_keys(cloud: t.Any, run: t.Any, change: dict[str, str]) -> None:
    result = run("cloud_info", user=None, **{**cloud.options(), **change})
    assert "belong together" in wrong(result, "credentials")
    assert {statuses(result)[name] for name in ("signatures", "generation", "usage")} == {"unknown"}
    assert cloud.actions() == REQUESTS[:3]


@pytest.mark.parametrize("cloud", ["grizzly", "icehouse"], indirect=True)
def test_a_signature_that_the_cloud_does_not_know(cloud: t.Any, run: t.Any) -> None:
    result = run("cloud_info", signature_version=4)
    assert "Set signature_version to 2." in wrong(result, "signatures") and result["signature_versions"] == [2]


@pytest.mark.parametrize("cloud", ["liberty", "ec2api"], indirect=True)
def test_signed_the_other_way_it_is_the_same(cloud: t.Any, run: t.Any) -> None:
    result = run("cloud_info", signature_version=4)
    assert result["healthy"] and result["signature_versions"] == [2, 4]
    assert result["generation"]["candidates"] == CANDIDATES[cloud.profile]


def test_a_wrong_port(cloud: t.Any, run: t.Any) -> None:
    url = "http://127.0.0.1:1/services/Cloud"
    result = run("cloud_info", endpoint_url=url)
    assert "connection refused" in wrong(result, "tcp") and "8773" in check(result, "tcp")["advice"]
    assert statuses(result)["credentials"] == "unknown" and "http" not in statuses(result)
    assert result["endpoint_url"] == url and cloud.actions() == []


def test_a_host_that_does_not_exist(cloud: t.Any, run: t.Any) -> None:
    result = run("cloud_info", endpoint_url="http://no-such-host.invalid:8773/services/Cloud")
    assert "cannot be resolved" in wrong(result, "dns") and "tcp" not in statuses(result)


@pytest.mark.needs("nova")
def test_a_wrong_path(cloud: t.Any, run: t.Any) -> None:
    result = run("cloud_info", endpoint_url=cloud.url.replace("/services/Cloud", "/v2"))
    assert "HTTP 404" in wrong(result, "http") and "/services/Cloud" in check(result, "http")["advice"]


@pytest.mark.parametrize("kind", ["html", "html_error", "redirect", "http_503", "garbage", "drop_before"])
def test_something_else_answers(cloud: t.Any, run: t.Any, kind: str) -> None:
    cloud.fault("*", kind, times=-1, location="http://elsewhere.example.com/")
    result = run("cloud_info")
    said = wrong(result, "http")
    assert "elsewhere" in said if kind == "redirect" else "endpoint_url" in said
    assert cloud.actions() == ["DescribeRegions"]


def test_nothing_answers(cloud: t.Any, run: t.Any, lasts: t.Any) -> None:
    cloud.fault("*", "hang", times=-1)
    with lasts(1.5):
        assert "no answer within 1.5 s" in wrong(run("cloud_info", read_timeout=1.5, connect_timeout=1), "http")


@pytest.mark.needs("world")
def test_a_host_that_is_down(run: t.Any, lasts: t.Any) -> None:
    with lasts(2):
        result = run("cloud_info", endpoint_url="http://192.0.2.1:8773/services/Cloud", connect_timeout=2)
    assert "no answer within 2 s" in wrong(result, "tcp") and "firewall" in check(result, "tcp")["advice"]


@pytest.mark.parametrize("cloud", ["grizzly", "icehouse", "ec2api"], indirect=True)
def test_a_cloud_without_keystone(cloud: t.Any, run: t.Any) -> None:
    cloud.fault("*", "keystone_down", times=-1, skip=1)
    said = wrong(run("cloud_info"), "credentials")
    assert "HTTP 500" in said and "Keystone" in said


@pytest.mark.parametrize(
    ("kind", "action", "status"),
    [
        ("http_500", "DescribeVolumes", "warning"),
        ("unknown_error", "DescribeAddresses", "warning"),
        ("http_500", "DescribeInstances", "problem"),
    ],
)
def test_a_service_that_is_missing(cloud: t.Any, run: t.Any, kind: str, action: str, status: str) -> None:
    cloud.fault(action, kind, times=-1)
    result = run("cloud_info")
    assert statuses(result)["usage"] == status and result["healthy"] is (status == "warning")
    assert result["usage"]["key_pairs"] == 0 and list(result["usage"].values()).count(None) == 1


@pytest.mark.needs("clock")
@pytest.mark.parametrize(("offset", "status", "way"), [(100, "warning", "behind"), (-4000, "problem", "ahead of")])
@pytest.mark.parametrize("cloud", ["grizzly", "liberty", "ec2api"], indirect=True)
def test_a_skewed_clock(cloud: t.Any, run: t.Any, offset: int, status: str, way: str) -> None:
    cloud.settings(clock_offset=offset)
    result = run("cloud_info")
    found = check(result, "clock")
    assert found["status"] == status and f"clock is {abs(result['clock_skew'])} s {way} the server's" in found["detail"]
    assert abs(result["clock_skew"] + offset) <= 2 and "NTP" in found["advice"]
    assert result["healthy"] is (status == "warning")


@pytest.mark.needs("quick_vms")
@pytest.mark.parametrize("cloud", ["ec2api"], indirect=True)
def test_a_quota_that_is_used_up(cloud: t.Any, run: t.Any) -> None:
    cloud.settings(quota_instances=2)
    run("instance", batch="web", count=2, **VM)
    result = run("cloud_info")
    found = check(result, "usage")
    assert found["status"] == "warning" and "no room for another one" in found["detail"] and result["healthy"]


@pytest.mark.parametrize("cloud", ["grizzly", "icehouse", "ec2api"], indirect=True)
def test_only_the_own_project_counts(cloud: t.Any, run: t.Any) -> None:
    run("instance", batch="web", count=1, **VM)
    assert run("cloud_info", user="adminuser")["usage"]["instances"] == 0
    assert run("cloud_info", user="other")["usage"]["instances"] == 0


@pytest.mark.parametrize("cloud", ["icehouse", "ec2api"], indirect=True)
def test_a_token_that_shows_is_proof(cloud: t.Any, run: t.Any) -> None:
    assert statuses(run("cloud_info"))["client_tokens"] == "unknown"
    run("instance", batch="web", count=1, **VM)
    assert statuses(run("cloud_info"))["client_tokens"] == "ok"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"endpoint_url": "cloud.example.com"}, "is not an http or https URL"),
        ({"connect_timeout": 0}, "connect_timeout must be more than 0"),
        ({"rc_file": "/nonexistent/ec2rc.sh", "endpoint_url": None}, "cannot be read"),
        ({"endpoint_url": "https://127.0.0.1:1/", "ca_bundle": "/nonexistent/ca.pem"}, "cannot be used"),
    ],
)
def test_malformed_options_fail(cloud: t.Any, run: t.Any, args: dict[str, t.Any], said: str) -> None:
    options = {name: value for name, value in {**cloud.options(), **args}.items() if value is not None}
    result = run("cloud_info", user=None, **options)
    assert result["failed"] and said in result["msg"], result
    assert cloud.actions() == []


def test_without_boto_the_way_is_looked_at_all_the_same(
    cloud: t.Any, run: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto", None)
    result = run("cloud_info")
    assert result["healthy"] is False and "pip install boto" in result["problems"][0], result
    assert statuses(result)["http"] == "ok" and statuses(result)["usage"] == "unknown"
    assert result["versions"]["boto"] is None and cloud.actions() == ["DescribeRegions"]


@pytest.mark.parametrize(
    ("code", "status", "version_4", "everywhere", "candidates"),
    [
        (None, None, False, None, ["essex"]),
        ("EC2APIError", 400, False, None, ["essex", "folsom"]),
        ("KeypairNotFound", 400, False, None, ["grizzly"]),
        ("InvalidKeyPair.NotFound", 404, False, None, ["havana", "icehouse", "juno"]),
        ("InvalidKeyPair.NotFound", 404, None, None, ["havana", "icehouse", "juno", "kilo", "liberty"]),
        ("InvalidKeyPair.NotFound", 404, True, None, ["juno", "kilo", "liberty"]),
        ("InvalidKeyPair.NotFound", 404, True, False, ["juno"]),
        ("InvalidKeyPair.NotFound", 404, True, True, ["kilo", "liberty"]),
        ("InvalidKeyPair.NotFound", 400, True, True, ["ec2api"]),
        ("SomethingElse", 400, True, True, []),
    ],
)
def test_what_tells_generations_apart(
    code: str | None, status: int | None, version_4: bool | None, everywhere: bool | None, candidates: list[str]
) -> None:
    answer = CloudError("", error_code=code, http_status=status) if code else []
    found, evidence = generation_of(answer, version_4, everywhere)
    assert found == candidates and evidence


def test_https_to_a_port_without_tls(cloud: t.Any, run: t.Any) -> None:
    result = run("cloud_info", endpoint_url=cloud.url.replace("http:", "https:"))
    assert "begin endpoint_url with http://" in wrong(result, "tls") and result["certificate"] is None


@pytest.mark.needs("world")
def test_a_server_that_speaks_neither(world: World, run: t.Any) -> None:
    def greet(line: Line, _request: bytes) -> None:
        line.reply(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        line.hang_up()

    world.listen("127.0.0.1", 22, lambda timeout: Line(world, greet, timeout))
    for scheme, name in (("http", "http"), ("https", "tls")):
        assert "Check" in wrong(run("cloud_info", endpoint_url=f"{scheme}://127.0.0.1:22/"), name)
