# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of keypair, and what it promises about private keys."""

from __future__ import annotations

import base64
import hashlib
import os
import pathlib
import stat
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._keys import fingerprint, private_key_blob
from clouds import PROFILES

PUBLIC = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDNNXQqUIPTqOHufKA63Y6i2nhUlNv3ThUuDD5/AVgQVIih4HvXWOTet7Pu9whRbIh+AoVz"
    "7ZmQjZ02UXLSUC+94OcwO9FDevpvjFysdmJ9mUYOwdUactltzZNYRCDeYruwL9Ku4qjo8k3lsI6jdMZeYrPaeT1uKx/j4wCj4B2B"
    "cQ=="
    " test"
)
OTHER = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDatKJA05RhrbMPFnCi/KjJ0ppCiG0NfaijkmWIC4J06jNxAzG7oGNj+arivbfcwbzfz8oU"
    "LSnaBiX6kSowd7F52jXdwSTup23o5xrPMCPYFTRJxAgXrr+f41zxjc+70XTRjtwXSBE6G5ks+4pVsKOkA1SyLTMXvhqo41qCaCNg"
    "zw=="
    " test"
)


def md5(public_key: str) -> str:
    """The fingerprint that the cloud must show for a public key."""
    digest = hashlib.md5(base64.b64decode(public_key.split()[1])).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, 32, 2))


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize(
    ("before", "args", "changed", "mutations"),
    [
        (None, {"public_key": PUBLIC}, True, ["ImportKeyPair"]),
        (PUBLIC, {"public_key": PUBLIC}, False, []),
        (PUBLIC, {}, False, []),
        (OTHER, {"public_key": PUBLIC}, None, []),
        (OTHER, {"public_key": PUBLIC, "force": True}, True, ["DeleteKeyPair", "ImportKeyPair"]),
        (None, {}, True, ["CreateKeyPair"]),
        (PUBLIC, {"state": "absent"}, True, ["DeleteKeyPair"]),
        (None, {"state": "absent"}, False, []),
    ],
    ids=["import", "same", "any", "differs", "differs-forced", "create", "delete", "nothing-to-delete"],
)
@pytest.mark.parametrize("cloud", PROFILES, indirect=True)
def test_truth_table(
    cloud: t.Any,
    run: t.Any,
    before: str | None,
    args: dict[str, t.Any],
    changed: bool | None,
    mutations: t.Any,
    check: bool,
) -> None:
    if before:
        run("keypair", name="web", public_key=before)
        cloud.forget_log()
    keys_before = cloud.fingerprints()

    result = run("keypair", name="web", check=check, diff=True, **args)

    assert cloud.mutations() == ([] if check else mutations)
    if changed is None:
        assert result["failed"] and md5(OTHER) in result["msg"] and md5(PUBLIC) in result["msg"]
        assert cloud.fingerprints() == keys_before
        return
    assert result["changed"] is changed, result
    wanted = None if args.get("state") == "absent" else args.get("public_key", before)
    if wanted:
        assert result["keypair"] == {"name": "web", "fingerprint": md5(wanted)}
    elif args.get("state") == "absent":
        assert result["keypair"] is None
    assert ("private_key" in result) is (mutations == ["CreateKeyPair"] and not check)
    assert result["diff"]["before"] == ({"name": "web", "fingerprint": md5(before)} if before else {})
    if check:
        assert cloud.fingerprints() == keys_before
        return
    assert ("web" in cloud.fingerprints()) is (args.get("state") != "absent")
    cloud.forget_log()
    assert run("keypair", name="web", **args)["changed"] is False
    assert cloud.actions() == ["DescribeKeyPairs"]


