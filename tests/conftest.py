# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests share: an environment that says nothing about any real cloud."""

from __future__ import annotations

import collections
import itertools
import os
import pathlib
import sys
import time
import typing as t

import pytest

# ansible-test has no directory of tests on the path.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lacks import LACKS
from running import RunningCloud, front

os.environ.setdefault("ANSIBLE_PYTHON_INTERPRETER", sys.executable)
os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"
os.environ["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "False"
for name in list(os.environ):
    if name.startswith(("EC2_", "AWS_", "BOTO_")) or name.lower() in ("http_proxy", "https_proxy", "no_proxy"):
        del os.environ[name]


# The generation that an OpenStack with ec2-api is.
BED_PROFILE = "ec2api"
BEGAN = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--bed DIRECTORY runs what needs a cloud on a real OpenStack instead of local clouds."""
    parser.addoption("--bed", type=pathlib.Path, help="directory of the OpenStack to test against: see make openstack")
    parser.addoption("--within", type=float, help="with --bed: seconds after which no more tests are begun")


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known with which tests say what they need of a cloud."""
    config.addinivalue_line("markers", "openstack: about a real OpenStack, and left out without --bed")
    config.addinivalue_line("markers", "alone: what is measured on an OpenStack while nothing else runs")
    config.addinivalue_line("markers", "needs(ability, ...): what a cloud must be able to; tests/lacks.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On an OpenStack leave out what is about another generation, and skip with the reason what it cannot do.

    Without one leave out what is about it.
    """
    kept, left_out = [], []
    local = config.getoption("bed") is None
    for item in items:
        if local:
            (left_out if item.get_closest_marker("openstack") else kept).append(item)
            continue
        params = getattr(item, "callspec", None)
        profile = params.params.get("cloud", BED_PROFILE) if params else BED_PROFILE
        fits = "cloud" in getattr(item, "fixturenames", ()) and profile.split()[0] == BED_PROFILE
        (kept if fits else left_out).append(item)
        for marker in item.iter_markers("needs"):
            for ability in marker.args:
                if ability in LACKS:
                    item.add_marker(pytest.mark.skip(reason=f"{ability}: {LACKS[ability]}"))
    config.hook.pytest_deselected(items=left_out)
    # The fault suite mostly waits, so that others can be run meanwhile if it begins first.
    items[:] = sorted(kept, key=lambda item: item.path.parent.name != "faults") if local else _by_weight(kept)


def _by_weight(items: list[pytest.Item]) -> list[pytest.Item]:
    """In which order tests are run on an OpenStack, where the time may be over before all are.

    What is about an OpenStack comes first, and then what differs by generation. Of every file the first come first.
    """

    def weight(item: pytest.Item) -> int:
        if item.get_closest_marker("skip") or item.get_closest_marker("openstack"):
            return 0
        params = getattr(item, "callspec", None)
        return 1 if params and "cloud" in params.params else 2

    placed = [
        (weight(item), place, item)
        for _path, same in itertools.groupby(items, key=lambda item: item.path)
        for place, item in enumerate(same)
    ]
    return [item for _weight, _place, item in sorted(placed, key=lambda entry: entry[:2])]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test after the time is over; the end tells how many were not begun."""
    within = item.config.getoption("within")
    if within is not None and time.monotonic() - BEGAN > within:
        pytest.skip(f"time: {LACKS['time']}")


@pytest.fixture(scope="session")
def bed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RunningCloud | None]:
    """The OpenStack that --bed names, or None."""
    directory = request.config.getoption("bed")
    found = RunningCloud(tmp_path_factory.mktemp("openstack"), front(directory), False) if directory else None
    yield found
    if found is not None:
        found.stop()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> t.Callable[[str], None]:
    """figure("12 requests") has a figure printed at the end, from whichever process the test ran in."""
    return lambda text: request.node.user_properties.append(("figure", text))


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Print the figures of all tests, and on an OpenStack what it cannot do."""
    if terminalreporter.config.getoption("bed") is not None:
        skipped = collections.Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
        terminalreporter.section("what this cloud cannot do")
        for reason, count in sorted(skipped.items()):
            terminalreporter.line(f"{count:4} tests: {reason.removeprefix('Skipped: ')}")
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    figures = [text for report in reports for name, text in getattr(report, "user_properties", []) if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for text in sorted(set(figures)):
            terminalreporter.line(text)
