#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: keypair
short_description: Create, import and delete key pairs
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes sure that a key pair exists, or does not, in a cloud that offers Nova's EC2 API.
  - The cloud can make the pair, and then hands out the private key exactly once; or you import a public key.
  - Key pairs belong to the user, not to the project. The API never shows their public keys, only fingerprints.
options:
  name:
    description:
      - Name of the key pair. For a new one, letters without accents, digits, V(-), V(_) and inner spaces; up to 255.
        One that exists may have other names of ASCII, such as V(me@laptop).
      - Names that Nova would take for a number, a boolean or nothing are refused, and so are names that end in V(-vpn),
        which Nova hides.
    type: str
    required: true
    aliases: [key_name]
  state:
    description:
      - Whether the key pair shall exist.
    type: str
    choices: [present, absent]
    default: present
  public_key:
    description:
      - Public key to import, a line in OpenSSH's format. Comments and blank lines beside it are left out; a second key,
        options before the key and certificates are refused.
      - If a key pair of this name has another fingerprint, the task fails, unless O(force=true).
    type: str
    aliases: [key_material]
  public_key_file:
    description:
      - File with the public key to import, on the host that executes the module. The same goes for it as for
        O(public_key).
    type: path
  private_key_file:
    description:
      - File to which the private key of a pair that the cloud makes is written, with mode 0600.
      - The file is made before the cloud is asked. If it cannot be written afterwards, the new pair is deleted again.
      - An existing file is never overwritten, unless O(force=true) has the pair replaced.
      - If the pair exists and this file does not, or holds another key, the task fails, unless O(force=true). It also
        does when the file cannot be shown to hold this pair's key. RSA, ECDSA and Ed25519 keys are recognised in the
        forms PKCS#1, PKCS#8, SEC 1 and OpenSSH's own; where such a file holds only the private half of a key, as
        PKCS#8 does with Ed25519, that takes the Python library C(cryptography).
      - An encrypted file is taken for the right one, with a warning, unless it is of OpenSSH's own form, which has the
        public half in clear.
      - Only a regular file is read, of at most 1 MiB.
    type: path
  force:
    description:
      - Replace a key pair that differs from what is asked for. VMs that run already keep the old key.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes
seealso:
  - module: nova_ec2.cloud.instance
"""

EXAMPLES = r"""
- name: Have the cloud make a key pair and keep its private key in a file
  nova_ec2.cloud.keypair:
    endpoint_url: http://cloud.example.com:8773/services/Cloud
    access_key: "{{ ec2_access_key }}"
    secret_key: "{{ ec2_secret_key }}"
    name: deploy
    private_key_file: ~/.ssh/deploy.pem

- name: Import your own public key, with the cloud's address and keys from Horizon's file
  nova_ec2.cloud.keypair:
    rc_file: ~/ec2rc.sh
    name: mine
    public_key_file: ~/.ssh/id_rsa.pub

- name: Replace it
  nova_ec2.cloud.keypair:
    rc_file: ~/ec2rc.sh
    name: mine
    public_key: "{{ lookup('ansible.builtin.file', '~/.ssh/new_rsa.pub') }}"
    force: true

- name: Have the cloud make a key pair and keep its private key in a variable
  nova_ec2.cloud.keypair:
    rc_file: ~/ec2rc.sh
    name: temporary
  register: made
  no_log: true

- name: Delete a key pair
  nova_ec2.cloud.keypair:
    rc_file: ~/ec2rc.sh
    name: temporary
    state: absent
"""

RETURN = r"""
keypair:
  description: The key pair, or null if it does not exist (any more).
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: deploy
    fingerprint:
      description:
        - MD5 of the public key, as the cloud shows it.
        - Null in check mode for a pair that the cloud would make.
      type: str
      sample: ab:c6:a8:90:22:55:c3:6d:17:ad:3d:24:51:02:d8:63
  sample:
    name: deploy
    fingerprint: ab:c6:a8:90:22:55:c3:6d:17:ad:3d:24:51:02:d8:63
private_key:
  description: The private key in PEM form.
  returned: only by the run in which the cloud made the pair, and only without O(private_key_file)
  type: str
  sample: "-----BEGIN RSA PRIVATE KEY-----\n..."
