# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boto 2.49 through the connection helper, on every Python that this machine has."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MINORS = range(9, 15)

# What a module does, without Ansible: targets have Pythons that the controller's ansible-core does not run on.
PROGRAM = """
import json, sys
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.errors import CloudError
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.options import CONNECTION_OPTIONS, connect_with
defaults = {name: spec.get("default") for name, spec in CONNECTION_OPTIONS.items()}
said = []
for options in json.load(sys.stdin):
    try:
        connection = connect_with({**defaults, **options}, lambda text: None)
        made = connection.create_key_pair("py")
        listed = connection.get_all_key_pairs()
        images = connection.get_all_images()
        connection.delete_key_pair("py")
        said.append([made.material[:31], [pair.name for pair in listed], len(images) > 0])
    except CloudError as error:
        said.append(str(error))
print(json.dumps(said))
"""


def interpreters() -> dict[str, str]:
    """Paths of the Pythons 3.9 to 3.14 that can be found and do run, by version."""
    found = {}
    versions = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions"
    for minor in MINORS:
        name = f"python3.{minor}"
        candidates = [*sorted(map(str, versions.glob(f"3.{minor}.*/bin/{name}"))), shutil.which(name)]
        for candidate in filter(None, candidates):
            if subprocess.run([candidate, "-c", "import ssl"], capture_output=True, check=False).returncode == 0:
                found[f"3.{minor}"] = candidate
                break
    found.setdefault(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.executable)
    return found


FOUND = interpreters()


@pytest.fixture(scope="session")
def only_boto(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A directory from which boto and the collection can be imported, and nothing else."""
    folder = tmp_path_factory.mktemp("only-boto")
    spec = importlib.util.find_spec("boto")
    assert spec is not None and spec.submodule_search_locations
    (folder / "boto").symlink_to(spec.submodule_search_locations[0])
    namespace = folder / "ansible_collections" / "nova_ec2"
    namespace.mkdir(parents=True)
    (namespace / "cloud").symlink_to(ROOT)
    return folder


@pytest.mark.parametrize("version", sorted(FOUND, key=lambda text: int(text.split(".")[1])))
def test_http_and_https(
    version: str, clouds: t.Callable[..., t.Any], only_boto: pathlib.Path, figure: t.Callable[[str], None]
) -> None:
    http, https = clouds("grizzly"), clouds("grizzly", "--tls")
    trusted = {**https.options(), "ca_bundle": https.ca_bundle}
    by_name = {**trusted, "endpoint_url": https.url.replace("127.0.0.1", "localhost")}
    attempts = [http.options(), trusted, by_name, https.options(), {**https.options(), "validate_certs": False}]
    environment = {"PYTHONPATH": str(only_boto), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    for cloud in (http, https):
        cloud.reset()
    done = subprocess.run(
        [FOUND[version], "-c", PROGRAM],
        input=json.dumps(attempts),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    works = ["-----BEGIN RSA PRIVATE KEY-----", ["py"], True]
    said = json.loads(done.stdout)
    assert said[:3] == [works] * 3 and said[4] == works, said
    assert re.search("certificate is not trusted", said[3]), said
    figure(f"boto over http and https on Python {version}: works")
