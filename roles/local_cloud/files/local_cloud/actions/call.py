# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action needs to know about the request that it serves, and look-ups that many actions share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..errors import NovaError
from ..model import Image, Server, User
from ..profiles import Profile
from ..state import Cloud

_PREFIXES = ("aki", "ari")


class Call:
    """One request: the cloud (locked), its profile, the user, and the request's place in the log."""

    def __init__(self, cloud: Cloud, user: User, number: int, request_id: str) -> None:
        self.cloud = cloud
        self.user = user
        self.number = number
        self.request_id = request_id
        self.profile: Profile = cloud.profile
        self.tenant = user.tenant_id

    @property
    def mangles(self) -> bool:
        """Whether replies carry the extra text that only administrators get."""
        return self.user.is_admin and self.cloud.settings.admin_mangles and not self.profile.ec2api

    @contextlib.contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let others work while this request computes something that touches no state."""
        self.cloud.lock.release()
        try:
            yield
        finally:
            self.cloud.lock.acquire()

    # Servers -----------------------------------------------------------------------------------------------------

    def server(self, ec2_id: Any) -> Server:
        """Return the server of an id, for actions that call a malformed one ``InvalidInstanceID.Malformed``."""
        number = hex_number(ec2_id)
        if number is None:
            raise NovaError("MalformedInstanceId", f'Invalid id: {ec2_id} (expecting "i-...").')
        return self._visible(ec2_id, number)

    def listed_server(self, ec2_id: Any) -> Server:
        """Return the server of an id, for DescribeInstances, which has its own error for a malformed one."""
        number = hex_number(ec2_id)
        if number is None:
            raise NovaError("InvalidEc2Id", f"Ec2 id {ec2_id} is unacceptable.")
        return self._visible(ec2_id, number)

    def _visible(self, ec2_id: str, number: int) -> Server:
        by_id = self.cloud.by_ec2_id.get(ec2_id) if self.profile.ec2api else self.cloud.servers.get(number)
        everything = self.user.is_admin and not self.profile.ec2api
        if by_id is None or not (by_id.tenant_id == self.tenant or everything):
            raise NovaError("InstanceNotFound", f"Instance i-{number:08x} could not be found.", ec2_id)
        return by_id

    # Images ------------------------------------------------------------------------------------------------------

    def images(self) -> list[Image]:
        """Return the images that the user may see, oldest first, and give numbers to those that have none."""
        seen = self._visible_images()
        for image in seen:
            if image.number is None:
                image.number = self.cloud.ec2_number("image")
        return seen

    def _visible_images(self) -> list[Image]:
        everything = self.user.is_admin
        return [image for image in self.cloud.images if everything or image.public or image.owner == self.tenant]

    def image(self, ec2_id: Any) -> Image:
        """Return an image by EC2 id or, when that leads nowhere, by name."""
        number = hex_number(ec2_id)
        visible = self._visible_images()
        found = next((image for image in visible if number is not None and image.number == number), None)
        if found is not None:
            if ec2_id.split("-")[0] == found.container:
                return found
            raise NovaError("ImageNotFound", f"Image {ec2_id} could not be found.", ec2_id)
        named = next((image for image in visible if image.name == ec2_id), None)
        if named is None:
            raise NovaError("ImageNotFound", f"Image {ec2_id} could not be found.", ec2_id)
        if named.number is None:
            named.number = self.cloud.ec2_number("image")
        return named


def hex_number(ec2_id: Any) -> int | None:
    """Return the number of an EC2 id: the hexadecimal digits after the last dash; None if there are none.

    An id that was guessed to be a number fails as it does on the server, for want of a ``split``.
    """
    text = ec2_id.split("-")[-1]
    if "_" in text:
        return None
    try:
        return int(text, 16)
    except ValueError:
        return None


def image_id(image: Image, prefix: str | None = None) -> str:
    """Return the EC2 id of an image, with its own prefix unless another is given."""
    return f"{prefix or image.container}-{image.number or 0:08x}"
