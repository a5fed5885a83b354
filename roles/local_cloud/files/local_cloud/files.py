# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a cloud leaves in its directory: settings for clients, a description for tests, certificates."""

from __future__ import annotations

import json
import os
import random
import shutil
import ssl
import subprocess
import uuid
from pathlib import Path
from typing import Any

from .model import User

_NAMES = {"demo": "demo", "other": "other", "adminuser": "adminproj"}
_ADMIN = "adminuser"
# What strict clients (Python from 3.13 on) look for in a server's certificate.
_EXTENSIONS = """\
subjectAltName=IP:127.0.0.1,DNS:localhost
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""
_RC_SUFFIX = {"demo": "", "other": "-other", "adminuser": "-admin"}
_RC = """\
#!/bin/bash

NOVARC=$(readlink -f "${{BASH_SOURCE:-${{0}}}}" 2>/dev/null) || NOVARC=$(python -c 'print("'"$0"'")')
NOVA_KEY_DIR=${{NOVARC%/*}}
export EC2_ACCESS_KEY={access}
export EC2_SECRET_KEY={secret}
export EC2_URL={url}
export EC2_USER_ID=42 # nova does not use user id, but bundling requires it
export EC2_PRIVATE_KEY=${{NOVA_KEY_DIR}}/pk.pem
export EC2_CERT=${{NOVA_KEY_DIR}}/cert.pem
export NOVA_CERT=${{NOVA_KEY_DIR}}/cacert.pem
export EUCALYPTUS_CERT=${{NOVA_CERT}} # euca-bundle-image seems to require this set

alias ec2-bundle-image="ec2-bundle-image --cert ${{EC2_CERT}} --privatekey ${{EC2_PRIVATE_KEY}} --user 42"
"""


def prepare(directory: Path) -> None:
    """Make the directory, for its owner alone."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    new = path.with_name(path.name + ".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(new, path)


def load_users(directory: Path, given: Path | None) -> list[User]:
    """Return the users from a file, or the built-in ones, whose random keys are kept in the directory."""
    path = given or directory / "users.json"
    if given is None and not path.exists():
        write_private(path, json.dumps(_new_users(), indent=1) + "\n")
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        User(name, row["access"], row["secret"], row["tenant"], row["tenant_id"], row["user_id"], name == _ADMIN)
        for name, row in rows.items()
    ]


def _new_users() -> dict[str, dict[str, str]]:
    source = random.SystemRandom()
    return {
        name: {
            "tenant": tenant,
            **{field: uuid.UUID(int=source.getrandbits(128)).hex for field in ("tenant_id", "user_id")},
            **{field: f"{source.getrandbits(128):032x}" for field in ("access", "secret")},
        }
        for name, tenant in _NAMES.items()
    }


def write_settings(directory: Path, users: list[User], url: str) -> None:
    """Write for each built-in user the file that Horizon hands out."""
    for user in users:
        suffix = _RC_SUFFIX.get(user.name, f"-{user.name}")
        text = _RC.format(access=user.access, secret=user.secret, url=url)
        write_private(directory / f"ec2rc{suffix}.sh", text)


def described(users: list[User]) -> dict[str, dict[str, str]]:
    """Return what tests know of the users, by name."""
    fields = ("access", "secret", "tenant", "tenant_id", "user_id")
    return {user.name: {field: getattr(user, field) for field in fields} for user in users}


def write_description(directory: Path, users: list[User], fields: dict[str, Any]) -> None:
    """Write ``cloud.json``, by which tests find the cloud and its users."""
    write_private(directory / "cloud.json", json.dumps({**fields, "users": described(users)}, indent=1) + "\n")


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the server side of TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def make_certificates(directory: Path) -> tuple[Path, Path, Path]:
    """Make a CA and a certificate for 127.0.0.1 and localhost; return CA, certificate and key.

    Raises RuntimeError if there is no ``openssl`` program or it fails.
    """
    if shutil.which("openssl") is None:
        raise RuntimeError("--tls needs the openssl program; without it give --certfile and --keyfile")
    names = ["ca.pem", "ca-key.pem", "server.pem", "server-key.pem", "server.csr", "server.ext"]
    ca, ca_key, cert, key, csr, ext = (directory / name for name in names)
    ext.write_text(_EXTENSIONS, encoding="utf-8")
    new = ["req", "-newkey", "rsa:2048", "-nodes", "-sha256"]
    own = ["-x509", "-days", "3650", "-subj", "/CN=local cloud CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _openssl(*new, *own, "-keyout", str(ca_key), "-out", str(ca))
    _openssl(*new, "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(csr))
    sign = ["x509", "-req", "-sha256", "-days", "3650", "-CAcreateserial", "-in", str(csr), "-extfile", str(ext)]
    _openssl(*sign, "-CA", str(ca), "-CAkey", str(ca_key), "-out", str(cert))
    return ca, cert, key


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
