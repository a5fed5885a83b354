#!/usr/bin/python
# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Make, register, publish and deregister images
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Makes sure that the project has an image of a name, or has not, in a cloud that offers Nova's EC2 API.
  - An image is made of a VM, or registered from a manifest in the cloud's object store. One that exists already is left
    as it is, except for who may launch from it.
  - Nova lets several images bear one name. This module looks only at those of the own project, and fails, telling their
    ids, if several bear it.
options:
  image_id:
    description:
      - Id of an existing image, to deregister it or to change who may launch from it.
      - If O(name) is given too, it must be this image's.
    type: str
  name:
    description:
      - Name of the image. Names like image ids are refused.
      - For a new image, ASCII without line breaks, up to 255 characters. Names that Nova would take for a number, a
        boolean or nothing are refused then.
    type: str
    aliases: [image_name]
  state:
    description:
      - Whether the image shall exist.
    type: str
    choices: [present, absent]
    default: present
  instance_id:
    description:
      - The VM to make the image of, if the project has none of this O(name).
      - Nova does that only for VMs that boot from a volume.
      - Nova answers when the VM has been stopped, for which it waits up to an hour. The request is sent once, and the
        answer is waited for, whatever O(read_timeout) says. If it gets lost, the new image is looked for.
    type: str
  image_location:
    description:
      - Path of the manifest from which to register the image, such as V(bucket/image.manifest.xml), if the project has
        none of this O(name).
    type: str
  description:
    description:
      - Description of a new image. Nova ignores it; the stand-alone ec2-api keeps it.
      - That of an existing image is never changed.
    type: str
  no_reboot:
    description:
      - Make the image of the VM while it runs, so that its file systems may be in no clean state.
      - Otherwise Nova stops the VM, and starts it again afterwards.
    type: bool
    default: false
  launch_permissions:
    description:
      - Who besides the project may launch from the image. Left as it is if not given.
      - Many clouds let only administrators make images public.
    type: dict
    suboptions:
      group_names:
        description:
          - V(all) for every project, or an empty list for the own one only.
        type: list
        elements: str
      user_ids:
        description:
          - Nova cannot let single users or projects launch from an image; anything but an empty list is refused.
        type: list
        elements: str
  wait:
    description:
      - Wait until the image is available, or with O(state=absent) no longer listed.
    type: bool
    default: false
  wait_timeout:
    description:
      - For how many seconds to wait at most.
    type: int
    default: 1200
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
  - module: nova_ec2.cloud.image_info
  - module: nova_ec2.cloud.instance
"""

EXAMPLES = r"""
- name: Make an image of a VM that boots from a volume
  nova_ec2.cloud.image:
    rc_file: ~/ec2rc.sh
    name: web-2026-11
    instance_id: i-0000001a
    wait: true
  register: made

- name: Let every project launch from it
  nova_ec2.cloud.image:
    rc_file: ~/ec2rc.sh
    image_id: "{{ made.image_id }}"
    launch_permissions:
      group_names: [all]

- name: Register an image that was uploaded to the object store
  nova_ec2.cloud.image:
    rc_file: ~/ec2rc.sh
    name: debian-12
    image_location: images/debian-12.img.manifest.xml
    wait: true

- name: Deregister an image
  nova_ec2.cloud.image:
    rc_file: ~/ec2rc.sh
    name: web-2026-10
    state: absent
"""

RETURN = r"""
image_id:
  description: Its id. Null in check mode for an image that would be made, and if there is none to deregister.
  returned: success
  type: str
  sample: ami-0000000c
image:
  description:
    - The image, or null if it does not exist (any more).
    - In check mode, what only the cloud can tell of an image that would be made is null.
  returned: success, and when a new image failed or is not available in time
  type: dict
  contains:
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
image_ids:
  description: The images among which a task cannot choose.
  returned: when it fails for that
  type: list
  elements: str
  sample: [ami-0000000c, ami-0000000d]
