# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python loads this at its start if it is on the path: what comes out of a zip file is compiled once, and then kept.

Ansible sends every task as a zip file, whose modules Python compiles anew each time: a third of what a task costs.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import zipimport

PLACE = "TESTS_COMPILED"


def _keep(place: str) -> None:
    compile_source = zipimport._compile_source  # type: ignore[attr-defined, unused-ignore]

    def kept(path: str, source: bytes) -> object:
        known = os.path.join(place, hashlib.sha256(sys.version.encode() + source).hexdigest())
        try:
            with open(known, "rb") as stream:
                return marshal.load(stream)
        except (OSError, EOFError, ValueError):
            pass
        made = compile_source(path, source)
        new = f"{known}.{os.getpid()}"
        with open(new, "wb") as stream:
            marshal.dump(made, stream)
        os.replace(new, known)
        return made

    zipimport._compile_source = kept  # type: ignore[attr-defined, unused-ignore]


if os.path.isdir(os.environ.get(PLACE, "")) and hasattr(zipimport, "_compile_source"):
    _keep(os.environ[PLACE])
