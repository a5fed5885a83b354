# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.openstack.record``: a fixed list of requests to the test bed's ec2-api, written down with replies.

The order and the names are those of the recordings of Nova where the same thing is asked.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from .bed import load
from .contents import IMAGE, connect
from .native import DEFAULT_QUOTAS, Native
from .recorder import Recorder, encoded

SUFFIX = "-recorded"
# Ids that nothing has.
NOBODY, NO_IMAGE, NO_GROUP, NO_VOLUME = "i-00ffffff", "ami-00ffffff", "sg-00ffffff", "vol-00ffffff"
NO_SNAPSHOT = "snap-00ffffff"
PUBLIC_KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCtnaE5uo7vWwWO24h1CcVnVQl0XvebJHW8xXn7YNSLjGxqZXGOwK+v3PMUKUhSMed3"
    "8ir625Ea9DB8hzKCqK6uq7Kn1FuCvOmDSUIjF3E5Q3SZbUZwXYNvNPMEHGsTiCu7LVdVy9cTVXLqmx1iM+PDVISBQky8GiVv"
    "ILevWo2rHv6GNfrkZChMV7/WKM9bKMgqIeHdwElY6Mjs5u0t5SNgf2reWliT9mM8RHWdpdA4he08WZh5k9jhU5psMu4JplEn"
    "ylboE45uW4TeOzzLNjPuEQ9QMUspVXc38FMrMEI41iE+4TAXsWnUQ8JBwJ1XNjTCuX06PHmq9Oydr1mJGprr test@host"
)
TINY = {"InstanceType": "m1.tiny", "MinCount": "1", "MaxCount": "1"}


def main(arguments: list[str] | None = None) -> int:
    """Play all requests; the folder then holds nothing but this recording."""
    parser = argparse.ArgumentParser(prog="python -m tests.openstack.record", description=__doc__)
    parser.add_argument("--bed", type=pathlib.Path, required=True, help="the test bed's directory")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="where the exchanges are written")
    options = parser.parse_args(arguments)
    bed = load(options.bed)
    options.output.mkdir(parents=True, exist_ok=True)
    for path in options.output.iterdir():
        path.unlink()
    native = Native(bed, SUFFIX, DEFAULT_QUOTAS)
    clear(native)
    recorder = Recorder(bed, native, options.output)
    regions(recorder)
    authentication(recorder)
    forms(recorder)
    key_pairs(recorder)
    image = images(recorder)
    groups(recorder)
    Instances(recorder, image).play()
    recorder.finish()
    clear(native)
    return 0


def clear(native: Native) -> None:
    """Remove what the tenants have, addresses and volumes included."""
    native.reset()
    cloud = connect(native.bed)
    for tenant in native.tenants.values():
        for address in cloud.network.ips(project_id=tenant.project_id):
            cloud.network.delete_ip(address)
    for volume in cloud.block_storage.volumes(all_projects=True):
        if volume.project_id in {tenant.project_id for tenant in native.tenants.values()}:
            # No host has it, so Cinder's API deletes it by itself once it is not being created any more.
            cloud.block_storage.reset_volume_status(volume, "error", None, None)
            cloud.block_storage.delete_volume(volume)


def regions(recorder: Recorder) -> None:
    """Regions, zones, the account."""
    ask = recorder.ask
    ask("regions", "DescribeRegions")
    ask("regions-by-name", "DescribeRegions", {"RegionName.1": "RegionOne"})
    ask("regions-unknown-name", "DescribeRegions", {"RegionName.1": "nope"})
    ask("zones", "DescribeAvailabilityZones")
    ask("zones-by-name", "DescribeAvailabilityZones", {"ZoneName.1": "nova"})
    ask("zones-unknown-name", "DescribeAvailabilityZones", {"ZoneName.1": "nope"})
    ask("zones-verbose-admin", "DescribeAvailabilityZones", {"ZoneName.1": "verbose"}, role="adminuser")
    ask("account-attributes", "DescribeAccountAttributes")
    ask("account-attributes-by-name", "DescribeAccountAttributes", {"AttributeName.1": "max-instances"})


def authentication(recorder: Recorder) -> None:
    """Credentials, signatures and clocks that do not hold."""
    ask, act = recorder.ask, "DescribeRegions"
    recorder.ask_v4("auth-boto-default-sigv4", act, note="boto 2.49 as it comes signs EC2 with SigV4")
    ask("auth-wrong-secret", act, signed_by="0" * 32)
    recorder.ask_v4("auth-wrong-secret-sigv4", act, secret="0" * 32)
    ask("auth-unknown-access-key", act, protocol={"AWSAccessKeyId": "0" * 32})
    ask("auth-access-key-of-other-secret", act, signed_by=recorder.native.tenants["other"].secret)
    ask("auth-no-signature", act, verb="GET", protocol={"Signature": None})
    ask("auth-no-access-key", act, verb="GET", protocol={"AWSAccessKeyId": None})
    ask("auth-old-timestamp", act, verb="GET", shift=-3600)
    ask("auth-future-timestamp", act, verb="GET", shift=3600)
    ask("auth-bad-timestamp", act, verb="GET", protocol={"Timestamp": "yesterday"})
    ask("auth-no-timestamp", act, verb="GET", protocol={"Timestamp": None})


