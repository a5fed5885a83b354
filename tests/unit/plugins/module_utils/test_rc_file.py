# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rc files as Horizon and people write them: read, never executed."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.rc_file import read_rc_file

HORIZON = """#!/bin/bash

NOVARC=$(readlink -f "${BASH_SOURCE:-${0}}" 2>/dev/null) || NOVARC=$(python -c 'import os,sys; print(sys.argv[1])')
NOVA_KEY_DIR=${NOVARC%/*}
export EC2_ACCESS_KEY=c4d2c7bc7b154a91ba45d35c81f1add6
export EC2_SECRET_KEY=0e5cc139ce644b34932bc9985f417eb8
export EC2_URL=http://127.0.0.1:8773/services/Cloud
export EC2_USER_ID=42 # nova does not use user id, but bundling requires it
export EC2_PRIVATE_KEY=${NOVA_KEY_DIR}/pk.pem
export NOVA_CERT=${NOVA_KEY_DIR}/cacert.pem

alias ec2-bundle-image="ec2-bundle-image --cert ${EC2_CERT} --privatekey ${EC2_PRIVATE_KEY} --user 42"
"""


def parse(tmp_path: pathlib.Path, text: str) -> dict[str, str]:
    """What is read from a file with text."""
    path = tmp_path / "rc.sh"
    path.write_text(text)
    path.chmod(0o600)
    return dict(read_rc_file(str(path), pytest.fail).variables)


def test_horizons_file(tmp_path: pathlib.Path) -> None:
    assert parse(tmp_path, HORIZON) == {
        "EC2_ACCESS_KEY": "c4d2c7bc7b154a91ba45d35c81f1add6",
        "EC2_SECRET_KEY": "0e5cc139ce644b34932bc9985f417eb8",
        "EC2_URL": "http://127.0.0.1:8773/services/Cloud",
        "EC2_USER_ID": "42",
    }


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("  export A='single $B `x`'", "single $B `x`"),
        ('A="double \\"quoted\\" \\$B"', 'double "quoted" $B'),
        ("A=mixed' quo'\"tes\"", "mixed quotes"),
        ("A=value # comment", "value"),
        ("A=value#no-comment", "value#no-comment"),
        ("A=one; B=two", "one"),
        ("A=", ""),
        ("A=''", ""),
        ("A=user:project", "user:project"),
        ("B=known\nA=${B}-$B", "known-known"),
        ("A=first\nA=second", "second"),
        ("A=$(touch /tmp/never)", None),
        ("A=`touch /tmp/never`", None),
        ('A="$(id)"', None),
        ("A=$UNKNOWN", None),
        ("A=${UNKNOWN:-x}", None),
        ("A=kept\nA=$(id)", None),
        ("B=one A=two", "two"),
        ("export B=one A=two # and more", "two"),
        ("B=one; A=two", "two"),
        ("declare -x A='two'", "two"),
        ("A=for-one-command true", None),
        ("A=kept\nif true; then\n  A=other\nfi", None),
        ("A=kept\nif true; then A=other; fi", None),
        ("if true; then\n  B=x\nfi\nA=after", "after"),
        ("A=kept\n[ -n x ] && export A=other", None),
        ("A=kept\nf() {\n  A=${B}\n  A=other\n}", None),
        ("A=kept\nunset A", ""),
        ("A=kept\ncat <<END\nA=other\nEND\nB=x", "kept"),
        ("\ufeffA=first line", None),
        ("\ufeffA=first", "first"),
        ("A=value\r\nB=x\r", "value"),
        ("if [ -n x ]; then", None),
        ("A = spaced", None),
    ],
)
def test_lines(tmp_path: pathlib.Path, line: str, value: t.Optional[str]) -> None:
    assert parse(tmp_path, line).get("A") == value


def test_a_file_with_a_secret_that_others_can_read_is_warned_of(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "rc.sh"
    path.write_text("EC2_SECRET_KEY=secret\n")
    path.chmod(0o640)
    warnings: list[str] = []
    read_rc_file(str(path), warnings.append)
    assert len(warnings) == 1 and "0640" in warnings[0] and "secret key" in warnings[0]
