# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys made without any library."""

from __future__ import annotations

import base64

from local_cloud import keypairs


def test_a_key_and_its_public_half_belong_together() -> None:
    """The blob survives the way through an OpenSSH line, and the PEM text has the usual lines."""
    pem, blob = keypairs.generate(1024)
    lines = pem.splitlines()
    assert lines[0] == "-----BEGIN RSA PRIVATE KEY-----" and lines[-1] == "-----END RSA PRIVATE KEY-----"
    assert max(len(line) for line in lines[1:-1]) == 64
    modulus = blob[-128:]
    assert modulus in base64.b64decode("".join(lines[1:-1]))
    assert keypairs.public_blob(f"ssh-rsa {base64.b64encode(blob).decode()} comment") == blob


def test_other_kinds_of_keys_are_refused() -> None:
    """The generations served here know RSA and DSA."""
    assert keypairs.public_blob("this is no key") is None
    assert (
        keypairs.public_blob("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEdIiSGhef8VBKh2IdQS4iT0z74agzOoYL+XCRUQ11S2") is None
    )


def test_fingerprint_is_md5_in_pairs() -> None:
    """As ssh-keygen wrote it in those days."""
    assert keypairs.fingerprint(b"") == "d4:1d:8c:d9:8f:00:b2:04:e9:80:09:98:ec:f8:42:7e"
