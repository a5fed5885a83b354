# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Files with secrets: mode 0600 from the first moment, complete or not there at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

from ._errors import CloudError


def read_text(option: str, path: str) -> str:
    """The text of a file that option names. Raises CloudError if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as exc:
        raise CloudError(f"{option} {path} cannot be read: {getattr(exc, 'strerror', None) or exc}.") from exc


def read_bytes(option: str, path: str, most: int) -> bytes:
    """What a file holds that option names, up to a little more than most bytes. Raises CloudError."""
    try:
        # Opening what is no regular file may wait for ever.
        if os.path.exists(path) and not os.path.isfile(path):
            raise CloudError(f"{option} {path} cannot be read: it is not a regular file.")
        with open(path, "rb") as stream:
            return stream.read(most + 1)
    except OSError as exc:
        raise CloudError(f"{option} {path} cannot be read: {exc.strerror or exc}.") from exc


class PrivateFile:
    """A file that holds, or shall hold, a private key."""

    def __init__(self, path: str) -> None:
        self.path = path

    def content(self) -> str | None:
        """Its text, or None if there is no such file."""
        return read_text("private_key_file", self.path) if os.path.lexists(self.path) else None

    @contextlib.contextmanager
    def opened(self) -> t.Iterator[_Target]:
        """A target to write to, beside the file. What was written takes the file's place at write, not before."""
        folder = os.path.dirname(self.path) or "."
        try:
            handle, temporary = tempfile.mkstemp(prefix=".private-key-", dir=folder)
        except OSError as exc:
            raise CloudError(
                f"private_key_file {self.path} cannot be written: {exc.strerror}. Nothing was asked of the cloud."
            ) from exc
        target = _Target(handle, temporary, self.path)
        try:
            yield target
        finally:
            target.close()


class _Target:
    """An open temporary file (mkstemp makes it 0600) that becomes path."""

    def __init__(self, handle: int, temporary: str, path: str) -> None:
        self._stream = os.fdopen(handle, "w", encoding="utf-8")
        self._temporary = temporary
        self._path = path

    def write(self, text: str) -> None:
        """Write text, make sure that it is on the disk, and put the file in its place. Raises OSError."""
        self._stream.write(text)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        os.replace(self._temporary, self._path)

    def close(self) -> None:
        """Close, and remove the temporary file if it was not put in its place."""
        with contextlib.suppress(OSError):
            self._stream.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary)
