# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""console_info: consoles as plain text, and host keys that nobody can smuggle anything in with."""

from __future__ import annotations

import base64
import pathlib
import struct
import subprocess
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.consoles import clean_lines
from ansible_collections.nova_ec2.cloud.plugins.module_utils._resources.host_keys import (
    host_key,
    host_keys_in,
    known_hosts,
)
from clouds import PROFILES

VM = {"image": "Cirros-0.3.0-x86_64", "instance_type": "m1.tiny"}
LIST, LOOK = "DescribeInstances", "GetConsoleOutput"
BEGIN, END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"
ADDRESS_KEYS = ("public_ip_address", "private_ip_address", "private_dns_name")


def key(kind: str, *parts: bytes) -> str:
    """A public key line without comment."""
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (kind.encode(), *parts))
    return f"{kind} {base64.b64encode(blob).decode()}"


ED = key("ssh-ed25519", bytes(range(32)))
RSA = key("ssh-rsa", b"\1\0\1", b"\0" + bytes(range(100, 228)))
EC = key("ecdsa-sha2-nistp256", b"nistp256", b"\4" + bytes(64))
DSS = key("ssh-dss", b"p", b"q", b"g", b"y")
KEYS = [EC, ED, RSA]


def block(*lines: str, prefix: str = "") -> str:
    """The lines as cloud-init prints them, between others."""
    whole = ["ec2: #####", f"{prefix}{BEGIN}", *(f"{prefix}{line}" for line in lines), f"{prefix}{END}"]
    return "Linux version 3.0.0\r\n" + "".join(f"{line}\r\n" for line in whole) + "login: "


@pytest.fixture
def vms(cloud: t.Any, run: t.Any) -> t.Callable[..., list[str]]:
    """vms(2) launches a batch web of two and forgets that in the log; their ids."""

    def launch(count: int, **more: t.Any) -> list[str]:
        run("instance", batch="web", count=count, **VM, **more)
        cloud.forget_log()
        return sorted(server["id"] for server in cloud.servers())

    return launch


def show(cloud: t.Any, vm: str, console: str) -> None:
    """Have a VM's console show a text."""
    cloud.control("POST", f"servers/{vm}", console=console)


