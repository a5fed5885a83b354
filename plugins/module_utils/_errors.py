# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The one exception of the collection, and which of the clouds' many error codes mean the same."""

from __future__ import annotations

import typing as t

REFUSED = "refused"
NOT_SENT = "not_sent"
UNKNOWN = "unknown"


class CloudError(Exception):
    """Anything that goes wrong and that a user can act on.

    ``outcome`` says what became of the request: ``refused`` (the cloud said no and did nothing), ``not_sent`` (it
    never left this machine) or ``unknown`` (it may have been carried out although no usable answer came).
    ``details`` are further keys of the failed result: whatever must not be lost, such as the ids of started VMs.
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
        super().__init__(message)
        self.message = message
        self.error_code = error_code
        self.http_status = http_status
        self.request_id = request_id
        self.endpoint = endpoint
        self.action = action
        self.outcome = outcome
        self.cloud_message = cloud_message
        self.details = details

    def __str__(self) -> str:
        return self.message

    def result(self) -> dict[str, t.Any]:
        """The keys a failed module result carries: msg, error_code, http_status, request_id, endpoint, action."""
        return {
            **self.details,
            "msg": self.message,
            "error_code": self.error_code,
            "http_status": self.http_status,
            "request_id": self.request_id,
            "endpoint": self.endpoint,
            "action": self.action,
        }

    def doing(self, what: str) -> CloudError:
        """The same error, its message saying first what was tried."""
        if what and not self.message.startswith("Could not "):
            self.message = f"Could not {what}: {self.message}"
        return self


class Condition(t.NamedTuple):
    """One condition and all the ways in which the server generations say it.

    ``codes`` are sufficient by themselves; ``phrases`` are parts of the message that tell the condition apart when
    the code is one of the catch-all codes of the older generations.
    """

    codes: frozenset[str]
    phrases: tuple[str, ...] = ()

    def matches(self, error: CloudError) -> bool:
        """Whether error says this."""
        if error.error_code in self.codes:
            return True
        text = error.cloud_message.lower()
        return error.error_code in CATCH_ALL_CODES and any(phrase in text for phrase in self.phrases)


CATCH_ALL_CODES = frozenset({"EC2APIError", "UnknownError", "BadRequest", "InvalidRequest", "Forbidden", "400"})


def _condition(*codes: str, phrases: tuple[str, ...] = ()) -> Condition:
    return Condition(frozenset(codes), phrases)


INSTANCE_GONE = _condition("InvalidInstanceID.NotFound", "InstanceNotFound")
INSTANCE_ID_MALFORMED = _condition("InvalidInstanceIDMalformed", "InvalidInstanceID.Malformed", "InvalidEc2Id")
IMAGE_GONE = _condition("ImageNotFound", "ImageNotFoundEC2", "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
KEY_GONE = _condition("InvalidKeyPair.NotFound", "KeypairNotFound", phrases=("could not find key pair",))
KEY_DUPLICATE = _condition("InvalidKeyPair.Duplicate", "KeyPairExists", phrases=("already exists",))
GROUP_GONE = _condition("InvalidGroup.NotFound", "SecurityGroupNotFound", "SecurityGroupNotFoundForProject")
GROUP_DUPLICATE = _condition("InvalidGroup.Duplicate", phrases=("already exists",))
FLAVOR_GONE = _condition("InstanceTypeNotFoundByName", "FlavorNotFoundByName", "FlavorNotFound")
WRONG_STATE = _condition("IncorrectInstanceState", "InstanceInvalidState", "IncorrectState", "InstanceNotReady")
QUOTA = _condition(
    "ResourceLimitExceeded",
    "SecurityGroupLimitExceeded",
    "TooManyInstances",
    "QuotaError",
    "AddressLimitExceeded",
    phrases=("quota exceeded",),
)
ZONE_UNAVAILABLE = _condition(phrases=("availability zone",))
AUTHENTICATION = _condition("Unauthorized", "AuthFailure", "NotAuthorized", "PolicyNotAuthorized")
NO_SUCH_ACTION = _condition("InvalidRequest", "InvalidAction", "UnknownAction")
SERVER_TROUBLE = _condition("UnknownError", "500", "HTTPInternalServerError")


def outcome_of(http_status: int, error_code: str | None) -> str:
    """Whether an error answer proves that nothing was done: not for 5xx and not for Nova's catch-all code."""
    if http_status >= 500 or (error_code in SERVER_TROUBLE.codes):
        return UNKNOWN
    return REFUSED
