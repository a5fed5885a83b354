# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contenders: how each of them is told to do a job."""

from __future__ import annotations

import dataclasses
import typing as t

from .lab import IMAGE_NAME, Cloud

FLAVOR, BATCH = "m1.tiny", "bench"
Task = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Contender:
    """Who does a job. cloud: which of the clouds; tasks of a play for a key pair, an image and a batch of N.

    role: a play for a key pair and a batch of N; without one, the tasks for these stand for it.
    """

    name: str
    cloud: str
    keypair: t.Callable[[Cloud], Task]
    image: t.Callable[[Cloud], Task]
    batch: t.Callable[[Cloud, int], Task]
    inventory: t.Callable[[Cloud], tuple[str, Task]] | None = None
    role: t.Callable[[Cloud, int, str], Task] | None = None


def _ours(cloud: Cloud) -> Task:
    keys = {"access_key": cloud.user["access"], "secret_key": cloud.user["secret"]}
    return {"endpoint_url": cloud.endpoint, **keys}


def _amazon(cloud: Cloud) -> Task:
    return {**_ours(cloud), "region": "us-east-1"}


def _bare(module: str, cloud: Cloud, job: str, **more: t.Any) -> Task:
    keys = {"access": cloud.user["access"], "secret": cloud.user["secret"]}
    return {module: {"name": BATCH, **more, "job": job, "endpoint": cloud.endpoint, **keys}}


def _bare_contender(name: str, module: str) -> Contender:
    return Contender(
        name,
        "nova",
        lambda cloud: _bare(module, cloud, "keypair"),
        lambda cloud: _bare(module, cloud, "image", name=IMAGE_NAME),
        lambda cloud, count: _bare(module, cloud, "batch", image=cloud.image, instance_type=FLAVOR, count=count),
    )


def _provision(cloud: Cloud, count: int, key_file: str) -> Task:
    connection = {f"provision_{name}": value for name, value in _ours(cloud).items()}
    batch = {"provision_batch": BATCH, "provision_count": count, "provision_image": cloud.image}
    key = {"provision_key_name": BATCH, "provision_private_key_file": key_file}
    return {"roles": [{"role": "nova_ec2.cloud.provision", **connection, **batch, **key}]}


OURS = Contender(
    "nova_ec2.cloud",
    "nova",
    lambda cloud: {"nova_ec2.cloud.keypair": {**_ours(cloud), "name": BATCH}},
    lambda cloud: {"nova_ec2.cloud.image_info": {**_ours(cloud), "name": IMAGE_NAME}},
    lambda cloud, count: {
        "nova_ec2.cloud.instance": {
            **_ours(cloud),
            "batch": BATCH,
            "count": count,
            "image": cloud.image,
            "instance_type": FLAVOR,
            **({} if count else {"max_terminate": 100000}),
        }
    },
    lambda cloud: ("bench.nova_ec2.yml", {"plugin": "nova_ec2.cloud.nova_ec2", **_ours(cloud)}),
    _provision,
)
AMAZON = Contender(
    "amazon.aws",
    "aws",
    lambda cloud: {"amazon.aws.ec2_key": {**_amazon(cloud), "name": BATCH}},
    lambda cloud: {"amazon.aws.ec2_ami_info": {**_amazon(cloud), "filters": {"name": IMAGE_NAME}}},
    lambda cloud, count: {
        "amazon.aws.ec2_instance": {
            **_amazon(cloud),
            "name": BATCH,
            "image_id": cloud.image,
            "instance_type": FLAVOR,
            # With filters of its own it need not look for the default network each time.
            "filters": {"tag:Name": BATCH, "instance-state-name": ["pending", "running", "stopping", "stopped"]},
            **({"exact_count": count, "state": "running"} if count else {"state": "absent"}),
        }
    },
    lambda cloud: ("bench.aws_ec2.yml", {"plugin": "amazon.aws.aws_ec2", "regions": ["us-east-1"], **_ours(cloud)}),
)
LOOP = _bare_contender("the way of 2.9", "one_by_one")
FLOOR = _bare_contender("floor", "floor")
ALL = (OURS, AMAZON, LOOP, FLOOR)
