# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of module_utils and the modules: who may know what."""

from __future__ import annotations

import ast
import graphlib
import pathlib

import pytest
import yaml
from rooms import MAY_IMPORT, PICTURE, PLUGINS, ROOT, UTILS, files, files_of, imported, picture, room_of

MODULES = files_of("modules")
FILES = files()
# Those that only run on the controller: what their modules have is documentation.
ACTIONS = ("hosts", "role_variables")
# What decides about a batch is told everything, and asks nothing of anybody.
DECIDING = [
    UTILS / "_batch" / f"{name}.py"
    for name in ["actions", "goal", "memory", "rules", "seen", "slots", "steps", "zones"]
]
CONTROLLERS = ("action", "inventory", "plugin_utils")
ASKING = [UTILS / "_batch" / f"{name}.py" for name in ["cloud", "launch", "lifecycle", "loop", "plan"]]


def name(path: pathlib.Path) -> str:
    return path.stem if path.parent == UTILS else f"{room_of(path)}/{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_down(path: pathlib.Path) -> None:
    allowed = {room_of(path), *MAY_IMPORT[room_of(path)]}
    assert {name(other) for other in imported(path) if room_of(other) not in allowed} == set()


def test_no_file_imports_itself_by_a_detour() -> None:
    graph = {path: imported(path) for path in FILES}
    assert set(graphlib.TopologicalSorter(graph).static_order()) >= set(graph)


def test_every_file_is_in_a_room() -> None:
    there = {path for path in PLUGINS.rglob("*.py") if path.parent.name != "doc_fragments" and path.stem != "__init__"}
    assert there == set(FILES)


@pytest.mark.parametrize("path", DECIDING, ids=name)
def test_what_decides_has_no_connection(path: pathlib.Path) -> None:
    asking = {*ASKING, UTILS / "_api" / "connection.py", UTILS / "_module.py"}
    assert {name(other) for other in imported(path) & asking} == set()


@pytest.mark.parametrize("path", [path for path in FILES if room_of(path) in CONTROLLERS], ids=name)
def test_hosts_are_made_without_what_changes_something(path: pathlib.Path) -> None:
    assert {name(other) for other in imported(path) & set(ASKING)} == set()


def test_the_picture_of_the_rooms_is_that_of_the_imports() -> None:
    assert PICTURE.read_text() == picture(), "python tests/unit/plugins/rooms.py draws it again"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_leaves_check_mode_failing_and_exiting_to_the_shell(path: pathlib.Path) -> None:
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not names & {"check_mode", "_diff", "fail_json", "exit_json"}


@pytest.mark.parametrize("path", [path for path in FILES if UTILS in path.parents], ids=name)
def test_only_the_shell_knows_ansible_and_only_one_file_imports_boto(path: pathlib.Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported.add(str(node.module).partition(".")[0])
    assert ("ansible" in imported) is (path == UTILS / "_module.py")
    assert ("boto" in imported) is (name(path) == "_api/boto")


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in ACTIONS], ids=name)
def test_every_module_is_in_the_action_group_and_uses_the_fragments(path: pathlib.Path) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert path.stem in runtime["action_groups"]["all"]
    text = path.read_text()
    assert "nova_ec2.cloud.connection" in text and "nova_ec2.cloud.attributes" in text


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "modules"], ids=name)
def test_the_developers_page_tells_of_every_file(path: pathlib.Path) -> None:
    assert f"`{name(path)}.py`" in (ROOT / "CONTRIBUTING.md").read_text()
