# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Finding images. Nova's DescribeImages ignores filters and owners, so everything is matched here."""

from __future__ import annotations

import fnmatch
import re
import typing as t

from .._api.connection import attempt
from .._api.errors import CloudError
from .views import image_view

MACHINE_ID = re.compile(r"ami-[0-9a-f]{8,17}\Z")

View = dict[str, t.Any]


def list_images(connection: t.Any) -> list[View]:
    """Every image the cloud shows, kernels and ramdisks included, by name and then id."""
    return sorted(map(image_view, attempt("list images", connection.get_all_images)), key=by_name)


def find_machine_image(connection: t.Any, wanted: str) -> str:
    """The id of the image to launch: wanted itself if it is an id, else of the one image with this exact name.

    Only an available machine image will do. Raises CloudError, naming near names, if there is none or several.
    """
    if MACHINE_ID.match(wanted):
        return wanted
    if wanted not in connection.image_ids:
        connection.image_ids[wanted] = _find(connection, wanted)
    return str(connection.image_ids[wanted])


def bootable(connection: t.Any) -> list[View]:
    """The images that VMs can be launched from."""
    return [view for view in list_images(connection) if view["type"] == "machine" and view["state"] == "available"]


def _find(connection: t.Any, wanted: str) -> str:
    images, url = bootable(connection), connection.endpoint.url
    found = [view["image_id"] for view in images if view["name"] == wanted]
    if len(found) == 1:
        return str(found[0])
    if found:
        raise CloudError(f"{len(found)} images are named {wanted!r}: {', '.join(found)}. Give one of these ids.")
    raise CloudError(f"{url} shows no image named {wanted!r} to launch from. {suggest(wanted, images)}", endpoint=url)


def suggest(wanted: str, images: t.Sequence[View]) -> str:
    """A sentence with the names nearest to wanted, or all there are."""
    names = sorted({view["name"] for view in images if view["name"]})
    if not names:
        return "This project can see no available machine image."
    import difflib

    lower, part = {name.lower(): name for name in names}, wanted.strip("*?").lower()
    near = [name for name in names if part and part in name.lower()][:3]
    near = near or [lower[name] for name in difflib.get_close_matches(part, lower, n=3, cutoff=0.5)]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"There are: {', '.join(names[:10])}{' and more' if len(names) > 10 else ''}."


def matcher(params: t.Mapping[str, t.Any]) -> t.Callable[[View], bool]:
    """A test for images from the options image_ids, name, name_regex, owner_id, type, state and is_public."""
    regex = compiled(params["name_regex"]) if params["name_regex"] else None

    def matches(view: View) -> bool:
        name = view["name"] or ""
        return (
            (params["image_ids"] is None or view["image_id"] in params["image_ids"])
            and (params["name"] is None or fnmatch.fnmatchcase(name, params["name"]) or name == params["name"])
            and (regex is None or regex.search(name) is not None)
            and (params["owner_ids"] is None or view["owner_id"] in params["owner_ids"])
            and params["type"] in ("any", view["type"])
            and (params["state"] is None or view["state"] == params["state"])
        )

    return matches


def compiled(pattern: str) -> re.Pattern[str]:
    """A regular expression, or a CloudError that says what is wrong with it."""
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise CloudError(f"name_regex {pattern!r} is not a regular expression: {exc}.") from exc


def by_name(view: View) -> tuple[list[t.Any], str]:
    """Sort key: names in natural order (image-9 before image-10), then ids."""
    parts = re.split(r"(\d+)", view["name"] or "")
    return [int(part) if part.isdecimal() else part.lower() for part in parts], view["image_id"]
