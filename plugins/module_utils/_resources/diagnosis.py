# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""What a cloud is and can do, told by requests that only read: generation, signatures, tags, filters, usage."""

from __future__ import annotations

import typing as t
import uuid

from .._api.connection import Endpoint, connect
from .._api.errors import AUTHENTICATION, NO_SUCH_ACTION, CloudError
from .._api.reach import OK, PROBLEM, UNKNOWN, WARNING, Check, Way, ask_unsigned, look_at_way
from .._api.replies import error_in
from .._api.wire import Lost, NotSent, Redirected
from .instances import list_instances, own_only
from .views import whole

# The same as in galaxy.yml, which modules do not see.
COLLECTION_VERSION = "0.1.0"

MOUNT = "/services/Cloud"
EC2API = "ec2api"
FROM_HAVANA = ("havana", "icehouse", "juno", "kilo", "liberty")
WITHOUT_TAGS = ("essex", "folsom", "grizzly")
# For what to list what is in use: boto's method, and whether modules can do without.
KINDS = {
    "instances": ("get_all_reservations", False),
    "key_pairs": ("get_all_key_pairs", False),
    "security_groups": ("get_all_security_groups", False),
    "addresses": ("get_all_addresses", True),
    "volumes": ("get_all_volumes", True),
}
API_CHECKS = ("credentials", "signatures", "generation", "tags", "client_tokens", "filters", "usage")


class Found(t.NamedTuple):
    """What is known of the cloud; None where it is not."""

    signature_versions: list[int] | None = None
    generations: t.Sequence[str] = ()
    evidence: t.Sequence[str] = ()
    features: t.Mapping[str, bool | None] = {"tags": None, "client_tokens": None, "filters": None}
    usage: t.Mapping[str, int | None] = dict.fromkeys(KINDS)
    limits: t.Mapping[str, int | None] = {"instances": None}


def examine(settings: dict[str, t.Any], can_ask: bool) -> tuple[list[Check], Way, Found]:
    """Look at the way, and at the cloud if there is one. settings: the arguments of connect. can_ask: boto is there."""
    timeouts = (settings["connect_timeout"], settings["read_timeout"])
    way = look_at_way(settings["endpoint"], settings["validate_certs"], settings["ca_bundle"], timeouts)
    if not way.open or not can_ask:
        why = (
            "The API was not asked, because of the problems told above."
            if can_ask
            else "The API was not asked: that needs boto."
        )
        return [*way.checks, *(Check(name, UNKNOWN, why) for name in API_CHECKS)], way, Found()
    checks, found = look_at_cloud(settings)
    return [*way.checks, *checks], way, found


def look_at_cloud(settings: dict[str, t.Any]) -> tuple[list[Check], Found]:
    """Ask the API."""
    connection = connect(**settings)
    answer = tried(connection.get_all_key_pairs, [f"no-such-key-{uuid.uuid4().hex}"])
    own = settings["signature_version"]
    accepted = {
        own: knows(answer),
        6 - own: knows(tried(connect(**{**settings, "signature_version": 6 - own}).get_all_regions)),
    }
    checks = [credentials(answer, accepted, own), signatures(accepted, own)]
    versions = sorted(version for version, works in accepted.items() if works)
    if not accepted[own]:
        why = "Not looked at, because the cloud has not accepted the request."
        return [*checks, *(Check(name, UNKNOWN, why) for name in API_CHECKS[2:])], Found(versions or None)
    everywhere = mounted_everywhere(settings) if len(versions) == 2 else None
    generations, evidence = generation_of(answer, accepted[4], everywhere)
    checks.append(generation(generations, evidence))
    usage, usage_check, shows_tokens = usage_of(connection)
    tags = tags_of(connection)
    filters, filter_check = filters_of(connection, usage["security_groups"], generations)
    tokens, token_check = tokens_of(generations, shows_tokens)
    limits, limit_check = limits_of(connection, generations, usage)
    features = {"tags": tags[0], "client_tokens": tokens, "filters": filters}
    checks += [tags[1], token_check, filter_check, limit_check if usage_check.status == OK else usage_check]
    return checks, Found(versions, generations, evidence, features, usage, limits)


