# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA key pairs made with the standard library alone: PEM (PKCS #1), the ssh-rsa form and MD5 fingerprints.

The keys are real, but the cloud is a toy on the loopback address: use them nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import random
import textwrap

_EXPONENT = 65537
_SIEVE_LIMIT = 20000
_ROUNDS = 6
_TYPES = (b"ssh-rsa", b"ssh-dss")


def _small_primes(limit: int) -> list[int]:
    flags = bytearray([1]) * limit
    for number in range(2, int(limit**0.5) + 1):
        if flags[number]:
            flags[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return [number for number in range(3, limit) if flags[number]]


_PRIMES = _small_primes(_SIEVE_LIMIT)


def generate(bits: int = 2048, source: random.Random | None = None) -> tuple[str, bytes]:
    """Return a fresh key as its PEM text (with a final newline) and its public blob in ssh wire form."""
    source = source or random.SystemRandom()
    half = bits // 2
    first = _prime(half, source)
    second = _prime(half, source)
    while second == first:
        second = _prime(half, source)
    first, second = max(first, second), min(first, second)
    modulus = first * second
    private = pow(_EXPONENT, -1, (first - 1) * (second - 1))
    numbers = [0, modulus, _EXPONENT, private, first, second]
    numbers += [private % (first - 1), private % (second - 1), pow(second, -1, first)]
    body = base64.b64encode(_der(0x30, b"".join(_der_integer(number) for number in numbers))).decode()
    lines = "\n".join(textwrap.wrap(body, 64))
    pem = f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----\n"
    return pem, _string(b"ssh-rsa") + _mpint(_EXPONENT) + _mpint(modulus)


def fingerprint(blob: bytes) -> str:
    """Return the MD5 fingerprint of a public blob as 16 pairs of hexadecimal digits with colons."""
    digest = hashlib.md5(blob).hexdigest()
    return ":".join(digest[index : index + 2] for index in range(0, 32, 2))


def public_line(blob: bytes) -> str:
    """Return the OpenSSH line of a public blob."""
    name = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    return f"{name.decode()} {base64.b64encode(blob).decode()}"


def public_blob(line: str) -> bytes | None:
    """Return the wire form of an OpenSSH public key line of type RSA or DSA, or None if it is none."""
    fields = line.split()
    if len(fields) < 2:
        return None
    try:
        blob = base64.b64decode(fields[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    name = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    return blob if name in _TYPES and name == fields[0].encode() and len(blob) > 4 + len(name) else None


def _prime(bits: int, source: random.Random) -> int:
    # Both top bits set, so that the product of two such primes has twice the bits.
    span = bits * 8
    while True:
        base = source.getrandbits(bits) | 3 << bits - 2 | 1
        composite = bytearray(span)
        for prime in _PRIMES:
            start = -base * pow(2, -1, prime) % prime
            composite[start::prime] = b"\1" * len(range(start, span, prime))
        for step, bad in enumerate(composite):
            candidate = base + 2 * step
            if bad or candidate % _EXPONENT == 1 or candidate.bit_length() != bits:
                continue
            if pow(2, candidate - 1, candidate) == 1 and _is_prime(candidate, source):
                return candidate


def _is_prime(number: int, source: random.Random) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _round in range(_ROUNDS):
        value = pow(source.randrange(2, number - 1), odd, number)
        if value in (1, number - 1):
            continue
        for _square in range(twos - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True


def _der(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def _der_integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _mpint(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))
