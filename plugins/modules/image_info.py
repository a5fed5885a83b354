#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: Find images
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Lists the images that can be seen through Nova's EC2 API, and picks those that match.
  - All matching is done by the module itself, because Nova ignores filters and owners and always lists everything.
  - Image ids differ from cloud to cloud; names are what playbooks can share.
  - Can also be called M(nova_ec2.cloud.image_facts).
options:
  image_ids:
    description:
      - Only images with one of these ids. An empty list is no image at all.
    type: list
    elements: str
    aliases: [image_id]
  name:
    description:
      - Only images of exactly this name, or whose name matches it as a pattern with V(*), V(?) and V([seq]).
      - Upper and lower case differ.
    type: str
  name_regex:
    description:
      - Only images in whose name this regular expression is found. An empty one is refused.
    type: str
  owner_ids:
    description:
      - Only images of one of these projects, by id. An empty list is no image at all.
    type: list
    elements: str
    aliases: [owners, owner]
  type:
    description:
      - Only images of this type. A VM is launched from a V(machine) image; it may name a kernel and a ramdisk.
    type: str
    choices: [machine, kernel, ramdisk, any]
    default: machine
  state:
    description:
      - Only images in this state, such as V(available). A VM can only be launched from an available one.
      - Any state if not given.
    type: str
  sort:
    description:
      - By which property to sort. Names are sorted naturally, V(image-9) before V(image-10).
      - Nova's API does not tell when an image was made.
    type: str
    choices: [name, image_id, state]
    default: name
  order:
    description:
      - Whether the first or the last in that order comes first.
    type: str
    choices: [ascending, descending]
    default: ascending
  limit:
    description:
      - Return no more than this many images, after sorting. RV(matched) still counts all.
    type: int
  expect:
    description:
      - Fail unless this many images match, before O(limit).
      - V(one) is for playbooks that launch from what they find.
    type: str
    choices: [one, some, any]
    default: any
extends_documentation_fragment:
  - nova_ec2.cloud.connection
  - nova_ec2.cloud.attributes.info
seealso:
  - module: nova_ec2.cloud.instance
"""

EXAMPLES = r"""
- name: Find the image to launch from
  nova_ec2.cloud.image_info:
    rc_file: ~/ec2rc.sh
    name: Cirros-0.3.0-x86_64
    expect: one
  register: cirros

- name: Use its id
  ansible.builtin.debug:
    msg: "{{ cirros.image.image_id }}"

- name: Find the last of the numbered Debian images
  nova_ec2.cloud.image_info:
    rc_file: ~/ec2rc.sh
    name: debian-12-*
    state: available
    order: descending
    limit: 1
    expect: some

- name: List everything, kernels and ramdisks too
  nova_ec2.cloud.image_info:
    rc_file: ~/ec2rc.sh
    type: any
"""

RETURN = r"""
images:
  description: The images that match, sorted and limited as asked for.
  returned: success
  type: list
  elements: dict
  contains: &image
    image_id:
      description: Its id in this cloud.
      type: str
      sample: ami-00000001
    name:
      description: Its name.
      type: str
      sample: Cirros-0.3.0-x86_64
    description:
      description: Its description, or null.
      type: str
      sample: null
    state:
      description: V(available), or the cloud's word for what it is instead.
      type: str
      sample: available
    type:
      description: V(machine), V(kernel) or V(ramdisk).
      type: str
      sample: machine
    is_public:
      description: Whether every project can use it.
      type: bool
      sample: true
    owner_id:
      description: The id of the project that owns it.
      type: str
      sample: 0f9f1946cbf1415f80b8a882d2a41c9f
    location:
      description: Where it was registered from, or null.
      type: str
      sample: null
    architecture:
      description: Its architecture, or null, which is common.
      type: str
      sample: x86_64
    kernel_id:
      description: The kernel it starts with, or null.
      type: str
      sample: aki-00000002
    ramdisk_id:
      description: The ramdisk it starts with, or null.
      type: str
      sample: ari-00000003
    root_device_name:
      description: Name of the root device.
      type: str
      sample: /dev/sda1
    root_device_type:
      description: V(instance-store) or V(ebs).
      type: str
      sample: instance-store
image:
  description: The first of RV(images), or null if there is none.
  returned: success
  type: dict
  contains: *image
matched:
  description: How many images match, whatever O(limit) says.
  returned: success
  type: int
  sample: 1
"""

import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.images import (
    by_name,
    compiled,
    list_images,
    matcher,
    suggest,
)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "image_ids": {"type": "list", "elements": "str", "aliases": ["image_id"]},
    "name": {"type": "str"},
    "name_regex": {"type": "str"},
    "owner_ids": {"type": "list", "elements": "str", "aliases": ["owners", "owner"]},
    "type": {"type": "str", "choices": ["machine", "kernel", "ramdisk", "any"], "default": "machine"},
    "state": {"type": "str"},
    "sort": {"type": "str", "choices": ["name", "image_id", "state"], "default": "name"},
    "order": {"type": "str", "choices": ["ascending", "descending"], "default": "ascending"},
    "limit": {"type": "int"},
    "expect": {"type": "str", "choices": ["one", "some", "any"], "default": "any"},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    if params["name_regex"] == "":
        raise CloudError("name_regex is empty, and would be found in every name. Leave it out if all are meant.")
    if params["name_regex"] is not None:
        compiled(params["name_regex"])
    if params["limit"] is not None and params["limit"] < 1:
        raise CloudError(f"limit must be at least 1, not {params['limit']}.")


def gather(session: Session) -> dict[str, t.Any]:
    """List the images that match."""
    params = session.params
    everything = list_images(session.connection)
    found = list(filter(matcher(params), everything))
    judge(params, found, everything, session.connection.endpoint.url)
    # by_name first: what is equal in another property stays in the order of names.
    found.sort(key=by_name, reverse=params["order"] == "descending")
    if params["sort"] != "name":
        found.sort(key=lambda view: view[params["sort"]] or "", reverse=params["order"] == "descending")
    images = found[: params["limit"]]
    return {"images": images, "image": images[0] if images else None, "matched": len(found)}


def judge(
    params: dict[str, t.Any], found: list[dict[str, t.Any]], everything: list[dict[str, t.Any]], url: str
) -> None:
    """Fail if other than the expected number of images match."""
    if params["expect"] == "any" or len(found) == 1 or (found and params["expect"] == "some"):
        return
    asked = ", ".join(
        f"{option} {params[option]}"
        for option in ("image_ids", "name", "name_regex", "owner_ids", "type", "state")
        if params[option] is not None
    )
    if found:
        names = ", ".join(f"{view['image_id']} ({view['name']})" for view in found[:10])
        raise CloudError(
            f"{len(found)} images at {url} match {asked}, but exactly one is expected: {names}.",
            endpoint=url,
            matched=len(found),
        )
    candidates = [view for view in everything if params["type"] in ("any", view["type"])]
    near = suggest(params["name"] or "", candidates)
    raise CloudError(f"No image at {url} matches {asked}. {near}", endpoint=url, matched=0)


def main() -> None:
    """Run the module."""
    run(gather, check=check, options=OPTIONS)


if __name__ == "__main__":
    main()