def forms(recorder: Recorder) -> None:
    """Requests that are odd in form."""
    ask, act = recorder.ask, "DescribeRegions"
    ask("form-no-action", act, verb="GET", protocol={"Action": None})
    ask("form-empty-action", "", verb="GET")
    ask("form-unknown-action", "DescribeFlyingPigs", verb="GET")
    ask("form-private-action", "_getImage", verb="GET")
    ask("form-lowercase-action", "describeRegions", verb="GET")
    ask("form-no-version", act, verb="GET", protocol={"Version": None})
    ask("form-odd-version", act, verb="GET", protocol={"Version": "banana"})
    ask("form-newer-version", act, verb="GET", protocol={"Version": "2016-11-15"})
    ask("form-post", act, path="/services/Cloud")
    ask("form-trailing-slash", act, verb="GET")
    ask("form-other-path", act, verb="GET", path="/services/Admin")
    ask("form-root-path", act, verb="GET", path="/")
    ask("form-extra-unknown-parameter", act, {"Frobnicate": "1"}, verb="GET")
    ask("form-dryrun", act, {"DryRun": "true"}, verb="GET")


def key_pairs(recorder: Recorder) -> None:
    """Key pairs."""
    ask, create, show, delete = recorder.ask, "CreateKeyPair", "DescribeKeyPairs", "DeleteKeyPair"
    ask("keypair-list-empty", show)
    ask("keypair-create", create, {"KeyName": "key-one"})
    ask("keypair-create-duplicate", create, {"KeyName": "key-one"})
    ask("keypair-create-duplicate-other-case", create, {"KeyName": "Key-One"})
    ask("keypair-create-name-with-slash", create, {"KeyName": "bad/name"})
    ask("keypair-create-name-with-space", create, {"KeyName": "my key"})
    ask("keypair-create-name-with-dot", create, {"KeyName": "my.key"})
    ask("keypair-create-name-with-at", create, {"KeyName": "me@host"})
    ask("keypair-create-name-empty", create, {"KeyName": ""})
    ask("keypair-create-name-256", create, {"KeyName": "k" * 256})
    ask("keypair-create-no-name", create, verb="GET")
    ask("keypair-create-numeric-name", create, {"KeyName": "12345"}, verb="GET")
    ask("keypair-create-boolean-name", create, {"KeyName": "true"}, verb="GET")
    public_keys(recorder)
    ask("keypair-list", show)
    ask("keypair-list-one", show, {"KeyName.1": "key-one"})
    ask("keypair-list-unknown", show, {"KeyName.1": "no-such-key"})
    ask("keypair-list-one-known-one-unknown", show, {"KeyName.1": "key-one", "KeyName.2": "no-such-key"})
    ask("keypair-list-filter-name", show, {"Filter.1.Name": "key-name", "Filter.1.Value.1": "key-one"})
    ask("keypair-list-filter-unknown", show, {"Filter.1.Name": "nonsense", "Filter.1.Value.1": "x"})
    ask("keypair-list-other-tenant", show, role="other")
    ask("keypair-create-same-name-other-tenant", create, {"KeyName": "key-one"}, role="other")
    ask("keypair-delete", delete, {"KeyName": "my key"})
    ask("keypair-delete-unknown", delete, {"KeyName": "no-such-key"})
    ask("keypair-delete-no-name", delete, verb="GET")
    ask("keypair-create-in-use-test", create, {"KeyName": "key-two"})
    recorder.limit("quota_keypairs", 2)
    ask("keypair-create-over-quota", create, {"KeyName": "key-three"})
    recorder.limit("quota_keypairs", 100)


def public_keys(recorder: Recorder) -> None:
    """Public keys, good and bad."""
    materials = {
        "": ("imported", encoded(PUBLIC_KEY)),
        "-duplicate": ("imported", encoded(PUBLIC_KEY)),
        "-garbage": ("garbage", encoded("this is not a key")),
        "-empty": ("garbage", ""),
        "-not-base64": ("garbage", "ssh-rsa AAAA"),
    }
    for name, (key_name, material) in materials.items():
        sent = {"KeyName": key_name, "PublicKeyMaterial": material}
        recorder.ask(f"keypair-import{name}", "ImportKeyPair", sent)
    recorder.ask("keypair-import-no-material", "ImportKeyPair", {"KeyName": "garbage"})


