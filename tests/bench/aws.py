# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud as modules made for AWS need it: with a VPC, a status of each VM, and the dead shown for a while.

``python -m tests.bench.aws DIRECTORY OPTIONS...`` runs one; the options are Settings of the local cloud, as JSON.
Signatures are not verified: that saves its clients nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

from tests.local_cloud.actions.call import Call
from tests.local_cloud.actions.filters import matches, pairs
from tests.local_cloud.actions.instances import View
from tests.local_cloud.faults import Faults
from tests.local_cloud.journal import Journal
from tests.local_cloud.model import Server
from tests.local_cloud.profiles import EC2API
from tests.local_cloud.state import Cloud, Settings
from tests.local_cloud.transport import Ec2Server

from tests.local_cloud import actions, auth, control, dispatch, errors, files, params, render, servers

VPC, SUBNET = "vpc-00000001", "subnet-00000001"
# What a launch on AWS may ask for, and the local cloud has no use for.
IGNORED = ("tag_specification", "network_interface", "ebs_optimized", "monitoring", "client_token")
# Filters that all of its VMs pass.
PLACES = ("vpc-id", "subnet-id")
PROTOCOL = ("Action", "Version")


class AwsService(dispatch.Service):
    """Answers as AWS does, from what the local cloud has."""

    def identify(self, request: auth.Request) -> str | None:
        """Return the one user that there is."""
        return next(iter(self.cloud.users.values())).name

    def handle(self, request: auth.Request, number: int) -> dispatch.Reply:
        """Carry a request out and return the reply."""
        name, request_id = request.params["Action"], f"req-{uuid.uuid4()}"
        flat = {key: value for key, value in request.params.items() if key not in PROTOCOL}
        try:
            with self.cloud.lock:
                self.cloud.advance()
                call = Call(self.cloud, next(iter(self.cloud.users.values())), number, request_id)
                args = params.nest(flat, underscores=True)
                own = OWN.get(name)
                data = own(call, args) if own else actions.find(EC2API, name).function(call, **args)
        except errors.NovaError as problem:
            return dispatch.failure(self.cloud, problem, request_id)
        body = render.reply(name, request.params["Version"], request_id, data, pretty=False)
        return dispatch.Reply(200, dispatch.XML, body.encode())


def _vpcs(_call: Call, _args: dict[str, Any]) -> dict[str, Any]:
    return {"vpcSet": [{"vpcId": VPC, "state": "available", "isDefault": True, "cidrBlock": "10.0.0.0/8"}]}


def _subnets(call: Call, _args: dict[str, Any]) -> dict[str, Any]:
    zone = call.cloud.settings.zones[0]
    subnet = {"subnetId": SUBNET, "vpcId": VPC, "state": "available", "availabilityZone": zone, "defaultForAz": True}
    return {"subnetSet": [subnet]}


def _groups(call: Call, _args: dict[str, Any]) -> dict[str, Any]:
    groups = call.cloud.groups_of(call.tenant)
    rows = [{"groupId": one.ec2_id, "groupName": one.name, "ownerId": one.tenant_id, "vpcId": VPC} for one in groups]
    return {"securityGroupInfo": rows}


