# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services' configuration, made of the files in ``conf``."""

from __future__ import annotations

import pathlib
import string

from .bed import Bed

CONF = pathlib.Path(__file__).resolve().parent / "conf"
# What services lock, store and log in.
FOLDERS = ("log", "pid", "etc", "rabbit", "db", "nova/instances", "glance/images")
LOCKS = ("glance", "neutron", "cinder", "nova", "ec2api")
KEYS = ("keystone/fernet", "keystone/credential")
SERVICE_USER, SERVICE_PROJECT = "services", "services"
_AS_SERVICE = """\
www_authenticate_uri = {keystone}
auth_url = {keystone}/v3
auth_type = password
username = {user}
password = {password}
project_name = {project}
user_domain_id = default
project_domain_id = default
service_token_roles_required = true"""


def write(bed: Bed) -> None:
    """Write every service's files anew."""
    for name in (*FOLDERS, *(f"{service}/lock" for service in LOCKS), *KEYS):
        (bed.run / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {name: str(port) for name, port in bed.ports.items()}
    values.update(
        run=str(bed.run),
        socket=str(bed.socket),
        database="mysql+pymysql://root@localhost",
        ec2tokens_route=f"route = ^/v3/ec2tokens addvar:HTTP_X_AUTH_TOKEN={bed.token}" if bed.token else "",
        as_service=_AS_SERVICE.format(
            keystone=bed.url("keystone"), user=SERVICE_USER, password=bed.password, project=SERVICE_PROJECT
        ),
    )
    for template in CONF.iterdir():
        path = bed.run / "etc" / template.name
        path.touch(mode=0o600)
        path.write_text(string.Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")


def database_url(bed: Bed, name: str) -> str:
    """Where a service's database is, as nova-manage wants to be told."""
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={bed.socket}&charset=utf8"
