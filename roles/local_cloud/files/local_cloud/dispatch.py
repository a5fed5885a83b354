# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request in, one reply out: signature, clock, parameters, action, rendering."""

from __future__ import annotations

import dataclasses
import traceback
import uuid
from http.client import responses

from . import actions, auth, errors, params, render
from .actions.call import Call
from .state import Cloud

XML = "text/xml"
PLAIN = "text/plain; charset=UTF-8"


@dataclasses.dataclass
class Reply:
    """An HTTP reply to be. ``code`` (of an EC2 error) and ``trace`` (of an unforeseen failure) only go to the log."""

    status: int
    content_type: str
    body: bytes
    code: str | None = None
    trace: str | None = None


def outside(profile_mount: str, path: str) -> Reply | None:
    """Return the 404 for a path that the API is not mounted at, or None if it is."""
    if not profile_mount or path == profile_mount or path.startswith(profile_mount + "/"):
        return None
    text = f"404 Not Found\r\nThe resource could not be found.\r\n{path}\r\n\r\n"
    return Reply(404, "text/plain; charset=utf8", text.encode())


def plain(status: int, text: str) -> Reply:
    """Return a refusal in plain text; ``text`` follows the status line."""
    return Reply(status, PLAIN, f"{status} {responses[status]}{text}".encode())


def failure(cloud: Cloud, problem: BaseException, request_id: str) -> Reply:
    """Return the XML reply for a failed request."""
    status, code, message = errors.outcome(cloud.profile, problem)
    if isinstance(problem, auth.Unauthorized) and cloud.profile.family != "legacy":
        status = problem.status
    return Reply(status, XML, render.error(code, message, request_id).encode("utf-8", "replace"), code)


class Service:
    """The local cloud, as the transport knows whoever answers requests."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    @property
    def mount(self) -> str:
        """Path that requests must be under; empty if any will do."""
        return self.cloud.profile.mount

    @property
    def latency(self) -> float:
        """Seconds that every request takes longer."""
        return self.cloud.settings.latency

    def now(self) -> float:
        """Return the time that replies are dated with."""
        return self.cloud.now()

    def identify(self, request: auth.Request) -> str | None:
        """Return the name of the user that a request claims to come from, without any check."""
        user = self.cloud.users.get(request.access_key)
        return user.name if user else None

    def handle(self, request: auth.Request, number: int) -> Reply:
        """Carry a request out and return the reply. ``number`` is its place in the log."""
        return handle(self.cloud, request, number)

    def failed(self, problem: BaseException) -> Reply:
        """Return the reply to a request that stumbled over something."""
        return failure(self.cloud, problem, f"req-{uuid.uuid4()}")

    def keystone_down(self, request: auth.Request) -> Reply:
        """Return what the server says while it cannot reach Keystone."""
        if "AWSAccessKeyId" not in request.params:
            return plain(400, "\n\nThe server could not comply with the request.\n\n   ")
        code = "500" if self.cloud.profile.family == "legacy" else "HTTPInternalServerError"
        message = "The server has either erred or is incapable of performing the requested operation."
        return Reply(500, XML, render.error(code, message, f"req-{uuid.uuid4()}").encode(), code)


def handle(cloud: Cloud, request: auth.Request, number: int) -> Reply:
    """Carry a request out and return the reply. ``number`` is its place in the log."""
    request_id = f"req-{uuid.uuid4()}"
    try:
        return _perform(cloud, request, number, request_id)
    except auth.PlainError as refusal:
        return plain(refusal.status, refusal.text)
    except errors.NovaError as problem:
        return failure(cloud, problem, request_id)
    # Nova turns whatever an action stumbles over into a reply, and so must its likeness.
    except Exception as problem:
        return dataclasses.replace(failure(cloud, problem, request_id), trace=traceback.format_exc())


def _perform(cloud: Cloud, request: auth.Request, number: int, request_id: str) -> Reply:
    profile = cloud.profile
    user = auth.authenticate(profile, cloud.users, request)
    auth.check_clock(profile, request, cloud.now())
    flat = auth.protocol_free(profile, request)
    name = request.params["Action"]
    handler = actions.find(profile, name)
    args = params.nest(flat, underscores=profile.ec2api)
    actions.check_arguments(profile, handler, args)
    with cloud.lock:
        cloud.advance()
        data = handler.function(Call(cloud, user, number, request_id), **args)
    body = render.reply(name, request.params["Version"], request_id, data, profile.pretty)
    if profile.ascii_only and not body.isascii():
        raise UnicodeEncodeError("ascii", "", 0, 1, "ordinal not in range(128)")
    return Reply(200, XML, body.encode("utf-8", "replace"))
