# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in this process, on a clock that only moves when everybody waits, against local clouds without sockets.

What is replaced is what lies outside: the clock, and the socket (:mod:`line`). All between the module's ``main`` and
the bytes that would leave is real, and so are the local cloud's signatures, actions and XML.

* ``world``: the clock, and what is due when.
* ``line``: the client's end of a connection to a cloud of this world.
* ``cloud``: a local cloud, and what goes wrong between it and its clients.
* ``task``: a module run as Ansible would, to its end or beside others.
"""
