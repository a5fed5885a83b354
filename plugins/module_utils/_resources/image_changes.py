# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Making, publishing and deregistering an image: single requests, and what to do when an answer does not tell."""

from __future__ import annotations

import contextlib
import typing as t

from .._api.connection import attempt
from .._api.errors import IMAGE_GONE, NOT_SENT, NOT_VOLUME_BACKED, REFUSED, UNKNOWN, CloudError
from .._module import Session
from .images import list_images
from .instances import own_project
from .wait import polls

View = dict[str, t.Any]

# Nova answers CreateImage only when the VM has stopped, for which it waits up to an hour.
ANSWER_TIMEOUT = 3900.0
FAILED = frozenset({"failed", "killed", "error", "invalid"})
GONE = frozenset({"deregistered", "deleted", "pending_delete"})


def there(connection: t.Any) -> list[View]:
    """Every image that the cloud shows and that is not on its way out."""
    return [view for view in list_images(connection) if view["state"] not in GONE]


def by_id(connection: t.Any, image_id: str) -> View | None:
    """The image of this id, or None."""
    return next((view for view in there(connection) if view["image_id"] == image_id), None)


def own_named(connection: t.Any, views: t.Sequence[View], name: str) -> list[View]:
    """Those of views that have this name and are of the caller's own project, which is asked for only if need be."""
    named = [view for view in views if view["name"] == name]
    return [view for view in named if view["owner_id"] == own_project(connection)]


def check_own(connection: t.Any, view: View, what: str) -> None:
    """Refuse to touch an image of another project. An administrator would be allowed to."""
    own = own_project(connection)
    if view["owner_id"] != own:
        raise CloudError(
            f"Image {called(view)} belongs to the project {view['owner_id']}, and these credentials are of the project "
            f"{own}: it is left alone. To {what} it, use credentials of its owner."
        )


def check_sound(view: View) -> None:
    """Raise if the image will never be available."""
    if failed(view):
        raise CloudError(
            f"Image {called(view)} has failed: its state is {view['state']}. Remove it with state absent and this "
            "image_id, and make it again.",
            image=view,
        )


def failed(view: View) -> bool:
    """Whether the image will never be available, in any generation's words."""
    state = view["state"] or ""
    return state in FAILED or state.startswith("failed_")


def called(view: View) -> str:
    """An image's id and name, for messages."""
    return f"{view['image_id']} ({view['name']})"


def make(session: Session, known: t.Collection[str]) -> View:
    """Have an image made or registered; known are the ids of all images before. Sent once, whatever happens."""
    params, connection = session.params, session.connection
    what, call = request(session)
    try:
        with patience(connection):
            image_id = attempt(what, call)
            if image_id in known:
                raise CloudError(f"The answer to what should {what} names an image that was there.", outcome=UNKNOWN)
    except CloudError as error:
        if NOT_VOLUME_BACKED.matches(error):
            error.message += (
                f" Nova can make images only of VMs that boot from a volume, and {params['instance_id']} boots from "
                "an image. Launch the VM from a volume, or have its snapshot made with Nova's own API (openstack "
                "server image create)."
            )
        if error.outcome in (REFUSED, NOT_SENT):
            raise
        view = adopt(session, known, error)
        session.warn(f"{error.message} The image is there all the same: {called(view)}.")
        return view
    return named(session, known, image_id)


def request(session: Session) -> tuple[str, t.Callable[[], t.Any]]:
    """What is tried, and the call that makes the image."""
    params, connection = session.params, session.connection
    name, description = params["name"], params["description"]
    if params["instance_id"]:
        return (
            f"make image {name} of {params['instance_id']}",
            lambda: connection.create_image(params["instance_id"], name, description, bool(params["no_reboot"])),
        )
    location = params["image_location"]
    return (
        f"register image {name} from {location}",
        lambda: connection.register_image(name=name, description=description, image_location=location),
    )


@contextlib.contextmanager
def patience(connection: t.Any) -> t.Iterator[None]:
    """Wait long for the answer to what is done here."""
    usual = connection.wire.read_timeout
    connection.wire.read_timeout = max(usual, ANSWER_TIMEOUT)
    try:
        yield
    finally:
        connection.wire.read_timeout = usual


def named(session: Session, known: t.Collection[str], image_id: str | None) -> View:
    """The image that an answer told of, as it is listed."""
    views = there(session.connection)
    found = [view for view in views if view["image_id"] == image_id]
    if not found:
        found = [view for view in own_named(session.connection, views, session.params["name"]) if is_new(view, known)]
    if len(found) != 1:
        raise CloudError(
            f"The cloud said that it made image {image_id or session.params['name']}, but lists "
            f"{ids_of(found) or 'no such image'}. Look with image_info before you run this task again.",
            image_ids=[view["image_id"] for view in found],
        )
    twins = [view for view in views if all(view[key] == found[0][key] for key in ("name", "owner_id"))]
    if len(twins) > 1:
        session.warn(
            f"Something else made an image named {session.params['name']} at the same time: there are {ids_of(twins)}. "
            "Remove those that you do not want with state absent and image_id."
        )
    return found[0]


