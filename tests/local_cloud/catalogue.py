# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that a new cloud holds."""

from __future__ import annotations

import uuid

from .model import Image

_KERNEL = "Cirros-0.3.0-x86_64-kernel"
_RAMDISK = "Cirros-0.3.0-x86_64-ramdisk"
_CIRROS = "Cirros-0.3.0-x86_64"

# Name, container, public (else the first user's own), architecture, kernel, ramdisk; oldest first.
_Row = tuple  # the rows below
_UBUNTU = ("Ubuntu-12.04-amd64", "ami", True, "x86_64", None, None)
_UEC = ("Cirros-uec-ami", "ami", True, None, _KERNEL, _RAMDISK)
_PRIVATE = ("demo-private-snapshot", "ami", False, None, None, None)
_PLAIN = (_CIRROS, "ami", True, None, None, None)
_BOOT = ((_KERNEL, "aki", True, None, None, None), (_RAMDISK, "ari", True, None, None, None))

_CATALOGUES: dict[str, tuple[_Row, ...]] = {
    "tutorial": (_PLAIN, *_BOOT, _UBUNTU, _UEC, _PRIVATE),
    "recorded": (*_BOOT, _PLAIN, _UBUNTU, _UEC, _PRIVATE),
}
CATALOGUES = tuple(_CATALOGUES)


def build(name: str, public_owner: str, private_owner: str) -> list[Image]:
    """Return the images of the catalogue ``name``, oldest first; the owners are tenant ids.

    In ``tutorial`` the first image ever listed, and so ``ami-00000001``, is Cirros. ``recorded`` has the order of the
    cloud whose exchanges the conformance tests replay.
    """
    return [
        Image(
            uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"image:{title}")),
            name=title,
            container=container,
            owner=public_owner if public else private_owner,
            public=public,
            architecture=architecture,
            kernel=kernel,
            ramdisk=ramdisk,
        )
        for title, container, public, architecture, kernel, ramdisk in _CATALOGUES[name]
    ]
