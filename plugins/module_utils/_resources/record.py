# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The record that a launch leaves in its client token: ``nova-ec2.BATCH-AND-NONCE.DATA.SLOTS``.

BATCH is a fingerprint of the batch's name (10 hexadecimal digits), NONCE sets launches apart (8 of them), DATA is a
fingerprint of the user data (``0`` for none), SLOTS the numbers of the VMs in the order of their launch indexes, such
as ``1-20_23``.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

_RECORD = r"nova-ec2\.([0-9a-f]{10})[0-9a-f]{8}\.([0-9a-f]+)\.([0-9_-]+)\Z"
# ec2-api takes client tokens of up to 64 characters.
LONGEST_SLOTS = 64 - len("nova-ec2.") - len("0123456789abcdef01.") - len("abcdef.")
# Six digits, twice.
LONGEST_RUN = 13
LONGEST_TEXT = 255
# The tag that keeps the same text where the server does not show tokens.
TAG = "ansible-launch"


class Record(t.NamedTuple):
    """A record read back. batch: the fingerprint of the batch's name."""

    batch: str
    data: str
    packed: str

    def slot(self, index: int) -> int | None:
        """The number of the VM of a launch index, or None if the record has none for it."""
        for run in self.packed.split("_"):
            first, dash, last = run.partition("-")
            if len(run) > LONGEST_RUN or not first.isdecimal() or not (last.isdecimal() or not dash):
                continue
            length = int(last or first) - int(first) + 1
            if 0 <= index < length:
                return int(first) + index or None
            index -= max(length, 0)
        return None


def record(batch: str, slots: t.Sequence[int], user_data: bytes | None) -> str:
    """What is written down with a launch of VMs for slots. Unlike any other: no cloud has seen this token before."""
    import uuid

    return f"nova-ec2.{batch_fingerprint(batch)}{uuid.uuid4().hex[:8]}.{fingerprint(user_data)}.{_packed(slots)}"


def read(text: str | None) -> Record | None:
    """The record that a token or tag holds, or None if it holds something else."""
    found = re.match(_RECORD, text) if text and len(text) <= LONGEST_TEXT else None
    return Record(found[1], found[2], found[3]) if found else None


def recordable(slots: t.Sequence[int]) -> int:
    """How many of slots, from the first, fit into one record."""
    fit = len(slots)
    while len(_packed(slots[:fit])) > LONGEST_SLOTS:
        fit -= 1
    return fit


def batch_fingerprint(batch: str) -> str:
    """Ten hexadecimal digits that tell the batches of a project apart."""
    return hashlib.sha256(batch.encode()).hexdigest()[:10]


def fingerprint(user_data: bytes | None) -> str:
    """Six hexadecimal digits that tell user data apart; '0' for none."""
    return hashlib.sha256(user_data).hexdigest()[:6] if user_data else "0"


def _packed(slots: t.Sequence[int]) -> str:
    """[1, 2, 3, 7] as '1-3_7'."""
    runs: list[list[int]] = []
    for slot in slots:
        if runs and slot and slot == runs[-1][1] + 1:
            runs[-1][1] = slot
        else:
            runs.append([slot, slot])
    return "_".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
