# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in an action, and the HTTP status and code that each generation gives it.

Actions raise :class:`NovaError` with the *kind* of the failure; the tables here turn a kind into status and code.
"""

from __future__ import annotations

from .profiles import Profile


class NovaError(Exception):
    """A failure of a known kind.

    ``kind`` is a key of the tables below; ``message`` goes to the client unless the generation hides it. ``subject`` is
    what the failure is about, for generations with words of their own.
    """

    def __init__(self, kind: str, message: str, subject: object = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.subject = subject


# Grizzly: always HTTP 400. A kind that is missing here comes out as UnknownError without its message.
_LEGACY: dict[str, str] = {
    "AddressInUse": "UnknownError",
    "AddressLimit": "EC2APIError",
    "AddressNotFound": "FloatingIpNotFoundForAddress",
    "AddressUnusable": "EC2APIError",
    "AuthFailure": "Unauthorized",
    "GroupExists": "EC2APIError",
    "GroupLimit": "EC2APIError",
    "GroupNotFound": "SecurityGroupNotFoundForProject",
    "ImageNotFound": "ImageNotFound",
    "ImageNotOwned": "EC2APIError",
    "ImageNotReady": "EC2APIError",
    "InstanceNotFound": "InstanceNotFound",
    "InvalidAttribute": "EC2APIError",
    "InvalidCidr": "EC2APIError",
    "InvalidParameter": "InvalidParameterValue",
    "InvalidPort": "InvalidPortRange",
    "InvalidProtocol": "400",
    "InvalidRequest": "InvalidRequest",
    "KeyExists": "InvalidKeyPair.Duplicate",
    "KeyImportInvalid": "EC2APIError",
    "KeyImportLimit": "EC2APIError",
    "KeyInvalid": "InvalidKeyPair.Format",
    "KeyLimit": "ResourceLimitExceeded",
    "KeyNotFound": "KeypairNotFound",
    "MalformedInstanceId": "InvalidInstanceIDMalformed",
    "MalformedVolumeId": "InvalidInstanceIDMalformed",
    "MissingParameter": "EC2APIError",
    "NotAuthorized": "NotAuthorized",
    "NoMoreAddresses": "NoMoreFloatingIps",
    "RuleExists": "EC2APIError",
    "RuleLimit": "EC2APIError",
    "RuleNotFound": "EC2APIError",
    "SnapshotNotFound": "SnapshotNotFound",
    "TooManyInstances": "TooManyInstances",
    "VolumeNotFound": "VolumeNotFound",
    "VolumeState": "EC2APIError",
    "VolumeDetachState": "EC2APIError",
    "DevicePathInUse": "EC2APIError",
}

# Havana to Liberty. A kind that is missing here comes out as HTTP 500 with the kind as its code and no message.
_MODERN: dict[str, tuple[int, str]] = {
    "AddressInUse": (400, ""),
    "AddressLimit": (413, "ResourceLimitExceeded"),
    "AddressNotAssociated": (404, "InvalidAssociationID.NotFound"),
    "AddressNotFound": (404, ""),
    "AddressUnusable": (400, "UnsupportedOperation"),
    "AuthFailure": (400, "AuthFailure"),
    "DevicePathInUse": (409, "DevicePathInUse"),
    "GroupExists": (400, "InvalidGroup.Duplicate"),
    "GroupInUse": (400, "InvalidGroup"),
    "GroupLimit": (413, "SecurityGroupLimitExceeded"),
    "GroupNameInvalid": (400, "InvalidParameterValue"),
    "GroupNotFound": (404, "SecurityGroupNotFoundForProject"),
    "ImageNotFound": (404, "ImageNotFound"),
    "ImageNotOwned": (403, "AuthFailure"),
    "ImageNotReady": (400, "IncorrectState"),
    "InstanceInvalidState": (400, "InstanceInvalidState"),
    "InstanceNotFound": (404, "InvalidInstanceID.NotFound"),
    "InstanceNotReady": (400, "InstanceNotReady"),
    "InvalidAttribute": (400, "InvalidAttribute"),
    "InvalidCidr": (400, "InvalidParameterValue"),
    "InvalidEc2Id": (400, "InvalidEc2Id"),
    "InvalidInput": (400, "InvalidInput"),
    "InvalidMetadata": (400, "InvalidMetadata"),
    "InvalidMetadataSize": (400, "InvalidMetadataSize"),
    "InvalidParameter": (400, "InvalidParameterValue"),
    "InvalidPort": (400, "InvalidParameterValue"),
    "InvalidProtocol": (400, "InvalidParameterValue"),
    "InvalidRequest": (400, "InvalidRequest"),
    "KeyExists": (400, "InvalidKeyPair.Duplicate"),
    "KeyImportInvalid": (400, "InvalidKeyPair.Format"),
    "KeyImportLimit": (413, "ResourceLimitExceeded"),
    "KeyInvalid": (400, "InvalidKeyPair.Format"),
    "KeyLimit": (413, "ResourceLimitExceeded"),
    "KeyNotFound": (404, "InvalidKeyPair.NotFound"),
    "MalformedInstanceId": (400, "InvalidInstanceID.Malformed"),
    "MissingParameter": (400, "MissingParameter"),
    "NoMoreAddresses": (404, ""),
    "NotAuthorized": (403, "AuthFailure"),
    "RuleExists": (400, "InvalidPermission.Duplicate"),
    "RuleLimit": (413, "SecurityGroupLimitExceeded"),
    "RuleNotFound": (400, "InvalidParameterValue"),
    "TagLimit": (413, "ResourceLimitExceeded"),
    "TooManyInstances": (413, "ResourceLimitExceeded"),
    "VolumeDetachState": (400, "IncorrectState"),
    "VolumeState": (400, "UnsupportedOperation"),
}

# The stand-alone ec2-api: AWS names, HTTP 400 unless said otherwise. What Nova and Cinder refuse comes through with
# their own status, and the name of that as its code.
_EC2API: dict[str, tuple[int, str]] = {
    **_MODERN,
    "AddressInUse": (400, "InvalidIPAddress.InUse"),
    "AddressLimit": (400, "AddressLimitExceeded"),
    "AddressNotFound": (400, "AuthFailure"),
    "AddressUnknown": (400, "InvalidAllocationID.NotFound"),
    "AttributeUnknown": (400, "InvalidParameterValue"),
    "Conflict": (409, "Conflict"),
    "DevicePathInUse": (400, "InvalidParameterValue"),
    "FlavorNotFound": (400, "InvalidParameterValue"),
    "GroupInUse": (400, "DependencyViolation"),
    "GroupLimit": (400, "ResourceLimitExceeded"),
    "GroupNameInvalid": (400, "ValidationError"),
    "GroupNotFound": (400, "InvalidGroup.NotFound"),
    "GroupReserved": (400, "InvalidGroup.Reserved"),
    "HTTPInternalServerError": (500, "HTTPInternalServerError"),
    "ImageNotAuthorized": (400, "AuthFailure"),
    "ImageNotFound": (400, "InvalidAMIID.NotFound"),
    "ImageNotReady": (400, "InvalidAMIID.Unavailable"),
    "InstanceInvalidState": (400, "IncorrectInstanceState"),
    "InstanceNotFound": (400, "InvalidInstanceID.NotFound"),
    "InvalidCombination": (400, "InvalidParameterCombination"),
    "InvalidEc2Id": (400, "InvalidParameterValue"),
    "InvalidFilter": (400, "InvalidFilter"),
    "InvalidId": (400, "InvalidID"),
    "InvalidInput": (400, "InvalidParameterValue"),
    "KeyImportInvalid": (400, "BadRequest"),
    "KeyImportLimit": (403, "Forbidden"),
    "KeyInvalid": (400, "BadRequest"),
    "KeyLimit": (403, "Forbidden"),
    "KeyNotFound": (400, "InvalidKeyPair.NotFound"),
    "LaunchRefused": (400, "BadRequest"),
    "MalformedInstanceId": (400, "InvalidParameterValue"),
    "NotAuthorized": (400, "AuthFailure"),
    "RuleLimit": (400, "RulesPerSecurityGroupLimitExceeded"),
    "MaterialMissing": (400, "MissingParameter"),
    "SnapshotNotFound": (400, "InvalidSnapshot.NotFound"),
    "SubnetNotFound": (400, "InvalidSubnetID.NotFound"),
    "TooManyInstances": (403, "Forbidden"),
    "Unsupported": (400, "Unsupported"),
    "ValidationError": (400, "ValidationError"),
    "VolumeGone": (404, "NotFound"),
    "VolumeNotFound": (400, "InvalidVolume.NotFound"),
    "VolumeState": (400, "IncorrectState"),
    "VpcNotFound": (400, "InvalidVpcID.NotFound"),
    "ZoneNotFound": (400, "InvalidAvailabilityZone.NotFound"),
}
# What it says of a subject; some of its templates are never filled in.
_EC2API_TEXTS: dict[str, str] = {
    "AddressNotFound": "The address '{}' does not belong to you.",
    "FlavorNotFound": "Value (%(value)s) for parameter %(parameter)s is invalid. %(reason)s",
    "GroupExists": "Security group '{}' already exists.",
    "GroupLimit": "You have reached the limit of security groups",
    "GroupNotFound": "The security group ID '{}' does not exist",
    "ImageNotFound": "The image id '[{}]' does not exist",
    "InstanceInvalidState": "The instance '{}' is not in a state from which the requested operation can be performed.",
    "InstanceNotFound": "The instance ID '{}' does not exist",
    "InvalidRequest": "The request received was invalid.",
    "KeyNotFound": "Keypair {} is not found",
    "RuleExists": "The specified rule already exists for that security group.",
    "RuleLimit": "You've reached the limit on the number of rules that you can add to a security group.",
    "SnapshotNotFound": "Snapshot {} could not be found.",
    "ValidationError": "The input fails to satisfy the constraints specified by an AWS service: '{}'",
    "VolumeNotFound": "The volume '{}' does not exist.",
}


def outcome(profile: Profile, failure: BaseException) -> tuple[int, str, str]:
    """Return HTTP status, code and message of ``failure`` in this generation.

    Anything but a :class:`NovaError` stands for an exception inside the server, as does a kind without an entry.
    """
    known = isinstance(failure, NovaError)
    kind = failure.kind if isinstance(failure, NovaError) else type(failure).__name__
    message = failure.message if isinstance(failure, NovaError) else ""
    if profile.family == "legacy":
        code = profile.flavor_error if kind == "FlavorNotFound" else _LEGACY.get(kind, "UnknownError")
        hidden = not known or code == "UnknownError"
        return 400, code if known else "UnknownError", profile.unknown_text if hidden else message
    entry = _modern_entry(profile, kind) if known else None
    if profile.ec2api and isinstance(failure, NovaError) and kind in _EC2API_TEXTS:
        message = _EC2API_TEXTS[kind].format(failure.subject)
    return (500, kind, profile.unknown_text) if entry is None else (*entry, message)


def _modern_entry(profile: Profile, kind: str) -> tuple[int, str] | None:
    table = _EC2API if profile.family == "ec2api" else _MODERN
    if kind in table and table[kind][1]:
        return table[kind]
    named = {
        "AddressInUse": (400, profile.address_error),
        "AddressNotFound": (404, profile.address_error),
        "FlavorNotFound": (404, profile.flavor_error),
        "MalformedVolumeId": (400, profile.malformed_volume_error),
        "NoMoreAddresses": (404, profile.address_error),
        "SnapshotNotFound": (404, profile.snapshot_error),
        "VolumeNotFound": (404, profile.volume_error),
    }
    return named.get(kind)