def tried(call: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    """What a request brought, be it an error."""
    try:
        return call(*args)
    except CloudError as error:
        return error


def knows(answer: t.Any) -> bool | None:
    """Whether the cloud has taken keys and signature of a request for good; None if that cannot be told."""
    if not isinstance(answer, CloudError):
        return True
    if AUTHENTICATION.matches(answer) or answer.http_status in (401, 403):
        return False
    if answer.error_code and (answer.http_status or 500) < 500:
        return True
    return None


def said(error: CloudError) -> str:
    """An error in one line."""
    status = f"HTTP {error.http_status}" if error.http_status else None
    told = ": ".join(part for part in (error.error_code, error.cloud_message) if part)
    return f"{told} ({status})" if told and status else told or error.message


def credentials(answer: t.Any, accepted: t.Mapping[int, bool | None], own: int) -> Check:
    """Whether the keys are right."""
    name = API_CHECKS[0]
    if accepted[own]:
        return Check(name, OK, "The cloud accepts access_key and secret_key.")
    if accepted[own] is None:
        advice = "Ask who runs the cloud to look at its EC2 API and at Keystone, or try again later."
        return Check(name, PROBLEM, f"The cloud does not get on with the request: {said(answer)}.", advice)
    if accepted[6 - own]:
        return Check(name, OK, f"The cloud accepts them with signature version {6 - own}, and not with {own}.")
    advice = (
        "Check that access_key and secret_key belong together and to this cloud ('openstack ec2 credentials list')."
    )
    if answer.http_status == 403 and not answer.error_code:
        advice = "Set the clocks right; if they are, the user may not be allowed to do anything."
    return Check(name, PROBLEM, f"The cloud does not accept the request: {said(answer)}.", advice)


def signatures(accepted: t.Mapping[int, bool | None], own: int) -> Check:
    """Which ways to sign the cloud knows."""
    works = [str(version) for version, fine in sorted(accepted.items()) if fine]
    if not works:
        return Check("signatures", UNKNOWN, "With keys that are not accepted it does not show.")
    detail = f"The cloud accepts signature version {' and '.join(works)}."
    if not accepted[own]:
        return Check("signatures", PROBLEM, detail, f"Set signature_version to {works[0]}.")
    if accepted[6 - own] is None:
        detail += f" Whether it accepts version {6 - own} does not show."
    return Check("signatures", OK, detail)


def mounted_everywhere(settings: t.Mapping[str, t.Any]) -> bool | None:
    """Whether the API answers at any path, as it does from Kilo on, or only below /services/Cloud."""
    endpoint: Endpoint = settings["endpoint"]
    if not endpoint.path.startswith(MOUNT):
        return True
    try:
        reply = ask_unsigned(endpoint, "/", (settings["connect_timeout"], settings["read_timeout"]))
    except (NotSent, Lost, Redirected):
        return None
    error = error_in(reply, "DescribeRegions", endpoint.url, 2)
    if error is not None and error.error_code:
        return True
    return False if reply.status == 404 else None


def generation_of(answer: t.Any, version_4: bool | None, everywhere: bool | None) -> tuple[list[str], list[str]]:
    """Which generations of servers answer so to a question for an unknown key pair, and why that is."""
    if not isinstance(answer, CloudError):
        return ["essex"], ["It knows nothing wrong with asking for a key pair that does not exist."]
    evidence = [f"It says of an unknown key pair: {answer.error_code} (HTTP {answer.http_status})."]
    if answer.error_code == "EC2APIError":
        return ["essex", "folsom"], evidence
    if answer.error_code == "KeypairNotFound":
        return ["grizzly"], evidence
    if answer.error_code != "InvalidKeyPair.NotFound":
        return [], evidence
    if answer.http_status != 404:
        return [EC2API], evidence
    found = list(FROM_HAVANA)
    if version_4 is not None:
        # Signatures of version 4 came with Juno 2014.2.2.
        found = found[2:] if version_4 else found[:3]
        evidence.append(f"It {'knows' if version_4 else 'does not know'} signatures of version 4.")
    if everywhere is not None:
        found = [name for name in found if (name in ("kilo", "liberty")) is everywhere]
        evidence.append(f"It answers {'at any path' if everywhere else 'only below ' + MOUNT}.")
    return found, evidence


def generation(generations: list[str], evidence: list[str]) -> Check:
    """The generation, in words."""
    if not generations:
        advice = "It may be no Nova at all. Modules may misunderstand what it answers."
        return Check("generation", WARNING, f"It answers like no known generation. {' '.join(evidence)}", advice)
    names = "the stand-alone ec2-api" if generations == [EC2API] else "Nova " + " or ".join(map(str.title, generations))
    return Check("generation", OK, f"It is {names}. {' '.join(evidence)}")


def usage_of(connection: t.Any) -> tuple[dict[str, int | None], Check, str | None]:
    """How much of everything the project has; and a VM whose client token shows, if there is one."""
    counts: dict[str, int | None] = {}
    failed: list[str] = []
    worst, token = OK, None
    for kind, (method, dispensable) in KINDS.items():
        try:
            if kind == "instances":
                listing = list_instances(connection)
                views = own_only(connection, listing, listing.views).views
                token = next((view["instance_id"] for view in views if view["client_token"]), None)
                counts[kind] = len(views)
            else:
                counts[kind] = len(getattr(connection, method)())
        except CloudError as error:
            counts[kind] = None
            failed.append(f"{kind}: {said(error)}")
            worst = WARNING if dispensable and worst == OK else worst if dispensable else PROBLEM
    shown = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count is not None)
    if not failed:
        return counts, Check("usage", OK, f"The project has {shown}."), token
    advice = "The cloud may not have these services, or they are down. Ask who runs it."
    detail = f"The project has {shown or 'what cannot be seen'}. Could not be listed: {'; '.join(failed)}."
    return counts, Check("usage", worst, detail, advice), token


