# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be installed, from Debian's archive and, for ec2-api itself, from PyPI."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import typing as t

from .bed import Bed, BedError

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = "bookworm"
PYTHON = "/usr/bin/python3"
# Libraries and programs only: the packages that would set daemons up and ask questions are not wanted.
PACKAGES = (
    "python3-keystone",
    "python3-glance",
    "python3-nova",
    "python3-neutron",
    "python3-placement",
    "python3-cinder",
    # Every service is slowed by SQLAlchemy without its compiled part.
    "python3-sqlalchemy-ext",
    "python3-openstackclient",
    "python3-httplib2",
    "python3-venv",
    "rabbitmq-server",
    "mariadb-server-core",
    "mariadb-client-core",
    "uwsgi-core",
    "uwsgi-plugin-python3",
)
# Packages that would have their programs run with the machine.
DAEMONS = {
    "rabbitmq-server": ("rabbitmq-server.service",),
    "erlang-base": ("epmd.service", "epmd.socket"),
    "openssh-server": ("ssh.service", "ssh.socket"),
}
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
TOLD = 12


def install(bed: Bed, tell: t.Callable[[str], None]) -> None:
    """Install what is missing. Raises BedError with the names of what could not be had."""
    _check_release()
    missing = [name for name in PACKAGES if not present(name)]
    if missing:
        tell(f"installing {len(missing)} of Debian's packages: {' '.join(missing)}")
        install_packages(missing, bed.run / "log" / "apt.log")
    environment = bed.run / "venv"
    if not (environment / "bin" / "ec2-api").exists():
        tell("installing ec2-api from PyPI")
        _install_ec2api(environment, bed.run / "log" / "pip.log")


def present(package: str) -> bool:
    """Whether a package is installed."""
    done = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Status}", package], capture_output=True, text=True, check=False
    )
    return done.stdout.endswith(" installed")


def _check_release() -> None:
    path = pathlib.Path("/etc/os-release")
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    if f"VERSION_CODENAME={RELEASE}" not in found or not shutil.which("apt-get"):
        raise BedError("The test bed is made of Debian 12's packages, and this machine is not a Debian 12.")


def install_packages(names: list[str], log: pathlib.Path) -> None:
    """Install packages, and have no daemon of theirs run, now or with the machine. Raises BedError."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and (not shutil.which("sudo") or subprocess.run([*as_root, "true"], check=False).returncode):
        raise BedError(f"Installing needs root. Do it first: sudo apt-get install {' '.join(names)}")
    fresh = [daemon for daemon in DAEMONS if not present(daemon)]
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    with log.open("a") as output, _nothing_starts(as_root):
        subprocess.run([*apt, "update"], stdout=output, stderr=output, check=False)
        done = subprocess.run(
            [*apt, "install", "--no-install-recommends", *names], stdout=output, stderr=output, check=False
        )
    if done.returncode:
        unknown = [name for name in names if not _offered(name)]
        lost = unknown or [name for name in names if not present(name)]
        raise BedError(f"Debian's archive did not give: {' '.join(lost)}. apt-get said:\n{tail(log)}")
    if shutil.which("systemctl"):
        units = [unit for daemon in fresh if present(daemon) for unit in DAEMONS[daemon]]
        for unit in units:
            subprocess.run([*as_root, "systemctl", "disable", unit], capture_output=True, check=False)


def _offered(package: str) -> bool:
    done = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False)
    return "Candidate: " in done.stdout and "Candidate: (none)" not in done.stdout


@contextlib.contextmanager
def _nothing_starts(as_root: list[str]) -> t.Iterator[None]:
    """Keep packages from starting daemons while they are installed, as Debian's policy-rc.d provides."""
    if POLICY.exists():
        yield
        return
    subprocess.run(
        [*as_root, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY}; chmod 755 {POLICY}"], check=True
    )
    try:
        yield
    finally:
        subprocess.run([*as_root, "rm", "-f", str(POLICY)], check=False)


def _install_ec2api(environment: pathlib.Path, log: pathlib.Path) -> None:
    wanted = HERE / "server-requirements.txt"
    with log.open("a") as output:
        for command in (
            [PYTHON, "-m", "venv", "--clear", "--system-site-packages", str(environment)],
            # All that it needs has Debian.
            [str(environment / "bin" / "pip"), "install", "--no-deps", "--requirement", str(wanted)],
        ):
            if subprocess.run(command, stdout=output, stderr=output, check=False).returncode:
                shutil.rmtree(environment, ignore_errors=True)
                raise BedError(f"PyPI did not give what {wanted.name} names. pip said:\n{tail(log)}")


def tail(path: pathlib.Path, lines: int = TOLD) -> str:
    """The last lines of a file, indented."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