def _keypairs(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    reply = actions.find(EC2API, "DescribeKeyPairs").function(call, **args)
    return {"keySet": [{**row, "keyPairId": "key-00000001"} for row in reply["keySet"]]}


def _new_keypair(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    wanted = {key: value for key, value in args.items() if key not in IGNORED}
    return {**actions.find(EC2API, "CreateKeyPair").function(call, **wanted), "keyPairId": "key-00000001"}


def _launch(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    wanted = {key: value for key, value in args.items() if key not in IGNORED}
    reply = actions.find(EC2API, "RunInstances").function(call, **wanted)
    tags: dict[str, str] = {}
    for specification in params.listed(args.get("tag_specification")):
        if specification["resource_type"] == "instance":
            tags.update({one["key"]: str(one["value"]) for one in params.listed(specification["tag"])})
    for entry in reply["instancesSet"]:
        call.cloud.by_ec2_id[entry["instanceId"]].tags.update(tags)
        _add_network(entry)
    return reply


def _add_network(entry: dict[str, Any]) -> None:
    """Add what clients of AWS take for granted."""
    entry.update(vpcId=VPC, subnetId=SUBNET, networkInterfaceSet=[], sourceDestCheck=True)


def _dead(call: Call) -> dict[str, Server]:
    return {one.ec2_id: one for one in call.cloud.gone}


def _described(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    """VMs by id or by filters. Those that are gone are there by id, and read terminated."""
    there = call.cloud.by_ec2_id
    if ids := args.get("instance_id"):
        dead = _dead(call)
        chosen = [there[one] if one in there else dead[one] for one in ids if one in there or one in dead]
        if len(chosen) < len(ids):
            raise errors.NovaError("InstanceNotFound", "There is no such instance.", ids[0])
    else:
        chosen = list(there.values())
        wanted = [(name, values) for name, values in pairs(args.get("filter")) if name not in PLACES]
        chosen = [one for one in chosen if all(_passes(one, name, values) for name, values in wanted)]
    view = View(call)
    grouped: dict[str, list[Server]] = {}
    for server in chosen:
        grouped.setdefault(server.reservation, []).append(server)
    reservations = []
    for batch in grouped.values():
        reservation = view.reservation(batch)
        for server, entry in zip(batch, reservation["instancesSet"]):
            _add_network(entry)
            if server.deleted is not None:
                entry["instanceState"] = {"code": 48, "name": "terminated"}
        reservations.append(reservation)
    return {"reservationSet": reservations}


def _passes(server: Server, name: str, values: list[Any]) -> bool:
    if name.startswith("tag:"):
        return matches([server.tags.get(name[4:])], values)
    found = {
        "instance-state-name": servers.visible_state(server)[1],
        "image-id": f"ami-{server.image.number or 0:08x}",
        "instance-id": server.ec2_id,
    }
    return matches([found[name]], values)


def _statuses(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    chosen = [call.cloud.by_ec2_id[one] for one in args["instance_id"] if one in call.cloud.by_ec2_id]
    everybody = bool(args.get("include_all_instances"))
    rows = []
    for server in chosen:
        code, state = servers.visible_state(server)
        if everybody or state == "running":
            status = {"status": "ok" if state == "running" else "initializing"}
            rows.append(
                {
                    "instanceId": server.ec2_id,
                    "availabilityZone": server.zone,
                    "instanceState": {"code": code, "name": state},
                    "systemStatus": status,
                    "instanceStatus": status,
                }
            )
    return {"instanceStatusSet": rows}


def _attribute(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    server = call.server(args["instance_id"])
    return {"instanceId": server.ec2_id, "instanceType": {"value": server.flavor.name}}


def _tags(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    ids = [value for name, values in pairs(args.get("filter")) if name == "resource-id" for value in values]
    rows = [
        {"resourceId": one, "resourceType": "instance", "key": key, "value": value}
        for one in ids
        for key, value in call.cloud.by_ec2_id[one].tags.items()
    ]
    return {"tagSet": rows}


def _ended(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    rows = []
    for one in args["instance_id"]:
        code, state = servers.visible_state(call.server(one))
        servers.terminate(call.cloud, call.server(one))
        now = {"code": 32, "name": "shutting-down"}
        rows.append({"instanceId": one, "currentState": now, "previousState": {"code": code, "name": state}})
    return {"instancesSet": rows}


OWN = {
    "DescribeVpcs": _vpcs,
    "DescribeSubnets": _subnets,
    "DescribeSecurityGroups": _groups,
    "DescribeKeyPairs": _keypairs,
    "CreateKeyPair": _new_keypair,
    "RunInstances": _launch,
    "DescribeInstances": _described,
    "DescribeInstanceStatus": _statuses,
    "DescribeInstanceAttribute": _attribute,
    "DescribeTags": _tags,
    "TerminateInstances": _ended,
}


def main() -> None:
    """Run one until it is told to stop. The directory gets the same files as that of a local cloud."""
    directory, settings = Path(sys.argv[1]).resolve(), Settings(**json.loads(sys.argv[2]))
    files.prepare(directory)
    users = files.load_users(directory, None)
    cloud = Cloud(EC2API, users, settings, "tutorial", None)
    journal, faults = Journal(directory / "requests.jsonl"), Faults()
    api = Ec2Server(("127.0.0.1", 0), AwsService(cloud), journal, faults)
    done = threading.Event()
    steering = control.ControlServer(control.Steering(cloud), journal, faults, 0, done.set)
    fields = {
        "endpoint_url": f"http://127.0.0.1:{api.server_port}/",
        "control_url": f"http://127.0.0.1:{steering.server_port}",
        "pid": os.getpid(),
        "profile": "aws",
    }
    files.write_description(directory, users, fields)
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    for server in (api, steering):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"ready: {fields['endpoint_url']}", flush=True)
    done.wait()


if __name__ == "__main__":
    main()
