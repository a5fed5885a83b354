# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services in the order in which they are started, with the databases and schemas that they need."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import time
import typing as t

from . import configuration
from .bed import Bed, BedError
from .packages import PYTHON, tail
from .processes import LOOK_SECONDS, Processes

DATABASES = ("keystone", "glance", "neutron", "cinder", "nova", "nova_api", "nova_cell0", "placement", "ec2api")
DATABASE_SECONDS = 60.0
# On a busy machine what it asks before the conductor listens is lost; it gives up after a minute, or tries again.
COMPUTE_SECONDS = 300.0
# Names of processes and of the ports that they listen at.
LISTENERS = {
    "keystone": "keystone",
    "placement": "placement",
    "glance-api": "glance",
    "neutron-server": "neutron",
    "cinder-api": "cinder",
    "nova-api": "nova",
    "ec2-api": "ec2",
    "rabbit": "rabbit",
    "epmd": "epmd",
}
QUIET = ("nova-conductor", "nova-scheduler", "nova-compute")
ALL = ("database", *LISTENERS, *QUIET)
# The machine of the virtual machines. Neutron binds ports on machines where an agent reports, and none runs here.
HOST = "fakehost"
AGENT = (
    "INSERT INTO agents (id, agent_type, `binary`, topic, host, admin_state_up, created_at, started_at, "
    "heartbeat_timestamp, configurations, `load`) VALUES ('00000000-0000-0000-0000-000000000001', "
    f"'Open vSwitch agent', 'neutron-openvswitch-agent', 'N/A', '{HOST}', 1, NOW(), NOW(), '2099-01-01 00:00:00', "
    '\'{"bridge_mappings": {"public": "br-ex"}, "tunnel_types": []}\', 0)'
)


