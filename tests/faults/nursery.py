# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that modules are forked from: everything is imported once, and a run costs no more than a fork.

It is run as ``python nursery.py FOLDER``, with a folder that holds ``ansible_collections``. Orders come in as lines of
JSON, ``{"start": N, "job": "instance" or "naive", "options": {...}, "home": path, "output": path}`` and
``{"kill": N}``; reports go out: ``{"ready": true}``, and ``{"ended": N, "signal": number or 0}`` when a run is over.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pathlib
import select
import signal
import sys
import typing as t

MODULE = "ansible_collections.nova_ec2.cloud.plugins.modules.instance"
BOTO = "ansible_collections.nova_ec2.cloud.plugins.module_utils._api.boto"
UNWANTED = ("EC2_", "AWS_", "BOTO_", "ANSIBLE_")


def main() -> None:
    """Fork until the orders end; what is still running then is killed."""
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
    sys.path.insert(1, sys.argv[1])
    for name in list(os.environ):
        if name.startswith(UNWANTED) or name.lower().endswith("_proxy"):
            del os.environ[name]
    jobs = {"instance": _module(), "naive": importlib.import_module("faults.naive").main}
    report({"ready": True})
    waker, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_unused: None)
    running: dict[int, int] = {}
    try:
        _serve(jobs, running, waker)
    finally:
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _serve(jobs: dict[str, t.Callable[..., None]], running: dict[int, int], waker: int) -> None:
    """Obey orders from standard input. running: numbers of runs by process id."""
    pending = b""
    while True:
        readable = select.select([0, waker], [], [])[0]
        if waker in readable:
            os.read(waker, 4096)
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                report({"ended": running.pop(pid), "signal": status & 0x7F})
        if 0 not in readable:
            continue
        received = os.read(0, 1 << 16)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            _obey(json.loads(line), jobs, running)


def _obey(order: dict[str, t.Any], jobs: dict[str, t.Callable[..., None]], running: dict[int, int]) -> None:
    if "kill" in order:
        # Not reaped yet, so the process id is still its own.
        for pid in [pid for pid, number in running.items() if number == order["kill"]]:
            os.kill(pid, signal.SIGKILL)
        return
    pid = os.fork()
    if pid:
        running[pid] = order["start"]
        return
    try:
        _become(order)
        jobs[order["job"]](order["options"])
    except SystemExit as end:
        _leave(0 if end.code in (0, None) else 1)
    except BaseException:
        importlib.import_module("traceback").print_exc()
        _leave(2)
    _leave(0)


def _leave(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _become(order: dict[str, t.Any]) -> None:
    """Be a process as Ansible would start it: own home, nothing to read, output to files."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.environ["HOME"] = order["home"]
    os.chdir(order["home"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    errors = os.open(order["output"] + ".err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for new, old in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(new, old)


def _module() -> t.Callable[[dict[str, t.Any]], None]:
    """The module instance as a function of its options, with all that it imports."""
    basic: t.Any = importlib.import_module("ansible.module_utils.basic")
    module = importlib.import_module(MODULE)
    importlib.import_module(BOTO).load()

    def run(options: dict[str, t.Any]) -> None:
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()
        basic._ANSIBLE_PROFILE = "legacy"
        module.main()

    return run


def report(what: dict[str, t.Any]) -> None:
    """One line to whoever gives the orders."""
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
