# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How members are replaced over time, measured on a local cloud and drawn.

python -m tests.picture.rolling FILE
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from html import escape

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from running import RunningCloud, local_cloud

from picture.drawing import HEAD

COUNT, AT_ONCE, BOOT = 6, 2, 4.0
LEFT, TOP, ROW, BAR, WIDTH = 70, 64, 30, 18, 760
STYLE = """
  .paper { fill: #ffffff; }
  .old { fill: #b8c4c6; } .pending { fill: #f0d9a8; stroke: #b98d2f; } .new { fill: #5fa8ad; }
  .grid { stroke: #d9d9d9; }
  text { font-family: sans-serif; font-size: 13px; fill: #222222; }
  .small { font-size: 12px; fill: #444444; }
  .name { font-weight: bold; font-size: 14px; }
  .mid { text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #1c1f22; }
    .old { fill: #5d6a6e; } .pending { fill: #5b4a20; stroke: #d9b25f; } .new { fill: #2f7d84; }
    .grid { stroke: #3a3f44; }
    text { fill: #f0f0f0; } .small { fill: #cfcfcf; }
  }
"""


class Life(t.NamedTuple):
    """A member: its number; when it was launched, ran and was gone, in seconds of the run."""

    slot: int
    launched: float
    ran: float
    gone: float


def measure() -> tuple[list[Life], float]:
    """The lives of all members during a replacement, and how long that took."""
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        collection = home / "collections" / "ansible_collections" / "nova_ec2"
        collection.mkdir(parents=True)
        (collection / "cloud").symlink_to(ROOT)
        cloud = RunningCloud(home / "cloud", local_cloud("icehouse"), is_local=True)
        try:
            cloud.control("POST", "settings", boot_seconds=0, action_seconds=1)
            members = instance(cloud, home, instance_type="m1.tiny")["instances"]
            cloud.control("POST", "settings", boot_seconds=BOOT)
            seen: dict[str, dict[str, float]] = {}
            over = threading.Event()
            watcher = threading.Thread(target=watch, args=(cloud, seen, over))
            watcher.start()
            done = instance(
                cloud, home, instance_type="m1.small", update="replace", max_unavailable=AT_ONCE, max_terminate=COUNT
            )
            over.set()
            watcher.join()
        finally:
            cloud.stop()
    # Not the time in which Ansible starts.
    began = min(at["last"] for at in seen.values()) - 1
    lasted = max(at["last"] for at in seen.values()) - began + 1
    slots = {one["instance_id"]: one["slot"] for one in [*members, *done["instances"]]}
    return [
        Life(
            slots[name],
            max(at["first"] - began, 0),
            max(at.get("ran", at["first"]) - began, 0),
            at["last"] - began if at["last"] < began + lasted - 1.2 else lasted,
        )
        for name, at in seen.items()
    ], lasted


def instance(cloud: RunningCloud, home: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    """One task of the module instance; its result."""
    given = {**cloud.options(), "batch": "web", "count": COUNT, "image": "Cirros-0.3.0-x86_64", **options}
    command = ["ansible", "localhost", "-m", "nova_ec2.cloud.instance", "-a", json.dumps(given)]
    environment = {
        **os.environ,
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(home / "collections"),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return t.cast("dict[str, t.Any]", json.loads(done.stdout[done.stdout.index("{") :]))


def watch(cloud: RunningCloud, seen: dict[str, dict[str, float]], over: threading.Event) -> None:
    """Note when each VM is there, runs, and is gone."""
    while not over.wait(0.1):
        servers = cloud.control("GET", "state")["servers"]
        now = time.monotonic()
        for server in servers:
            at = seen.setdefault(server["id"], {"first": now})
            if server["vm_state"] == "active":
                at.setdefault("ran", now)
            if server["vm_state"] in ("active", "building"):
                at["last"] = now


def svg(lives: t.Sequence[Life], lasted: float) -> str:
    """The picture: a row for each member, time from left to right."""
    scale = (WIDTH - LEFT - 20) / lasted
    height = TOP + COUNT * ROW + 34
    step = next(step for step in (1, 2, 5, 10, 20, 60) if lasted / step <= 12)
    parts = []
    for second in range(0, int(lasted) + 1, step):
        x = LEFT + second * scale
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP - 6}V{height - 30}"/>')
        parts.append(f'<text class="small mid" x="{x:.1f}" y="{height - 12}">{second} s</text>')
    for slot in range(1, COUNT + 1):
        parts.append(f'<text x="14" y="{TOP + (slot - 1) * ROW + 14}">web-{slot}</text>')
    for life in sorted(lives):
        y = TOP + (life.slot - 1) * ROW
        pieces = [("old", life.launched, life.gone)]
        if life.launched > 0.5:
            pieces = [("pending", life.launched, life.ran), ("new", life.ran, life.gone)]
        for kind, begins, ends in pieces:
            box = f'x="{LEFT + begins * scale:.1f}" y="{y}" width="{(ends - begins) * scale:.1f}" height="{BAR}"'
            parts.append(f'<rect class="{kind}" {box} rx="2"/>')
    legend = (("old", "as before"), ("pending", "new, pending"), ("new", "new, running"))
    for number, (kind, words) in enumerate(legend):
        x = LEFT + number * 130
        parts.append(f'<rect class="{kind}" x="{x}" y="34" width="16" height="12" rx="2"/>')
        parts.append(f'<text class="small" x="{x + 22}" y="44">{words}</text>')
    title = f"{COUNT} members are replaced, at most {AT_ONCE} at a time"
    return (
        f'{HEAD}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img">\n<title>{escape(title)}</title>\n'
        "<desc>A row for each member over time: the old VM, then the new one, pending and running. The next two go "
        f"only when the two before them run.</desc>\n<style>{STYLE}</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n<text class="name" x="14" y="22">{title}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(svg(*measure()))
