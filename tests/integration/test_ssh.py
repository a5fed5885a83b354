# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all is for: VMs that Ansible logs in to over SSH, with the key they were launched with and host keys known."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pwd
import re
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.nova_ec2.cloud.plugins.module_utils._api.options import CONNECTION_OPTIONS, connect_with

pytestmark = pytest.mark.needs("ssh")
BLOCK = re.compile(r"^-----BEGIN SSH HOST KEY KEYS-----\r?\n(.*?)^-----END SSH HOST KEY KEYS-----", re.M | re.S)
NO_HABITS = ["-F", "none", "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
NO_HABITS += ["-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", "-o", "ControlMaster=no", "-o", "LogLevel=ERROR"]
# A last resort against hanging.
PATIENCE = 300
GRIZZLY = pytest.mark.parametrize("cloud", ["grizzly --ssh"], indirect=True)


def until(condition: t.Callable[[], t.Any], seconds: float = PATIENCE) -> t.Any:
    """The first true value of a condition within so many seconds, or else its last one."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


class Client:
    """OpenSSH's client, with a key and with the host keys that VMs showed on their consoles."""

    def __init__(self, cloud: t.Any, key: pathlib.Path, known_hosts: pathlib.Path) -> None:
        self.cloud, self.key, self.known_hosts = cloud, key, known_hosts

    def learn(self, instance_id: str, *addresses: str) -> list[str]:
        """Have the host keys of a VM known at its addresses; return them."""
        block = until(lambda: BLOCK.search(console(self.cloud, instance_id)))
        keys = [" ".join(line.split()[:2]) for line in block[1].splitlines()]
        with self.known_hosts.open("a") as known:
            known.writelines(f"[{one}]:{self.cloud.ssh_port} {key}\n" for one in addresses for key in keys)
        return keys

    @property
    def flags(self) -> list[str]:
        """What ssh is given besides port, key and address."""
        return [*NO_HABITS, "-o", f"UserKnownHostsFile={self.known_hosts}"]

    def command(self, address: str, command: str) -> list[str]:
        """What runs a command on the VM at an address."""
        return ["ssh", *self.flags, "-i", str(self.key), "-p", str(self.cloud.ssh_port), address, command]

    @contextlib.contextmanager
    def session(self, address: str, command: str) -> t.Iterator[subprocess.Popen[str]]:
        """A command on the VM at an address while it runs."""
        with subprocess.Popen(self.command(address, command), stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def __call__(self, address: str, command: str = "echo hello") -> str:
        """What a command, or else ssh, had to say."""
        line = self.command(address, command)
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr


def running(process: pathlib.Path) -> str:
    """The command line of a process, by its folder in /proc; empty if it has ended."""
    try:
        return (process / "cmdline").read_text()
    except OSError:
        return ""


def console(cloud: t.Any, instance_id: str) -> str:
    """What a VM has written to its console."""
    defaults = {name: spec.get("default") for name, spec in CONNECTION_OPTIONS.items()}
    connection = connect_with({**defaults, **cloud.options()}, lambda text: None)
    return str(connection.get_console_output(instance_id).output.decode())


@pytest.fixture
def client(cloud: t.Any, run: t.Any, tmp_path: pathlib.Path) -> Client:
    """A client with the private key of the key pair web, which the cloud has made."""
    key = tmp_path / "web.pem"
    made = run("keypair", name="web", private_key_file=str(key))
    assert made["changed"], made
    return Client(cloud, key, tmp_path / "known_hosts")


@pytest.fixture
def launch(cloud: t.Any, run: t.Any) -> t.Callable[..., list[dict[str, t.Any]]]:
    """launch(count) brings a batch up, and returns its VMs."""

    def ask(count: int = 1, batch: str = "web", key_name: str = "web", **args: t.Any) -> t.Any:
        options = {"image": "Cirros-0.3.0-x86_64", "instance_type": "m1.tiny", "wait_timeout": cloud.patience}
        result = run("instance", batch=batch, count=count, key_name=key_name, **options, **args)
        assert not result.get("failed"), result
        return result["instances"]

    return ask


@pytest.mark.parametrize("cloud", ["ec2api --ssh"], indirect=True)
def test_ansible_reaches_every_vm_of_a_batch(
    cloud: t.Any, client: Client, launch: t.Any, tmp_path: pathlib.Path
) -> None:
    proof = tmp_path / "proof"
    addresses = {vm["instance_id"]: vm["private_ip_address"] for vm in launch(3, user_data=f"#!/bin/sh\ntouch {proof}")}
    keys = [key for name, address in addresses.items() for key in client.learn(name, address)]
    assert len(set(keys)) == len(keys) == 6
    variables = {
        "ansible_user": pwd.getpwuid(os.geteuid()).pw_name,
        "ansible_port": cloud.ssh_port,
        "ansible_ssh_private_key_file": str(client.key),
        "ansible_python_interpreter": sys.executable,
    }
    hosts = {name: {"ansible_host": address} for name, address in addresses.items()}
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
    program = pathlib.Path(sys.executable).with_name("ansible")
    environment = {**os.environ, "ANSIBLE_SSH_ARGS": " ".join(client.flags), "ANSIBLE_NOCOLOR": "1"}

    done = subprocess.run(
        [str(program), "all", "-i", str(inventory), "-m", "ansible.builtin.ping", "-o"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(re.findall(r"^(\S+) \| SUCCESS => .*\"ping\": ?\"pong\"", done.stdout, re.M)) == sorted(addresses)
    assert not proof.exists()


@GRIZZLY
def test_a_vm_lets_in_the_key_it_was_launched_with_and_no_other(
    cloud: t.Any, client: Client, run: t.Any, launch: t.Any, tmp_path: pathlib.Path
) -> None:
    mine = tmp_path / "mine"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(mine)], check=True)
    run("keypair", name="mine", public_key=mine.with_suffix(".pub").read_text())
    (made,), (imported,) = launch(), launch(batch="mine", key_name="mine")
    run("keypair", name="mine", state="absent")
    owner = Client(cloud, mine, client.known_hosts)
    for vm in (made, imported):
        client.learn(vm["instance_id"], vm["private_ip_address"])

    said = [one(vm["private_ip_address"]) for one in (client, owner) for vm in (made, imported)]

    assert [said[0], said[3]] == ["hello\n", "hello\n"]
    assert all("Permission denied (publickey)" in text for text in said[1:3]), said


@GRIZZLY
def test_host_keys_that_a_console_did_not_show_are_refused(client: Client, launch: t.Any) -> None:
    first, second = launch(2)
    client.learn(first["instance_id"], first["private_ip_address"], second["private_ip_address"])
    assert client(first["private_ip_address"]) == "hello\n"
    assert "HOST IDENTIFICATION HAS CHANGED" in client(second["private_ip_address"])


@GRIZZLY
def test_a_stopped_vm_is_out_of_reach_until_it_is_started(client: Client, launch: t.Any, run: t.Any) -> None:
    (vm,) = launch()
    address = vm["private_ip_address"]
    keys = client.learn(vm["instance_id"], address)
    with client.session(address, "echo here; exec sleep 600") as session:
        assert session.stdout and session.stdout.readline() == "here\n"

        run("instance", batch="web", state="stopped")

        assert session.wait(PATIENCE) == 255
    assert "Connection refused" in client(address)

    run("instance", batch="web", state="running")

    assert until(lambda: client(address) == "hello\n")
    assert client.learn(vm["instance_id"]) == keys


@GRIZZLY
def test_an_address_is_served_while_it_is_at_a_vm(cloud: t.Any, client: Client, launch: t.Any, run: t.Any) -> None:
    (vm,) = launch()
    given = run("address", batch="web")
    (address,) = cloud.addresses()
    assert given["changed"] and address.startswith("127.24.4."), given
    client.learn(vm["instance_id"], address)

    assert until(lambda: client(address) == "hello\n")

    run("address", batch="web", state="absent")
    assert until(lambda: "Connection refused" in client(address))
    assert client.learn(vm["instance_id"], vm["private_ip_address"]) and client(vm["private_ip_address"]) == "hello\n"


# A cloud that no other test has.
@pytest.mark.parametrize("cloud", ["grizzly --ssh --latency 0"], indirect=True)
def test_nothing_is_left_when_the_cloud_ends(cloud: t.Any, client: Client, launch: t.Any) -> None:
    (vm,) = launch()
    address = vm["private_ip_address"]
    client.learn(vm["instance_id"], address)
    background = "(setsid sh -c 'echo $$; exec sleep 600 </dev/null >/dev/null 2>&1' &)"
    script = f"{background}; echo $PPID; cut -d ' ' -f 4 /proc/$PPID/stat; exec sleep 600"
    with client.session(address, script) as session:
        assert session.stdout
        pids = [pathlib.Path("/proc", session.stdout.readline().strip()) for _unused in range(3)]
        assert all(running(pid) for pid in pids) and any(running(pid).startswith("sshd") for pid in pids)

        cloud.stop()

        assert session.wait(PATIENCE) == 255
    assert until(lambda: not any(running(pid) for pid in pids))
    assert "Connection refused" in client(address)
    assert not list((cloud.directory / "ssh").glob("*/*"))
