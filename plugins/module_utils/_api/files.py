# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Reading files that a user names: only regular ones, of a size that makes sense. A pipe or a device would hang."""

from __future__ import annotations

import os
import stat
import typing as t

from .errors import CloudError

MOST_BYTES = 1024 * 1024
KINDS: tuple[tuple[t.Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_path(option: str, path: str) -> None:
    """Refuse what no file can be called."""
    try:
        named = b"\0" not in os.fsencode(path)
    except UnicodeError:
        named = False
    if not named:
        raise CloudError(f"{option} {path!r} cannot be the path of a file.")


def why_unreadable(option: str, path: str) -> str | None:
    """Why a file is better not opened; None if it is there and a regular one."""
    check_path(option, path)
    try:
        return _unusual(os.stat(path).st_mode)
    except OSError as exc:
        return exc.strerror


def read_bytes(option: str, path: str, most: int = MOST_BYTES) -> tuple[bytes, int]:
    """What is in a file that option names, and the file's mode. Raises CloudError if it cannot be read."""
    # Before it is opened, because to open a device may already do something, and after it.
    why, data, mode = why_unreadable(option, path), b"", 0
    try:
        if why is None:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
            with os.fdopen(handle, "rb") as stream:
                mode = os.fstat(handle).st_mode
                why = _unusual(mode)
                data = b"" if why else stream.read(most + 1)
    except OSError as exc:
        why = exc.strerror
    if len(data) > most:
        why = f"it has more than {most // 1024} KiB"
    if why:
        raise _unreadable(option, path, why)
    return data, mode


def read_text(option: str, path: str) -> str:
    """The text of a file that option names. Raises CloudError if it cannot be read, or is no text."""
    return read_text_and_mode(option, path)[0]


def read_text_and_mode(option: str, path: str) -> tuple[str, int]:
    """The same, and the file's mode."""
    data, mode = read_bytes(option, path)
    try:
        # What Windows puts before a text is not part of it.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise _unreadable(option, path, "it is not a text in UTF-8") from exc
    if "\0" in text:
        raise _unreadable(option, path, "it is not a text")
    return text, mode


def _unusual(mode: int) -> str | None:
    """What something is, if it is no regular file."""
    if stat.S_ISREG(mode):
        return None
    kind = next((name for fits, name in KINDS if fits(mode)), "something else")
    return f"it is {kind}, and not a regular file"


def _unreadable(option: str, path: str, why: str) -> CloudError:
    return CloudError(f"{option} {path} cannot be read: {why}.")