def test_a_generated_key_is_returned_once_and_is_the_one_the_cloud_has(cloud: t.Any, run: t.Any) -> None:
    if cloud.is_local:
        cloud.settings(key_bits=2048)
    made = run("keypair", name="web")
    again = run("keypair", name="web")
    blob = private_key_blob(made["private_key"])
    assert blob is not None
    assert fingerprint(blob) == made["keypair"]["fingerprint"] == cloud.fingerprints()["web"]
    assert made["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----") and len(blob) > 256
    assert "PRIVATE" not in str(again)
    assert "PRIVATE" not in str(made.get("diff"))


def test_a_private_key_file_is_private_complete_and_nowhere_else(
    cloud: t.Any, run: t.Any, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "web.pem"
    made = run("keypair", name="web", private_key_file=str(path), diff=True)
    again = run("keypair", name="web", private_key_file=str(path))

    assert made["changed"] and not again["changed"]
    assert made["private_key_file"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert "BEGIN" not in str(made) and "BEGIN" not in str(again)
    assert os.listdir(tmp_path) == ["web.pem"]


def test_the_key_in_the_file_must_be_the_clouds(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    run("keypair", name="one", private_key_file=str(tmp_path / "one.pem"))
    run("keypair", name="two", private_key_file=str(tmp_path / "two.pem"))
    result = run("keypair", name="one", private_key_file=str(tmp_path / "two.pem"))
    assert result["failed"] and "exists with another key" in result["msg"]


@pytest.mark.parametrize("exists", [False, True])
def test_no_file_no_pair(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, exists: bool) -> None:
    if exists:
        run("keypair", name="web", public_key=PUBLIC)
    cloud.forget_log()
    result = run("keypair", name="web", private_key_file=str(tmp_path / "missing" / "web.pem"), force=True)
    assert result["failed"] and "cannot be written" in result["msg"]
    assert cloud.mutations() == []


def test_a_failing_write_takes_the_pair_back(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    # A directory in the file's place lets the temporary file be made beside it, and the last step fail.
    target = tmp_path / "web.pem"
    cloud.after("CreateKeyPair", lambda: (target / "in-the-way").mkdir(parents=True))
    result = run("keypair", name="web", private_key_file=str(target))
    assert result["failed"] and "deleted again" in result["msg"], result
    assert cloud.mutations() == ["CreateKeyPair", "DeleteKeyPair"]
    assert cloud.fingerprints() == {}


def test_an_existing_file_is_not_overwritten(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "web.pem"
    path.write_text("precious")
    result = run("keypair", name="web", private_key_file=str(path))
    assert result["failed"] and "would be overwritten" in result["msg"]
    assert path.read_text() == "precious"
    assert cloud.mutations() == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"name": "123"}, "a number"),
        ({"name": "1e3"}, "a number"),
        ({"name": "true"}, "a boolean"),
        ({"name": "None"}, "nothing"),
        ({"name": "k" * 256}, "up to 255 characters"),
        ({"name": "office-vpn"}, "hides key pairs"),
        ({"name": "web", "public_key": "not a key"}, "not an OpenSSH public key"),
        ({"name": "web", "public_key": "ssh-rsa AAAA!"}, "damaged"),
        ({"name": "web", "public_key_file": "/nonexistent/key.pub"}, "cannot be read"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, run: t.Any, args: dict[str, str], said: str) -> None:
    result = run("keypair", **args)
    assert result["failed"] and said in result["msg"]
    assert cloud.actions() == []


def test_a_lost_answer_to_an_import_is_settled_by_looking(cloud: t.Any, run: t.Any) -> None:
    cloud.fault("ImportKeyPair", "drop_after")
    result = run("keypair", name="web", public_key=PUBLIC)
    assert result["changed"] and result["keypair"]["fingerprint"] == md5(PUBLIC), result
    assert cloud.mutations() == ["ImportKeyPair"]


def test_a_lost_answer_to_a_creation_says_what_became_of_the_key(cloud: t.Any, run: t.Any) -> None:
    cloud.fault("CreateKeyPair", "drop_after")
    result = run("keypair", name="web")
    assert result["failed"] and "set force to true" in result["msg"]
    assert cloud.mutations() == ["CreateKeyPair"]
