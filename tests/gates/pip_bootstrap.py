# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare ansible-test's environments where its download host cannot be reached.

ansible-test fetches a script that installs pip from a host of its own. Where that fails, this puts a script in its
place that does the same with the wheel of the same version of pip from the package index.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import urllib.request

import ansible_test

PACKAGE = pathlib.Path(ansible_test.__file__).parent
CACHE = pathlib.Path.home() / ".ansible" / "test" / "cache"
SCRIPT = """\
import subprocess
import sys

WHEEL = {wheel!r}
options = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel") and "==" not in word]
sys.exit(subprocess.call([sys.executable, WHEEL + "/pip", "install", "--force-reinstall", *options, WHEEL]))
"""


def main() -> None:
    """Provide what is missing, and say so."""
    versions = set(re.findall(r"pip='([0-9.]+)'", (PACKAGE / "_internal" / "python_requirements.py").read_text()))
    source = (PACKAGE / "_util" / "target" / "setup" / "requirements.py").read_text()
    pattern = re.search(r"https://\S+get-pip-%s\.py", source)
    for version in sorted(versions):
        place = CACHE / f"get_pip_{version.replace('.', '_')}.py"
        if place.exists() or (pattern and reachable(pattern[0] % version)):
            continue
        wheels = CACHE / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels)]
        subprocess.run([*download, f"pip=={version}"], check=True)
        (wheel,) = wheels.glob(f"pip-{version}-*.whl")
        place.write_text(SCRIPT.format(wheel=str(wheel)))
        print(
            f"ansible-test's script for pip {version} cannot be downloaded; it gets the wheel of pip {version} instead"
        )


def reachable(url: str) -> bool:
    """Whether ansible-test will be able to download url."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    main()
