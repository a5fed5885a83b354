# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests share: an environment that says nothing about any real cloud."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("ANSIBLE_PYTHON_INTERPRETER", sys.executable)
os.environ["ANSIBLE_LOCALHOST_WARNING"] = "False"
os.environ["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "False"
for name in list(os.environ):
    if name.startswith(("EC2_", "AWS_", "BOTO_")) or name.lower() in ("http_proxy", "https_proxy", "no_proxy"):
        del os.environ[name]