class Services:
    """Those of one bed. tell: told what is being done."""

    def __init__(self, bed: Bed, tell: t.Callable[[str], None]) -> None:
        self.bed = bed
        self.tell = tell
        self.processes = Processes(bed)

    def check_ports(self) -> None:
        """Refuse to start if a port is taken by somebody else."""
        for name, service in LISTENERS.items():
            self.processes.check_port(name, service)

    def start_stores(self) -> None:
        """Start the message broker and the database."""
        self._start_rabbit()
        self._start_database()

    def _start_rabbit(self) -> None:
        ports, folder = self.bed.ports, self.bed.run / "rabbit"
        (folder / "plugins").write_text("[].")
        common = {"ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(ports["epmd"]), "HOME": str(folder)}
        self.processes.start("epmd", ["epmd"], **common)
        self.processes.start(
            "rabbit",
            ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
            **common,
            RABBITMQ_NODENAME=f"nova-ec2-{ports['rabbit']}@localhost",
            RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
            RABBITMQ_NODE_PORT=str(ports["rabbit"]),
            RABBITMQ_DIST_PORT=str(ports["rabbit_peers"]),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
            RABBITMQ_BASE=str(folder),
            RABBITMQ_MNESIA_BASE=str(folder / "mnesia"),
            RABBITMQ_LOG_BASE=str(folder / "log"),
            RABBITMQ_LOGS="-",
            RABBITMQ_CONFIG_FILE=str(folder / "none"),
            RABBITMQ_CONF_ENV_FILE=str(folder / "none-env.conf"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "plugins"),
        )

    def _start_database(self) -> None:
        data = self.bed.run / "db"
        if not self.bed.done("database"):
            shutil.rmtree(data, ignore_errors=True)
            self._run("database", [*_MAKE_DATABASE, f"--datadir={data}"])
            self.bed.mark("database")
        self.processes.start(
            "database",
            [*_DATABASE, f"--datadir={data}", f"--socket={self.bed.socket}", f"--pid-file={self.bed.run / 'db.pid'}"],
        )
        deadline = time.monotonic() + DATABASE_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or not self.processes.alive("database"):
                raise BedError(f"The database does not start:\n{tail(self.bed.run / 'log' / 'database.out')}")
            time.sleep(LOOK_SECONDS)

    def _answers(self) -> bool:
        return self.bed.socket.exists() and _sql(self.bed, "SELECT 1").returncode == 0

    def query(self, text: str, database: str = "") -> list[list[str]]:
        """The rows that SQL statements give. Raises BedError if they fail."""
        return query(self.bed, text, database)

    def make_schemas(self) -> None:
        """Have every service make its tables, in two threads."""
        if self.bed.done("schemas"):
            return
        self.query("".join(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8;" for name in DATABASES))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for future in [pool.submit(self._run_all, "schemas-1", self._schemas_1()),
                           pool.submit(self._run_all, "schemas-2", self._schemas_2())]:  # fmt: skip
                future.result()
        self.query(AGENT, "neutron")
        self.bed.mark("schemas")

    def _schemas_1(self) -> list[list[str]]:
        keystone = [*_entry("keystone.cmd.manage"), "--config-file", self._etc("keystone.conf")]
        owner = ["--keystone-user", str(os.geteuid()), "--keystone-group", str(os.getegid())]
        url = self.bed.url("keystone", "/v3/")
        urls = [f"--bootstrap-{kind}-url={url}" for kind in ("public", "internal", "admin")]
        return [
            [*keystone, "db_sync"],
            [*keystone, "fernet_setup", *owner],
            [*keystone, "credential_setup", *owner],
            [*keystone, "bootstrap", f"--bootstrap-password={self.bed.password}",
             "--bootstrap-region-id=RegionOne", *urls],
            [*_entry("glance.cmd.manage"), "--config-file", self._etc("glance.conf"), "db_sync"],
            [*_entry("placement.cmd.manage"), "--config-file", self._etc("placement.conf"), "db", "sync"],
            [*_entry("cinder.cmd.manage"), "--config-file", self._etc("cinder.conf"), "db", "sync"],
            [str(self.bed.run / "venv/bin/ec2-api-manage"), "--config-file", self._etc("ec2api.conf"), "db_sync"],
        ]  # fmt: skip

    def _schemas_2(self) -> list[list[str]]:
        nova = [*_entry("nova.cmd.manage"), "--config-file", self._etc("nova.conf")]
        cell0 = configuration.database_url(self.bed, "nova_cell0")
        return [
            [*nova, "api_db", "sync"],
            [*nova, "cell_v2", "map_cell0", "--database_connection", cell0],
            [*nova, "db", "sync"],
            [*nova, "cell_v2", "create_cell", "--name", "cell1"],
            [*_entry("neutron.db.migration.cli"), "--config-file", self._etc("neutron.conf"), "upgrade", "heads"],
        ]

    def discover_hosts(self) -> None:
        """Have Nova take the machine of the virtual machines into its cell, once it has reported."""
        deadline = time.monotonic() + COMPUTE_SECONDS
        nova = [*_entry("nova.cmd.manage"), "--config-file", self._etc("nova.conf")]
        while not self.query(f"SELECT id FROM compute_nodes WHERE host = '{HOST}' AND deleted = 0", "nova"):
            if time.monotonic() > deadline:
                raise BedError(f"Nova's compute service does not report:\n{tail(self._log('nova-compute'))}")
            self._start_nova("nova-compute")
            time.sleep(LOOK_SECONDS)
        self._run("discovery", [*nova, "cell_v2", "discover_hosts", "--verbose"])

    def start_keystone(self) -> None:
        """Start Keystone, and wait until it answers."""
        self.processes.start("keystone", ["uwsgi", "--ini", self._etc("keystone-uwsgi.ini")])
        self.processes.wait_for_port("keystone", "keystone")

    def start_rest(self) -> None:
        """Start everything else; each waits for what it needs by itself, but for the broker."""
        start = self.processes.start
        start("placement", ["uwsgi", "--ini", self._etc("placement-uwsgi.ini")])
        self._start("glance-api", "glance.cmd.api", "glance.conf")
        self._start("neutron-server", "neutron.cmd.eventlet.server", "neutron.conf")
        self._start("cinder-api", "cinder.cmd.api", "cinder.conf")
        start("ec2-api", [str(self.bed.run / "venv/bin/ec2-api"), "--config-file", self._etc("ec2api.conf")])
        self.processes.wait_for_port("rabbit", "rabbit")
        self.processes.wait_for_port("placement", "placement")
        for name in (*QUIET, "nova-api"):
            self._start_nova(name)

    def wait(self) -> None:
        """Wait until every service answers."""
        for name, service in LISTENERS.items():
            self.processes.wait_for_port(name, service)

    def _start_nova(self, name: str) -> None:
        self._start(name, f"nova.cmd.{name.partition('-')[2]}", "nova.conf", "--log-file", str(self._log(name)))

    def _start(self, name: str, module: str, configured: str, *more: str) -> None:
        self.processes.start(name, [*_entry(module, name), "--config-file", self._etc(configured), *more])

    def _etc(self, name: str) -> str:
        return str(self.bed.run / "etc" / name)

    def _log(self, name: str) -> pathlib.Path:
        return self.bed.run / "log" / f"{name}.log"

    def _run_all(self, name: str, commands: list[list[str]]) -> None:
        for command in commands:
            self._run(name, command)

    def _run(self, name: str, command: list[str]) -> None:
        log = self._log(name)
        with log.open("ab") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.processes.environment(),
                check=False,
            )
        if done.returncode:
            raise BedError(f"{' '.join(command[:3])} failed:\n{tail(log)}")


_MAKE_DATABASE = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
# Nothing here has to survive a loss of power.
_DATABASE = [
    "/usr/sbin/mariadbd",
    "--no-defaults",
    "--user=root",
    "--skip-networking",
    "--max-connections=400",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=128M",
    "--skip-log-bin",
]


def query(bed: Bed, text: str, database: str = "") -> list[list[str]]:
    """The rows that SQL statements give, as texts. Raises BedError if they fail."""
    done = _sql(bed, text, database)
    if done.returncode:
        raise BedError(f"The database refused: {done.stderr.strip()}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def _sql(bed: Bed, text: str, database: str = "") -> subprocess.CompletedProcess[str]:
    command = ["mariadb", "--no-defaults", "-uroot", f"--socket={bed.socket}", "--batch", "--skip-column-names"]
    return subprocess.run(
        [*command, *filter(None, [database])], input=text, capture_output=True, text=True, check=False
    )


def _entry(module: str, name: str = "manage") -> list[str]:
    """The command that a package's own console script would run."""
    return [PYTHON, "-c", f"import sys; sys.argv[0] = {name!r}; from {module} import main; sys.exit(main())"]
