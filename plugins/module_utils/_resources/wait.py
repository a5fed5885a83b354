# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Waiting for VMs: one list call per poll for the whole batch, quick at first, then slower."""

from __future__ import annotations

import itertools
import time
import typing as t

from .._api.errors import CloudError
from .instances import list_instances, states_of

FIRST_PAUSE = 1.0
GROWTH = 1.3
LONGEST_PAUSE = 5.0
# After so many looks a pause has outgrown every limit; the power of a larger number does not fit into a float.
MOST_ROUNDS = 60


def growing(rounds: int, number: int) -> float:
    """Seconds before a look at number VMs, after so many others: from 1 to 5, longer where the list is long."""
    return float(min(FIRST_PAUSE * GROWTH ** min(rounds, MOST_ROUNDS), max(LONGEST_PAUSE, number / 50)))


def polls(number: int, timeout: float) -> t.Iterator[bool]:
    """Sleep before each poll of number VMs; yields whether it is the last one, timeout seconds after the first."""
    deadline = time.monotonic() + timeout
    for rounds in itertools.count():
        time.sleep(max(0.0, min(growing(rounds, number), deadline - time.monotonic())))
        last = time.monotonic() >= deadline
        yield last
        if last:
            return


def insist(ask: t.Callable[[], None], passes: t.Callable[[CloudError], bool], seconds: float) -> None:
    """Ask until it is granted: what was refused with an error that passes is asked again, for so many seconds.

    ask itself looks what became of a request that may have been carried out, and raises only if it was not.
    """
    for last in itertools.chain([seconds <= 0], polls(1, seconds) if seconds > 0 else ()):
        try:
            ask()
            return
        except CloudError as error:
            if last or not passes(error):
                raise


def wait_for(
    connection: t.Any,
    ids: t.Sequence[str],
    wanted: str | None,
    timeout: float,
    tell: t.Callable[[str], None] = lambda text: None,
    option: str = " (wait_timeout)",
) -> None:
    """Poll until every id is in the state wanted, or gone if wanted is None. tell hears how far it is.

    option: what is said of where timeout comes from.
    Raises CloudError with the last states seen as details ``instances`` when timeout (seconds) is over.
    """
    expected = set(ids)
    for last in polls(len(expected), timeout):
        views = [view for view in list_instances(connection).views if view["instance_id"] in expected]
        missing = views if wanted is None else [view for view in views if view["state"] != wanted]
        goal = wanted or "terminated"
        tell(f"{len(expected) - len(missing)}/{len(expected)} {goal}")
        if not missing:
            return
        if last:
            raise CloudError(
                f"After {timeout:g} s{option}, {len(missing)} of {len(expected)} VMs are not {goal}: "
                f"{states_of(missing)}. They go on by themselves; run the task again to wait on.",
                instances=views,
            )
