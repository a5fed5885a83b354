# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.openssh``: OpenSSH for the tests that log in to VMs, installed where root runs them without it."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

from tests.local_cloud import ssh
from tests.openstack.bed import BedError
from tests.openstack.packages import install_packages

LOG = pathlib.Path(sys.prefix) / "apt.log"


def main() -> None:
    """Install what is missing. Where that cannot be done, say so: the tests that need it then fail."""
    if _complete():
        return
    names = " ".join(ssh.PACKAGES)
    try:
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise BedError(f"Install it first: sudo apt-get install {names}")
        print(f"Installing Debian's packages {names}; no daemon of theirs will run", flush=True)
        install_packages(list(ssh.PACKAGES), LOG)
    except BedError as problem:
        print(f"OpenSSH is missing, and tests that log in to VMs will fail. {problem}", file=sys.stderr)


def _complete() -> bool:
    try:
        return bool(ssh.find()) and shutil.which("ssh") is not None
    except RuntimeError:
        return False


if __name__ == "__main__":
    main()