def adopt(session: Session, known: t.Collection[str], error: CloudError) -> View:
    """The image that was made although the answer got lost: the one new of this name. Raises error if there is none.

    While a VM is being stopped its image is not there yet, so that with wait it is looked for until wait_timeout.
    """
    name = session.params["name"]
    try:
        found = new_ones(session, known)
        for _last in polls(1, session.params["wait_timeout"]) if session.params["wait"] and not found else ():
            found = new_ones(session, known)
            if found:
                break
    except CloudError as unseen:
        error.message += f" Whether the image was made cannot be seen either ({unseen.message})."
        raise error from unseen
    if len(found) == 1:
        return found[0]
    if found:
        error.message += (
            f" {len(found)} new images are named {name}: {ids_of(found)}. Another run made one at the same time; "
            "remove those that you do not want with state absent and image_id."
        )
        error.details["image_ids"] = [view["image_id"] for view in found]
    else:
        error.message += (
            f" No new image named {name} is listed, but the cloud may still be at it: look with image_info before you "
            "run this task again."
        )
    raise error


def new_ones(session: Session, known: t.Collection[str]) -> list[View]:
    """The project's images of the wanted name that were not known before."""
    views = [view for view in there(session.connection) if is_new(view, known)]
    return own_named(session.connection, views, session.params["name"])


def is_new(view: View, known: t.Collection[str]) -> bool:
    """Whether an image was not there before."""
    return view["image_id"] not in known


def ids_of(views: t.Iterable[View]) -> str:
    """Ids for messages."""
    return ", ".join(view["image_id"] for view in views)


def publish(session: Session, view: View, public: bool) -> View:
    """Let every project use the image, or the own one only. Returns it as it is then."""
    connection, image_id = session.connection, view["image_id"]
    what = f"make image {called(view)} {'public' if public else 'private'}"
    trouble = None
    try:
        operation = "add" if public else "remove"
        attempt(what, connection.modify_image_attribute, image_id, "launchPermission", operation, None, ["all"])
    except CloudError as error:
        error.details["image"] = view
        if error.outcome in (REFUSED, NOT_SENT):
            raise advised(error, public) from error.__cause__
        trouble = error
    now = again(connection, image_id, trouble)
    if now is None or now["is_public"] != public:
        shown = "gone" if now is None else "public" if now["is_public"] else "private"
        said = CloudError(f"Could not {what}: the cloud said that it did, but the image is {shown}.", image=now)
        raise advised(trouble or said, public)
    if trouble:
        session.warn(f"{trouble.message} It was done all the same.")
    return now


def advised(error: CloudError, public: bool) -> CloudError:
    """The same error; if it is that an image could not be made public, with the likely reason."""
    if public and error.outcome != NOT_SENT:
        error.message += " Many clouds let only administrators make images public."
    return error


def again(connection: t.Any, image_id: str, trouble: CloudError | None) -> View | None:
    """The image as it is after a change; trouble is why that is not known."""
    try:
        return by_id(connection, image_id)
    except CloudError as unseen:
        if trouble is None:
            raise
        trouble.message += f" What became of it cannot be seen either ({unseen.message})."
        raise trouble from unseen


def wait_available(session: Session, view: View) -> View:
    """Poll until the image is available. Raises CloudError if it fails, vanishes or takes longer than wait_timeout."""
    check_sound(view)
    if view["state"] == "available":
        return view
    timeout, seen = session.params["wait_timeout"], view
    for _last in polls(1, timeout):
        now = by_id(session.connection, view["image_id"])
        if now is None:
            raise CloudError(f"Image {called(view)} vanished while it was waited for.", image=None)
        seen = now
        check_sound(seen)
        if seen["state"] == "available":
            return seen
    raise CloudError(
        f"After {timeout:g} s (wait_timeout), image {called(seen)} is {seen['state']}, not available. It goes on by "
        "itself; run the task again to wait on.",
        image=seen,
    )


def deregister(session: Session, view: View) -> None:
    """Remove the image; one that has vanished is gone. If the answer gets lost, look whether it is."""
    connection, image_id = session.connection, view["image_id"]
    what = f"deregister image {called(view)}"
    try:
        attempt(what, connection.deregister_image, image_id, absent=IMAGE_GONE)
    except CloudError as error:
        if error.outcome in (REFUSED, NOT_SENT) or again(connection, image_id, error):
            raise
        session.warn(f"{error.message} It was done all the same.")
        return
    if not session.params["wait"]:
        return
    timeout, left = session.params["wait_timeout"], by_id(connection, image_id)
    for _last in polls(1, timeout) if left else ():
        left = by_id(connection, image_id)
        if left is None:
            break
    if left:
        raise CloudError(f"After {timeout:g} s (wait_timeout), image {called(view)} is still listed.", image=left)
