# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of keypair, and what it promises about private keys."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import pathlib
import stat
import sys
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.key_pairs import fingerprint, private_key_blob
from clouds import PROFILES
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from lacks import LACKS

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


MAKERS: dict[str, t.Callable[[], t.Any]] = {
    "rsa": functools.partial(rsa.generate_private_key, 65537, 1024),
    "nistp256": functools.partial(ec.generate_private_key, ec.SECP256R1()),
    "nistp384": functools.partial(ec.generate_private_key, ec.SECP384R1()),
    "nistp521": functools.partial(ec.generate_private_key, ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
# PKCS#1 and SEC 1 are what the library calls traditional.
FORMS = {
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "openssh": serialization.PrivateFormat.OpenSSH,
}


def private_text(key: t.Any, form: str) -> str:
    """A private key as a file has it."""
    pem = serialization.Encoding.PEM
    return str(key.private_bytes(pem, FORMS[form], serialization.NoEncryption()).decode())


def public_text(key: t.Any) -> str:
    """The line of its public half."""
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return str(line.decode())


def has_pair(cloud: t.Any, run: t.Any, public: str) -> None:
    """Have the cloud have this key as web. Clouds of that time took only RSA and DSA; later ones take all."""
    if public.startswith("ssh-rsa"):
        run("keypair", name="web", public_key=public)
    elif not cloud.is_local:
        pytest.skip(f"other_keys: {LACKS['other_keys']}")
    else:
        run("keypair", name="web", public_key=PUBLIC)
        next(iter(cloud.inner.keypairs.values())).fingerprint = md5(public)
    cloud.forget_log()


@pytest.mark.parametrize(
    ("kind", "form"),
    [(kind, form) for kind in MAKERS for form in FORMS if (kind, form) != ("ed25519", "traditional")],
)
def test_a_private_key_of_any_kind_and_form_is_recognised_and_no_other(
    cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, kind: str, form: str
) -> None:
    path, mine, other = tmp_path / "key", MAKERS[kind](), MAKERS[kind]()
    has_pair(cloud, run, public_text(mine))
    path.write_text(private_text(mine, form).replace("\n", "\r\n"))
    result = run("keypair", name="web", private_key_file=str(path))
    assert result.get("changed") is False and "warnings" not in result, result
    path.write_text(private_text(other, form))
    result = run("keypair", name="web", private_key_file=str(path))
    assert result.get("failed") and "exists with another key" in result["msg"], result
    assert cloud.mutations() == []


def test_a_file_that_shows_no_key_is_not_taken_for_it_but_an_encrypted_one_is_with_a_warning(
    cloud: t.Any, run: t.Any, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "key"
    made = run("keypair", name="web")["private_key"]
    cloud.forget_log()
    for text in ("precious", made[:200], made + made, ""):
        path.write_text(text)
        result = run("keypair", name="web", private_key_file=str(path))
        assert result.get("failed") and "cannot be shown to hold its key" in result["msg"], result
        assert run("keypair", name="web", private_key_file=str(path), force=True, check=True)["changed"]
    key = serialization.load_pem_private_key(made.encode(), None)
    for form in (serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8):
        locked = serialization.BestAvailableEncryption(b"x")
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
        result = run("keypair", name="web", private_key_file=str(path))
        assert result.get("changed") is False and "is encrypted" in result["warnings"][0], result
    assert cloud.mutations() == []


@pytest.mark.needs("forged")
def test_a_private_key_that_is_not_the_new_pair_s_is_not_kept(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    other = private_text(MAKERS["rsa"](), "traditional").encode().strip()

    def forge(whole: bytes) -> bytes:
        before, begin, rest = whole.partition(b"<keyMaterial>")
        head, _blank, body = (
            before + begin + other + b"</keyMaterial>" + rest.partition(b"</keyMaterial>")[2]
        ).partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])

    cloud.forge("CreateKeyPair", forge)
    result = run("keypair", name="web", private_key_file=str(tmp_path / "web.pem"))
    assert result["failed"] and "private key of another one" in result["msg"] and "deleted again" in result["msg"]
    assert cloud.fingerprints() == {} and os.listdir(tmp_path) == [] and "PRIVATE" not in str(result)


def test_a_private_half_alone_is_no_proof_where_nothing_computes_the_other(
    cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    mine = MAKERS["ed25519"]()
    path.write_text(private_text(mine, "pkcs8"))
    has_pair(cloud, run, public_text(mine))
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    result = run("keypair", name="web", private_key_file=str(path))
    assert result.get("failed") and "the Python library cryptography tells the other" in result["msg"], result


def test_a_pipe_is_not_waited_for(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for option in ("private_key_file", "public_key_file", "rc_file"):
        result = run("keypair", name="web", **{option: str(path)})
        assert result.get("failed") and f"{option} {path} cannot be read: it is a pipe" in result["msg"], result
    result = run("keypair", name="web", endpoint_url="https://127.0.0.1:1/", ca_bundle=str(path))
    assert result.get("failed") and "it is a pipe" in result["msg"], result
    assert cloud.actions() == []


def test_a_file_has_a_size_that_makes_sense(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.truncate(10**10)
    for option in ("private_key_file", "public_key_file", "rc_file"):
        result = run("keypair", name="web", **{option: str(path)})
        assert result.get("failed") and "it has more than 1024 KiB" in result["msg"], result
    path.write_bytes(b"ssh-rsa \0")
    assert "it is not a text" in run("keypair", name="web", public_key_file=str(path))["msg"]


def test_only_the_line_of_the_key_is_imported(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "web.pub"
    path.write_bytes(f"\ufeff# mine\r\n\r\n{PUBLIC}\r\n".encode())
    assert run("keypair", name="web", public_key_file=str(path))["changed"]
    assert run("keypair", name="web", public_key_file=str(path))["changed"] is False
    assert cloud.fingerprints() == {"web": md5(PUBLIC)}


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("place", ["missing", "file"])
def test_no_file_no_pair(
    cloud: t.Any, run: t.Any, tmp_path: pathlib.Path, exists: bool, check: bool, place: str
) -> None:
    (tmp_path / "file").write_text("")
    if exists:
        run("keypair", name="web", public_key=PUBLIC)
    cloud.forget_log()
    path = str(tmp_path / place / "web.pem")
    result = run("keypair", name="web", private_key_file=path, force=True, check=check)
    why = "No such file or directory" if place == "missing" else "Not a directory"
    assert result["failed"] and f"private_key_file {path} cannot be written: {why}." in result["msg"]
    assert cloud.mutations() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_is_told_by_check_mode_too(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o500)
    path = str(tmp_path / "web.pem")
    told = {check: run("keypair", name="web", private_key_file=path, check=check).get("msg") for check in (True, False)}
    tmp_path.chmod(0o700)
    assert told[True] == told[False] and "Permission denied" in told[True]


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
        ({"name": "web", "public_key": f"{PUBLIC}\n{OTHER}"}, "2 lines"),
        ({"name": "web", "public_key": f"no-pty {PUBLIC}"}, "begins with options"),
        ({"name": "web", "public_key_file": "/dev/zero"}, "a device, and not a regular file"),
        ({"name": "web", "private_key_file": "/dev/zero"}, "a device, and not a regular file"),
        ({"name": "web", "private_key_file": "/"}, "a directory, and not a regular file"),
        ({"name": "web", "private_key_file": "/tmp/a\0b"}, "holds the character NUL"),
        ({"name": "web", "public_key_file": "a\0b"}, "holds the character NUL"),
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
