# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""Where endpoint and keys come from: names, and what is set there."""

from __future__ import annotations

import typing as t

URL_VARIABLES = ("EC2_URL", "AWS_URL", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")
# Per family, in order: the names of the access key and of the secret key. A pair always comes from one family.
KEY_FAMILIES = (
    (("EC2_ACCESS_KEY",), ("EC2_SECRET_KEY",)),
    (("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")),
)


class Source(t.NamedTuple):
    """Where endpoint and keys are looked for, as people know it, and what is set there.

    untold are names that are set by what would have to be executed. told_of is what else is to be said of a file in
    which something is missing.
    """

    where: str
    variables: t.Mapping[str, str]
    untold: t.Collection[str] = ()
    told_of: str = ""

    def first(self, names: t.Iterable[str]) -> str:
        """The value of the first of names that has one, without white space around it; '' if none has."""
        return next((found for found in (self.variables.get(name, "").strip() for name in names) if found), "")

    def lacks(self, names: t.Iterable[str]) -> str:
        """Why none of names has a value here, where that is known."""
        computed = [name for name in names if name in self.untold]
        if computed:
            return (
                f" It sets {' and '.join(computed)} by what would have to be executed (a command, a condition, or a "
                "variable that it does not set), and it is only read: write the value itself there."
            )
        return self.told_of
