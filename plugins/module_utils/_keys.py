# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Public keys and their fingerprints, computed here so that no key has to be sent to learn one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct

from ._errors import CloudError

KEY_TYPES = re.compile(r"(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+)\Z")
PEM = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----(.*?)-----END", re.DOTALL)
BEGINS = re.compile(r"-----BEGIN ((?:RSA |EC |DSA |OPENSSH )?)PRIVATE KEY-----")
MOST_LINES = 1000
OPENSSH_MAGIC = b"openssh-key-v1\0"


def public_key_blob(text: str) -> bytes:
    """The binary key inside a line of OpenSSH's public key format. Raises CloudError if text is not such a line."""
    words = text.split()
    if len(words) < 2 or not KEY_TYPES.match(words[0]):
        raise CloudError(
            "public_key is not an OpenSSH public key line, such as 'ssh-rsa AAAA... comment'"
            + (": a private key was given; give the .pub file's content." if "PRIVATE KEY" in text else ".")
        )
    try:
        blob = base64.b64decode(words[1], validate=True)
        declared = _strings(blob, 1)[0]
    except (binascii.Error, ValueError, struct.error) as exc:
        raise CloudError(f"public_key: the base64 part of this {words[0]} key is damaged ({exc}).") from exc
    if declared != words[0].encode():
        raise CloudError(f"public_key says {words[0]} but holds a key of another type.")
    return blob


def private_key_blob(text: str) -> bytes | None:
    """The public half of a private key file as a binary key; None if it cannot be told (encrypted, unknown format)."""
    match = PEM.search(text)
    if not match or "ENCRYPTED" in text:
        return None
    try:
        data = base64.b64decode("".join(match[2].split()), validate=True)
        if match[1] == "RSA ":
            modulus, exponent = _rsa_numbers(data)
            return _pack(b"ssh-rsa") + _pack(exponent) + _pack(modulus)
        if match[1] == "OPENSSH " and data.startswith(OPENSSH_MAGIC):
            rest = data[len(OPENSSH_MAGIC) :]
            header = b"".join(_pack(part) for part in _strings(rest, 3))
            return _strings(rest[len(header) + 4 :], 1)[0]
    except (binascii.Error, ValueError, struct.error, IndexError):
        return None
    return None


def is_private_key(text: str | None) -> bool:
    """Whether text is one whole private key as a PEM file that needs no passphrase."""
    lines = (text or "").strip().splitlines()
    found = BEGINS.fullmatch(lines[0].strip()) if 2 < len(lines) <= MOST_LINES else None
    if found is None or lines[-1].strip() != f"-----END {found[1]}PRIVATE KEY-----":
        return False
    try:
        data = base64.b64decode("".join(line.strip() for line in lines[1:-1]), validate=True)
        # DER is one sequence.
        return data.startswith(OPENSSH_MAGIC) if found[1] == "OPENSSH " else data[:1] == b"0" and not _der(data)[2]
    except (binascii.Error, ValueError, IndexError):
        return False


def fingerprint(blob: bytes) -> str:
    """MD5 of a binary public key as Nova shows it: aa:bb:cc:... (16 pairs)."""
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def fingerprint_matches(blob: bytes, shown: str | None) -> bool:
    """Whether shown, in the MD5 form (with or without 'MD5:') or OpenSSH's SHA256 form, is the fingerprint of blob."""
    shown = (shown or "").strip()
    if shown.upper().startswith("SHA256:"):
        digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
        return shown[7:].rstrip("=") == digest.rstrip("=")
    if shown.upper().startswith("MD5:"):
        shown = shown[4:]
    return shown.lower() == fingerprint(blob)


def _pack(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _strings(data: bytes, count: int) -> list[bytes]:
    """The first count length-prefixed strings of data."""
    found: list[bytes] = []
    for _unused in range(count):
        (length,) = struct.unpack(">I", data[:4])
        if len(data) < 4 + length:
            raise ValueError("shorter than it says")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


def _rsa_numbers(der: bytes) -> tuple[bytes, bytes]:
    """Modulus and public exponent, as SSH writes integers, of a PKCS#1 private key in DER."""
    _tag, body, _rest = _der(der)
    _tag, _version, body = _der(body)
    _tag, modulus, body = _der(body)
    _tag, exponent, _rest = _der(body)
    return modulus, exponent


def _der(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows of the first element of data."""
    length, at = data[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if len(data) < at + length:
        raise ValueError("shorter than it says")
    return data[0], data[at : at + length], data[at + length :]
