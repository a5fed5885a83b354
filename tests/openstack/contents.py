# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cloud holds from the beginning: its catalogue of services, flavors, images and the public network."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import typing as t
import uuid

import openstack

from .bed import Bed
from .configuration import SERVICE_PROJECT, SERVICE_USER

REGION = "RegionOne"
# Type, name and path of each service.
CATALOGUE = (
    ("compute", "nova", "/v2.1"),
    ("image", "glance", ""),
    ("network", "neutron", ""),
    ("placement", "placement", ""),
    ("volumev3", "cinder", "/v3/%(project_id)s"),
    ("ec2", "ec2", "/services/Cloud"),
)
# Name, MiB of memory, GiB of disk, processors: those that Nova came with.
FLAVORS = (("m1.tiny", 512, 1, 1), ("m1.small", 2048, 20, 1), ("m1.medium", 4096, 40, 2), ("m1.large", 8192, 80, 4))
IMAGE = "Cirros-0.3.0-x86_64"
PUBLIC = "public"
KERNEL, RAMDISK = f"{IMAGE}-kernel", f"{IMAGE}-ramdisk"
WAKERS = 12
EMPTY = b"\0" * 4096
# Names of users by what they are for: their projects' names.
ROLES = {"demo": "demo", "other": "other", "adminuser": "adminproj"}
ADMIN = "adminuser"


@dataclasses.dataclass(frozen=True)
class Tenant:
    """A user with a project, a network and EC2 keys of its own."""

    user: str
    user_id: str
    project: str
    project_id: str
    network_id: str
    access: str
    secret: str


def connect(bed: Bed, user: str = "admin", project: str = "admin") -> t.Any:
    """A connection to the native APIs, as the administrator or as a tenant."""
    return openstack.connect(
        load_envvars=False,
        load_yaml_config=False,
        region_name=REGION,
        auth={
            "auth_url": bed.url("keystone", "/v3"),
            "username": user,
            "password": bed.password,
            "project_name": project,
            "user_domain_id": "default",
            "project_domain_id": "default",
        },
    )


def fill_catalogue(bed: Bed) -> str:
    """Tell Keystone of the services and of the user that they are; return a token for Keystone's own use."""
    cloud = connect(bed)
    identity = cloud.identity
    known = {service.name for service in identity.services()}
    for kind, name, path in CATALOGUE:
        if name in known:
            continue
        service = identity.create_service(type=kind, name=name)
        for interface in ("public", "internal"):
            identity.create_endpoint(
                service_id=service.id, interface=interface, url=bed.url(name, path), region_id=REGION
            )
    roles = {role.name: role for role in identity.roles()}
    service_role = roles.get("service") or identity.create_role(name="service")
    project = identity.find_project(SERVICE_PROJECT) or identity.create_project(name=SERVICE_PROJECT)
    user = identity.find_user(SERVICE_USER) or identity.create_user(name=SERVICE_USER, password=bed.password)
    for role in (roles["admin"], service_role):
        identity.assign_project_role_to_user(project, user, role)
    return str(cloud.auth_token)


def fill(bed: Bed, folder: pathlib.Path) -> None:
    """Make flavors, images and the public network."""
    cloud = connect(bed)
    for number, (name, memory, disk, processors) in enumerate(FLAVORS, 1):
        if not cloud.compute.find_flavor(name):
            cloud.compute.create_flavor(name=name, ram=memory, disk=disk, vcpus=processors, id=str(number))
    kernel = _image(cloud, KERNEL, "aki")
    ramdisk = _image(cloud, RAMDISK, "ari")
    _image(cloud, IMAGE, "ami")
    _image(cloud, "Cirros-uec-ami", "ami", kernel_id=kernel, ramdisk_id=ramdisk)
    if not cloud.network.find_network(PUBLIC):
        public = cloud.network.create_network(
            name=PUBLIC, is_router_external=True, provider_network_type="flat", provider_physical_network="public"
        )
        cloud.network.create_subnet(
            network_id=public.id, ip_version=4, cidr="203.0.113.0/24", enable_dhcp=False, name=PUBLIC
        )


def _image(cloud: t.Any, name: str, container: str, **properties: str) -> str:
    """The id of a public image, made if there is none."""
    found = cloud.image.find_image(name)
    if found is None:
        disk = container if container != "ami" else "raw"
        kind = container if container != "ami" else "bare"
        found = cloud.image.create_image(
            name, data=EMPTY, disk_format=disk, container_format=kind, visibility="public", validate_checksum=False,
            **properties,
        )  # fmt: skip
    return str(found.id)


def make_tenants(bed: Bed, suffix: str = "") -> dict[str, Tenant]:
    """Tenants by the names in ROLES, made where there are none. suffix: sets theirs apart from those of others."""
    cloud = connect(bed)
    return {user: _tenant(bed, cloud, f"{user}{suffix}", f"{project}{suffix}", user == ADMIN)
            for user, project in ROLES.items()}  # fmt: skip


def _tenant(bed: Bed, cloud: t.Any, user_name: str, project_name: str, admin: bool) -> Tenant:
    identity, network = cloud.identity, cloud.network
    project = identity.find_project(project_name) or identity.create_project(name=project_name)
    user = identity.find_user(user_name)
    if user is None:
        user = identity.create_user(name=user_name, password=bed.password, default_project_id=project.id)
        role = identity.find_role("admin" if admin else "member", ignore_missing=False)
        identity.assign_project_role_to_user(project, user, role)
    # ec2-api wants a project to have one network, and no other.
    nets = list(network.networks(project_id=project.id))
    if not nets:
        nets = [network.create_network(name=project_name, project_id=project.id, provider_network_type="local")]
    if not list(network.subnets(network_id=nets[0].id)):
        subnet = network.create_subnet(
            network_id=nets[0].id, project_id=project.id, ip_version=4, cidr="10.0.0.0/16", name=project_name
        )
        # Addresses of the public network are given to VMs that a router leads to.
        public = network.find_network(PUBLIC, ignore_missing=False)
        gateway = {"network_id": public.id}
        router = network.create_router(name=project_name, project_id=project.id, external_gateway_info=gateway)
        network.add_interface_to_router(router, subnet_id=subnet.id)
    path = f"/users/{user.id}/credentials/OS-EC2"
    keys = identity.get(path).json()["credentials"]
    if not keys:
        keys = [identity.post(path, json={"tenant_id": project.id}).json()["credential"]]
    return Tenant(user.name, user.id, project.name, project.id, nets[0].id, keys[0]["access"], keys[0]["secret"])


def wake(bed: Bed) -> None:
    """Have Neutron's new processes list something else before anybody's ports, which would fail until then."""
    cloud = connect(bed)

    def ask(path: str) -> int:
        # Another process may take the next connection.
        return int(cloud.network.get(path, headers={"Connection": "close"}).status_code)

    with concurrent.futures.ThreadPoolExecutor(WAKERS) as pool:
        while max([*pool.map(ask, ["/networks"] * WAKERS), *pool.map(ask, ["/ports"] * WAKERS)]) >= 500:
            pass


def unique() -> str:
    """A suffix that no tenants have yet."""
    return f"-{uuid.uuid4().hex[:8]}"
