# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""boto 2.49 on every supported Python, and out of reach of the files and variables that would configure it.

What breaks where: Python 3.12 dropped the ``imp`` module and the ``find_module`` protocol that boto's bundled six
relies on. Both are mended here and nowhere else; only modules of boto's own are touched.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import logging
import os
import sys
import types
import typing as t
import warnings

from .errors import CloudError

REQUIRED = "2.49.0"
BOTO_VARIABLES = ("BOTO_CONFIG", "BOTO_PATH", "BOTO_ENDPOINTS", "AWS_CREDENTIAL_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def load() -> types.SimpleNamespace:
    """Import the parts of boto that the collection uses.

    Returns a namespace with ``EC2Connection``, ``AWSQueryConnection``, ``RegionInfo``, ``Provider``,
    ``BlockDeviceMapping``, ``BlockDeviceType``, ``ResultSet`` and ``Snapshot``. Raises CloudError when boto cannot be
    imported.
    """
    try:
        with _isolated(), _importable():
            import boto
            from boto.connection import AWSQueryConnection
            from boto.ec2.blockdevicemapping import BlockDeviceMapping, BlockDeviceType
            from boto.ec2.connection import EC2Connection
            from boto.ec2.snapshot import Snapshot
            from boto.provider import Provider
            from boto.regioninfo import RegionInfo
            from boto.resultset import ResultSet
    except ImportError as exc:
        raise CloudError(
            f"The Python library boto {REQUIRED} cannot be imported by {sys.executable} "
            f"(Python {sys.version.split()[0]}): {exc}. Install it with '{sys.executable} -m pip install "
            f"boto=={REQUIRED}', or point ansible_python_interpreter at a Python that has it."
        ) from exc
    if not str(boto.__version__).startswith("2."):
        raise CloudError(f"boto {boto.__version__} was found; the collection needs boto {REQUIRED}.")
    # boto logs whole requests and replies, private keys included, at level DEBUG.
    logging.getLogger("boto").disabled = True
    logging.getLogger("boto.perf").disabled = True
    return types.SimpleNamespace(
        AWSQueryConnection=AWSQueryConnection,
        BlockDeviceMapping=BlockDeviceMapping,
        BlockDeviceType=BlockDeviceType,
        EC2Connection=EC2Connection,
        Provider=Provider,
        RegionInfo=RegionInfo,
        ResultSet=ResultSet,
        Snapshot=Snapshot,
    )


@contextlib.contextmanager
def _isolated() -> t.Iterator[None]:
    """Hide the configuration files that boto reads while it is imported: they would override a task's options."""
    hidden = {name: os.environ.pop(name) for name in BOTO_VARIABLES if name in os.environ}
    os.environ["BOTO_CONFIG"] = os.devnull
    try:
        yield
    finally:
        del os.environ["BOTO_CONFIG"]
        os.environ.update(hidden)


@contextlib.contextmanager
def _importable() -> t.Iterator[None]:
    """Make what boto imports available, for the time of its import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _mend_bundled_six()
        borrowed = "imp" not in sys.modules and importlib.util.find_spec("imp") is None
        if borrowed:
            # Only boto's plugin loader uses it, and only for a configured plugin directory.
            sys.modules["imp"] = types.ModuleType("imp")
        try:
            yield
        finally:
            if borrowed:
                del sys.modules["imp"]


def _mend_bundled_six() -> None:
    """Load boto's own copy of six ahead of boto and teach its importer the protocol of today's Python."""
    name = "boto.vendored.six"
    package = importlib.util.find_spec("boto")
    if name in sys.modules or package is None or not package.submodule_search_locations:
        return
    path = os.path.join(package.submodule_search_locations[0], "vendored", "six.py")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not os.path.isfile(path):
        return
    six = importlib.util.module_from_spec(spec)
    sys.modules[name] = six
    spec.loader.exec_module(six)
    importer = getattr(six, "_SixMetaPathImporter", None)
    if importer is None or hasattr(importer, "find_spec"):
        return

    def find_spec(
        self: t.Any, fullname: str, path: t.Any = None, target: t.Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname in self.known_modules else None

    importer.find_spec = find_spec
    importer.create_module = lambda self, spec: self.load_module(spec.name)
    importer.exec_module = lambda self, module: None
