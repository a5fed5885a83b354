# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions of the API, one module for each kind of thing, found by their name."""

from __future__ import annotations

from typing import Any

from ..errors import NovaError
from ..params import snake_case
from ..profiles import Profile
from . import (
    addresses,
    attributes,
    groups,
    images,
    instances,
    keypairs,
    launch,
    lifecycle,
    tags,
    validation,
    volumes,
    zones,
)
from .registry import ACTIONS, Action

_MODULES = (addresses, attributes, groups, images, instances, keypairs, launch, lifecycle, tags, volumes, zones)


def find(profile: Profile, name: str) -> Action:
    """Return the action called ``name`` (CamelCase, first letter in either case) or refuse the request."""
    action = ACTIONS.get(snake_case(name))
    if action is None or not action.available(profile):
        raise NovaError("InvalidRequest", "The request is invalid.")
    return action


def check_arguments(profile: Profile, action: Action, args: dict[str, Any]) -> None:
    """Check names of parameters where a generation does: ec2-api has a fixed list, Nova ignores what it does not know.

    What a Nova action cannot do without fails inside the action, as a TypeError or KeyError.
    """
    if not profile.ec2api:
        return
    missing = [name for name in action.required if name not in args]
    if missing:
        raise NovaError("MissingParameter", f"The required parameter '{missing[0]}' is missing")
    validation.check(action.name, args)
    unknown = [name for name in args if name not in action.known]
    if unknown:
        raise TypeError(f"{action.name}() got an unexpected keyword argument {unknown[0]!r}")