@pytest.mark.needs("console")
class TestConsoles:
    """Text, and what is told where there is none."""

    @pytest.mark.parametrize("cloud", PROFILES, indirect=True)
    def test_of_a_batch_with_one_request_for_each_vm(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        ids = vms(3)
        run("instance", batch="db", count=1, **VM)
        cloud.forget_log()
        result = run("console_info", batch="web")
        assert [one["instance_id"] for one in result["consoles"]] == ids and result["changed"] is False
        assert cloud.actions() == [LIST, LOOK, LOOK, LOOK]
        for one in result["consoles"]:
            assert one["output"].startswith("Linux version 3.0.0-12-virtual") and one["state"] == "running"
            assert one["lines"][-1].endswith(" login:") and one["output"] == "\n".join(one["lines"]) + "\n"
            assert one["error"] is None and len(one["timestamp"]) == len("2026-11-23T04:53:14Z")
        assert "known_hosts" not in result and "raw" not in result["consoles"][0]

    def test_of_ids(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        ids = vms(3)
        result = run("console_info", instance_ids=[ids[2], ids[0]])
        assert [one["instance_id"] for one in result["consoles"]] == [ids[0], ids[2]]
        assert cloud.actions() == [LIST, LOOK, LOOK]

    def test_a_batch_without_members_has_no_consoles(self, cloud: t.Any, run: t.Any) -> None:
        result = run("console_info", batch="none", host_keys=True, wait=True)
        assert result["consoles"] == result["known_hosts"] == [] and cloud.actions() == [LIST]

    def test_control_characters_are_left_out_and_raw_keeps_them(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        (vm,) = vms(1)
        sent = "\x1b[1;32mOK\x1b[0m\r\nbell\x07 tab\there\x00\rover\n\x1b]0;title\x07na\u00efve \u202eabc\udcff\n\n"
        show(cloud, vm, sent)
        (one,) = run("console_info", instance_ids=vm, raw=True)["consoles"]
        assert one["lines"] == ["OK", "bell tab        here", "over", "na\u00efve abc\ufffd"]
        assert base64.b64decode(one["raw"]) == sent.encode("utf-8", "surrogateescape")

    @pytest.mark.parametrize(("lines", "shown"), [(None, 5), (2, 2), (5, 5), (9, 5), (0, 0)])
    def test_the_last_lines(self, cloud: t.Any, run: t.Any, vms: t.Any, lines: int | None, shown: int) -> None:
        (vm,) = vms(1)
        show(cloud, vm, "one\ntwo\nthree\nfour\nfive\n")
        (one,) = run("console_info", instance_ids=vm, lines=lines)["consoles"]
        assert one["lines"] == ["one", "two", "three", "four", "five"][5 - shown :]

    @pytest.mark.parametrize("cloud", PROFILES, indirect=True)
    def test_vms_without_a_console_do_not_hide_the_others(self, cloud: t.Any, run: t.Any) -> None:
        for state in ("active", "building", "error"):
            cloud.control("POST", "servers", state=state)
        cloud.settings(boot_seconds=60)
        cloud.control("POST", "servers", state="building")
        states = {view["instance_id"]: view["state"] for view in run("instance_info")["instances"]}
        cloud.forget_log()
        result = run("console_info", instance_ids=list(states))
        for one in result["consoles"]:
            if one["state"] == "running":
                assert one["error"] is None and one["output"]
            else:
                assert f"The VM is {one['state']}" in one["error"] and one["output"] is None and one["lines"] == []
        asked = [entry["params"]["InstanceId.1"] for entry in cloud.control("GET", "log")["requests"][1:]]
        assert sorted(asked) == sorted(vm for vm, state in states.items() if state != "pending")

    @pytest.mark.parametrize("cloud", PROFILES, indirect=True)
    def test_a_vm_that_does_not_exist_is_an_error(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        (vm,) = vms(1)
        result = run("console_info", instance_ids=[vm, "i-00ffffff"])
        assert result["failed"] and "no VMs i-00ffffff" in result["msg"] and result["unknown_ids"] == ["i-00ffffff"]
        assert cloud.actions() == [LIST]

    def test_others_vms_do_not_exist_even_for_an_administrator(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        (vm,) = vms(1)
        for user in ("other", "adminuser"):
            result = run("console_info", user=user, instance_ids=vm)
            assert result["failed"] and result["unknown_ids"] == [vm]

    @pytest.mark.parametrize("cloud", PROFILES, indirect=True)
    def test_a_vm_that_vanishes_meanwhile_is_told(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        ids = vms(2)
        cloud.when(LOOK, lambda: cloud.control("POST", f"servers/{ids[1]}", vm_state="deleted"))
        result = run("console_info", batch="web")
        assert [one["error"] for one in result["consoles"]] == [None, "The VM is gone."], result

    @pytest.mark.parametrize("kind", ["unknown_error", "http_500", "truncated"])
    def test_what_goes_wrong_with_one_vm_is_told_with_it(self, cloud: t.Any, run: t.Any, vms: t.Any, kind: str) -> None:
        vms(2)
        cloud.fault(LOOK, kind)
        errors = [one["error"] for one in run("console_info", batch="web")["consoles"]]
        assert "Could not get the console of i-" in errors[0] and errors[1] is None

    @pytest.mark.parametrize("kind", ["unknown_error", "http_500", "truncated"])
    def test_what_goes_wrong_with_all_is_an_error(self, cloud: t.Any, run: t.Any, vms: t.Any, kind: str) -> None:
        vms(2)
        cloud.fault(LOOK, kind, times=-1)
        result = run("console_info", batch="web")
        assert result["failed"] and result["msg"].startswith("Could not get the console of i-")
        assert cloud.actions() == [LIST, LOOK, LOOK]


@pytest.mark.needs("console")
class TestHostKeys:
    """Lines of a known_hosts file, and waiting for them."""

    @pytest.mark.parametrize("cloud", PROFILES, indirect=True)
    def test_lines_for_all_addresses(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        ids = vms(2)
        run("address", batch="web")
        show(cloud, ids[0], block(f"{RSA} root@web-1", f"{ED} root@web-1"))
        show(cloud, ids[1], block(EC))
        views = {view["instance_id"]: view for view in run("instance_info")["instances"]}
        cloud.forget_log()
        result = run("console_info", batch="web", host_keys=True, lines=0)
        hosts = {vm: [views[vm][name] for name in ADDRESS_KEYS] for vm in ids}
        assert all(host for names in hosts.values() for host in names)
        # Nova's own names for VMs that were launched together are longer than DNS allows.
        hosts = {vm: [host for host in names if len(host) < 64] for vm, names in hosts.items()}
        expected = [f"{host} {line} {ids[0]}" for host in hosts[ids[0]] for line in (ED, RSA)]
        expected += [f"{host} {EC} {ids[1]}" for host in hosts[ids[1]]]
        assert result["known_hosts"] == sorted(expected)
        assert cloud.actions() == [LIST, LOOK, LOOK]
        first, second = result["consoles"]
        assert [(one["type"], one["comment"]) for one in first["host_keys"]] == [
            ("ssh-ed25519", "root@web-1"),
            ("ssh-rsa", "root@web-1"),
        ]
        assert first["host_keys"][0]["fingerprint"].startswith("SHA256:") and first["host_keys_state"] == "complete"
        assert second["known_hosts"] == sorted(f"{host} {EC} {ids[1]}" for host in hosts[ids[1]])
        assert first["lines"] == [] and first["output"] == ""

    def test_other_ports_and_fewer_addresses(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        (vm,) = vms(1)
        show(cloud, vm, block(ED))
        address = run("instance_info")["instances"][0]["private_ip_address"]
        options = {
            "instance_ids": vm,
            "host_keys": True,
            "known_hosts_for": ["public_ip_address", "private_ip_address"],
        }
        assert run("console_info", **options)["known_hosts"] == [f"{address} {ED} {vm}"]
        assert run("console_info", **options, ssh_port=2222)["known_hosts"] == [f"[{address}]:2222 {ED} {vm}"]

    def test_vms_that_are_known_are_not_asked_again(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        first, second = vms(2)
        show(cloud, first, block(ED))
        show(cloud, second, block(RSA))
        asked = {"batch": "web", "host_keys": True, "known_hosts_for": ["public_ip_address", "private_ip_address"]}
        lines = run("console_info", **asked)["known_hosts"]
        cloud.forget_log()
        again = run("console_info", **asked, known_hosts=lines)
        assert again["known_hosts"] == lines and again["consoles"] == []
        assert cloud.actions() == [LIST]
        # Neither another VM's line, nor one that lacks an address, nor somebody else's word counts.
        others = [line.replace(first, "i-00ffffff") for line in lines] + ["* " + ED, f"@revoked {lines[0]}", ""]
        cloud.forget_log()
        assert run("console_info", **asked, known_hosts=others)["known_hosts"] == lines
        assert cloud.actions() == [LIST, LOOK]
        run("address", instance_id=first)
        grown = run("console_info", **asked, known_hosts=lines)
        assert [one["instance_id"] for one in grown["consoles"]] == [first]
        assert len(grown["known_hosts"]) == 3 and set(lines) < set(grown["known_hosts"])

    def test_only_those_are_asked_again_that_have_shown_none(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        ids = vms(3)
        show(cloud, ids[0], block(ED))
        show(cloud, ids[1], block(RSA)[:200])

        def shown_at_last() -> None:
            for vm in ids[1:]:
                show(cloud, vm, block(RSA))

        cloud.when(LIST, shown_at_last, 3)
        result = run("console_info", batch="web", host_keys=True, wait=True, wait_timeout=cloud.patience)
        assert [len(one["host_keys"]) for one in result["consoles"]] == [1, 1, 1], result
        asked = [entry["params"].get("InstanceId.1") for entry in cloud.control("GET", "log")["requests"]]
        assert asked == [None, *ids, None, *ids[1:], None, *ids[1:]]

    def test_pending_vms_and_lost_answers_are_waited_for(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        cloud.settings(boot_seconds=3)
        (vm,) = vms(1, wait=False)
        show(cloud, vm, block(ED))
        cloud.fault(LOOK, "drop_before")
        result = run("console_info", batch="web", host_keys=True, wait=True, wait_timeout=cloud.patience)
        assert len(result["known_hosts"]) == 2, result
        assert cloud.actions().count(LOOK) == 2 < cloud.actions().count(LIST)

    def test_waiting_in_vain_tells_what_there_is(self, cloud: t.Any, run: t.Any, vms: t.Any, lasts: t.Any) -> None:
        ids = vms(2)
        show(cloud, ids[0], block(ED))
        with lasts(20):
            result = run("console_info", batch="web", host_keys=True, wait=True, wait_timeout=20)
        assert result["failed"] and f"1 of 2 VMs show no host keys: {ids[1]} running" in result["msg"]
        assert len(result["known_hosts"]) == 1 and len(result["consoles"]) == 2

    @pytest.mark.parametrize("state", ["error", "stopped"])
    def test_vms_at_rest_are_not_waited_for(self, cloud: t.Any, run: t.Any, vms: t.Any, state: str) -> None:
        ids = vms(2)
        cloud.control("POST", f"servers/{ids[1]}", vm_state=state)
        result = run("console_info", batch="web", host_keys=True, wait=True)
        assert result["failed"] and f"will not show host keys: {ids[1]} {state}" in result["msg"]
        assert cloud.actions() == [LIST, LOOK, LOOK]

    def test_keys_whose_beginning_is_lost_are_not_waited_for(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        (vm,) = vms(1)
        show(cloud, vm, block(ED).partition(BEGIN)[2])
        found = run("console_info", batch="web", host_keys=True)
        assert found["consoles"][0]["host_keys_state"] == "cut_off" and found["known_hosts"] == []
        result = run("console_info", batch="web", host_keys=True, wait=True)
        assert result["failed"] and "lost the beginning" in result["msg"]

    @pytest.mark.parametrize(("action", "number"), [(LIST, 2), (LOOK, 3)], ids=["listed", "listed-no-more"])
    def test_a_member_that_is_terminated_is_not_waited_for(
        self, cloud: t.Any, run: t.Any, vms: t.Any, action: str, number: int
    ) -> None:
        ids = vms(2)
        show(cloud, ids[0], block(ED))
        cloud.when(action, lambda: cloud.control("POST", f"servers/{ids[1]}", vm_state="deleted"), number)
        result = run("console_info", batch="web", host_keys=True, wait=True, wait_timeout=cloud.patience)
        assert [one["instance_id"] for one in result["consoles"]] == [ids[0]], result

    def test_damaged_keys_are_warned_of(self, cloud: t.Any, run: t.Any, vms: t.Any) -> None:
        (vm,) = vms(1)
        show(cloud, vm, block(ED, f"{RSA[:40]}[  4.2] random: crng init done"))
        result = run("console_info", batch="web", host_keys=True)
        assert any("1 lines among its host keys" in str(warning) for warning in result["warnings"])
        assert [one["type"] for one in result["consoles"][0]["host_keys"]] == ["ssh-ed25519"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "one of the following is required: instance_ids, batch"),
        ({"instance_ids": ["i-0000001a"], "batch": "web"}, "mutually exclusive"),
        ({"instance_ids": ["web"]}, "is not an instance id"),
        ({"batch": "a/b"}, "is not a batch name"),
        ({"batch": "web", "lines": -1}, "lines must not be less than 0"),
        ({"batch": "web", "ssh_port": 65536}, "ssh_port must be from 1 to 65535"),
        ({"batch": "web", "wait": True}, "set host_keys to true"),
        ({"batch": "web", "host_keys": True, "wait": True, "wait_timeout": -1}, "wait_timeout must not"),
    ],
)
def test_bad_input_is_refused_before_any_request(cloud: t.Any, run: t.Any, args: dict[str, t.Any], said: str) -> None:
    result = run("console_info", **args)
    assert result["failed"] and said in result["msg"]
    assert cloud.actions() == []


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "ec2: ",
        "<14>Nov 23 04:53:14 ec2: ",
        "<14>2026-11-23T04:53:14.123456+00:00 cloud-init: ",
        "[   17.846214] cloud-init[1043]: ",
        "Nov  3 04:53:14 web-1 ec2: ",
        "[    5.1] Nov 23 04:53:14 web-1 cloud-init[88]: ",
    ],
)
def test_every_form_in_which_cloud_init_prints(prefix: str) -> None:
    shown = host_keys_in(clean_lines(block(*KEYS, DSS, prefix=prefix).encode()))
    assert shown.state == "complete" and shown.refused == 0
    assert sorted(f"{one['type']} {one['key']}" for one in shown.keys) == sorted([*KEYS, DSS])


@pytest.mark.parametrize(
    ("console", "state", "keys"),
    [
        ("login: ", "none", []),
        (f"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n{ED}\n-----END SSH HOST KEY FINGERPRINTS-----\n", "none", []),
        (f"{BEGIN}\n{ED}\n", "unfinished", []),
        (f"{ED}\n{END}\n", "cut_off", []),
        (f"{BEGIN}\n{ED}\n{END}\n", "complete", [ED]),
        (f"{BEGIN}\n{ED}\n{ED} again\n{END}\n", "complete", [ED]),
        (f"{BEGIN}\n{ED}\n{END}\n{BEGIN}\n{RSA}\n{END}\n", "complete", [RSA]),
        (f"{BEGIN}\n{ED}\n{END}\n{BEGIN}\n{RSA}\n", "complete", [ED]),
        (f"{BEGIN}\n{ED}\n{BEGIN}\n{RSA}\n{END}\n", "complete", [RSA]),
        (f"{ED}\n{END}\n{BEGIN}\n{RSA}\n", "unfinished", []),
        (f"{BEGIN}\n{END}\n", "none", []),
        (f"sshd[9]: Invalid user {BEGIN}\n{ED}\n{END}\n", "cut_off", []),
        (f"somebody ec2: {BEGIN}\n{ED}\n{END}\n", "cut_off", []),
        (f"host sshd[9]: {BEGIN}\nhost sshd[9]: {ED}\nhost sshd[9]: {END}\n", "none", []),
    ],
)
def test_only_the_last_whole_block_counts(console: str, state: str, keys: list[str]) -> None:
    shown = host_keys_in(clean_lines(console.encode()))
    assert (shown.state, [f"{one['type']} {one['key']}" for one in shown.keys]) == (state, keys)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        f"@cert-authority * {ED}",
        f"* {ED}",
        f"# {ED}",
        f" {ED}",
        ED.replace(" ", "\t"),
        ED.replace("ssh-ed25519 ", "ssh-rsa "),
        ED.replace("ssh-ed25519 ", "ssh-ed25519  "),
        ED + "=",
        ED[:-4],
        ED[:-1] + "!",
        f"{ED}\n* {RSA}",
        f"{ED} a\rb",
        key("ssh-ed25519", bytes(31)),
        key("ssh-ed25519", bytes(32), b"more"),
        key("ssh-rsa", b"\1\0\1"),
        key("ssh-rsa", b"", b"n"),
        key("ecdsa-sha2-nistp256", b"nistp384", b"point"),
        key("ssh-rsa-cert-v01@openssh.com", b"e", b"n"),
        key("none", b"x"),
        f"{RSA} " + "x" * 20000,
    ],
)
def test_what_is_not_exactly_a_public_key_is_refused(line: str) -> None:
    assert host_key(line) is None


def test_a_comment_never_gets_into_known_hosts() -> None:
    shown = host_keys_in(clean_lines(block(f"{ED} x\x1b[2K\r* {RSA}", f"{RSA} @revoked * {ED}").encode()))
    lines = known_hosts(["10.0.0.2"], shown.keys, 22, "i-0000001a")
    assert lines == [f"10.0.0.2 {ED} i-0000001a", f"10.0.0.2 {RSA} i-0000001a"]


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
@pytest.mark.parametrize("port", [22, 2222])
def test_openssh_makes_the_keys_and_finds_the_lines(tmp_path: pathlib.Path, kind: str, port: int) -> None:
    path = tmp_path / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", kind, "-C", "root@web 1", "-f", str(path)], check=True)
    found = host_key((tmp_path / "host_key.pub").read_text().strip())
    assert found is not None and found["comment"] == "root@web 1"
    listed = subprocess.run(["ssh-keygen", "-l", "-f", f"{path}.pub"], capture_output=True, text=True, check=True)
    assert found["fingerprint"] in listed.stdout
    (tmp_path / "known_hosts").write_text(
        "\n".join(known_hosts(["10.0.0.2", "web-1"], [found], port, "i-0000001a")) + "\n"
    )
    for host in ("10.0.0.2", "web-1"):
        shown = host if port == 22 else f"[{host}]:{port}"
        command = ["ssh-keygen", "-F", shown, "-f", str(tmp_path / "known_hosts")]
        assert found["key"] in subprocess.run(command, capture_output=True, text=True, check=True).stdout
