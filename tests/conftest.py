# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests share: an environment that says nothing about any real cloud."""

from __future__ import annotations

import os
import sys
import typing as t

import pytest

os.environ.setdefault("ANSIBLE_PYTHON_INTERPRETER", sys.executable)
os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"
os.environ["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "False"
for name in list(os.environ):
    if name.startswith(("EC2_", "AWS_", "BOTO_")) or name.lower() in ("http_proxy", "https_proxy", "no_proxy"):
        del os.environ[name]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> t.Callable[[str], None]:
    """figure("12 requests") has a figure printed at the end, from whichever process the test ran in."""
    return lambda text: request.node.user_properties.append(("figure", text))


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Print the figures of all tests."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    figures = [text for report in reports for name, text in getattr(report, "user_properties", []) if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for text in sorted(set(figures)):
            terminalreporter.line(text)