def images(recorder: Recorder) -> str:
    """Images. Returns the id of the plain one."""
    ask, show = recorder.ask, "DescribeImages"
    listed = ask("images-all", show)
    ids = dict(zip(listed.all("name"), listed.all("imageId")))
    image, other = ids[IMAGE], ids["Cirros-uec-ami"]
    kernel = ids[f"{IMAGE}-kernel"]

    def by(*wanted: str) -> dict[str, str]:
        return {f"ImageId.{number}": one for number, one in enumerate(wanted, 1)}

    def having(name: str, value: str) -> dict[str, str]:
        return {"Filter.1.Name": name, "Filter.1.Value.1": value}

    ask("images-by-id", show, by(image))
    ask("images-by-two-ids", show, by(image, other))
    ask("images-unknown-id", show, by(NO_IMAGE))
    ask("images-known-and-unknown-id", show, by(image, NO_IMAGE))
    ask("images-malformed-id", show, by("ami-zzz"))
    ask("images-bogus-id", show, by("bogus"))
    ask("images-id-wrong-prefix", show, by(image.replace("ami", "aki")))
    ask("images-id-by-name", show, by(IMAGE))
    ask("images-kernel-by-id", show, by(kernel))
    ask("images-filter-name", show, having("name", IMAGE))
    ask("images-filter-name-wildcard", show, having("name", "Cirros*"))
    ask("images-filter-image-type", show, having("image-type", "machine"))
    ask("images-filter-unknown", show, having("no-such-filter", "x"))
    ask("images-owner-self", show, {"Owner.1": "self"})
    ask("images-other-tenant", show, role="other")
    for attribute in ("launchPermission", "kernel", "ramdisk", "blockDeviceMapping", "rootDeviceName", "description"):
        ask(f"image-attribute-{attribute}", "DescribeImageAttribute", {"ImageId": other, "Attribute": attribute})
    ask("image-attribute-bogus", "DescribeImageAttribute", {"ImageId": other, "Attribute": "bogus"})
    ask("image-attribute-unknown-image", "DescribeImageAttribute", {"ImageId": NO_IMAGE, "Attribute": "kernel"})
    return image


def groups(recorder: Recorder) -> None:
    """Security groups and their rules."""
    ask, create, show = recorder.ask, "CreateSecurityGroup", "DescribeSecurityGroups"
    rule, revoke, delete = "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "DeleteSecurityGroup"

    def named(name: str, description: str = "d", **more: str) -> dict[str, str]:
        return {"GroupName": name, "GroupDescription": description, **more}

    def ports(protocol: str, low: str, high: str, cidr: str = "0.0.0.0/0", group: str = "web") -> dict[str, str]:
        first = "IpPermissions.1."
        return {"GroupName": group, f"{first}IpProtocol": protocol, f"{first}FromPort": low, f"{first}ToPort": high,
                f"{first}IpRanges.1.CidrIp": cidr}  # fmt: skip

    ask("sg-list", show)
    web = ask("sg-create", create, named("web", "web servers")).one("groupId")
    ask("sg-create-duplicate", create, named("web", "again"))
    ask("sg-create-default", create, named("default", "again"))
    ask("sg-create-bad-name", create, named("bad/näme"))
    ask("sg-create-odd-name", create, named("odd/name!"))
    ask("sg-create-long-name", create, named("g" * 256))
    ask("sg-create-empty-description", create, named("nodesc", ""))
    ask("sg-create-with-vpc-id", create, named("invpc", VpcId="vpc-12345678"))
    ask("sg-create-no-name", create, {"GroupDescription": "x"}, verb="GET")
    ask("sg-authorize", rule, ports("tcp", "22", "22"), verb="GET")
    ask("sg-authorize-duplicate", rule, ports("tcp", "22", "22"), verb="GET")
    ask("sg-authorize-range", rule, ports("udp", "1000", "2000", "192.0.2.0/24"))
    ask("sg-authorize-icmp", rule, ports("icmp", "-1", "-1", "10.0.0.0/8"))
    everything = {"IpPermissions.1.IpProtocol": "-1", "IpPermissions.1.IpRanges.1.CidrIp": "198.51.100.7/32"}
    ask("sg-authorize-all-protocols", rule, {"GroupName": "web", **everything})
    ask("sg-authorize-no-protocol", rule, {"GroupName": "web", "IpPermissions.1.IpRanges.1.CidrIp": "198.51.100.8/32"})
    ask("sg-authorize-no-cidr", rule, {"GroupName": "web", "IpPermissions.1.IpProtocol": "tcp",
                                       "IpPermissions.1.FromPort": "80", "IpPermissions.1.ToPort": "80"})  # fmt: skip
    source = {"IpPermissions.1.IpProtocol": "tcp", "IpPermissions.1.FromPort": "1", "IpPermissions.1.ToPort": "65535"}
    ask("sg-authorize-group", rule, {"GroupName": "web", **source, "IpPermissions.1.Groups.1.GroupName": "default"})
    by_id = {"GroupId": web, **source, "IpPermissions.1.Groups.1.GroupId": web}
    ask("sg-authorize-group-by-id", rule, by_id)
    ask("sg-authorize-old-form", rule, {"GroupName": "web", "SourceSecurityGroupName": "default"}, verb="GET")
    flat = {"IpProtocol": "tcp", "FromPort": "81", "ToPort": "81", "CidrIp": "0.0.0.0/0"}
    ask("sg-authorize-flat-form", rule, {"GroupName": "web", **flat}, verb="GET")
    ask("sg-authorize-bad-protocol", rule, ports("carrot", "1", "2"), verb="GET")
    ask("sg-authorize-bad-ports", rule, ports("tcp", "50", "20"), verb="GET")
    ask("sg-authorize-port-too-big", rule, ports("tcp", "1", "70000"), verb="GET")
    ask("sg-authorize-bad-cidr", rule, ports("tcp", "1", "2", "300.0.0.0/0"), verb="GET")
    ask("sg-authorize-unknown-group", rule, ports("tcp", "1", "2", group="nope"), verb="GET")
    ask("sg-authorize-no-args", rule, {"GroupName": "web"}, verb="GET")
    ask("sg-list-by-name", show, {"GroupName.1": "web"})
    ask("sg-list-by-id", show, {"GroupId.1": web})
    ask("sg-list-unknown", show, {"GroupName.1": "nope"})
    ask("sg-list-unknown-id", show, {"GroupId.1": NO_GROUP})
    ask("sg-list-malformed-id", show, {"GroupId.1": "1"})
    ask("sg-list-filter", show, {"Filter.1.Name": "group-name", "Filter.1.Value.1": "web"})
    ask("sg-list-other-tenant", show, role="other")
    ask("sg-revoke", revoke, ports("tcp", "22", "22"), verb="GET")
    by_id = {key: value for key, value in ports("tcp", "22", "22").items() if key != "GroupName"}
    ask("sg-revoke-by-id", revoke, {"GroupId": web, **by_id}, verb="GET")
    egress = {"GroupId": web, **source, "IpPermissions.1.IpRanges.1.CidrIp": "0.0.0.0/0"}
    ask("sg-authorize-egress", "AuthorizeSecurityGroupEgress", egress)
    ask("sg-list-after-rules", show, {"GroupName.1": "web"})
    ask("sg-delete-unknown", delete, {"GroupName": "nope"})
    ask("sg-delete-default", delete, {"GroupName": "default"})
    recorder.limit("quota_groups", 2)
    ask("sg-create-over-quota", create, named("third"))
    recorder.limit("quota_groups", 10)


