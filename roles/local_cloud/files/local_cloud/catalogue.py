# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that a new cloud holds."""

from __future__ import annotations

import uuid
from typing import Optional

from .model import Image

_KERNEL = "Cirros-0.3.0-x86_64-kernel"
_RAMDISK = "Cirros-0.3.0-x86_64-ramdisk"

# Name, container, owner ("": public), architecture, kernel, ramdisk; oldest first.
_Row = tuple[str, str, str, Optional[str], Optional[str], Optional[str]]
_PLAIN: _Row = ("Cirros-0.3.0-x86_64", "ami", "", None, None, None)
_BOOT: tuple[_Row, ...] = ((_KERNEL, "aki", "", None, None, None), (_RAMDISK, "ari", "", None, None, None))
_OTHERS: tuple[_Row, ...] = (
    ("Ubuntu-12.04-amd64", "ami", "", "x86_64", None, None),
    ("Cirros-uec-ami", "ami", "", None, _KERNEL, _RAMDISK),
    ("demo-private-snapshot", "ami", "user", None, None, None),
    ("admin-private", "ami", "admin", None, None, None),
)

_CATALOGUES: dict[str, tuple[_Row, ...]] = {
    "tutorial": (_PLAIN, *_BOOT, *_OTHERS),
    "recorded": (*_BOOT, _PLAIN, *_OTHERS),
    "test-bed": (*_BOOT, _PLAIN, _OTHERS[1]),
}
CATALOGUES = tuple(_CATALOGUES)


def build(name: str, admin: str, user: str) -> list[Image]:
    """Return the images of the catalogue ``name``, oldest first; ``admin`` and ``user`` are tenant ids.

    In ``tutorial`` the first image ever listed, and so ``ami-00000001``, is Cirros. ``recorded`` has the order of the
    cloud whose exchanges the conformance tests replay, and ``test-bed`` those of tests/openstack.
    """
    return [
        Image(
            uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"image:{title}")),
            name=title,
            container=container,
            owner=user if owner == "user" else admin,
            public=not owner,
            architecture=architecture,
            kernel=kernel,
            ramdisk=ramdisk,
        )
        for title, container, owner, architecture, kernel, ramdisk in _CATALOGUES[name]
    ]
