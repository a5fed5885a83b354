# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deterministic simulator: whole runs of the module instance, with everything that can go wrong on the way.

All that happens is decided by one list of choices, so a schedule replays exactly from the line that is printed for it.

* ``choices``: the list of choices, and the ways to walk through all lists.
* ``scenarios``: small jobs, and what their runs are asked for.
* ``cloud``: a local cloud that asks the choices what becomes of each request.
* ``play``: one schedule from its beginning to its verdict.
* ``judge``: what must hold, and what is excused because nobody can promise it.
* ``mutants``: faults planted in the engine, all of which must be found.
* ``__main__``: the command line.
"""
