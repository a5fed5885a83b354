# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the local cloud: ``python3 tests/local_cloud`` from anywhere."""

from __future__ import annotations

import sys
from pathlib import Path

# Run as a directory, Python puts that directory itself on the path; the package is found from the one above.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from local_cloud.cli import main

if __name__ == "__main__":
    sys.exit(main())