class Instances:
    """VMs, and what belongs to them."""

    def __init__(self, recorder: Recorder, image: str) -> None:
        self.recorder = recorder
        self.ask = recorder.ask
        self.image = image

    def play(self) -> None:
        """Everything in order."""
        self.first()
        self.launches()
        self.quotas()
        self.in_place()
        self.listings()
        self.attributes()
        self.actions()
        self.wrong_ids()
        self.tags()
        self.addresses()
        self.volumes()
        self.new_images()
        self.passwords()
        self.unsupported()
        self.broken()
        self.ends()

    def run(self, name: str, role: str = "demo", **changed: str | None) -> list[str]:
        """Launch VMs; dots in names of parameters are written as two underscores. Returns their ids."""
        sent: dict[str, str | None] = {"ImageId": self.image, **TINY}
        sent |= {key.replace("__", "."): value for key, value in changed.items()}
        return self.ask(
            name, "RunInstances", {key: value for key, value in sent.items() if value is not None}, role=role
        ).all("instanceId")

    def show(self, name: str, *ids: str, role: str = "demo", **more: str) -> None:
        """List VMs, all of them if none is named."""
        sent = {f"InstanceId.{number}": one for number, one in enumerate(ids, 1)}
        sent |= {key.replace("__", "."): value for key, value in more.items()}
        self.ask(name, "DescribeInstances", sent, role=role)

    def act(self, name: str, verb: str, *ids: str, role: str = "demo") -> None:
        """Stop, Start, Reboot or Terminate VMs."""
        sent = {f"InstanceId.{number}": one for number, one in enumerate(ids, 1)}
        self.ask(name, f"{verb}Instances", sent, role=role, verb="GET" if verb == "Reboot" else "POST")

    def first(self) -> None:
        """The first VM, and what can be done with it while it is being built."""
        self.show("instances-list-before")
        self.one = self.run("run-one", KeyName="key-one")[0]
        self.show("describe-pending", self.one)
        self.act("start-while-pending", "Start", self.one)
        self.recorder.settle()
        self.show("describe-running", self.one)

    def launches(self) -> None:
        """Launches of other kinds, and those that are refused."""
        self.default = self.run("run-plain-defaults", InstanceType=None)[0]
        self.recorder.settle()
        self.run("run-raw-no-image", ImageId=None)
        self.run("run-raw-mincount-only", MaxCount=None)
        self.token = "token-1"
        self.three = self.run(
            "run-client-token-1", ClientToken=self.token, MinCount="3", MaxCount="3", SecurityGroup__1="web"
        )
        self.show("describe-several-pending")
        self.recorder.settle()
        self.run("run-client-token-1-again", ClientToken=self.token, MinCount="3", MaxCount="3", SecurityGroup__1="web")
        self.run("run-client-token-1-other-params", ClientToken=self.token)
        self.run("run-min-greater-than-max", MinCount="3", MaxCount="2")
        self.run("run-min-zero", MinCount="0")
        self.run("run-zero", MinCount="0", MaxCount="0")
        self.run("run-min-negative", MinCount="-1")
        self.run("run-min-not-a-number", MinCount="many")
        self.run("run-unknown-image", ImageId=NO_IMAGE)
        self.run("run-malformed-image", ImageId="ami-zzz")
        self.run("run-image-by-name", ImageId=IMAGE)
        self.run("run-unknown-key", KeyName="no-such-key")
        self.run("run-unknown-type", InstanceType="m9.huge")
        self.run("run-empty-type", InstanceType="")
        self.run("run-unknown-security-group", SecurityGroup__1="nope")
        self.run("run-unknown-zone", Placement__AvailabilityZone="mars")
        self.run("run-user-data-not-base64", UserData="!!!")
        self.run("run-dry-run", DryRun="true")
        self.run("run-unknown-parameter", Frobnicate="1")
        self.run("run-with-subnet-id", SubnetId="subnet-12345678")
        self.run("run-unknown-kernel", KernelId="aki-00ffffff")
        self.recorder.settle()
        self.data = self.run(
            "run-with-user-data", UserData=encoded("#!/bin/sh\necho hello\n"), Placement__AvailabilityZone="nova"
        )[0]
        self.recorder.settle()

    def quotas(self) -> None:
        """Launches of more than there is room for: the VMs are counted one by one."""
        # Two more than there are.
        self.recorder.limit("quota_instances", 9)
        self.run("run-over-quota-instances", MinCount="3", MaxCount="3")
        self.show("describe-refused-at-once")
        self.recorder.settle()
        self.show("describe-after-refusal")
        self.run("run-over-quota-min11", MinCount="11", MaxCount="11")
        self.recorder.settle()
        self.run("run-min1-max5-quota-shrinks", MinCount="1", MaxCount="5")
        self.recorder.settle()
        kept = self.ask("describe-kept", "DescribeInstances").all("instanceId")
        self.run("run-over-quota-full")
        doomed = [one for one in kept if one not in (self.one, self.default, self.data, *self.three)]
        self.act("terminate-kept", "Terminate", *doomed)
        self.recorder.settle()
        self.recorder.limit("quota_instances", 10)
        self.recorder.limit("quota_cores", 6)
        self.run("run-over-quota-cores")
        self.recorder.limit("quota_cores", 20)
        self.recorder.limit("quota_ram", 4608)
        self.run("run-over-quota-ram")
        self.recorder.limit("quota_ram", 51200)

    def in_place(self) -> None:
        """A launch in the place of a VM that is being terminated, which counts for the quota until it is not listed."""
        doomed = self.run("run-to-be-replaced")[0]
        self.recorder.settle()
        there = self.ask("describe-full", "DescribeInstances").all("instanceId")
        self.recorder.limit("quota_instances", len(there))
        with self.recorder.slowly():
            self.act("terminate-slowly", "Terminate", doomed)
            self.show("describe-terminating-slowly", doomed)
            self.run("run-in-place-of-terminating")
        self.recorder.settle()
        self.show("describe-terminated-slowly")
        placed = self.run("run-in-place-of-terminated")
        self.recorder.settle()
        self.act("terminate-what-took-its-place", "Terminate", *placed)
        self.recorder.settle()
        self.recorder.limit("quota_instances", DEFAULT_QUOTAS["quota_instances"])

    def listings(self) -> None:
        """DescribeInstances in every form."""
        self.show("describe-all")
        self.show("describe-two-ids", self.one, self.data)
        self.show("describe-two-ids-of-one-reservation-reversed", self.three[1], self.three[0])
        self.show("describe-same-id-twice", self.one, self.one)
        self.show("describe-unknown-id", NOBODY)
        self.show("describe-known-and-unknown-id", self.one, NOBODY)
        self.show("describe-malformed-id", "i-xyz")
        self.show("describe-malformed-id-2", "bogus")
        self.show("describe-empty-id", "")
        filters = {
            "state": ("instance-state-name", "running"),
            "state-none": ("instance-state-name", "stopped"),
            "key-name": ("key-name", "key-one"),
            "image-id": ("image-id", self.image),
            "instance-type": ("instance-type", "m1.*"),
            "instance-id": ("instance-id", self.one),
            "group-name": ("group-name", "web"),
            "unknown": ("no-such-filter", "x"),
            "client-token": ("client-token", self.token),
            "tag": ("tag:Name", "x"),
        }
        for name, (key, value) in filters.items():
            self.show(f"describe-filter-{name}", Filter__1__Name=key, Filter__1__Value__1=value)
        self.show("describe-filter-without-value", Filter__1__Name="key-name")
        self.show("describe-max-results", MaxResults="5")
        self.show("describe-max-results-too-small", MaxResults="2")
        self.show("describe-max-results-with-id", self.one, MaxResults="5")
        self.show("describe-other-tenant", role="other")
        self.show("describe-other-tenant-by-id", self.one, role="other")
        self.show("describe-admin", role="adminuser")
        self.show("describe-admin-by-id", self.one, role="adminuser")
        self.ask("describe-v6", "DescribeInstancesV6")
        self.ask("instance-status", "DescribeInstanceStatus")

    def attributes(self) -> None:
        """Attributes, and consoles."""

        def attribute(name: str, value: str, ec2_id: str = self.one, role: str = "demo") -> None:
            sent = {"InstanceId": ec2_id, "Attribute": value}
            self.ask(f"instance-attribute-{name}", "DescribeInstanceAttribute", sent, role=role)

        attribute("userData-set", "userData", self.data)
        for name in (
            "instanceType", "kernel", "ramdisk", "userData", "disableApiTermination",
            "instanceInitiatedShutdownBehavior", "rootDeviceName", "blockDeviceMapping", "groupSet", "sourceDestCheck",
        ):  # fmt: skip
            attribute(name, name)
        attribute("bogus", "bogus")
        attribute("unknown-id", "instanceType", NOBODY)
        attribute("malformed-id", "instanceType", "i-xyz")
        attribute("other-tenant", "instanceType", role="other")
        self.ask("console-output", "GetConsoleOutput", {"InstanceId": self.one})
        self.ask("console-output-unknown", "GetConsoleOutput", {"InstanceId": NOBODY})
        self.ask("console-output-malformed", "GetConsoleOutput", {"InstanceId": "i-xyz"})
        self.ask("console-output-no-id", "GetConsoleOutput")
        self.ask("console-output-numbered-id", "GetConsoleOutput", {"InstanceId.1": self.one})

    def actions(self) -> None:
        """Reboots, stops and starts, in states right and wrong."""
        settle = self.recorder.settle
        self.act("reboot-running", "Reboot", self.one)
        settle()
        self.act("start-running", "Start", self.one)
        self.act("stop-running", "Stop", self.one)
        settle()
        self.show("describe-stopped", self.one)
        self.act("stop-stopped", "Stop", self.one)
        self.act("reboot-stopped", "Reboot", self.one)
        settle()
        self.show("describe-after-reboot-of-stopped", self.one)
        self.act("stop-after-reboot-of-stopped", "Stop", self.one)
        settle()
        self.act("start-stopped", "Start", self.one)
        settle()
        self.show("describe-started-again", self.one)
        self.act("stop-mixed-one-already-stopped-setup", "Stop", self.three[0])
        settle()
        self.act("stop-mixed-stopped-first", "Stop", self.three[0], self.three[1])
        settle()
        self.act("stop-mixed-stopped-last", "Stop", self.three[2], self.three[0])
        settle()
        self.show("describe-after-mixed", *self.three)
        self.act("start-mixed", "Start", *self.three)
        settle()

    def wrong_ids(self) -> None:
        """Actions on VMs that are none, or somebody else's."""
        for verb in ("Stop", "Start", "Reboot", "Terminate"):
            name = verb.lower()
            self.act(f"{name}-unknown-id", verb, NOBODY)
            self.act(f"{name}-malformed-id", verb, "i-xyz")
            self.act(f"{name}-one-good-one-unknown", verb, self.one, NOBODY)
            self.act(f"{name}-other-tenants-instance", verb, self.one, role="other")
            self.act(f"{name}-no-id", verb)
        self.recorder.settle()

    def tags(self) -> None:
        """Tags."""

        def tag(name: str, pairs: dict[str, str | None], resource: str = self.one, action: str = "CreateTags") -> None:
            sent = {"ResourceId.1": resource}
            for number, (key, value) in enumerate(pairs.items(), 1):
                sent[f"Tag.{number}.Key"] = key
                if value is not None:
                    sent[f"Tag.{number}.Value"] = value
            self.ask(f"tags-{name}", action, sent)

        def listed(name: str, key: str, value: str) -> None:
            self.ask(f"tags-describe-{name}", "DescribeTags", {"Filter.1.Name": key, "Filter.1.Value.1": value})

        tag("create", {"Name": "first", "env": "test"})
        self.ask("tags-describe", "DescribeTags")
        listed("filter-resource-id", "resource-id", self.one)
        listed("filter-key", "key", "Name")
        listed("filter-resource-type", "resource-type", "instance")
        listed("filter-unknown", "nonsense", "x")
        self.show("tags-describe-instance", self.one)
        self.show("tags-filter-instances", Filter__1__Name="tag:Name", Filter__1__Value__1="first")
        self.show("tags-filter-instances-none", Filter__1__Name="tag:Name", Filter__1__Value__1="nope")
        tag("overwrite", {"Name": "second"})
        tag("create-unknown-instance", {"Name": "x"}, NOBODY)
        tag("create-on-image", {"Name": "x"}, self.image)
        tag("create-on-volume-id", {"Name": "x"}, NO_VOLUME)
        tag("create-no-tags", {})
        tag("create-numeric-value", {"number": "12"})
        tag("create-empty-value", {"flag": ""})
        tag("create-long-key", {"k" * 256: "v"})
        tag("create-reserved-key", {"aws:x": "v"})
        tag("delete", {"env": None}, action="DeleteTags")
        tag("delete-with-wrong-value", {"Name": "other"}, action="DeleteTags")
        tag("delete-unknown", {"neverthere": None}, action="DeleteTags")
        self.ask("tags-describe-after", "DescribeTags")
        tag("delete-of-image", {"Name": None}, self.image, action="DeleteTags")

    def addresses(self) -> None:
        """Floating addresses."""

        def ask(name: str, verb: str, ip: str, **more: str) -> None:
            self.ask(f"address-{name}", f"{verb}Address", {"PublicIp": ip, **more})

        self.ask("address-list-empty", "DescribeAddresses")
        ip = self.ask("address-allocate", "AllocateAddress").one("publicIp")
        self.ask("address-list", "DescribeAddresses")
        ask("associate", "Associate", ip, InstanceId=self.one)
        self.ask("address-list-associated", "DescribeAddresses")
        self.ask("address-describe-one", "DescribeAddresses", {"PublicIp.1": ip})
        self.ask("address-instance-seen", "DescribeInstances", {"InstanceId.1": self.one})
        ask("associate-again", "Associate", ip, InstanceId=self.one)
        ask("associate-unknown-instance", "Associate", ip, InstanceId=NOBODY)
        ask("disassociate", "Disassociate", ip)
        ask("disassociate-again", "Disassociate", ip)
        ask("associate-to-release", "Associate", ip, InstanceId=self.one)
        ask("release-while-associated", "Release", ip)
        ask("release-again", "Release", ip)
        self.recorder.limit("quota_addresses", 0)
        self.ask("address-allocate-over-quota", "AllocateAddress")
        self.recorder.limit("quota_addresses", DEFAULT_QUOTAS["quota_addresses"])
        ask("associate-unknown-address", "Associate", "192.0.2.9", InstanceId=self.one)
        ask("associate-malformed-address", "Associate", "not-an-ip", InstanceId=self.one)
        self.ask("address-describe-unknown", "DescribeAddresses", {"PublicIp.1": "192.0.2.9"})
        ask("disassociate-unknown", "Disassociate", "192.0.2.9")
        ask("release-unknown", "Release", "192.0.2.9")
        ask("release-malformed", "Release", "999.1.1.1")

    def volumes(self) -> None:
        """Volumes, as far as the API alone carries: nothing here makes them."""
        self.ask("volume-list-empty", "DescribeVolumes")
        volume = self.ask("volume-create", "CreateVolume", {"AvailabilityZone": "nova", "Size": "1"}).one("volumeId")
        self.ask("volume-list", "DescribeVolumes")
        self.ask("volume-by-id", "DescribeVolumes", {"VolumeId.1": volume})
        self.ask("volume-delete-while-creating", "DeleteVolume", {"VolumeId": volume})
        attached = {"VolumeId": volume, "InstanceId": self.one, "Device": "/dev/vdc"}
        self.ask("volume-attach-while-creating", "AttachVolume", attached)
        self.ask("volume-detach-while-creating", "DetachVolume", {"VolumeId": volume})
        self.ask("snapshot-create", "CreateSnapshot", {"VolumeId": volume, "Description": "a snapshot"})
        self.ask("snapshot-list", "DescribeSnapshots")
        self.ask("volume-unknown", "DescribeVolumes", {"VolumeId.1": NO_VOLUME})
        self.ask("volume-malformed", "DescribeVolumes", {"VolumeId.1": "bogus"})
        self.ask("volume-create-bad-size", "CreateVolume", {"AvailabilityZone": "nova", "Size": "huge"})
        self.ask("snapshot-unknown", "DescribeSnapshots", {"SnapshotId.1": NO_SNAPSHOT})
        self.ask("snapshot-delete-unknown", "DeleteSnapshot", {"SnapshotId": NO_SNAPSHOT})
        self.ask("snapshot-delete-malformed", "DeleteSnapshot", {"SnapshotId": "bogus"})

    def new_images(self) -> None:
        """Making, publishing and deregistering images, as far as it goes with VMs that boot from images."""

        def make(name: str, ec2_id: str, **more: str) -> None:
            self.ask(f"image-create-{name}", "CreateImage", {"InstanceId": ec2_id, "Name": "golden", **more})

        def publish(name: str, image: str, operation: str = "add", attribute: str = "launchPermission") -> None:
            sent = {"ImageId": image, "Attribute": attribute, "OperationType": operation, "UserGroup.1": "all"}
            self.ask(f"image-modify-{name}", "ModifyImageAttribute", sent)

        make("of-image-booted", self.one)
        make("no-reboot", self.one, NoReboot="true")
        make("unknown-instance", NOBODY)
        make("malformed-instance", "i-xyz")
        publish("of-others", self.image)
        publish("of-others-remove", self.image, "remove")
        publish("unknown-image", NO_IMAGE)
        publish("bogus-attribute", self.image, attribute="bogus")
        publish("bogus-operation", self.image, "bogus")
        for name, image in {"of-others": self.image, "unknown": NO_IMAGE, "malformed": "ami-zzz"}.items():
            self.ask(f"image-deregister-{name}", "DeregisterImage", {"ImageId": image})
        self.ask("image-register-no-location", "RegisterImage", {"Description": "x"})

    def passwords(self) -> None:
        """The password that Windows would have set, which no VM here has."""
        for name, ec2_id in {"": self.one, "-unknown": NOBODY, "-malformed": "i-xyz"}.items():
            self.ask(f"password-data{name}", "GetPasswordData", {"InstanceId": ec2_id})

    def unsupported(self) -> None:
        """What this service does not have, or only for networks of one's own."""
        for action in ("DescribeVpcs", "DescribeSpotInstanceRequests", "MonitorInstances", "DescribeInstanceTypes"):
            self.ask(f"unsupported-{action}", action, verb="GET")
        sent = {"GroupName": "web"}
        self.ask("sg-delete-in-use", "DeleteSecurityGroup", sent)
        self.show("describe-run-with-security-group", self.three[0])
        self.ask("keypair-delete-in-use", "DeleteKeyPair", {"KeyName": "key-one"})
        self.show("describe-after-its-keypair-is-gone", self.one)

    def broken(self) -> None:
        """A VM in error, and one that vanishes behind the API's back."""
        self.recorder.bring(self.data, "error")
        self.show("describe-error", self.data)
        self.act("start-error-instance", "Start", self.data)
        self.act("stop-error-instance", "Stop", self.data)
        self.recorder.settle()
        self.show("describe-error-after-stop", self.data)
        self.recorder.bring(self.data, "error")
        self.act("terminate-error-instance", "Terminate", self.data)
        self.recorder.settle()
        self.show("describe-error-instance-gone", self.data)
        self.recorder.bring(self.default, "deleted")
        self.show("describe-natively-deleted-all")
        self.show("describe-natively-deleted", self.default)
        self.act("stop-natively-deleted", "Stop", self.default)

    def ends(self) -> None:
        """Terminating, again and too late."""
        settle = self.recorder.settle
        pending = self.run("run-to-terminate-while-pending")[0]
        self.act("terminate-while-pending", "Terminate", pending)
        settle()
        self.show("describe-terminated-while-pending", pending)
        self.act("terminate-running", "Terminate", self.one)
        self.show("describe-while-terminating", self.one)
        self.act("terminate-while-terminating", "Terminate", self.one)
        settle()
        self.act("terminate-terminated-not-yet-listed", "Terminate", self.one)
        self.show("describe-terminated-by-id", self.one)
        self.show("describe-terminated-all")
        self.act("terminate-terminated", "Terminate", self.one)
        self.act("stop-terminated", "Stop", self.one)
        self.act("start-terminated", "Start", self.one)
        self.act("reboot-terminated", "Reboot", self.one)
        self.ask("console-output-terminated", "GetConsoleOutput", {"InstanceId": self.one})
        sent = {"InstanceId": self.one, "Attribute": "instanceType"}
        self.ask("instance-attribute-terminated", "DescribeInstanceAttribute", sent)
        self.act("terminate-one-good-one-gone", "Terminate", self.three[2], self.one)
        self.act("terminate-same-id-twice-in-one-call", "Terminate", self.three[2], self.three[2])
        self.act("terminate-all", "Terminate", *self.three[:2])
        settle()
        self.show("describe-after-all-terminated")
        self.ask("sg-delete", "DeleteSecurityGroup", {"GroupName": "web"})
        self.show("instances-list-after")


if __name__ == "__main__":
    sys.exit(main())