"""

import re
import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.names import check_known
from ansible_collections.nova_ec2.cloud.plugins.module_utils._module import Plan, Session, run
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.image_changes import (
    called,
    check_own,
    check_sound,
    deregister,
    ids_of,
    make,
    own_named,
    publish,
    there,
    wait_available,
)
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.instances import (
    check_instance_ids,
    list_instances,
)

View = dict[str, t.Any]

IMAGE_ID = re.compile(r"a[mkr]i-(?:[0-9a-f]{8}|[0-9a-f]{17})\Z")
UNTOLD = ("image_id", "owner_id", "architecture", "kernel_id", "ramdisk_id", "root_device_name", "root_device_type")

OPTIONS: dict[str, dict[str, t.Any]] = {
    "image_id": {"type": "str"},
    "name": {"type": "str", "aliases": ["image_name"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "instance_id": {"type": "str"},
    "image_location": {"type": "str"},
    "description": {"type": "str"},
    "no_reboot": {"type": "bool", "default": False},
    "launch_permissions": {
        "type": "dict",
        "options": {
            "group_names": {"type": "list", "elements": "str"},
            "user_ids": {"type": "list", "elements": "str"},
        },
    },
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 1200},
}


def check(params: dict[str, t.Any]) -> None:
    """Refuse bad input before anything is asked of the cloud."""
    for option in ("description", "image_location"):
        if params[option] is not None and (params[option] or option != "description"):
            check_known(option, params[option])
    if params["name"] is not None and not params["name"]:
        raise CloudError("name: an image has a name of 1 to 255 characters.")
    if params["name"] and IMAGE_ID.match(params["name"]):
        raise CloudError(f"name: {params['name']!r} is an image id and not a name; give it as image_id.")
    if params["image_id"] is not None and not IMAGE_ID.match(params["image_id"]):
        raise CloudError(f"image_id: {params['image_id']!r} is not an image id such as ami-0000001a.")
    if params["instance_id"] is not None:
        check_instance_ids("instance_id", [params["instance_id"]])
    if params["wait_timeout"] < 1:
        raise CloudError(f"wait_timeout must be at least 1, not {params['wait_timeout']}.")
    check_permissions(params["launch_permissions"] or {})


def check_permissions(asked: dict[str, t.Any]) -> None:
    """Refuse launch permissions that Nova does not have."""
    if asked.get("user_ids"):
        raise CloudError(
            "launch_permissions.user_ids: Nova's EC2 API cannot let single users or projects launch from an image. "
            "Leave it out, and give group_names: [all] to let everybody, or share the image with Glance's own API."
        )
    for group in asked.get("group_names") or []:
        if group != "all":
            raise CloudError(f"launch_permissions.group_names: {group!r} is not known; Nova has the group all only.")


def wanted_public(params: dict[str, t.Any]) -> bool | None:
    """Whether every project shall be able to use the image; None if that is to be left as it is."""
    groups = (params["launch_permissions"] or {}).get("group_names")
    return None if groups is None else "all" in groups


def find(session: Session, views: list[View]) -> View | None:
    """The image that the task is about, or None. Raises CloudError if several may be meant."""
    name, image_id = session.params["name"], session.params["image_id"]
    if image_id is not None:
        view = next((view for view in views if view["image_id"] == image_id), None)
        if view and name is not None and view["name"] != name:
            raise CloudError(f"Image {called(view)} is not named {name!r}. Give only one of image_id and name.")
        return view
    found = own_named(session.connection, views, name)
    if len(found) > 1:
        raise CloudError(
            f"{len(found)} images of this project are named {name!r}: {ids_of(found)}. Give one of them as image_id.",
            image_ids=[view["image_id"] for view in found],
        )
    return found[0] if found else None


def plan(session: Session) -> Plan:
    """Compare what exists with what is asked for. Reads only."""
    params, connection = session.params, session.connection
    views = there(connection)
    current = find(session, views)
    if params["state"] == "absent":
        if current is None:
            return Plan(before={}, after={}, result=answer(None))
        check_own(connection, current, "deregister")
        return Plan(before=current, after={}, result=gone(current), apply=lambda: remove(session, current))
    if current is None:
        return to_make(session, {view["image_id"] for view in views})
    check_sound(current)
    public = wanted_public(params)
    differs = public is not None and current["is_public"] != public
    if differs:
        check_own(connection, current, "change")
    waits = params["wait"] and current["state"] != "available"
    after = {**current, "is_public": public if differs else current["is_public"]}
    if waits:
        after["state"] = "available"
    apply = (lambda: finish(session, current)) if differs or waits else None
    return Plan(before=current, after=after, result=answer(after), apply=apply, changes=differs)


def to_make(session: Session, known: set[str]) -> Plan:
    """The plan for an image that the project does not have."""
    params = session.params
    if params["image_id"] is not None:
        raise CloudError(f"There is no image {params['image_id']}: this project cannot see it, or it is gone.")
    if not (params["instance_id"] or params["image_location"]):
        raise CloudError(
            f"This project has no image named {params['name']!r}. To have it made, give instance_id, or image_location."
        )
    check_known("name", params["name"])
    if params["instance_id"]:
        vms = {view["instance_id"] for view in list_instances(session.connection).views}
        if params["instance_id"] not in vms:
            raise CloudError(f"There is no VM {params['instance_id']} to make an image of: it may be terminated.")
    after = {
        **dict.fromkeys(UNTOLD),
        "name": params["name"],
        "description": params["description"] or None,
        "state": "available" if params["wait"] else "pending",
        "type": "machine",
        "is_public": bool(wanted_public(params)),
        "location": params["image_location"],
    }
    return Plan(before={}, after=after, result=answer(after), apply=lambda: finish(session, make(session, known)))


def finish(session: Session, view: View) -> dict[str, t.Any]:
    """Wait for an image that exists, and let those launch from it who shall."""
    try:
        check_sound(view)
        if session.params["wait"]:
            view = wait_available(session, view)
        public = wanted_public(session.params)
        if public is not None and view["is_public"] != public:
            view = publish(session, view, public)
    except CloudError as error:
        error.details.setdefault("image_id", view["image_id"])
        raise
    return answer(view)


def remove(session: Session, view: View) -> dict[str, t.Any]:
    """Deregister the image."""
    deregister(session, view)
    return gone(view)


def gone(view: View) -> dict[str, t.Any]:
    """The result once an image is deregistered."""
    return {"image_id": view["image_id"], "image": None}


def answer(view: View | None) -> dict[str, t.Any]:
    """The result for an image."""
    return {"image_id": view["image_id"] if view else None, "image": view}


def main() -> None:
    """Run the module."""
    run(
        plan,
        check=check,
        options=OPTIONS,
        required_one_of=[("image_id", "name")],
        mutually_exclusive=[("instance_id", "image_location")],
    )


if __name__ == "__main__":
    main()
