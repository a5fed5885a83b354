# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Files with secrets: mode 0600 from the first moment, complete or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import typing as t

from .errors import CloudError
from .files import check_path, read_text


class PrivateFile:
    """A file that holds, or shall hold, a private key."""

    def __init__(self, path: str) -> None:
        check_path("private_key_file", path)
        self.path = path
        self._folder = os.path.dirname(path) or "."

    def content(self) -> str | None:
        """Its text, or None if there is no such file."""
        try:
            os.lstat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise CloudError(f"private_key_file {self.path} cannot be read: {exc.strerror}.") from exc
        return read_text("private_key_file", self.path)

    def check_writable(self) -> None:
        """Refuse a file that cannot be made, as far as that can be told without making one."""
        try:
            if not stat.S_ISDIR(os.stat(self._folder).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not os.access(self._folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as exc:
            raise self._unwritable(exc) from exc

    @contextlib.contextmanager
    def opened(self) -> t.Iterator[_Target]:
        """A target to write to, beside the file. What was written takes the file's place at write, not before."""
        try:
            handle, temporary = tempfile.mkstemp(prefix=".private-key-", dir=self._folder)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        target = _Target(handle, temporary, self.path)
        try:
            yield target
        finally:
            target.close()

    def _unwritable(self, exc: OSError) -> CloudError:
        return CloudError(f"private_key_file {self.path} cannot be written: {exc.strerror}. Nothing was changed.")


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
