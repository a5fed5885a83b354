# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the OpenStack of the test bed cannot do that tests on local clouds need: each with its reason.

Tests name what they need with ``@pytest.mark.needs``; a run on the test bed skips them, and ends with this table.
"""

from __future__ import annotations

LACKS = {
    "many_clouds": "there is one of it",
    "slow_vms": "VMs of Nova's fake driver are built and stopped as fast as Nova can, and never more slowly",
    "quick_vms": "a hundred VMs take minutes here; batches of up to 100 have a test of their own",
    "stuck_builds": "a build ends, and nothing can be told to stay pending",
    "clock": "its clock is that of the machine itself",
    "new_images": "its VMs do not boot from volumes, and it has no object store",
    "zones": "it has one machine for VMs, and so one availability zone",
    "console": "the fake driver's console shows the same three lines for every VM, and no login",
    "ssh": "VMs of Nova's fake driver run nothing, and so no SSH server",
    "all_projects": "ec2-api shows administrators their own project's VMs only",
    "ephemeral": "ec2-api asks Nova for a volume where an ephemeral disk is wanted, and Nova wants a size for it",
    "no_tags": "ec2-api has tags",
    "nova": "it is about what Nova itself answers, which the stand-alone service words differently",
    "removable_rules": "its ec2-api keeps the rules of security groups that it says it removed",
    "address_order": "its floating addresses come in no order, and tests name those that come first",
    "volumes": "its volume service has no machine that volumes could be on",
    "world": "its clock and its connections are those of this machine",
    "forged": "what it answers cannot be exchanged on the way",
    "other_keys": "whether it takes other keys than RSA is decided by its Nova, and this one may not",
    "time": "the time that these tests have was over before they began; MINUTES=120 gives more",
    "tls": "ec2-api is served without TLS here; the TLS of a server makes no difference to what it answers",
}
