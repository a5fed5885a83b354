# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key pairs: they belong to a user, not to a project."""

from __future__ import annotations

import base64
import re
import string
from typing import Any

from .. import keypairs
from ..errors import NovaError
from ..model import KeyPair
from . import filters
from .call import Call
from .registry import action

_NAME = re.compile(r"[A-Za-z0-9_\- ]+\Z")
_LETTERS_ALLOWED = f"Only expected characters: [_- {string.digits}{string.ascii_letters}]"
_LONGEST = 255
_HIDDEN_SUFFIX = "-vpn"


@action(also="key_name")
def describe_key_pairs(call: Call, /, key_name: Any = None, filter: Any = None, **_ignored: Any) -> dict[str, Any]:
    """Return the user's key pairs, or those named; it fails only if none of the names is known."""
    mine = [pair for (user, _name), pair in call.cloud.keypairs.items() if user == call.user.user_id]
    if key_name is not None:
        names = list(key_name)
        mine = [pair for pair in mine if pair.name in names]
        if not mine or (call.profile.ec2api and len({pair.name for pair in mine}) < len(set(names))):
            missing = next((name for name in names if name not in {pair.name for pair in mine}), None)
            raise NovaError("KeyNotFound", f"Could not find key pair(s): {','.join(names)}", missing)
    if call.profile.pretty:
        mine.sort(key=lambda pair: pair.name)
    everything = call.user.is_admin or call.profile.ec2api
    shown = [pair for pair in mine if everything or not pair.name.endswith(_HIDDEN_SUFFIX)]
    rows = [{"keyName": pair.name, "keyFingerprint": pair.fingerprint} for pair in shown]
    if call.profile.ec2api:
        rows = filters.rows(rows, filter, {"key-name": "keyName", "fingerprint": "keyFingerprint"})
    return {"keySet": rows}


@action(required="key_name")
def create_key_pair(call: Call, /, key_name: Any, **_ignored: Any) -> dict[str, Any]:
    """Make a key pair and return its private key."""
    _check(call, key_name, "KeyInvalid", "KeyLimit")
    with call.unlocked():
        pem, blob = keypairs.generate(call.cloud.settings.key_bits)
    _check(call, key_name, "KeyInvalid", "KeyLimit")
    pair = _store(call, key_name, blob)
    return {"keyMaterial": pem, "keyName": pair.name, "keyFingerprint": pair.fingerprint}


@action(required="key_name public_key_material")
def import_key_pair(call: Call, /, key_name: Any, public_key_material: Any, **_ignored: Any) -> dict[str, Any]:
    """Keep a public key (base64 of its OpenSSH line)."""
    if call.profile.ec2api and not public_key_material:
        raise NovaError("MaterialMissing", "The request must contain the parameter PublicKeyMaterial")
    line = _decode(call, public_key_material)
    _check(call, key_name, "KeyImportInvalid", "KeyImportLimit")
    blob = keypairs.public_blob(line)
    if blob is None:
        detail = ": failed to generate fingerprint" if call.profile.pretty else ""
        raise NovaError("KeyImportInvalid", f"Keypair data is invalid{detail}")
    pair = _store(call, key_name, blob)
    return {"keyName": pair.name, "keyFingerprint": pair.fingerprint}


@action(required="key_name")
def delete_key_pair(call: Call, /, key_name: Any, **_ignored: Any) -> dict[str, Any]:
    """Delete a key pair; one that does not exist is deleted as well."""
    call.cloud.keypairs.pop((call.user.user_id, str(key_name)), None)
    return {"return": True}


def _decode(call: Call, material: Any) -> str:
    try:
        return base64.b64decode(material).decode("utf-8", "replace")
    except ValueError as problem:
        if call.profile.ec2api:
            raise
        # What the Python of those servers raised for bad base64.
        raise TypeError(str(problem)) from problem


def _check(call: Call, name: Any, invalid: str, limit: str) -> None:
    pretty = call.profile.pretty
    if call.profile.ec2api and not name:
        raise NovaError(invalid, "Invalid input for field/attribute name. Value: . '' is too short")
    if call.profile.ec2api and not _NAME.match(name):
        raise NovaError(invalid, f"An invalid 'name' value was provided. The name must be: {_LETTERS_ALLOWED}")
    if not isinstance(name, str):
        raise TypeError("a key name that was guessed to be no text")
    if not 1 <= len(name) <= _LONGEST:
        detail = ": Keypair name must be between 1 and 255 characters long" if pretty else ""
        raise NovaError(invalid, f"Keypair data is invalid{detail}")
    if not _NAME.match(name):
        detail = ": Keypair name contains unsafe characters" if pretty else ""
        raise NovaError(invalid, f"Keypair data is invalid{detail}")
    # Later generations look at the quota first.
    steps = (_check_quota, _check_duplicate) if pretty else (_check_duplicate, _check_quota)
    for step in steps:
        step(call, name, limit)


def _check_duplicate(call: Call, name: str, _limit: str) -> None:
    taken = (call.user.user_id, name) in call.cloud.keypairs
    if call.profile.ec2api:
        # Nova's database, MySQL, takes no notice of case.
        taken = (call.user.user_id, name.lower()) in {(user, held.lower()) for user, held in call.cloud.keypairs}
    if taken:
        quote = "'" if call.profile.pretty else ""
        raise NovaError("KeyExists", f"Key pair {quote}{name}{quote} already exists.")


def _check_quota(call: Call, _name: str, limit: str) -> None:
    held = sum(user == call.user.user_id for user, _held in call.cloud.keypairs)
    if 0 <= call.cloud.settings.quota_keypairs <= held:
        late = "Maximum number of key pairs exceeded"
        worded = call.profile.pretty and not call.profile.ec2api
        raise NovaError(limit, late if worded else "Quota exceeded, too many key pairs.")


def _store(call: Call, name: str, blob: bytes) -> KeyPair:
    pair = KeyPair(name, call.user.user_id, keypairs.fingerprint(blob), keypairs.public_line(blob))
    call.cloud.keypairs[(call.user.user_id, name)] = pair
    return pair
