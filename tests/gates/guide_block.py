# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code blocks of the guides. ``guide_block.py GUIDE.rst NAME`` prints the one whose caption is NAME."""

from __future__ import annotations

import pathlib
import re
import sys
import textwrap
import typing as t

BLOCK = re.compile(r"^\.\. code-block:: (\w+)\n(?:   :caption: (.+)\n)?\n((?:   .*\n|\n)+)", re.MULTILINE)


class Block(t.NamedTuple):
    """A code block: its language, its caption (the name of a file, if it is one), and its text."""

    language: str
    caption: str | None
    text: str


def blocks(guide: pathlib.Path) -> list[Block]:
    """The code blocks of a guide, in order."""
    found = BLOCK.findall(guide.read_text(encoding="utf-8") + "\n")
    return [Block(language, caption or None, textwrap.dedent(text).strip() + "\n") for language, caption, text in found]


def main() -> None:
    """Print one."""
    guide, name = sys.argv[1:]
    found = [block.text for block in blocks(pathlib.Path(guide)) if block.caption == name]
    if not found:
        raise SystemExit(f"{guide} has no code block with the caption {name}")
    print(found[0], end="")


if __name__ == "__main__":
    main()
