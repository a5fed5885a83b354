# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 tests/conformance FOLDER --profile grizzly`` replays recordings against the local cloud."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
import typing as t

if not __package__:
    # Run as a directory: make the relative imports of the other files work.
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    __package__ = "conformance"

from virtual.world import World

from conformance.cloud import Cloud
from conformance.recording import load
from conformance.replay import ACTION_SECONDS, BOOT_SECONDS, Replay

# One in so many is judged on, and nothing is inferred from its reply.
PARTS = 5
HERE = pathlib.Path(__file__).resolve().parent


def main() -> int:
    """Replay, tell every difference, and end with the figures. 1 if fewer than the minimum agree."""
    options = _options()
    exchanges = load(options.folder)
    if not exchanges:
        print(f"{options.folder} holds no recordings", file=sys.stderr)
        return 1
    users = options.users or _users(options.folder)
    secrets = {user["access"]: user["secret"] for user in json.loads(users.read_text()).values()}
    reasons = json.loads((HERE / "known-differences.json").read_text()).get(options.profile, {})
    judged = [one.name for one in exchanges if one.reply is not None and _number(one.name) % PARTS == options.judge]
    compared, differing, inferred = [], {}, {}
    # What the recordings waited for takes no time here.
    with World().entered():
        cloud = Cloud(options.profile, users, BOOT_SECONDS, ACTION_SECONDS)
        for verdict in Replay(exchanges, cloud, secrets, judged).run():
            if verdict.name not in compared:
                compared.append(verdict.name)
            for difference in verdict.differences:
                print(f"{verdict.name}: {difference}", flush=True)
                if verdict.inferred:
                    inferred[verdict.name] = verdict.inferred
                else:
                    differing[verdict.name] = reasons.get(verdict.name, "no reason is known")
    # An exchange of several requests is the cloud's as soon as one of its differences is.
    inferred = {name: why for name, why in inferred.items() if name not in differing}
    _tell("Differences", differing)
    _tell("Differences that may come of what the replay inferred, and are not counted", inferred)
    counted = [name for name in compared if name not in inferred]
    shares = [
        _told("developed on", [name for name in counted if name not in judged], differing),
        _told("judged on", [name for name in counted if name in judged], differing),
        _told("share", counted, differing),
    ]
    return 0 if min(shares) >= options.minimum else 1


def _number(name: str) -> int:
    """The number that an exchange's name begins with."""
    return int(re.match(r"\d*", name)[0] or 0)  # type: ignore[index]


def _tell(title: str, names: dict[str, str]) -> None:
    if names:
        print(f"\n{title}:")
    for name in sorted(names):
        print(f"  {name}: {names[name]}")


def _told(what: str, names: list[str], differing: t.Container[str]) -> float:
    """Print how many of so many agree; their share."""
    agreeing = sum(name not in differing for name in names)
    share = 100 * agreeing / len(names) if names else 100.0
    print(f"{what}: {agreeing} of {len(names)}, {share:.1f} %")
    return share


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="a folder of recorded exchanges")
    parser.add_argument("--profile", default="grizzly", help="which generation the local cloud shall be")
    parser.add_argument("--users", type=pathlib.Path, help="the recorded users; users.json beside or above the folder")
    parser.add_argument(
        "--judge",
        type=int,
        default=0,
        choices=range(PARTS),
        help=f"judge on those whose number leaves this when divided by {PARTS}",
    )
    parser.add_argument("--minimum", type=float, default=95.0, help="fail if fewer per cent agree")
    return parser.parse_args()


def _users(folder: pathlib.Path) -> pathlib.Path:
    places = (folder, folder.resolve().parent, HERE.parent / "fixtures" / "wire")
    return next(place / "users.json" for place in places if (place / "users.json").exists())


if __name__ == "__main__":
    sys.exit(main())