def tags_of(connection: t.Any) -> tuple[bool | None, Check]:
    """Whether there are tags."""
    answer = tried(connection.get_all_tags)
    if not isinstance(answer, CloudError):
        return True, Check("tags", OK, "The cloud has tags.")
    if NO_SUCH_ACTION.matches(answer):
        return False, Check("tags", OK, "The cloud has no tags, as those before Havana have none.")
    return None, Check("tags", UNKNOWN, f"Tags could not be listed: {said(answer)}.")


def filters_of(connection: t.Any, groups: int | None, generations: t.Sequence[str]) -> tuple[bool | None, Check]:
    """Whether the server filters, shown by a filter that nothing passes."""
    nothing = {"group-name": f"no-such-group-{uuid.uuid4().hex}"}
    answer = tried(connection.get_all_security_groups, None, None, nothing) if groups else None
    if answer is None or isinstance(answer, CloudError):
        why = f" ({said(answer)})" if answer else ""
        return None, Check("filters", UNKNOWN, f"Whether the server filters could not be seen{why}.")
    if not answer:
        return True, Check("filters", OK, "The server filters lists.")
    tags = " Only those by tags work for VMs." if set(generations) & set(FROM_HAVANA) else ""
    detail = f"The server ignores filters.{tags} Modules of this collection filter by themselves."
    return False, Check("filters", OK, detail)


def tokens_of(generations: t.Sequence[str], shown_by: str | None) -> tuple[bool | None, Check]:
    """Whether launches can bear a client token."""
    if shown_by:
        return True, Check("client_tokens", OK, f"The cloud keeps client tokens: {shown_by} shows its own.")
    expected = {name not in WITHOUT_TAGS for name in generations}
    if len(expected) != 1:
        return None, Check("client_tokens", UNKNOWN, "Only a launch could show whether client tokens work.")
    known = expected.pop()
    detail = f"Only a launch could show it. Servers of this generation {'honour' if known else 'ignore'} client tokens."
    return known, Check("client_tokens", UNKNOWN, detail)


def limits_of(
    connection: t.Any, generations: t.Sequence[str], usage: t.Mapping[str, int | None]
) -> tuple[dict[str, int | None], Check]:
    """What the quota is, where anything tells."""
    shown = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in usage.items())
    detail = f"The project has {shown}."
    limit = None
    if list(generations) == [EC2API]:
        answer = tried(connection.describe_account_attributes, ["max-instances"])
        rows = [] if isinstance(answer, CloudError) else answer
        values = [
            value for row in rows if row.attribute_name == "max-instances" for value in row.attribute_values or []
        ]
        limit = whole(values[0]) if values else None
    used = usage["instances"]
    if limit is None:
        return {"instances": None}, Check("usage", OK, f"{detail} The API of this generation does not tell the quota.")
    detail += f" It may have {limit} VMs."
    if used is not None and used >= limit:
        advice = "Terminate VMs, or have the quota raised."
        return {"instances": limit}, Check("usage", WARNING, f"{detail} There is no room for another one.", advice)
    return {"instances": limit}, Check("usage", OK, detail)
