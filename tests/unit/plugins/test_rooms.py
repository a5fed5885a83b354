# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of module_utils and the modules: who may know what."""

from __future__ import annotations

import ast
import pathlib

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
UTILS = sorted((ROOT / "plugins" / "module_utils").glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_leaves_check_mode_failing_and_exiting_to_the_shell(path: pathlib.Path) -> None:
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not names & {"check_mode", "_diff", "fail_json", "exit_json"}


@pytest.mark.parametrize("path", UTILS, ids=lambda path: path.stem)
def test_only_the_shell_knows_ansible_and_only_one_file_imports_boto(path: pathlib.Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported.add(str(node.module).partition(".")[0])
    assert ("ansible" in imported) is (path.name == "_module.py")
    assert ("boto" in imported) is (path.name == "_boto.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_is_in_the_action_group_and_uses_the_fragments(path: pathlib.Path) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert path.stem in runtime["action_groups"]["all"]
    text = path.read_text()
    assert "nova_ec2.cloud.connection" in text and "nova_ec2.cloud.attributes" in text
