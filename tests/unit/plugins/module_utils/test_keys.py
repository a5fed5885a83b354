# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fingerprints are those that ssh-keygen computes."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources import key_pairs as _keys

# Made by ssh-keygen, and its fingerprints as ssh-keygen -l prints them.
PUBLIC = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDNNXQqUIPTqOHufKA63Y6i2nhUlNv3ThUuDD5/AVgQVIih4HvXWOTet7Pu9whRbIh+AoVz7ZmQ"
    "jZ02UXLSUC+94OcwO9FDevpvjFysdmJ9mUYOwdUactltzZNYRCDeYruwL9Ku4qjo8k3lsI6jdMZeYrPaeT1uKx/j4wCj4B2BcQ== test"
)
MD5 = "f4:8e:7d:fd:aa:88:66:a3:be:48:ba:9e:0e:92:4b:a4"
SHA256 = "SHA256:hzZPQd1jZ5dkvNvlMn1f/3wj1TBrm8pw+05iyLU/NGM"


def test_fingerprints_in_all_forms() -> None:
    blob = _keys.public_key_blob(PUBLIC)
    assert _keys.fingerprint(blob) == MD5
    for shown in (MD5, MD5.upper(), f"MD5:{MD5}", SHA256, f"{SHA256}="):
        assert _keys.fingerprint_matches(blob, shown), shown
    for shown in (None, "", MD5[:-1] + "5", SHA256[:-1] + "N"):
        assert not _keys.fingerprint_matches(blob, shown), shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-rsa",
        "AAAAB3NzaC1yc2E=",
        PUBLIC.replace("ssh-rsa", "ssh-ed25519"),
        PUBLIC.replace("AAAAB3", "AAAAB"),
        "ssh-rsa AAAA",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(CloudError):
        _keys.public_key_blob(text)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
@pytest.mark.parametrize("form", ["PEM", "RFC4716"])
@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_the_public_half_of_a_private_key_file(tmp_path: pathlib.Path, form: str, passphrase: str) -> None:
    path = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", form, "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True)
    public = _keys.public_key_blob((tmp_path / "key.pub").read_text())
    if form == "PEM" and passphrase:
        with pytest.raises(_keys.NoKey) as caught:
            _keys.private_key_blob(path.read_text())
        assert caught.value.encrypted
    else:
        assert _keys.private_key_blob(path.read_text()) == public


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no private key"),
        ("PuTTY-User-Key-File-3: ssh-rsa", "PuTTYgen"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "no end"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", "damaged"),
        ("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "damaged"),
        ("-----BEGIN XYZ PRIVATE KEY-----\nMAA=\n-----END XYZ PRIVATE KEY-----\n", "not known"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n", "damaged"),
        (2 * "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", "2 private keys"),
        ("-----BEGIN RSA PRIVATE KEY-----\n" * 30000, "30000 private keys"),
    ],
)
def test_what_cannot_be_told_is_no_key(text: str, said: str) -> None:
    with pytest.raises(_keys.NoKey, match=said) as caught:
        _keys.private_key_blob(text)
    assert not caught.value.encrypted


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{PUBLIC}",
        f"# mine\r\n\r\n{PUBLIC}\r\n\r\n",
        f"  {PUBLIC}\n\n# end",
        PUBLIC.replace(" ", "\t"),
    ],
)
def test_one_key_is_made_one_line(text: str) -> None:
    assert _keys.public_key_line("public_key", text) == PUBLIC


def test_a_comment_that_servers_could_not_repeat_is_left_out() -> None:
    assert _keys.public_key_line("public_key", f"{PUBLIC} of J\xf6rg") == PUBLIC.rpartition(" ")[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{PUBLIC}\n{PUBLIC}", "2 lines"),
        (PUBLIC[:80] + "\n" + PUBLIC[80:], "2 lines"),
        (f'command="a b",no-pty {PUBLIC}', "begins with options"),
        (PUBLIC.replace("ssh-rsa", "ssh-rsa-cert-v01@openssh.com"), "certificate"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "another form"),
        (PUBLIC[:100], "damaged"),
        ("ssh-rsa AAAAB3NzaC1yc2E=", "no key"),
    ],
)
def test_what_is_not_one_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(CloudError, match=f"mine.pub.* {said}|mine.pub.*{said}"):
        _keys.public_key_line("mine.pub", text)