private_key_file:
  description: The file to which the private key was written.
  returned: when the cloud made the pair in this run and O(private_key_file) is given
  type: str
  sample: /home/alex/.ssh/deploy.pem
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.connection import attempt
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import NOT_SENT, REFUSED, UNKNOWN, CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.files import read_text
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_listed, check_name
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.private_file import PrivateFile
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Plan, Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.key_pairs import (
    NoKey,
    fingerprint,
    fingerprint_matches,
    is_fingerprint,
    is_private_key,
    private_key_blob,
    public_key_blob,
    public_key_line,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.views import keypair_view

View = t.Optional[dict[str, t.Any]]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True, "aliases": ["key_name"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "public_key": {"type": "str", "no_log": False, "aliases": ["key_material"]},
    "public_key_file": {"type": "path", "no_log": False},
    "private_key_file": {"type": "path", "no_log": False},
    "force": {"type": "bool", "default": False},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    check_listed("name", params["name"])
    if params["state"] == "present":
        public_line(params)
        if params["private_key_file"]:
            PrivateFile(params["private_key_file"]).content()


def public_line(params: dict[str, t.Any]) -> str | None:
    """The public key that the pair shall have, as a line, or None if any will do."""
    if params["public_key_file"]:
        return public_key_line("public_key_file", read_text("public_key_file", params["public_key_file"]))
    return public_key_line("public_key", params["public_key"]) if params["public_key"] is not None else None


def find(connection: t.Any, name: str) -> View:
    """The key pair called name, or None. Listed whole: asking for an unknown name fails in ways that differ."""
    pairs = map(keypair_view, attempt("list key pairs", connection.get_all_key_pairs))
    return next((pair for pair in pairs if pair["name"] == name), None)


def plan(session: Session) -> Plan:
    """Compare what exists with what is asked for. Reads only."""
    params, current = session.params, find(session.connection, session.params["name"])
    if params["state"] == "absent":
        apply = (lambda: delete(session)) if current else None
        return Plan(before=current or {}, after={}, result={"keypair": None}, apply=apply)
    problem = difference(session, current) if current else occupied(params)
    if problem and not params["force"]:
        raise CloudError(problem)
    if current and not problem:
        return Plan(before=current, after=current, result={"keypair": current})
    if not current:
        check_name("name", params["name"])
    if params["private_key_file"]:
        PrivateFile(params["private_key_file"]).check_writable()
    line = public_line(params)
    after = {"name": params["name"], "fingerprint": fingerprint(public_key_blob(line)) if line else None}
    return Plan(before=current or {}, after=after, result={"keypair": after}, apply=lambda: make(session, current))


def difference(session: Session, current: dict[str, t.Any]) -> str | None:
    """How the existing pair is not what is asked for, with what to do; None if it is."""
    params, name, path = session.params, session.params["name"], session.params["private_key_file"]
    advice = "Set force to true to replace the pair (VMs that run already keep the old key), or choose another name."
    line, whose = public_line(params), "the public key given"
    if line:
        blob = public_key_blob(line)
    elif path:
        content, whose = PrivateFile(path).content(), f"the key in {path}"
        if content is None:
            said = f"Key pair {name} exists, but {path} does not, and the cloud hands out a private key only once."
            return f"{said} {advice}"
        try:
            blob = private_key_blob(content)
        except NoKey as exc:
            if not exc.encrypted:
                return f"Key pair {name} exists, and {path} cannot be shown to hold its key: {exc}. {advice}"
            session.warn(f"private_key_file {path} is encrypted: whether it is key pair {name}'s cannot be told.")
            return None
    else:
        return None
    if fingerprint_matches(blob, current["fingerprint"]):
        return None
    return (
        f"Key pair {name} exists with another key: its fingerprint is {current['fingerprint']}, that of {whose} is "
        f"{fingerprint(blob)}. {advice}"
    )


def occupied(params: dict[str, t.Any]) -> str | None:
    """Why a new private key cannot be written where it shall go; None if it can."""
    path = params["private_key_file"]
    if path and PrivateFile(path).content() is not None:
        return (
            f"Key pair {params['name']} does not exist, but {path} does, and would be overwritten by the new private "
            "key. Remove the file, choose another one, or set force to true."
        )
    return None


def make(session: Session, current: View) -> dict[str, t.Any]:
    """Create or import the pair, in the place of current if there is one."""
    params = session.params
    if params["private_key_file"]:
        with PrivateFile(params["private_key_file"]).opened() as target:
            return create_into(session, current, target)
    if current:
        delete(session)
    line = public_line(params)
    return create(session) if line is None else import_key(session, line)


def create(session: Session) -> dict[str, t.Any]:
    """Have the cloud make a pair; its private key is returned."""
    name = session.params["name"]
    try:
        pair = attempt(f"create key pair {name}", session.connection.create_key_pair, name)
    except CloudError as error:
        if settled(session, error):
            error.message += (
                f" Key pair {name} is there now, but its private key was in the answer that got lost: set force to "
                "true to have another one made."
            )
        raise
    if pair.name != name or not is_private_key(pair.material):
        what = "holds no private key" if pair.name == name else "is about another key pair"
        raise take_back(session, f"The cloud's answer to making key pair {name} {what}.")
    if is_another(pair):
        raise take_back(session, f"The cloud's answer to making key pair {name} holds the private key of another one.")
    return {"keypair": keypair_view(pair), "private_key": pair.material}


def is_another(pair: t.Any) -> bool:
    """Whether a private key is certainly not that of the fingerprint beside it."""
    try:
        return is_fingerprint(pair.fingerprint) and not fingerprint_matches(
            private_key_blob(pair.material), pair.fingerprint
        )
    except NoKey:
        return False


def take_back(session: Session, why: str) -> CloudError:
    """Delete a pair, once, whose private key nobody will ever have; the error that tells why, and what became of it."""
    name, url = session.params["name"], session.connection.endpoint.url
    error = CloudError(why, endpoint=url, action="CreateKeyPair", outcome=UNKNOWN)
    try:
        attempt(f"delete key pair {name} again", session.connection.delete_key_pair, name)
        error.message += " The pair was deleted again."
    except CloudError as left:
        error.message += f" {left.message} It may still be there."
    return error


def create_into(session: Session, current: View, target: t.Any) -> dict[str, t.Any]:
    """Have the cloud make a pair and write its private key to the open file target; no file, no pair."""
    name, path = session.params["name"], session.params["private_key_file"]
    if current:
        delete(session)
    made = create(session)
    try:
        target.write(made["private_key"])
    except OSError as exc:
        why = f"Could not write the private key of key pair {name} to {path}: {exc.strerror}."
        raise take_back(session, why) from exc
    return {"keypair": made["keypair"], "private_key_file": path}


def settled(session: Session, error: CloudError) -> View:
    """The pair, if it is there although the answer to making it got lost; None if it is not, or cannot be seen."""
    if error.outcome in (REFUSED, NOT_SENT):
        return None
    try:
        return find(session.connection, session.params["name"])
    except CloudError as unseen:
        error.message += f" Whether it was made cannot be seen either ({unseen.message})."
        return None


def import_key(session: Session, line: str) -> dict[str, t.Any]:
    """Import a public key."""
    name = session.params["name"]
    try:
        pair = attempt(f"import key pair {name}", session.connection.import_key_pair, name, line.encode())
        return {"keypair": keypair_view(pair)}
    except CloudError as error:
        found = settled(session, error)
        if found is None or difference(session, found):
            raise
        session.warn(f"{error.message} The key was imported all the same.")
        return {"keypair": found}


def delete(session: Session) -> dict[str, t.Any]:
    """Delete the pair; if the answer gets lost, look whether it is gone."""
    name = session.params["name"]
    try:
        attempt(f"delete key pair {name}", session.connection.delete_key_pair, name)
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT) or find(session.connection, name):
            raise
    return {"keypair": None}


def main() -> None:
    """Run the module."""
    run(
        plan,
        check=check,
        options=OPTIONS,
        mutually_exclusive=[("public_key", "public_key_file", "private_key_file")],
    )


if __name__ == "__main__":
    main()
