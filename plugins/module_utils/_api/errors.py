# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The one exception of the collection, and which of the clouds' many error codes mean the same."""

from __future__ import annotations

import traceback
import typing as t

REFUSED = "refused"
NOT_SENT = "not_sent"
UNKNOWN = "unknown"

# What steers a terminal, breaks a line, turns the direction of writing, or cannot be written at all.
CONTROLS = "".join(
    map(chr, (*range(32), *range(127, 160), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)))
)
_PLAIN = {**dict.fromkeys(map(ord, CONTROLS), " "), **dict.fromkeys(range(0xD800, 0xE000), "?")}


def plain(text: str) -> str:
    """A text as people are shown it, on one line: whatever steers a terminal is a blank."""
    return text if text.isascii() and text.isprintable() else text.translate(_PLAIN)


def plain_all(value: t.Any) -> t.Any:
    """The same for all texts in a structure of lists and dictionaries."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain_all(key): plain_all(found) for key, found in value.items()}
    return [plain_all(found) for found in value] if isinstance(value, (list, tuple)) else value


class CloudError(Exception):
    """Anything that goes wrong and that a user can act on.

    ``outcome`` says what became of the request: ``refused`` (the cloud said no and did nothing), ``not_sent`` (it
    never left this machine) or ``unknown`` (it may have been carried out although no usable answer came).
    ``details`` are further keys of the failed result: whatever must not be lost, such as the ids of started VMs.
    All texts of it are fit to be shown (:func:`plain`), wherever they came from.
    """

    def __init__(
        self,
        message: str,
        *,
        error_code: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        endpoint: str | None = None,
        action: str | None = None,
        outcome: str = REFUSED,
        cloud_message: str = "",
        **details: t.Any,
    ) -> None:
        super().__init__(plain(message))
        self.message = message
        self.error_code = plain(error_code) if error_code else error_code
        self.http_status = http_status
        self.request_id = plain(request_id) if request_id else request_id
        self.endpoint = endpoint
        self.action = action
        self.outcome = outcome
        self.cloud_message = plain(cloud_message)
        self.details = details
        # For how many seconds the cloud asked to be left alone.
        self.retry_after: float | None = None

    @property
    def message(self) -> str:
        """What people are told."""
        return self._message

    @message.setter
    def message(self, text: str) -> None:
        self._message = plain(text)

    def __str__(self) -> str:
        return self.message

    @property
    def throttled(self) -> bool:
        """Whether the request came too soon after others, and would do later."""
        return is_throttled(self.http_status or 0, self.error_code, self.cloud_message)

    def result(self) -> dict[str, t.Any]:
        """The keys a failed module result carries: msg, error_code, http_status, request_id, endpoint, ec2_action."""
        return {
            **self.details,
            "msg": self.message,
            "error_code": self.error_code,
            "http_status": self.http_status,
            "request_id": self.request_id,
            "endpoint": self.endpoint,
            "ec2_action": self.action,
        }

    def doing(self, what: str) -> CloudError:
        """The same error, its message saying first what was tried."""
        if what and not self.message.startswith("Could not "):
            self.message = f"Could not {what}: {self.message}"
        return self


CATCH_ALL_CODES = frozenset({"EC2APIError", "UnknownError", "BadRequest", "InvalidRequest", "Forbidden", "400"})


class Condition(t.NamedTuple):
    """One condition and all the ways in which the server generations say it.

    ``codes`` are sufficient by themselves; ``phrases`` are parts of the message that tell the condition apart when
    the code is one that stands for many: the catch-all codes of the older generations, unless ``vague`` has others.
    """

    codes: frozenset[str]
    phrases: tuple[str, ...] = ()
    vague: frozenset[str] = CATCH_ALL_CODES

    def matches(self, error: CloudError) -> bool:
        """Whether error says this."""
        if error.error_code in self.codes:
            return True
        text = error.cloud_message.lower()
        return error.error_code in self.vague and any(phrase in text for phrase in self.phrases)


def _condition(*codes: str, phrases: tuple[str, ...] = ()) -> Condition:
    return Condition(frozenset(codes), phrases)


INSTANCE_GONE = _condition("InvalidInstanceID.NotFound", "InstanceNotFound")
INSTANCE_ID_MALFORMED = _condition("InvalidInstanceIDMalformed", "InvalidInstanceID.Malformed", "InvalidEc2Id")
IMAGE_GONE = _condition("ImageNotFound", "ImageNotFoundEC2", "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
NOT_VOLUME_BACKED = Condition(
    frozenset(),
    ("does not have a volume attached at root", "volume-backed", "ebs-backed"),
    CATCH_ALL_CODES | {"InvalidParameterValue"},
)
KEY_GONE = _condition(
    "InvalidKeyPair.NotFound", "KeypairNotFound", phrases=("could not find key pair", "invalid key_name")
)
KEY_DUPLICATE = _condition("InvalidKeyPair.Duplicate", "KeyPairExists", phrases=("already exists",))
GROUP_GONE = _condition(
    "InvalidGroup.NotFound",
    "SecurityGroupNotFound",
    "SecurityGroupNotFoundForProject",
    phrases=("unable to find security_group",),
)
GROUP_DUPLICATE = _condition("InvalidGroup.Duplicate", phrases=("already exists",))
GROUP_IN_USE = Condition(
    frozenset({"DependencyViolation", "InvalidGroup.InUse"}), ("in use",), CATCH_ALL_CODES | {"InvalidGroup"}
)
# Neutron's word when several groups bear the name that was given.
GROUP_AMBIGUOUS = Condition(frozenset(), ("multiple security_group matches",), frozenset({"Conflict"}))
VOLUME_GONE = Condition(
    frozenset({"VolumeNotFound", "InvalidVolumeID.NotFound", "InvalidVolume.NotFound"}),
    ("could not be found",),
    CATCH_ALL_CODES | {"NotFound"},
)
SNAPSHOT_GONE = Condition(
    frozenset({"SnapshotNotFound", "InvalidSnapshotID.NotFound", "InvalidSnapshot.NotFound"}),
    ("could not be found",),
    CATCH_ALL_CODES | {"NotFound"},
)
RULE_DUPLICATE = _condition("InvalidPermission.Duplicate", phrases=("already exists in group",))
RULE_GONE = Condition(
    frozenset({"InvalidPermission.NotFound"}),
    ("no rule for the specified parameters",),
    CATCH_ALL_CODES | {"InvalidParameterValue"},
)
# ec2-api does not always fill its message in.
FLAVOR_GONE = Condition(
    frozenset({"InstanceTypeNotFoundByName", "FlavorNotFoundByName", "FlavorNotFound"}),
    ("instancetype", "%(parameter)s"),
    frozenset({"InvalidParameterValue"}),
)
# ec2-api looks at the state of a VM, and passes Nova's own refusal on if that looks at what the VM is in the middle of.
WRONG_STATE = Condition(
    frozenset({"IncorrectInstanceState", "InstanceInvalidState", "IncorrectState", "InstanceNotReady"}),
    ("while the instance is in this state", "while it is in"),
    CATCH_ALL_CODES | {"Conflict"},
)
QUOTA = _condition(
    "ResourceLimitExceeded",
    "SecurityGroupLimitExceeded",
    "RulesPerSecurityGroupLimitExceeded",
    "TooManyInstances",
    "QuotaError",
    "AddressLimitExceeded",
    phrases=("quota exceeded",),
)
# Grizzly tells a quota in words that sound like an empty pool, and an empty pool with a code of its own.
ADDRESS_QUOTA = Condition(
    QUOTA.codes,
    ("no more floating ips available", "maximum number of floating ips", *QUOTA.phrases),
)
UNSUPPORTED = frozenset({"UnsupportedOperation", "UnsupportedOpperation", "Unsupported"})
POOL_EMPTY = Condition(
    frozenset({"NoMoreFloatingIps", "IpAddressGenerationFailureClient", "ExternalIpAddressExhaustedClient"}),
    ("zero floating ips", "no more ip addresses"),
    CATCH_ALL_CODES | UNSUPPORTED | {"Conflict"},
)
NO_POOL = Condition(
    frozenset({"FloatingIpPoolNotFound", "NoFloatingIpInterface"}),
    ("restricted by os admin", "floating ip pool not found"),
    CATCH_ALL_CODES | UNSUPPORTED,
)
# ec2-api passes Nova's own refusal on.
CONSOLE_NOT_READY = _condition("InstanceNotReady", "Conflict", phrases=("is not ready",))
ZONE_UNAVAILABLE = _condition(phrases=("availability zone",))
AUTHENTICATION = _condition("Unauthorized", "AuthFailure", "NotAuthorized", "PolicyNotAuthorized")
NO_SUCH_ACTION = _condition("InvalidRequest", "InvalidAction", "UnknownAction")
THROTTLED = frozenset(
    {
        *("RequestLimitExceeded", "Throttling", "ThrottlingException", "RequestThrottled", "RequestThrottledException"),
        *("TooManyRequests", "TooManyRequestsException", "OverLimit", "OverLimitFault", "SlowDown"),
    }
)
SERVER_TROUBLE = _condition("UnknownError", "500", "HTTPInternalServerError")
ADDRESS_HELD = Condition(frozenset(), ("is associated",), CATCH_ALL_CODES | UNSUPPORTED)
# What volumes are refused for, depending on the generation, tells nothing of the reason.
VOLUME_HELD = Condition(
    frozenset({"IncorrectState", "VolumeInUse", "InvalidVolume", "UnsupportedOperation"}),
    ("delete failed", "must be available", "status must be", "in use"),
    CATCH_ALL_CODES | UNSUPPORTED,
)


def may_pass(error: CloudError, held: Condition) -> bool:
    """Whether an answer that refuses may be another one in a moment, because of what is held by something else still.

    Up to Grizzly Nova has one word for that and all else that goes wrong.
    """
    return held.matches(error) or error.error_code == "UnknownError"


def is_throttled(http_status: int, error_code: str | None, cloud_message: str) -> bool:
    """Whether an answer says that there were too many requests.

    Nova says 413 for that, and from Havana on for quotas as well, which no waiting helps against.
    """
    if error_code in QUOTA.codes or "quota" in cloud_message.lower():
        return False
    return http_status in (413, 429) or error_code in THROTTLED


def outcome_of(http_status: int, error_code: str | None, cloud_message: str = "") -> str:
    """Whether an error answer proves that nothing was done: not for 5xx and not for Nova's catch-all code.

    Nor for 1xx and 2xx, which are no errors, nor for 408, by which something on the way gives up waiting. Nor if it was
    too many requests: ec2-api does what changes several VMs by one request for each of them, any of which may be the
    one that Nova refuses.
    """
    if is_throttled(http_status, error_code, cloud_message):
        return UNKNOWN
    if http_status < 300 or http_status == 408 or http_status >= 500 or error_code in SERVER_TROUBLE.codes:
        return UNKNOWN
    return REFUSED


def as_error(exc: Exception) -> CloudError:
    """What went wrong as a CloudError: itself, or a fault of ours, told so that a person can pass it on."""
    if isinstance(exc, CloudError):
        return exc
    at = traceback.extract_tb(exc.__traceback__)[-1]
    where = f"{at.filename.rpartition('/')[2]}, line {at.lineno}"
    return CloudError(f"A fault in nova_ec2.cloud: {type(exc).__name__}: {exc} ({where}).", outcome=UNKNOWN)
