# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local cloud: a stand-alone server on the loopback address that speaks the Nova EC2 dialect.

It needs nothing but a Python of 3.9 or newer. Run its folder with ``python3``. Each rule has one home:

* ``transport``: sockets, HTTP, TLS. ``dispatch``: one request into one reply. ``auth``: signatures and the clock.
* ``params``: how values are guessed and lists nested. ``render``: replies as XML. ``errors``: the codes by generation.
* ``profiles``: what sets the generations apart, as data.
* ``model``, ``state``, ``servers``: what exists in the cloud and how it changes with time.
* ``actions``: one module for each kind of thing.
* ``faults``, ``control``, ``journal``: what tests break, steer and read.
* ``ssh``: how VMs let in, where that is asked for.
"""

from __future__ import annotations
