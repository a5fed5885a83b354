# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the variables of a role before anything is done: which are given, whether they are what they should be."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

OPTIONS: dict[str, dict[str, t.Any]] = {
    "prefix": {"type": "str", "required": True},
    "variables": {"type": "dict", "required": True},
}
PLAYBOOKS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "playbooks"))


class ActionModule(ActionBase):
    """Reads variables as a user gave them."""

    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what was given, by the names without their prefix; what is blank was not."""
        result: dict[str, t.Any] = super().run(tmp, task_vars) or {}
        _validated, options = self.validate_argument_spec(argument_spec=OPTIONS)
        prefix, specs = options["prefix"], options["variables"]
        found = self._templar.template({name: (task_vars or {}).get(prefix + name) for name in specs})
        given = {name: _stripped(value) for name, value in found.items()}
        given = {name: value for name, value in given.items() if value is not None}
        validation = ArgumentSpecValidator({prefix + name: spec for name, spec in specs.items()}).validate(
            {prefix + name: value for name, value in given.items()}
        )
        if validation.error_messages:
            raise AnsibleActionFail(" ".join(validation.error_messages))
        # ArgumentSpecValidator has None for what was not given and has no default.
        checked = {name: validation.validated_parameters.get(prefix + name) for name in specs}
        for name in given:
            if specs[name].get("type") == "path":
                checked[name] = self._placed(str(given[name]), task_vars or {})
        result.update(changed=False, given={name: value for name, value in checked.items() if value is not None})
        return result

    def _placed(self, path: str, task_vars: dict[str, t.Any]) -> str:
        """One absolute path, for the modules that run here and for ssh. Where another machine is meant, as given."""
        if self._connection.transport != "local":
            return path
        if not self._connection.become:
            path = os.path.expandvars(os.path.expanduser(path))
        if path.startswith(("~", "$")):
            return path
        base = str(task_vars.get("playbook_dir") or os.getcwd())
        # Whoever runs a playbook of this collection means a place of their own, not the one of its installation.
        if os.path.realpath(base) == PLAYBOOKS:
            base = os.getcwd()
        return os.path.normpath(os.path.join(base, path))


def _stripped(value: t.Any) -> t.Any:
    """A value without what surveys and templates leave around it; None if nothing is left."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return [one for one in map(_stripped, value) if one is not None] or None
    return value if value != {} else None
