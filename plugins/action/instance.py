# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module instance, and shows on the terminal what it tells of its progress meanwhile."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import threading
import time
import typing as t

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.color import stringc
from ansible.utils.display import Display
from ansible_collections.nova_ec2.cloud.plugins.plugin_utils._bar import Bar

PAUSE = 0.3
# Those that write for people, and nothing while a task runs on the only host. Others may write JSON, or be a program's.
CALLBACKS = ("default", "ansible.builtin.default", "minimal", "ansible.builtin.minimal")


def terminal(stream: int) -> int | None:
    """The terminal that a stream leads to, if it is one that lines can be rewritten on; not closed with the stream."""
    if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return None
    try:
        return os.dup(stream) if os.isatty(stream) else None
    except OSError:
        return None


# Ansible loads this file before it forks a process for a task. There, standard error leads nowhere.
TERMINAL = terminal(2)


class ActionModule(ActionBase):
    """The module decides everything; a thread reads the lines that it appends to a file."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module once; its result is passed through."""
        # Ansible forks a process for each task. What that inherited is not searched for garbage while the module is put
        # together, which would take longer than that itself.
        gc.freeze()
        result: dict[str, t.Any] = super().run(tmp, task_vars) or {}
        in_background = bool(self._task.async_val) and not self._connection.has_native_async
        args = dict(self._task.args)
        tail = self._tail(task_vars or {}) if self._wanted(args, in_background) else None
        if tail is not None:
            args["progress_file"] = tail.path
        try:
            returned = self._execute_module(module_args=args, task_vars=task_vars, wrap_async=in_background)
        finally:
            if tail is not None:
                tail.close()
        result.update(returned)
        if tail is not None:
            result.get("invocation", {}).get("module_args", {}).pop("progress_file", None)
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _wanted(self, args: dict[str, t.Any], in_background: bool) -> bool:
        """Whether anybody could see lines, and wants to."""
        try:
            told = boolean(args.get("progress", True))
        except TypeError:
            # The module says what is wrong with it.
            return False
        here = self._connection.transport == "local" and not self._connection.become
        quiet = self._task.no_log or self._task.check_mode or in_background or args.get("progress_file")
        return told and here and not quiet

    def _tail(self, task_vars: dict[str, t.Any]) -> Tail | None:
        """What shows the lines; the host is named when the play has several."""
        host = task_vars.get("inventory_hostname", "")
        several = len(task_vars.get("ansible_play_hosts_all") or ()) > 1
        try:
            screen = None if several else self._screen()
            return Tail(Lines(f"[{host}] " if several else "") if screen is None else OneLine(screen))
        except OSError:
            return None

    def _screen(self) -> int | None:
        """The terminal, if a line of it may be rewritten: if nothing else is to be expected there meanwhile."""
        more = Display().verbosity or constants.DEFAULT_DEBUG or self._task.diff
        return None if more or constants.DEFAULT_STDOUT_CALLBACK not in CALLBACKS else TERMINAL


class Lines:
    """Shows what is told line by line."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def told(self, line: str) -> None:
        """Show a line."""
        # On standard error, so that machines that read standard output see nothing of it.
        Display().display(self._prefix + line, stderr=True)

    def goes_on(self) -> None:
        """Nothing was told for a moment."""

    def over(self) -> None:
        """Nothing more will be told."""


class OneLine:
    """Shows what is told on one line of the terminal, which is rewritten by the process that writes all the rest."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._bar = Bar(stringc)
        self._shown = ""

    def told(self, line: str) -> None:
        """Take in a line; a log has it as it is."""
        self._bar.told(line, time.monotonic())
        Display().display(line, log_only=True)

    def goes_on(self) -> None:
        """Write the line again, if it says something else by now."""
        if self._bar:
            self._write(self._bar.line(time.monotonic(), self._columns()))

    def over(self) -> None:
        """Leave the line as it is, and go on below it."""
        if self._bar:
            self._write(self._bar.last(time.monotonic(), self._columns()))

    def _columns(self) -> int:
        # The window may have another size by now.
        return os.get_terminal_size(self._terminal).columns or 80

    def _write(self, text: str) -> None:
        if text != self._shown:
            self._shown = text
            # The carriage return in it has it written at once.
            Display().display(text, stderr=True, screen_only=True, newline=False)


class Tail:
    """Shows each whole line that is appended to a private file, until it is closed."""

    def __init__(self, show: Lines | OneLine) -> None:
        # Ansible removes its own directory when it ends, whatever becomes of this process.
        self._directory = tempfile.mkdtemp(prefix="nova-ec2-", dir=constants.DEFAULT_LOCAL_TMP)
        self.path = os.path.join(self._directory, "progress")
        self._show = show
        self._read = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Show what is left, and remove the file."""
        self._over.set()
        self._thread.join(5)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _follow(self) -> None:
        over = False
        while not over:
            over = self._over.wait(PAUSE)
            try:
                for line in self._lines():
                    self._show.told(line)
                self._show.over() if over else self._show.goes_on()
            except Exception:  # pylint: disable=broad-exception-caught
                # Whatever is wrong with the lines must not harm the run.
                return

    def _lines(self) -> list[str]:
        """What was appended since the last time."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode("utf-8", "replace").splitlines()
