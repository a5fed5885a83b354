# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All messages that the code can raise or warn of, as a page of the guides: ``python docs/messages.py`` writes it."""

from __future__ import annotations

import ast
import pathlib
import re
import textwrap
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "docsite" / "rst" / "messages.rst"
RAISED = {"CloudError", "AnsibleError", "AnsibleActionFail", "AnsibleParserError", "AnsibleOptionsError"}
WARNED = {"warn", "_warn"}
# By the beginnings of the names of files; the longest counts.
AREAS = {
    "Connection, options and files": ("_api/", "_module"),
    "Inventory, hosts and roles": ("inventory/", "plugin_utils/", "action/"),
    "Key pairs": ("_resources/key_pairs", "modules/keypair"),
    "Images": ("_resources/image", "modules/image"),
    "Security groups": ("_resources/security_group", "modules/security_group"),
    "Floating addresses": ("_resources/addresses", "_resources/associate", "_resources/release", "modules/address"),
    "Volumes and snapshots": (
        *("_resources/volume", "_resources/snapshot", "_resources/attach"),
        *("modules/volume", "modules/snapshot"),
    ),
    "Tags": ("_resources/tags", "modules/tag"),
    "Consoles and host keys": ("_resources/consoles", "_resources/host_keys", "modules/console_info"),
    "VMs and batches": ("",),
}
HEAD = """\
..
  Copyright (c) 2026, The nova_ec2.cloud authors
  GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.nova_ec2.cloud.docsite.messages:

All messages
============

Every message and warning, with ``...`` for what differs. Each says what is wrong and what to do; where more can be said
about it, :ref:`ansible_collections.nova_ec2.cloud.docsite.troubleshooting` does. This page is for searching. It is made
from the code.
"""


def text_of(node: ast.expr) -> str:
    """The text of an expression, with ... wherever a value goes."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "..."


def messages(path: pathlib.Path) -> t.Iterator[str]:
    """The messages of a file that say something by themselves."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            text = re.sub(r"(\.\.\.)+\.*", "...", text_of(node.args[0])) if called in RAISED | WARNED else ""
            if len(re.findall(r"[A-Za-z]{2,}", text)) > 2:
                yield " ".join(text.split())


def by_area() -> dict[str, list[str]]:
    """All messages, each once in its area."""
    found: dict[str, set[str]] = {area: set() for area in AREAS}
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        name = path.relative_to(ROOT / "plugins").as_posix().removeprefix("module_utils/")
        for area in sorted(AREAS, key=lambda area: -max(map(len, filter(name.startswith, AREAS[area])), default=-1)):
            found[area].update(messages(path))
            break
    return {area: sorted(texts, key=lambda text: text.lstrip(". :'").lower()) for area, texts in found.items()}


def page() -> str:
    """The page."""
    parts = [HEAD]
    for area, texts in by_area().items():
        parts.append(f"\n{area}\n{'-' * len(area)}\n\n")
        parts += [
            textwrap.fill(
                re.sub(r"([*`|_\\<>]|(?<=http):)", r"\\\1", text),
                118,
                initial_indent="* ",
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            + "\n"
            for text in texts
        ]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
