# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides are true: a reader who does what they say, block by block in one shell, gets to their ends.

A block with a caption is saved under that name. Shell is typed. A play runs where it stands, with the inventories saved
before it, unless shell further down names its file. Tasks are tasks of a play on localhost, with those of the next
block if nothing is between them. An inventory file of the plugin is listed. What a guide starts it also removes. Blocks
of text are outputs, and are not played.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import pathlib
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.options import CONNECTION_OPTIONS
from gates.guide_block import Block, blocks

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "docsite" / "rst"
NAMES = sorted(path.stem for path in GUIDES.glob("*.rst") if any(block.language != "text" for block in blocks(path)))

# What is not played, by guide and first line, and why.
NOT_PLAYED = {
    ("migration_ec2", "- name: Have five web servers, with Ansible 2.9"): "the module is gone",
    ("migration_ec2", "- name: Import a key, with Ansible 2.9"): "the module is gone",
    ("migration_amazon_aws", "- name: Have five web servers, with amazon.aws"): "amazon.aws is not installed here",
    ("authentication", "openstack ec2 credentials create"): "there is no OpenStack beside the local cloud",
    ("authentication", "- name: Trust the company's own authority"): "the company's cloud is an example",
    ("quickstart", "python3 -m pip install 'ansible-core>=2.19,<2.22' boto==2.49.0"): "both are installed here",
    ("quickstart", "ansible-playbook nova_ec2.cloud.tutorial"): "test_tutorial plays it",
    ("quickstart", "ansible-playbook nova_ec2.cloud.local_cloud -e local_cloud_ssh=true"): (
        "test_tutorial plays it; the test brings a cloud"
    ),
    ("scale", "version: 3"): "the gate environment gives it to ansible-builder",
    ("scale", "ansible-navigator run everywhere.yml -i clouds.yml --mode stdout --execution-environment false"): (
        "the gate navigator plays it"
    ),
}
# Guides that leave VMs behind, and why.
LEAVES = {
    "scale": "it is about having VMs in several clouds",
}
# The generation that a guide's cloud is of, if it is not Grizzly.
GENERATIONS = {"migration_amazon_aws": "icehouse", "reachable": "ec2api"}
PLAYED = [(f"{GENERATIONS.get(name, 'grizzly')} --ssh", name) for name in NAMES]


def key_of(guide: str, block: Block) -> tuple[str, str]:
    """How NOT_PLAYED names a block."""
    return guide, block.text.splitlines()[0]


def command_for(name: str, parsed: t.Any, later: str, inventories: list[str]) -> str:
    """What is typed for a YAML file once it is saved."""
    if name in later:
        return ""
    if isinstance(parsed, list):
        return f"ansible-playbook {''.join(f'-i {shlex.quote(one)} ' for one in inventories)}{shlex.quote(name)}"
    if "plugin" in parsed:
        return f"ansible-inventory -i {shlex.quote(name)} --list"
    assert "all" in parsed, f"nothing uses the file {name}"
    return ""


