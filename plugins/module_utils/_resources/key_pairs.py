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
import typing as t

from .._api.errors import CloudError

KEY_TYPES = re.compile(r"(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+)\Z")
CERTIFICATE = re.compile(r"[a-z0-9@.-]+-cert-v0[01]@openssh\.com\Z")
BEGINS = re.compile(r"-----BEGIN ((?:RSA |EC |DSA |OPENSSH )?)PRIVATE KEY-----")
BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,30}PRIVATE KEY)-----\Z")
FINGERPRINT = re.compile(r"(?:MD5:)?(?:[0-9a-f]{2}:){15}[0-9a-f]{2}\Z|SHA256:[A-Za-z0-9+/]{43}=?\Z", re.IGNORECASE)
MOST_LINES = 1000
OPENSSH_MAGIC = b"openssh-key-v1\0"
CURVES = {
    bytes.fromhex("2a8648ce3d030107"): b"nistp256",
    bytes.fromhex("2b81040022"): b"nistp384",
    bytes.fromhex("2b81040023"): b"nistp521",
}
RSA, EC, ED25519 = (bytes.fromhex(oid) for oid in ("2a864886f70d010101", "2a8648ce3d0201", "2b6570"))
INTEGER, BITS, OCTETS, OID, SEQUENCE, FIRST, SECOND = 0x02, 0x03, 0x04, 0x06, 0x30, 0xA1, 0x81
UNCOMPRESSED = b"\0\4"


class NoKey(Exception):
    """Why the public half of a private key cannot be told. encrypted: it takes a passphrase."""

    def __init__(self, why: str, *, encrypted: bool = False) -> None:
        super().__init__(why)
        self.encrypted = encrypted


def public_key_line(option: str, text: str) -> str:
    """The one public key in a text, as a line without options. Raises CloudError if there is none, or another too.

    Blank lines and comments do not count, as in a .pub or authorized_keys file.
    """
    if "PRIVATE KEY" in text:
        raise CloudError(f"{option}: a private key was given; give the .pub file's content.")
    if "BEGIN PUBLIC KEY" in text or "BEGIN SSH2 PUBLIC KEY" in text or "BEGIN RSA PUBLIC KEY" in text:
        raise CloudError(f"{option} is in another form than OpenSSH's: 'ssh-keygen -i' makes a line of it.")
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) > 1:
        raise CloudError(f"{option} has {len(lines)} lines, and a key pair is one key, which is one line.")
    line = lines[0] if lines else ""
    public_key_blob(line, option)
    kind, encoded, *comment = line.split(None, 2)
    # Servers that cannot repeat a comment fail on it.
    return " ".join([kind, encoded, *(words for words in comment if words.isascii() and words.isprintable())])


def public_key_blob(text: str, option: str = "public_key") -> bytes:
    """The binary key inside a line of OpenSSH's public key format. Raises CloudError if text is not such a line."""
    words = text.split()
    if words and CERTIFICATE.match(words[0]):
        raise CloudError(f"{option} is a certificate ({words[0]}); give the public key that it certifies.")
    if any(KEY_TYPES.match(word) for word in words[1:]) and not KEY_TYPES.match(words[0]):
        raise CloudError(f"{option} begins with options, as in authorized_keys; give only the key, from its type on.")
    if len(words) < 2 or not KEY_TYPES.match(words[0]):
        raise CloudError(f"{option} is not an OpenSSH public key line, such as 'ssh-rsa AAAA... comment'.")
    try:
        blob = base64.b64decode(words[1], validate=True)
        parts = _all_strings(blob)
    except (binascii.Error, ValueError, struct.error) as exc:
        raise CloudError(f"{option}: the base64 part of this {words[0]} key is damaged ({exc}).") from exc
    if parts[:1] != [words[0].encode()]:
        raise CloudError(f"{option} says {words[0]} but holds a key of another type.")
    if len(parts) < 2 or not all(parts[1:2]):
        raise CloudError(f"{option}: the base64 part of this {words[0]} key is damaged (it has no key).")
    return blob


def private_key_blob(text: str) -> bytes:
    """The public half of a private key file as a binary key. Raises NoKey if it cannot be told.

    What is written in the file is read here, since hosts need not have a library for it. Where a form holds nothing
    but the private half, the library cryptography computes the other.
    """
    label, headers, data = _private_block(text)
    if label == "ENCRYPTED PRIVATE KEY" or any("ENCRYPTED" in line for line in headers):
        raise NoKey("it is encrypted", encrypted=True)
    try:
        der = base64.b64decode("".join(data), validate=True)
        blob = _read_openssh(der) if label == "OPENSSH PRIVATE KEY" else _READERS[label](der)
    except (binascii.Error, ValueError, struct.error, IndexError, KeyError) as exc:
        raise NoKey("it is damaged, or of a form that is not known here") from exc
    return blob or _computed(der)


