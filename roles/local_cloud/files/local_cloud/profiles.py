# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sets the generations of the EC2 API apart, kept as data.

A profile is chosen once, when the process starts. The rest of the package asks its fields and never its name.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Profile:
    """One generation of the API.

    ``family`` picks the table of error codes (``legacy``, ``modern`` or ``ec2api``). The other fields are switches and
    constants whose meaning stands beside them.
    """

    name: str
    family: str
    pretty: bool = True  # indented replies without an XML declaration
    sigv4: bool = False  # version 4 signatures accepted
    timestamp_needed: bool = True  # a request without Timestamp is refused
    mount: str = "/services/Cloud"  # requests outside it get 404; "" takes every path
    advertised_path: str = "/services/Cloud"  # path of regionEndpoint
    region: str = "nova"
    clock_text: str = "\n\nTimestamp failed validation.\n\n   "  # rest of the body of a 403
    unknown_text: str = "Unknown error occurred."  # message of an exception that has none for clients
    flavor_error: str = "FlavorNotFoundByName"
    flavor_text: str = "Flavor"
    default_flavor: str | None = None  # used when a launch names none
    refused_text: str = "Not Authorized"  # message for credentials that do not hold
    unknown_key_status: int = 401  # of an access key that nobody has; Keystone's own where it comes through
    unknown_key_text: str = "Not Authorized"
    keystone_clock: bool = False  # Keystone refuses a time stamp that is very old or none at all, before anybody else
    address_error: str = "UnsupportedOperation"  # Havana misspells it
    volume_error: str = "InvalidVolumeID.NotFound"
    snapshot_error: str = "InvalidSnapshotID.NotFound"
    malformed_volume_error: str = "InvalidInstanceID.Malformed"
    counts_checked: bool = True  # MinCount and MaxCount must make sense
    zone_checked: bool = True  # an unknown zone is refused (else the server ends in error)
    asked_zone_shown: bool = False  # a server without a host shows the zone it was asked for, not the default one
    token_honoured: bool = True
    token_shown: bool = True
    tags: bool = True
    floating_only: bool = True  # ipAddress and dnsName only hold floating addresses
    public_dns: bool = False  # publicDnsName exists
    reboot_revives_at_once: bool = False  # a stopped server reads running while it reboots
    reboot_from: tuple[str, ...] = ("active", "stopped", "paused", "suspended", "error")
    reboot_twice: bool = False  # reboot while rebooting is accepted
    common_lengths: bool = False  # the lengths of texts of groups are checked by Nova's common function
    absent_tag_fails: bool = True  # deleting a tag that is not there ends the request with an error
    stop_from: tuple[str, ...] = ("active", "rescued", "error")
    reports_changes: bool = False  # Start and Stop list the state changes
    gone_state: str = "terminated"  # state told by Terminate for a server that vanished at once
    root_device_after_boot: str | None = "/dev/sda"
    free_disassociate: str = "refuse"  # an address that is not associated: refuse, accept or instance_not_found
    detach_lingers: bool = False  # a volume reads detaching for a while
    ascii_only: bool = True  # text outside ASCII breaks the whole reply
    rules_recognized: bool = False  # ec2-api finds the rules to remove again, as it does with older Neutrons
    ec2api: bool = False  # the stand-alone service: random ids, group ids, filters, strict parameters


GRIZZLY = Profile(
    name="grizzly",
    family="legacy",
    pretty=False,
    clock_text="\n\nAccess was denied to this resource.\n\n Timestamp failed validation.  ",
    unknown_text="An unknown error has occurred. Please try your request again.",
    flavor_error="InstanceTypeNotFoundByName",
    flavor_text="Instance type",
    default_flavor="m1.small",
    malformed_volume_error="InvalidInstanceIDMalformed",
    counts_checked=False,
    zone_checked=False,
    token_honoured=False,
    token_shown=False,
    tags=False,
    floating_only=False,
    public_dns=True,
    reboot_revives_at_once=True,
    reboot_from=("active", "stopped", "paused", "suspended"),
    root_device_after_boot=None,
    free_disassociate="instance_not_found",
    detach_lingers=True,
)

ICEHOUSE = Profile(name="icehouse", family="modern")

HAVANA = dataclasses.replace(
    ICEHOUSE,
    name="havana",
    unknown_text="Unknown error occured.",
    flavor_error="InstanceTypeNotFoundByName",
    flavor_text="Instance type",
    default_flavor="m1.small",
    address_error="UnsupportedOpperation",
    counts_checked=False,
    token_shown=False,
    absent_tag_fails=False,
    free_disassociate="accept",
)

JUNO = dataclasses.replace(
    ICEHOUSE,
    name="juno",
    sigv4=True,
    timestamp_needed=False,
    stop_from=("active", "error"),
    reports_changes=True,
    common_lengths=True,
    gone_state="shutting-down",
    volume_error="InvalidVolume.NotFound",
    snapshot_error="InvalidSnapshot.NotFound",
    malformed_volume_error="InvalidVolumeID.Malformed",
    root_device_after_boot="/dev/vda",
    ascii_only=False,
)

LIBERTY = dataclasses.replace(
    JUNO,
    name="liberty",
    mount="",
    advertised_path="/",
    asked_zone_shown=True,
    reboot_twice=True,
)

EC2API = dataclasses.replace(
    LIBERTY,
    name="ec2api",
    family="ec2api",
    region="RegionOne",
    advertised_path="/services/Cloud",  # as it was configured where it was recorded
    refused_text="UNAUTHORIZED",
    unknown_key_status=404,
    unknown_key_text="NOT FOUND",
    keystone_clock=True,
    root_device_after_boot="/dev/sda",
    reboot_from=("active",),  # a soft reboot
    reboot_twice=False,
    default_flavor="m1.small",
    volume_error="InvalidVolume.NotFound",
    stop_from=("active", "rescued", "error"),
    reports_changes=False,
    gone_state="terminated",
    free_disassociate="accept",
    ec2api=True,
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (GRIZZLY, HAVANA, ICEHOUSE, JUNO, LIBERTY, EC2API)}
