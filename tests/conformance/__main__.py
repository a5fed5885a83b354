# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 tests/conformance FOLDER --profile grizzly`` replays recordings against the local cloud."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

if not __package__:
    # Run as a directory: make the relative imports of the other files work.
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    __package__ = "conformance"

from virtual.world import World

from conformance.cloud import Cloud
from conformance.recording import load
from conformance.replay import ACTION_SECONDS, BOOT_SECONDS, Replay

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
    compared, differing = set(), {}
    # What the recordings waited for takes no time here.
    with World().entered():
        cloud = Cloud(options.profile, users, BOOT_SECONDS, ACTION_SECONDS)
        for verdict in Replay(exchanges, cloud, secrets).run():
            compared.add(verdict.name)
            for difference in verdict.differences:
                differing.setdefault(verdict.name, []).append(difference)
                print(f"{verdict.name}: {difference}", flush=True)
    if differing:
        print("\nDifferences:")
        for name in sorted(differing):
            print(f"  {name}: {reasons.get(name, 'no reason is known')}")
    share = 100 * (len(compared) - len(differing)) / max(1, len(compared))
    print(f"compared: {len(compared)}\nagreeing: {len(compared) - len(differing)}\nshare: {share:.1f} %")
    return 0 if share >= options.minimum else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="a folder of recorded exchanges")
    parser.add_argument("--profile", default="grizzly", help="which generation the local cloud shall be")
    parser.add_argument("--users", type=pathlib.Path, help="the recorded users; users.json beside or above the folder")
    parser.add_argument("--minimum", type=float, default=95.0, help="fail if fewer per cent agree")
    return parser.parse_args()


def _users(folder: pathlib.Path) -> pathlib.Path:
    places = (folder, folder.resolve().parent, HERE.parent / "fixtures" / "wire")
    return next(place / "users.json" for place in places if (place / "users.json").exists())


if __name__ == "__main__":
    sys.exit(main())