def _private_block(text: str) -> tuple[str, list[str], list[str]]:
    """The one private key in a PEM file: its label, its headers, and its lines. Whatever else is in it is passed by."""
    found: list[tuple[str, list[str]]] = []
    label = ""
    for line in map(str.strip, text.splitlines()):
        begin = BEGIN.match(line)
        if begin:
            label = begin[1]
            found.append((label, []))
        elif label and line == f"-----END {label}-----":
            label = ""
        elif label:
            found[-1][1].append(line)
    if not found:
        hint = "; PuTTYgen exports its own form as an OpenSSH key" if text.startswith("PuTTY") else ""
        raise NoKey(f"it holds no private key in PEM or OpenSSH's form{hint}")
    if len(found) > 1:
        raise NoKey(f"it holds {len(found)} private keys")
    if label:
        raise NoKey("it is damaged: it has no end")
    label, lines = found[0]
    return label, [line for line in lines if ":" in line], [line for line in lines if ":" not in line]


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


def is_fingerprint(shown: str | None) -> bool:
    """Whether shown is a fingerprint in one of the forms that can be compared."""
    return bool(FINGERPRINT.match(shown or ""))


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


def _all_strings(data: bytes) -> list[bytes]:
    """The length-prefixed strings that data is, whole."""
    found: list[bytes] = []
    while data:
        found += _strings(data, 1)
        data = data[4 + len(found[-1]) :]
    return found


def _read_openssh(data: bytes) -> bytes:
    """The public half of OpenSSH's own form, where it is in clear even if the other is encrypted."""
    if not data.startswith(OPENSSH_MAGIC):
        raise ValueError("another form")
    rest = data[len(OPENSSH_MAGIC) :]
    at = sum(4 + len(part) for part in _strings(rest, 3))
    (number,) = struct.unpack(">I", rest[at : at + 4])
    public, private = _strings(rest[at + 4 :], 2)
    if number != 1 or not private:
        raise ValueError("not one key")
    return public


def _read_rsa(der: bytes) -> bytes:
    """The public half of an RSA key as PKCS#1 has it. Both write integers as SSH does."""
    numbers = _sequence(der)
    if len(numbers) < 9 or any(tag != INTEGER for tag, _value in numbers[:9]):
        raise ValueError("not an RSA key")
    return _pack(b"ssh-rsa") + _pack(numbers[2][1]) + _pack(numbers[1][1])


def _read_ec(der: bytes, curve: bytes | None = None) -> bytes | None:
    """The public half of an EC key as SEC 1 has it; None if it is left out."""
    parts = _sequence(der)
    for tag, value in parts[2:]:
        inner, content, _rest = _der(value)
        if inner == OID:
            curve = content
        elif tag == FIRST and inner == BITS and content.startswith(UNCOMPRESSED):
            name = CURVES[curve or b""]
            return _pack(b"ecdsa-sha2-" + name) + _pack(name) + _pack(content[1:])
    return None


def _read_pkcs8(der: bytes) -> bytes | None:
    """The public half of what PKCS#8 holds; None if it is left out."""
    parts = _sequence(der)
    algorithm = _sequence(der, parts[1])
    kind, key = algorithm[0][1], parts[2][1]
    if kind == RSA:
        return _read_rsa(key)
    if kind == EC:
        return _read_ec(key, algorithm[1][1])
    shown = [value[1:] for tag, value in parts[3:] if tag == SECOND]
    return _pack(b"ssh-ed25519") + _pack(shown[0]) if kind == ED25519 and shown else None


_READERS: dict[str, t.Callable[[bytes], bytes | None]] = {
    "RSA PRIVATE KEY": _read_rsa,
    "EC PRIVATE KEY": _read_ec,
    "PRIVATE KEY": _read_pkcs8,
    "DSA PRIVATE KEY": lambda der: None,
}


def _computed(der: bytes) -> bytes:
    """The public half of a key in DER, computed."""
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError as exc:
        raise NoKey("it holds only a private half, of which the Python library cryptography tells the other") from exc
    try:
        public = serialization.load_der_private_key(der, None).public_key()
        line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return base64.b64decode(line.split()[1])
    except Exception as exc:  # pylint: disable=broad-exception-caught
        # Whatever the library raises: it is no key that OpenSSH knows.
        raise NoKey("it is damaged, or of a form that is not known here") from exc


def _sequence(der: bytes, element: tuple[int, bytes] | None = None) -> list[tuple[int, bytes]]:
    """Tags and contents of what a DER sequence holds: of all of der, or of an element of it."""
    tag, rest, behind = _der(der) if element is None else (*element, b"")
    if tag != SEQUENCE or behind:
        raise ValueError("not one sequence")
    found = []
    while rest:
        tag, content, rest = _der(rest)
        found.append((tag, content))
    return found


def _der(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows of the first element of data."""
    length, at = data[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if len(data) < at + length:
        raise ValueError("shorter than it says")
    return data[0], data[at : at + length], data[at + length :]
