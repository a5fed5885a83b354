# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of module_utils and the modules: who may know what."""

from __future__ import annotations

import ast
import graphlib
import pathlib
import typing as t

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
UTILS = sorted((ROOT / "plugins" / "module_utils").glob("*.py"))
ROOMS = [*UTILS, *sorted((ROOT / "plugins" / "plugin_utils").glob("*.py"))]
# Those that only run on the controller: what their modules have is documentation.
ACTIONS = ("hosts", "role_variables")
PLUGINS = [
    *ROOMS,
    *MODULES,
    *sorted(path for name in ("action", "inventory") for path in (ROOT / "plugins" / name).glob("*.py")),
]


class Layer(t.NamedTuple):
    """Rooms, and the layers that they may import from beside their own."""

    rooms: str
    below: tuple[str, ...]


# Who may import whom; the page about the architecture says the same. What is in no room of module_utils or plugin_utils
# has the name of its folder.
LAYERS = {
    "plain": Layer(
        "_errors _files _filters _host_keys _journal _keys _names _private_file _record _rules _user_data _values "
        "_views",
        (),
    ),
    "connection": Layer("_boto _connection _options _promises _replies _wire", ("plain",)),
    "shell": Layer("_module", ("plain", "connection")),
    "reading": Layer(
        "_addresses _consoles _diagnosis _groups _images _instances _reach _ready _report _volumes _wait",
        ("plain", "connection"),
    ),
    "deciding": Layer("_drift _progress _slots _steps _zones", ("plain", "reading")),
    "requests": Layer(
        "_associate _attach _group_changes _image_changes _launch _lifecycle _release _snapshots _tags",
        ("plain", "connection", "shell", "reading", "deciding"),
    ),
    "runs": Layer(
        "_carry _fill _operation _plan _settle _volume_plan",
        ("plain", "connection", "shell", "reading", "deciding", "requests"),
    ),
    "modules": Layer("modules", ("plain", "connection", "shell", "reading", "deciding", "requests", "runs")),
    "inventory": Layer("_clouds _hosts _members action inventory", ("plain", "connection", "reading", "deciding")),
}
LAYER_OF = {room: name for name, layer in LAYERS.items() for room in layer.rooms.split()}


def room_of(path: pathlib.Path) -> str:
    """The room that a file is, or the folder that it is in."""
    return path.stem if path in ROOMS else path.parent.name


def imported_rooms(path: pathlib.Path) -> set[str]:
    """The collection's own files that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.level or "nova_ec2.cloud" in str(node.module)):
            last = (node.module or "").rpartition(".")[2]
            found |= {last} if last.startswith("_") else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.rpartition(".")[2] for alias in node.names if "nova_ec2.cloud" in alias.name}
    return found


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_room_imports_only_what_its_layer_may(path: pathlib.Path) -> None:
    layer = LAYER_OF[room_of(path)]
    allowed = {layer, *LAYERS[layer].below}
    assert {room for room in imported_rooms(path) if LAYER_OF.get(room) not in allowed} == set()


def test_no_room_imports_itself_by_a_detour() -> None:
    graph = {path.stem: imported_rooms(path) for path in ROOMS}
    assert set(graphlib.TopologicalSorter(graph).static_order()) == set(graph)


def test_every_room_is_in_one_layer() -> None:
    listed = [room for layer in LAYERS.values() for room in layer.rooms.split()]
    assert sorted(listed) == sorted({path.stem for path in ROOMS} | {"modules", "action", "inventory"})


def test_the_page_about_the_architecture_has_the_same_table() -> None:
    page = " ".join((ROOT / "docs" / "docsite" / "rst" / "architecture.rst").read_text().split())
    for name, layer in LAYERS.items():
        rooms = ", ".join(f"``{room}``" for room in layer.rooms.split())
        assert f"* - {name} - {rooms} - {', '.join(layer.below) or 'nothing'} " in page


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


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in ACTIONS], ids=lambda path: path.stem)
def test_every_module_is_in_the_action_group_and_uses_the_fragments(path: pathlib.Path) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert path.stem in runtime["action_groups"]["all"]
    text = path.read_text()
    assert "nova_ec2.cloud.connection" in text and "nova_ec2.cloud.attributes" in text


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.stem)
def test_the_developers_page_tells_of_every_room(path: pathlib.Path) -> None:
    assert path.stem == "__init__" or f"`{path.name}`" in (ROOT / "CONTRIBUTING.md").read_text()
