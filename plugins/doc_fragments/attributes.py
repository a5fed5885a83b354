# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules can do beside their work, described once."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that every module of the collection documents."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would change, without a request that changes anything.
  diff_mode:
    description: Returns what was and what shall be in diff mode.
  idempotent:
    description: Changes nothing when run again under the same circumstances.
  action_group:
    description: Use C(group/nova_ec2.cloud.all) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - nova_ec2.cloud.all
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would change, without a request that changes anything.
    support: full
    details:
      - This module never changes anything.
  diff_mode:
    description: Returns what was and what shall be in diff mode.
    support: N/A
  idempotent:
    description: Changes nothing when run again under the same circumstances.
    support: full
  action_group:
    description: Use C(group/nova_ec2.cloud.all) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - nova_ec2.cloud.all
"""

    CONTROLLER = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns what was and what shall be in diff mode.
  idempotent:
    description: Changes nothing when run again under the same circumstances.
    support: full
  action:
    description: Runs on the controller.
    support: full
"""
