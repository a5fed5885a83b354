# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What has to be done to VMs: a pure decision from what is and what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._errors import CloudError
from ._instances import View, age_order, id_order, states_of

RUNNING, STOPPED, REBOOTED, ABSENT = "running", "stopped", "rebooted", "absent"
STATES = {
    "running": RUNNING,
    "present": RUNNING,
    "started": RUNNING,
    "stopped": STOPPED,
    "rebooted": REBOOTED,
    "restarted": REBOOTED,
    "absent": ABSENT,
    "terminated": ABSENT,
}
# What to do with a VM in a state, for a wanted state. A state that is not listed cannot be left through the EC2 API.
MOVES: dict[str, dict[str, str]] = {
    RUNNING: {"running": "keep", "pending": "keep", "stopped": "start"},
    STOPPED: {"running": "stop", "pending": "stop", "stopped": "keep"},
    REBOOTED: {"running": "reboot", "pending": "keep", "stopped": "start"},
}


@dataclass(frozen=True)
class Steps:
    """Which VMs to act on, by id, and how many to launch."""

    launch: int = 0
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    reboot: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.launch or self.start or self.stop or self.reboot or self.terminate)

    def summary(self, created: t.Sequence[str] = (), tagged: t.Sequence[str] = ()) -> dict[str, t.Any]:
        """The plan as modules return it. created: the ids of the launched VMs, once they are known."""
        return {
            "launch": self.launch,
            "created": list(created),
            "started": list(self.start),
            "stopped": list(self.stop),
            "rebooted": list(self.reboot),
            "terminated": list(self.terminate),
            "tagged": list(tagged),
            "kept": list(self.keep),
        }


def decide(wanted: str, views: t.Sequence[View], count: int | None = None) -> Steps:
    """The steps that bring views to the wanted state, and to exactly count VMs unless count is None.

    Surplus VMs go: those in error first, then the newest. A VM in a state that the EC2 API cannot change is an error,
    raised before anything is done.
    """
    if wanted == ABSENT:
        return Steps(terminate=_ids(views))
    surplus = _surplus(views, 0 if count is None else len(views) - count)
    rest = [view for view in views if view["instance_id"] not in surplus]
    _refuse_stuck(wanted, rest)
    moves: dict[str, list[View]] = {"keep": [], "start": [], "stop": [], "reboot": []}
    for view in rest:
        moves[MOVES[wanted][view["state"]]].append(view)
    return Steps(
        launch=0 if count is None else max(0, count - len(views)),
        terminate=_ids(view for view in views if view["instance_id"] in surplus),
        **{move: _ids(chosen) for move, chosen in moves.items()},
    )


def predict(wanted: str, views: t.Sequence[View], steps: Steps) -> list[View]:
    """The VMs that will be there once steps are done, except those yet to be launched."""
    state = RUNNING if wanted == REBOOTED else wanted
    return [{**view, "state": state} for view in views if view["instance_id"] not in steps.terminate]


def _surplus(views: t.Sequence[View], number: int) -> set[str]:
    """The ids of the number VMs that a batch can best do without."""
    if number <= 0:
        return set()
    newest_first = sorted(views, key=age_order, reverse=True)
    expendable = sorted(newest_first, key=lambda view: view["state"] != "error")
    return set(_ids(expendable[:number]))


def _refuse_stuck(wanted: str, views: t.Sequence[View]) -> None:
    stuck = [view for view in views if view["state"] not in MOVES[wanted]]
    if not stuck:
        return
    raise CloudError(
        f"{len(stuck)} of {len(views)} VMs cannot be brought to the state {wanted}: {states_of(stuck)}. Nothing was "
        "changed. A VM in error failed to build: terminate it by its id (instance_ids, state: absent) and run again "
        "to have it replaced. States such as pause or suspend must be ended through the OpenStack API.",
        instances=sorted(views, key=id_order),
        instance_ids=list(_ids(views)),
        plan=Steps(keep=_ids(views)).summary(),
    )


def _ids(views: t.Iterable[View]) -> tuple[str, ...]:
    return tuple(view["instance_id"] for view in sorted(views, key=id_order))
