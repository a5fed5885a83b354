# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which room of the collection imports which, read from the files. Run as a program, it draws the picture of that."""

from __future__ import annotations

import ast
import pathlib
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
PICTURE = ROOT / "docs" / "docsite" / "rst" / "images" / "architecture.svg"
# From the top down: a room imports itself and what is named below it, and nothing else.
MAY_IMPORT = {
    "modules": ("_batch", "_resources", "_module", "_api"),
    "action": ("plugin_utils", "_batch", "_resources", "_api"),
    "inventory": ("plugin_utils", "_batch", "_resources", "_api"),
    "plugin_utils": ("_batch", "_resources", "_api"),
    "_batch": ("_resources", "_module", "_api"),
    "_resources": ("_module", "_api"),
    "_module": ("_api",),
    "_api": (),
}
SAYS = {
    "modules": "documentation, options, and small functions",
    "action": "modules that run here: hosts, progress, variables of roles",
    "inventory": "the inventory plugin",
    "plugin_utils": "VMs as hosts, on the controller",
    "_batch": "a named set of VMs, kept as wished: goal, seen, memory, rules, loop",
    "_resources": "a file for each noun: how it is listed, matched, changed and shown",
    "_module": "the shell: options, check mode, diff, failing, exiting",
    "_api": "what is asked of a cloud, and how: boto, wire, replies, errors",
}


def files() -> list[pathlib.Path]:
    """Every file of the collection that Ansible runs, sends along or loads."""
    return sorted(path for room in MAY_IMPORT for path in files_of(room) if path.stem != "__init__")


def files_of(room: str) -> list[pathlib.Path]:
    """The files of a room."""
    for folder in (UTILS, PLUGINS):
        if (folder / room).is_dir():
            return sorted((folder / room).glob("*.py"))
    return [UTILS / f"{room}.py"]


def room_of(path: pathlib.Path) -> str:
    """The room that a file is in."""
    return path.stem if path.parent == UTILS else path.parent.name


def imported(path: pathlib.Path) -> set[pathlib.Path]:
    """The collection's own files that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        folder = _folder(path, node)
        if folder is not None:
            found |= {one for one in _files(folder, node) if one.exists()}
    return found


def _folder(path: pathlib.Path, node: ast.ImportFrom) -> pathlib.Path | None:
    """Where an import looks, or None if that is not in the collection."""
    if node.level:
        return path.parents[node.level - 1]
    return PLUGINS if str(node.module).startswith("ansible_collections.nova_ec2.cloud.plugins") else None


def _files(folder: pathlib.Path, node: ast.ImportFrom) -> t.Iterator[pathlib.Path]:
    parts = (node.module or "").split(".") if node.level else str(node.module).split(".")[4:]
    place = folder.joinpath(*filter(None, parts))
    yield place.with_suffix(".py")
    for alias in node.names:
        yield place / f"{alias.name}.py"


def arrows() -> list[tuple[str, str]]:
    """(room, room that it imports from), each once."""
    found = {(room_of(path), room_of(other)) for path in files() for other in imported(path)}
    return sorted((one, other) for one, other in found if one != other)


def shortest() -> list[tuple[str, str]]:
    """The arrows without those that follow from others."""
    below: dict[str, set[str]] = {}
    for one, other in arrows():
        below.setdefault(one, set()).add(other)
    return [
        (one, other) for one, other in arrows() if not any(other in below.get(way, ()) for way in below[one] - {other})
    ]


# The picture: rooms in rows, each as wide as its row allows.
ROWS = (("modules", "action", "inventory"), ("_batch", "plugin_utils"), ("_resources",), ("_module",), ("_api",))
WIDTH, HEIGHT, GAP, STEP = 760, 58, 20, 112


def picture() -> str:
    """The rooms and who imports whom, as SVG."""
    places: dict[str, tuple[float, float, float]] = {}
    for row, rooms in enumerate(ROWS):
        width = (WIDTH - GAP * (len(rooms) + 1)) / len(rooms)
        for column, room in enumerate(rooms):
            places[room] = (GAP + column * (width + GAP), 20 + row * STEP, width)
    lines = [_arrow(places[one], places[other]) for one, other in shortest()]
    boxes = [_box(room, *places[room]) for row in ROWS for room in row]
    height = 20 + (len(ROWS) - 1) * STEP + HEIGHT + 20
    return HEAD.format(width=WIDTH, height=height) + "\n".join([*lines, *boxes]) + "\n</svg>\n"


def _box(room: str, left: float, top: float, width: float) -> str:
    count = len([path for path in files_of(room) if path.stem != "__init__"])
    middle, label = left + width / 2, room if room.startswith("_") else f"plugins/{room}"
    words = _wrapped(SAYS[room], int(width / 6.4))
    text = "".join(
        f'<text class="small" x="{middle:.0f}" y="{top + 34 + 14 * row}">{line}</text>'
        for row, line in enumerate(words)
    )
    files = "1 file" if count == 1 else f"{count} files"
    return (
        f'<rect class="box" x="{left:.0f}" y="{top}" width="{width:.0f}" height="{HEIGHT}" rx="6"/>'
        f'<text class="name" x="{middle:.0f}" y="{top + 18}">{label} ({files})</text>{text}'
    )


def _wrapped(text: str, length: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= length and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _arrow(above: tuple[float, float, float], below: tuple[float, float, float]) -> str:
    (left, top, width), (left2, top2, width2) = above, below
    if top2 == top:
        # Rows are read from the left; what is imported stands there.
        return f'<path class="line" d="M{left:.0f} {top + HEIGHT / 2} L{left2 + width2 + 3:.0f} {top2 + HEIGHT / 2}"/>'
    start = left + width / 2
    end = min(max(start, left2 + GAP), left2 + width2 - GAP)
    return f'<path class="line" d="M{start:.0f} {top + HEIGHT} L{end:.0f} {top2 - 3}"/>'


HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!--
Copyright (c) 2026, The nova_ec2.cloud authors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>The rooms of the collection</title>
<desc>Arrows go from rooms to those that they import from, but for what follows from others. All go down, and all end at
the room that asks the cloud.</desc>
<style>
  .paper {{ fill: #ffffff; }}
  .box {{ fill: #eef5f6; stroke: #2b7a80; stroke-width: 1.5; }}
  .line {{ fill: none; stroke: #999999; stroke-width: 1.3; marker-end: url(#tip); }}
  .tip {{ fill: #777777; }}
  text {{ font-family: sans-serif; font-size: 14px; fill: #222222; text-anchor: middle; }}
  .small {{ font-size: 12px; fill: #444444; }}
  .name {{ font-weight: bold; }}
  @media (prefers-color-scheme: dark) {{
    .paper {{ fill: #1c1f22; }}
    .box {{ fill: #17343a; stroke: #5bbdbf; }}
    .line {{ stroke: #8a8a8a; }}
    .tip {{ fill: #b5b5b5; }}
    text {{ fill: #f0f0f0; }}
    .small {{ fill: #cfcfcf; }}
  }}
</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path class="tip" d="M0 0 L10 5 L0 10 z"/></marker></defs>
<rect class="paper" width="{width}" height="{height}"/>
"""

if __name__ == "__main__":
    PICTURE.write_text(picture())
