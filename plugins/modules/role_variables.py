# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_variables
short_description: Look at the variables of a role
version_added: 0.1.0
author:
  - The nova_ec2.cloud authors (@nova-ec2)
description:
  - Tells which variables of a role were given. One that is blank, that is null, empty or white space, as surveys leave
    it, was not.
  - Those that were given are held against what they should be, as the options of a module are.
  - The roles of this collection begin with it.
options:
  prefix:
    description: What the names of the variables begin with.
    type: str
    required: true
  variables:
    description:
      - What each has to be, by its name without the prefix; C(type), C(elements), C(choices), C(default), C(required)
        and C(options) mean what they do in the argument specification of a role.
      - A C(path) is returned as an absolute one if the task runs on the controller without C(become). A relative one
        is meant from the folder of the playbook, or for the playbooks of this collection from the current folder.
    type: dict
    required: true
notes:
  - The result has the values of all these variables, so it is not for secrets.
extends_documentation_fragment:
  - nova_ec2.cloud.attributes.controller
attributes:
  diff_mode:
    support: N/A
"""

EXAMPLES = r"""
- name: Look at what was given
  nova_ec2.cloud.role_variables:
    prefix: web_
    variables:
      count: {type: int, required: true}
      key_file: {type: path}
  register: web_asked

- name: Show where the key is
  ansible.builtin.debug:
    var: web_asked.given.key_file
  when: web_asked.given.key_file is defined
"""

RETURN = r"""
given:
  description: The values of those that were given or have a default, by their names without the prefix.
  returned: success
  type: dict
  sample:
    count: 3
    key_file: /home/alex/web.pem
"""
