# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``readme_blocks.py README.md FOLDER CLOUD`` writes what the README says to type, and its plays, into files in FOLDER.

``typed.sh`` has the shell commands, except those that CI runs by themselves; ``play-N.yml`` each play, with the
example's cloud replaced by CLOUD and its key pair by none; ``cloud.nova_ec2.yml`` the inventory.
"""

from __future__ import annotations

import pathlib
import re
import sys

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BY_ITSELF = re.compile(r"make (demo|test|cloud|conformance)\b")


def main() -> None:
    """Write the files."""
    readme, folder = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"), pathlib.Path(sys.argv[2])
    cloud = sys.argv[3]
    typed, plays = [], 0
    for language, text in BLOCK.findall(readme):
        if language == "shell":
            typed += [line for line in text.splitlines() if not BY_ITSELF.match(line)]
        elif text.startswith("plugin:"):
            (folder / "cloud.nova_ec2.yml").write_text(text, encoding="utf-8")
        elif language == "yaml":
            plays += 1
            text = text.replace("http://cloud.example.com:8773", cloud)
            text = text.replace("        key_name: deploy\n", "")
            (folder / f"play-{plays}.yml").write_text(text, encoding="utf-8")
    if not typed or not plays:
        raise SystemExit("the README has no commands or no plays")
    (folder / "typed.sh").write_text("\n".join(typed) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
