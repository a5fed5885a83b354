# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What a run does next: RULES, in order. Each looks at the same facts, and the first that has an answer decides.

All of them are pure, and none of them knows where in a run it is: what was seen last, and what the run remembers, say
what is left to do.
"""

from __future__ import annotations

import typing as t

from .._api.errors import GROUP_AMBIGUOUS, QUOTA, REFUSED, ZONE_UNAVAILABLE, CloudError
from .._resources.instances import View, by_index, states_of
from .._resources.record import TAG, recordable
from .._resources.wait import growing
from .actions import (
    Action,
    Change,
    Found,
    Launch,
    Look,
    Mark,
    Note,
    Refuse,
    SingleMark,
    Tag,
    Terminate,
    Unmark,
    Waiting,
)
from .facts import Facts, Rule, until_quiet
from .goal import ABSENT, RUNNING
from .memory import LOOK_SECONDS, Lost
from .seen import Seen
from .slots import free, number
from .zones import spread

FIRST_LOOK = 0.5
# For how long after the last change a surplus is left to the run that made it. What that takes back is listed as before
# for as long as the cloud takes to let go of it, up to a minute if it is still being built; and ec2-api builds VMs one
# after the other, lists each at once, and answers the launch after the last: until then that run takes nothing back.
GRACE_SECONDS = 60.0
# For how long a launch waits for VMs that are on their way out of the quota.
ROOM_SECONDS = 60.0


def lost_launch(facts: Facts) -> Action | None:
    """The answer to a launch was lost: look for its VMs, and take them over. It is not sent again."""
    lost = facts.memory.lost
    if lost is None:
        return None
    look = None
    if len(facts.seen.views) < lost.launch.expected and lost.unseen is None:
        look = until_quiet(facts, "lost", LOOK_SECONDS, at_once=True)
    return look or Found(_of_launch(facts.seen, lost))


def failed_launch(facts: Facts) -> Action | None:
    """A launch failed: mend what can be mended, be content if that is allowed, or give up."""
    trouble, goal = facts.memory.trouble, facts.goal
    if trouble is None:
        return None
    error = trouble.error
    room = _room_to_come(facts) if QUOTA.matches(error) and error.outcome == REFUSED and goal.wait else None
    if room is not None:
        return room
    if trouble.launch.instead_of and QUOTA.matches(error) and goal.max_unavailable:
        said = f"{error.message} There is no room for max_surge: members go before others take their place."
        return Note({"trouble": None, "cramped": True}, said)
    if goal.contents(len(facts.seen.views)) and (trouble.looked or QUOTA.matches(error)):
        return Note({"trouble": None, "refused": error})
    if trouble.looked:
        error.message += trouble.looked
        return Refuse(error)
    if GROUP_AMBIGUOUS.matches(error) and not facts.memory.mended:
        return SingleMark()
    if ZONE_UNAVAILABLE.matches(error) and error.outcome == REFUSED and len(_zones(facts)) > 1:
        closed = facts.memory.closed | {t.cast(str, trouble.launch.zone)}
        return Note({"trouble": None, "closed": closed}, f"{error.message} The other zones take its share.")
    return Refuse(error, advise=True)


def too_many(facts: Facts) -> Action | None:
    """Members that the plan gives up go first, because the quota may be needed; so do failed ones to be replaced."""
    steps = facts.agreed.steps
    failed = {step.instance_id for step in steps.steps if step.action == "replace" and step.state == "error"}
    gone = (*steps.ids("terminate"), *(value for value in steps.ids("replace") if value in failed))
    there = tuple(value for value in gone if value in facts.seen.views)
    return Terminate(there, "removed") if there else None


def leaving_ones(facts: Facts) -> Action | None:
    """See those go that were told to, before anything else is counted."""
    going = facts.memory.going
    if not going:
        return None
    look = _look(facts, "gone", facts.goal.timeout, going, len(going))
    if look is not None:
        return look
    left = [view for view in facts.seen.lingering if view["instance_id"] in going]
    total = len(t.cast(Waiting, facts.memory.waiting).ids)
    return Refuse(_too_slow(left, total, "terminated", facts.goal.timeout))


def mark_to_go(facts: Facts) -> Action | None:
    """A batch without members needs no mark."""
    return Unmark() if facts.agreed.unmark and "unmark" not in facts.memory.asked else None


def stopped_ones(facts: Facts) -> Action | None:
    """Start what is stopped before anything is launched."""
    return _change(facts, "start")


def running_ones(facts: Facts) -> Action | None:
    """Stop what runs. Nova refuses to stop a VM that is still being built."""
    change = _change(facts, "stop")
    building = [value for value in change.ids if facts.seen.views[value]["state"] == "pending"] if change else []
    if not building:
        return change
    look = _look(facts, "built", facts.goal.timeout, building, len(building))
    return look or Refuse(
        _too_slow([facts.seen.views[value] for value in building], len(building), RUNNING, facts.goal.timeout)
    )


def to_reboot(facts: Facts) -> Action | None:
    """Reboot what runs."""
    return _change(facts, "reboot")


def vanished_ones(facts: Facts) -> Action | None:
    """Somebody else terminated VMs meanwhile, or the list is not what it was: give up before anything is launched."""
    goal, seen, waiting = facts.goal, facts.seen, facts.memory.waiting
    if waiting is None or facts.memory.unseen or waiting.what not in ("settled", "gone"):
        return None
    vanished = sorted(waiting.there - set(seen.views) - facts.memory.leaving)
    if not vanished or (goal.fills and len(seen.views) >= min(facts.target, len(waiting.there))):
        return None
    if waiting.what == "gone" and not facts.missing:
        return None
    return Refuse(
        CloudError(
            f"{len(vanished)} of {len(waiting.there)} VMs were terminated by somebody else while this task waited for "
            f"them to become {goal.state}: {', '.join(vanished[:20])}. Run the task again.",
            vanished_ids=vanished,
        )
    )


def missing_ones(facts: Facts) -> Action | None:
    """Launch what is missing: chunk by chunk, zone by zone, with the lowest free numbers."""
    goal, seen, memory = facts.goal, facts.seen, facts.memory
    room = facts.missing if memory.room is None else min(facts.missing, memory.room)
    if room <= 0:
        return None
    if goal.chunk_size and memory.room is None:
        return Note({"room": goal.chunk_size})
    if not seen.views and not memory.marked:
        return Mark()
    shares = spread(free(set(seen.slots.values()), room), _zones(facts), seen.views.values(), memory.shunned)
    zone, slots = shares[0]
    fit = recordable(slots)
    whole = len(shares) == 1 and fit == len(slots) and not goal.chunk_size
    return Launch(tuple(slots[:fit]), zone, _least(facts, fit, whole), len(seen.views) + fit)


def doubles(facts: Facts) -> Action | None:
    """What this run and another one launched twice is taken back.

    Each run takes back only what it launched itself. All runs number the members alike, so they agree on which go: the
    highest numbers, those of the launch that came second. A run that was cut short cannot; what it left behind is taken
    by whoever still looks GRACE_SECONDS after the last change, from its own again.
    """
    over, memory, views = facts.surplus, facts.memory, facts.seen.views
    if not over or memory.unseen:
        return None
    # By what every run can see, and nothing else: otherwise each would take its own for the first.
    numbers = number(views.values(), {})
    by_number = sorted(views, key=lambda value: numbers[value], reverse=True)
    patient = facts.now - memory.crowd[1] < GRACE_SECONDS
    own = [value for value in (by_number[:over] if patient else by_number) if value in memory.own][:over]
    if not own:
        return None
    return Terminate(
        tuple(own),
        "double",
        f"Another run has launched members of batch {facts.goal.batch} at the same time. What was launched twice is "
        f"taken back: {', '.join(own)}.",
    )


def single_again(facts: Facts) -> Action | None:
    """A launch that is not waited for: look once, and stay only if another run has launched at the same time."""
    memory, seen = facts.memory, facts.seen
    if facts.goal.wait or not memory.created or facts.missing:
        return None
    if not memory.unseen and not facts.surplus and not (memory.withdrawn and seen.lingering):
        return None
    if memory.unseen:
        return Look(0.0, Waiting("single", facts.now + 2 * GRACE_SECONDS, ids=frozenset(seen.views)))
    look = _look(facts, "single", 2 * GRACE_SECONDS, seen.views, len(seen.views))
    if look is None and facts.surplus:
        return Refuse(_too_many(facts))
    return look


def not_there_yet(facts: Facts) -> Action | None:
    """Look until every VM is in the wanted state, or has failed."""
    goal, seen, memory = facts.goal, facts.seen, facts.memory
    if not goal.wait or goal.wanted == ABSENT:
        return None
    if memory.unseen:
        return _look(facts, "settled", goal.timeout, seen.views, len(facts.underway))
    failed, underway = facts.failed, facts.underway
    if failed and not facts.tolerant:
        return Refuse(_failed(failed, seen))
    # Who looks before they are gone would count those that were taken back.
    staying = seen.lingering if memory.withdrawn else ()
    if not facts.surplus and not staying and (not underway or (failed and goal.on_error == "replace")):
        return None
    if memory.tired:
        return None
    return _look(facts, "settled", goal.timeout, seen.views, len(underway)) or _time_is_up(facts)


def failed_ones(facts: Facts) -> Action | None:
    """Do with failed members as on_error says."""
    goal, memory, failed = facts.goal, facts.memory, facts.failed
    if not failed or not goal.wait or not facts.tolerant:
        return None
    ids = tuple(view["instance_id"] for view in failed)
    builds = memory.failed_builds + len(ids)
    if goal.chunk_size and builds > goal.max_failures:
        return Refuse(
            CloudError(f"{builds} VMs have failed, and max_failures is {goal.max_failures}: no more are launched.")
        )
    if goal.on_error == "keep":
        said = f"{len(ids)} members are in error and are kept, as on_error says: {', '.join(ids)}."
        return Note({"accepted": memory.accepted | set(ids), "failed_builds": builds}, said)
    replaced = memory.replacements + len(ids)
    limit = len(facts.seen.views) if goal.max_replacements is None else goal.max_replacements
    if goal.on_error == "replace" and replaced > limit:
        return Refuse(CloudError(f"{replaced} members would have to be replaced, and max_replacements is {limit}."))
    return Terminate(ids, "replaced" if goal.on_error == "replace" else "failed")


def next_chunk(facts: Facts) -> Action | None:
    """All of a chunk have come up: there is room for the next."""
    return Note({"room": facts.goal.chunk_size}) if facts.missing and facts.memory.room == 0 else None


def differing_ones(facts: Facts) -> Action | None:
    """Replace members that differ, some at a time; the first failure ends it.

    With max_surge so many are launched first, and the old ones go when the new ones are well; without, or where the
    quota has no room for that, at most max_unavailable go first.
    """
    goal, seen, memory = facts.goal, facts.seen, facts.memory
    queue = tuple(value for value in facts.agreed.steps.ids("replace") if value in seen.views)
    if not goal.fills or memory.refused is not None or not queue:
        return None
    if memory.surged:
        return Terminate(memory.surged, "differing")
    if not goal.max_surge or memory.cramped:
        return Terminate(queue[: goal.max_unavailable], "differing")
    old = {seen.slots[value]: value for value in queue[: goal.max_surge]}
    stay = [view for key, view in seen.views.items() if key not in old.values()]
    zone, slots = spread(list(old), _zones(facts), stay, memory.shunned)[0]
    slots = slots[: recordable(slots)]
    instead_of = tuple(old[slot] for slot in slots)
    return Launch(tuple(slots), zone, len(slots), len(seen.views) + len(slots), instead_of)


def too_few(facts: Facts) -> Action | None:
    """Fail if there are fewer members than wanted, unless min_count is content with them."""
    goal, memory, views = facts.goal, facts.memory, facts.seen.views
    if not goal.fills or "judged" in memory.asked:
        return None
    wanted = facts.agreed.steps.members if goal.count is None else goal.count
    good = len(views) - len(facts.seen.states("error"))
    judged = memory.asked | {"judged"}
    if len(views) >= wanted and (goal.min_count is None or goal.contents(good)):
        return None
    if goal.contents(good):
        why = f" {memory.refused.message}" if memory.refused else ""
        return Note(
            {"asked": judged},
            f"Batch {goal.batch} has {good} of {wanted} members, which min_count is content with.{why} Run the task "
            "again to have the rest launched.",
        )
    return Refuse(
        memory.refused
        or CloudError(
            f"Batch {goal.batch} has {good} good members instead of "
            f"{wanted if goal.min_count is None else goal.min_count}: {memory.failed_builds or len(views) - good} "
            "failed. Run the task again to have what is missing launched."
        )
    )


def unwritten_numbers(facts: Facts) -> Action | None:
    """Keep the numbers in a tag where the server has tags and does not show tokens."""
    goal, views = facts.goal, facts.seen.views
    if goal.batch is None or facts.seen.old:
        return None
    records = list(facts.agreed.records)
    if goal.wait:
        records += [
            (text, tuple(value for value in ids if value in views and views[value]["state"] == "running"))
            for text, ids in facts.memory.launched
            if not any(views[value]["client_token"] for value in ids if value in views)
        ]
    for text, ids in records:
        if ids and text not in facts.memory.asked:
            return Tag(f"write down the numbers of {len(ids)} VMs", ids, {TAG: text}, vital=False)
    return None


def untagged_ones(facts: Facts) -> Action | None:
    """Tag old and new VMs with one request; those that are still being built cannot be tagged yet."""
    views, tags = facts.seen.views, facts.goal.tags
    if not tags or "tags" in facts.memory.asked:
        return None
    ids = [value for value in (*facts.agreed.tag, *facts.memory.created) if value in views]
    ready = tuple(value for value in ids if views[value]["state"] in ("running", "stopped"))
    building = [value for value in ids if views[value]["state"] == "pending"]
    if building and "building" not in facts.memory.asked:
        said = f"{len(building)} VMs are still being built and have no tags yet. Run the task again to set them."
        return Note({"asked": facts.memory.asked | {"building"}}, said)
    return Tag(f"tag {len(ready)} VMs", ready, tags) if ready else None


RULES: tuple[Rule, ...] = (
    lost_launch,
    failed_launch,
    too_many,
    leaving_ones,
    mark_to_go,
    stopped_ones,
    running_ones,
    to_reboot,
    vanished_ones,
    missing_ones,
    doubles,
    single_again,
    not_there_yet,
    failed_ones,
    next_chunk,
    differing_ones,
    too_few,
    unwritten_numbers,
    untagged_ones,
)


def pause_before(waiting: Waiting) -> float:
    """Seconds before the next look.

    The first comes soon. If it shows that the cloud is quick, so does the second; if not, the second comes when it
    would have come anyway. So who is not there in the first half second costs no request more, and is seen as early as
    ever unless it comes in the second half: then it is seen 1.3 s later.
    """
    number = len(waiting.ids)
    if waiting.rounds < 2:
        usual = growing(0, number) + growing(1, number)
        return FIRST_LOOK if not waiting.rounds or waiting.quick else usual - FIRST_LOOK
    return growing(waiting.rounds - waiting.quick, number)


def _look(facts: Facts, what: str, seconds: float, ids: t.Iterable[str], left_over: int = 0) -> Look | None:
    """The next look, or None if there was one when the time was up.

    seconds: how long this may take in all; left_over: how many are not as they shall be.
    """
    waiting = facts.memory.waiting
    if waiting is None or waiting.what != what:
        waiting = Waiting(what, facts.now + seconds, 0, frozenset(ids), frozenset(facts.seen.views), left_over)
    left = waiting.until - facts.now
    if waiting.rounds and left <= 0:
        return None
    if waiting.rounds == 1:
        waiting = waiting._replace(quick=left_over < waiting.begun)
    pause = min(max(pause_before(waiting), facts.memory.took), left)
    return Look(max(0.0, pause), waiting._replace(rounds=waiting.rounds + 1))


def _room_to_come(facts: Facts) -> Action | None:
    """After the quota refused a launch: wait for VMs that are gone but for their place in it, then ask again.

    What ec2-api takes back of a launch that it refuses looks like members, until it is gone too.
    """
    waiting, seen = facts.memory.waiting, facts.seen
    begun = waiting is not None and waiting.what == "room"
    if seen.parting or (begun and seen.missing_tokens()):
        return _look(facts, "room", min(facts.goal.timeout, ROOM_SECONDS), seen.parting)
    return Note({"trouble": None, "waiting": None}) if begun else None


def _zones(facts: Facts) -> list[str]:
    return [zone for zone in facts.goal.zones if zone not in facts.memory.closed]


def _least(facts: Facts, number: int, whole: bool) -> int:
    """How many VMs a launch must bring; whole: whether it asks for everything that is missing."""
    if facts.goal.min_count is None:
        return number
    return max(1, min(number, facts.goal.min_count - len(facts.seen.views))) if whole else 1


def _of_launch(seen: Seen, lost: Lost) -> tuple[str, ...]:
    """The VMs that showed up of a launch; where the cloud shows tokens, they tell it from that of another run."""
    new = [view for key, view in seen.views.items() if key not in lost.before]
    found = [view for view in new if view["client_token"] == lost.token] or new
    chosen = sorted(found[: len(lost.launch.slots)], key=by_index)
    return tuple(view["instance_id"] for view in chosen)


def _change(facts: Facts, verb: str) -> Change | None:
    ids = tuple(value for value in facts.agreed.steps.ids(verb) if value in facts.seen.views)
    return Change(verb, ids) if ids and verb not in facts.memory.asked else None


def _failed(failed: t.Sequence[View], seen: Seen) -> CloudError:
    return CloudError(
        f"{len(failed)} of {len(seen.views)} VMs failed: {states_of(failed)}. on_error says what becomes of such "
        "members: with keep, replace or terminate the next run goes on."
    )


def _too_many(facts: Facts) -> CloudError:
    return CloudError(
        f"Batch {facts.goal.batch} has {len(facts.seen.views)} members, {facts.surplus} too many, which this task did "
        "not launch: another run of it is at work, or was cut short. Run the task again when it is done; it terminates "
        "what is too much."
    )


def _too_slow(left: t.Sequence[View], total: int, wanted: str, seconds: float) -> CloudError:
    return CloudError(
        f"After {seconds:g} s (wait_timeout), {len(left)} of {total} VMs are not {wanted}: {states_of(left)}. They go "
        "on by themselves; run the task again to wait on.",
        timed_out=True,
    )


def _time_is_up(facts: Facts) -> Action | None:
    """wait_timeout is over: give up, unless min_count is content with what runs."""
    underway, views = facts.underway, facts.seen.views
    if facts.surplus:
        return Refuse(_too_many(facts))
    if not underway:
        return None
    error = _too_slow(underway, len(views), facts.goal.words, facts.goal.timeout)
    if facts.goal.contents(len(views) - len(underway)):
        return Note({"tired": True}, error.message)
    return Refuse(error)
