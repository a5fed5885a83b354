# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of all modules, and what a task needs so that one of them can be tried out."""

from __future__ import annotations

import importlib
import pathlib
import typing as t

from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.options import CONNECTION_OPTIONS

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Two are only documentation: they run on the controller.
ACTIONS = ("hosts", "role_variables")
MODULES = sorted({path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - set(ACTIONS))
# What makes a task of a module whole but for the option that is tried out.
NEEDED: dict[str, dict[str, t.Any]] = {
    "address": {"instance_id": "i-00000001"},
    "console_info": {"instance_ids": ["i-00000001"]},
    "image": {"name": "web"},
    "instance": {"batch": "web"},
    "keypair": {"name": "web"},
    "security_group": {"name": "web"},
    "snapshot": {"volume_id": "vol-00000001", "description": "day"},
    "tag": {"resources": ["i-00000001"], "tags": {"a": "b"}},
    "volume": {"instance_id": "i-00000001", "device_name": "/dev/vdb"},
}


def options_of(module: str) -> dict[str, dict[str, t.Any]]:
    """All options of a module."""
    found = importlib.import_module(f"ansible_collections.nova_ec2.cloud.plugins.modules.{module}")
    return {**CONNECTION_OPTIONS, **getattr(found, "OPTIONS", {})}
