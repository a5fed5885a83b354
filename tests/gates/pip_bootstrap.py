# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have ansible-test make its environments quickly, and from the package index alone.

ansible-test fetches a script that installs pip from a host of its own, and runs it for each of a dozen environments.
This puts a script in its place that unpacks the wheel of the same version of pip.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import ansible_test

PACKAGE = pathlib.Path(ansible_test.__file__).parent
CACHE = pathlib.Path.home() / ".ansible" / "test" / "cache"
SCRIPT = """\
import sysconfig
import zipfile

with zipfile.ZipFile({wheel!r}) as wheel:
    wheel.extractall(sysconfig.get_path("purelib"))
"""


def main() -> None:
    """Put the script there for each version of pip that this ansible-test wants."""
    for version in set(re.findall(r"pip='([0-9.]+)'", (PACKAGE / "_internal" / "python_requirements.py").read_text())):
        wheel = CACHE / f"pip-{version}-py3-none-any.whl"
        CACHE.mkdir(parents=True, exist_ok=True)
        # Two may do this side by side: files appear whole.
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            if not wheel.exists():
                download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place]
                subprocess.run([*download, f"pip=={version}"], check=True)
                os.replace(pathlib.Path(place, wheel.name), wheel)
            script = pathlib.Path(place, "script")
            script.write_text(SCRIPT.format(wheel=str(wheel)))
            os.replace(script, CACHE / f"get_pip_{version.replace('.', '_')}.py")


if __name__ == "__main__":
    main()
