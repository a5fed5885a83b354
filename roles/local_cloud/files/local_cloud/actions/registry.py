# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of actions, filled by the decorator that marks one."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Callable

from ..profiles import Profile

Handler = Callable[..., "dict[str, object]"]


@dataclasses.dataclass(frozen=True)
class Action:
    """An action: its snake_case name, the function, and what ec2-api demands of its parameters."""

    name: str
    function: Handler
    available: Callable[[Profile], bool]
    known: frozenset[str]
    required: tuple[str, ...]


ACTIONS: dict[str, Action] = {}


def _always(_profile: Profile) -> bool:
    return True


def action(
    available: Callable[[Profile], bool] = _always, also: str = "", required: str = ""
) -> Callable[[Handler], Handler]:
    """Return a decorator that enters a function as the action of the same name.

    ``available`` says in which generations it exists. ``also`` names parameters that ec2-api knows beyond those of the
    function, and ``required`` those that it insists on; both are words separated by blanks.
    """

    def enter(function: Handler) -> Handler:
        names = [name for name in inspect.signature(function).parameters if not name.startswith("_")]
        known = {*names[1:], *also.split(), *required.split(), "filter", "max_results", "next_token"}
        ACTIONS[function.__name__] = Action(
            function.__name__, function, available, frozenset(known), tuple(required.split())
        )
        return function

    return enter
