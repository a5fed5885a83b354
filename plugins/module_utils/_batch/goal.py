# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What a task wants of its VMs, made once from its options."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, fields

from .._api.errors import CloudError
from .._api.names import check_known
from .._resources.instances import MARK_PREFIX

RUNNING, STOPPED, REBOOTED, ABSENT = "running", "stopped", "rebooted", "absent"
STATES = {
    "running": RUNNING,
    "present": RUNNING,
    "started": RUNNING,
    "stopped": STOPPED,
    "rebooted": REBOOTED,
    "restarted": REBOOTED,
    "absent": ABSENT,
    "terminated": ABSENT,
}
# Which members a shrinking batch can do without first.
TCP = "tcp:"
REMOVE = ("failed_first", "highest", "newest", "oldest")
GROUP_ID = r"sg-[0-9a-f]{8,}\Z"


@dataclass(frozen=True)
class Goal:
    """What the VMs of a task shall be like; the options of the module instance say what each field means.

    - batch: its name, or None for VMs by id
    - wanted: one of RUNNING, STOPPED, REBOOTED, ABSENT
    - releases: whether floating addresses go with their VMs
    - zones: where to launch; none leaves it to the cloud
    - timeout: seconds to wait for what was asked for last
    """

    wanted: str = RUNNING
    batch: str | None = None
    count: int | None = None
    min_count: int | None = None
    chunk_size: int | None = None
    max_failures: int = 0
    on_error: str = "fail"
    max_replacements: int | None = None
    remove: tuple[str, ...] = ("failed_first",)
    max_terminate: int | None = None
    update: str = "none"
    max_unavailable: int = 1
    max_surge: int = 0
    partition: int = 0
    wait_for: str = "running"
    zones: tuple[str, ...] = ()
    wait: bool = True
    releases: bool = False
    timeout: float = 300.0
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The state in which the VMs shall end."""
        return RUNNING if self.wanted == REBOOTED else self.wanted

    @property
    def port(self) -> int | None:
        """The port at which a VM must answer to be as it shall be, or None."""
        return int(self.wait_for[len(TCP) :]) if self.wait_for.startswith(TCP) else None

    @property
    def words(self) -> str:
        """How messages call a VM that is as it shall be."""
        if self.state != RUNNING or self.wait_for == "running":
            return self.state
        return "running with an address" if self.port is None else f"running and answering on port {self.port}"

    @property
    def fills(self) -> bool:
        """Whether members are launched for those that are missing."""
        return self.batch is not None and self.wanted in (RUNNING, REBOOTED)

    def contents(self, number: int) -> bool:
        """Whether so many members are enough, although there should be more."""
        return self.min_count is not None and number >= self.min_count


def goal_of(params: t.Mapping[str, t.Any]) -> Goal:
    """The goal that the options of the module instance say."""
    zones = params["availability_zones"] or ([params["availability_zone"]] if params["availability_zone"] else [])
    given = {one.name: params[one.name] for one in fields(Goal) if one.name in params}
    given.update(
        wanted=STATES[params["state"]],
        zones=tuple(zones),
        remove=tuple(params["remove"]),
        partition=params["partition"] or 0,
        releases=params["release_addresses"],
        timeout=params["wait_timeout"],
    )
    return Goal(**given)


def check_policies(params: t.Mapping[str, t.Any]) -> None:
    """Refuse options for batches that contradict each other."""
    if params["batch"] is None:
        for option, default in (("min_count", None), ("name_template", None), ("update", "none"), ("on_error", "fail")):
            if params[option] != default:
                raise CloudError(f"{option} is about the members of a batch: name it as batch.")
    for option, least in (
        ("min_count", 0),
        ("chunk_size", 1),
        ("max_unavailable", 0),
        ("max_surge", 0),
        ("partition", 1),
        ("max_failures", 0),
    ):
        if params[option] is not None and params[option] < least:
            raise CloudError(f"{option} must be {least} or more, not {params[option]}.")
    for option in ("max_terminate", "max_replacements"):
        if params[option] is not None and params[option] < 0:
            raise CloudError(f"{option} must be 0 or more, not {params[option]}.")
    if params["min_count"] is not None and (params["count"] is None or params["min_count"] > params["count"]):
        raise CloudError("min_count is the least to be content with of the members that count asks for: at most count.")
    if not params["max_unavailable"] and not params["max_surge"]:
        raise CloudError("max_unavailable and max_surge must not both be 0: no member could be replaced.")
    check_wait_for(params["wait_for"])
    if params["update"] == "replace" and (not params["wait"] or not params["image"]):
        raise CloudError("update: replace goes step by step: it needs image, and wait must not be false.")
    if params["on_error"] == "replace" and not params["image"]:
        raise CloudError("on_error: replace launches VMs: image is needed for that.")
    if not params["remove"] or (params["remove"][0] in REMOVE and len(params["remove"]) > 1):
        raise CloudError(f"remove is one of {', '.join(REMOVE)}, or a list of instance ids.")


def check_launch_options(params: t.Mapping[str, t.Any]) -> None:
    """Refuse launch options that Nova would misread, ignore or fail on."""
    # An image is looked up by its name, which is not sent.
    for option in ("instance_type", "availability_zone", "kernel_id", "ramdisk_id", "key_name"):
        if params[option]:
            check_known(option, params[option])
    for zone in params["availability_zones"] or []:
        check_known("availability_zones", zone)
    for group in params["security_groups"] or []:
        if re.match(GROUP_ID, group):
            raise CloudError(
                f"security_groups: {group} is an id, which Nova ignores (the VM would land in the group default). "
                "Give the group's name."
            )
        if check_known("security_groups", group).startswith(MARK_PREFIX):
            raise CloudError(f"security_groups: {group} is the mark of a batch; give the batch's name as batch.")
    for number, device in enumerate(params["block_device_mapping"] or [], 1):
        for option in ("device_name", "snapshot_id", "virtual_name"):
            if device[option]:
                check_known(f"block_device_mapping, number {number}, {option}", device[option])
        if device["volume_size"] is not None and device["volume_size"] < 1:
            raise CloudError(f"block_device_mapping, number {number}: volume_size must be at least 1 GiB.")


def check_wait_for(text: str) -> None:
    """Refuse what a VM cannot be waited for with."""
    port = text[len(TCP) :] if text.startswith(TCP) else "1" if text in ("running", "address") else ""
    if not (port.isdecimal() and port.isascii() and len(port) < 6 and 0 < int(port) < 65536):
        raise CloudError(f"wait_for is one of running, address and {TCP}PORT, such as {TCP}22, not {text!r}.")