def script_for(guide: str, texts: list[Block], folder: pathlib.Path) -> str:
    """A guide as a shell script; what it saves is kept in folder until then."""
    folder.mkdir()
    lines: list[str] = []
    inventories: list[str] = []
    tasks: list[t.Any] = []

    def save(text: str, name: str) -> None:
        kept = folder / str(len(lines))
        kept.write_text(text)
        lines.append(f'mkdir -p "$(dirname {shlex.quote(name)})"; cp {kept} {shlex.quote(name)}')

    def play_tasks() -> None:
        if tasks:
            name = f"tasks-{len(lines)}.yml"
            save(json.dumps([{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]), name)
            lines.append(f"ansible-playbook {name}")
            tasks.clear()

    for number, block in enumerate(texts):
        if block.language == "text" or key_of(guide, block) in NOT_PLAYED:
            continue
        assert block.language in ("shell", "yaml", "ini"), f"{guide}: a block of {block.language} cannot be played"
        parsed = yaml.safe_load(block.text) if block.language == "yaml" else None
        if isinstance(parsed, list) and "hosts" not in parsed[0]:
            tasks += parsed
            continue
        play_tasks()
        if block.language == "shell":
            lines.append(block.text)
            continue
        assert block.caption, f"{guide}: a block to save needs a caption: {block.text}"
        save(block.text, block.caption)
        if parsed is not None:
            later = "\n".join(other.text for other in texts[number + 1 :])
            lines.append(command_for(block.caption, parsed, later, inventories))
            if isinstance(parsed, dict) and ("all" in parsed or "plugin" in parsed):
                inventories.append(block.caption)
    play_tasks()
    return "\n".join(lines)


@pytest.fixture
def reader(cloud: t.Any, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[[str], subprocess.CompletedProcess[str]]]:
    """reader(guide) does what the guide says, in an empty directory, with the collection and credentials at home."""
    home, work = tmp_path / "home", tmp_path / "work"
    for folder in (work, home / ".ssh", home / "clouds", home / ".ansible/collections/ansible_collections/nova_ec2"):
        folder.mkdir(parents=True, mode=0o700)
    (home / ".ansible/collections/ansible_collections/nova_ec2/cloud").symlink_to(ROOT)
    for source, target in (("", "ec2rc"), ("", "clouds/north"), ("-other", "clouds/south")):
        shutil.copy(cloud.directory / f"ec2rc{source}.sh", home / f"{target}.sh")
    keys = cloud.options()
    meant = {
        "http://cloud.example.com:8773/services/Cloud": keys["endpoint_url"],
        "0123456789abcdef0123456789abcdef": keys["access_key"],
        "fedcba9876543210fedcba9876543210": keys["secret_key"],
        # Whoever logs in to the local cloud's VMs is the user that it runs as, at a port of its own.
        "provision_remote_user: cirros": f"provision_remote_user: {pwd.getpwuid(os.geteuid()).pw_name}",
        "provision_ssh_port: 22": f"provision_ssh_port: {cloud.ssh_port}",
    }

    def play(guide: str) -> subprocess.CompletedProcess[str]:
        texts = blocks(GUIDES / f"{guide}.rst")
        for example, value in meant.items():
            texts = [block._replace(text=block.text.replace(example, str(value))) for block in texts]
        environment = {
            **os.environ,
            "HOME": str(home),
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(home / ".ansible/collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_ARGS": "",
        }
        return subprocess.run(
            ["bash", "-euxc", script_for(guide, texts, tmp_path / "blocks")],
            cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    yield play
    for begun in work.rglob("cloud.json"):
        os.kill(json.loads(begun.read_text())["pid"], signal.SIGTERM)


@pytest.mark.parametrize(("cloud", "guide"), PLAYED, indirect=["cloud"], ids=NAMES)
@pytest.mark.needs("ssh")
def test_a_guide_can_be_followed(cloud: t.Any, reader: t.Any, guide: str) -> None:
    done = reader(guide)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[DEPRECATION WARNING]" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    if guide not in LEAVES:
        assert cloud.servers() == [] and cloud.addresses() == {} and cloud.fingerprints() == {}
        assert cloud.groups() <= {"default"}


def test_what_is_not_played_is_there_and_is_yaml_where_it_says_so() -> None:
    found = {key_of(name, block): block for name in NAMES for block in blocks(GUIDES / f"{name}.rst")}
    assert NOT_PLAYED.keys() <= found.keys() and LEAVES.keys() <= set(NAMES)
    for key in NOT_PLAYED:
        if found[key].language == "yaml":
            assert yaml.safe_load(found[key].text)


def said_by_the_code() -> str:
    """Every text in the plugins, with a zero byte wherever a value goes."""
    texts = []
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


def test_every_message_that_is_explained_is_one() -> None:
    code = said_by_the_code()
    guide = (GUIDES / "troubleshooting.rst").read_text()
    messages = re.findall(r"^``(.+)``\n    \S", guide, re.MULTILINE)
    pieces = [piece.strip() for message in messages for piece in message.split("...")]
    assert len(messages) > 30 and [piece for piece in pieces if piece not in code] == []


def test_every_message_is_on_the_page_of_all_messages() -> None:
    spec = importlib.util.spec_from_file_location("messages", ROOT / "docs" / "messages.py")
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    assert sum(map(len, found.by_area().values())) > 150
    assert found.PAGE.read_text() == found.page(), "run python docs/messages.py"


@pytest.mark.parametrize("guide", [name for name in NAMES if name.startswith("migration_")])
def test_names_that_are_said_to_work_are_names_of_the_option(guide: str) -> None:
    text = (GUIDES / f"{guide}.rst").read_text()
    row = r"^   \* - ([^\n]+)\n     - Works as it is: :ansopt:`nova_ec2\.cloud\.(\w+)#module:(\w+)`"
    rows = re.findall(row, text, re.MULTILINE)
    assert len(rows) > 15
    for names, module, option in rows:
        found = importlib.import_module(f"ansible_collections.nova_ec2.cloud.plugins.modules.{module}")
        spec = {**CONNECTION_OPTIONS, **found.OPTIONS}[option]
        assert set(re.findall(r"``(\w+)``", names)) <= {option, *spec.get("aliases", ())}, (module, names)
