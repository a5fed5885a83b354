# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstanceAttribute, GetConsoleOutput and GetPasswordData."""

from __future__ import annotations

import base64
from typing import Any, Callable

from .. import servers
from ..errors import NovaError
from ..model import Server
from ..render import timestamp
from .call import Call, image_id
from .images import unsupported
from .instances import View
from .launch import decoded_user_data, flavor
from .registry import action
from .validation import invalid

_SHOWN: dict[str, Callable[[Call, Server], Any]] = {
    "blockDeviceMapping": lambda call, server: View(call).instance(server).get("blockDeviceMapping"),
    "disableApiTermination": lambda call, server: False,
    "groupSet": lambda call, server: View(call).reservation([server])["groupSet"],
    "instanceInitiatedShutdownBehavior": lambda call, server: server.shutdown_behavior,
    "instanceType": lambda call, server: server.flavor.name,
    "kernel": lambda call, server: image_id(server.kernel, "aki") if server.kernel else None,
    "ramdisk": lambda call, server: image_id(server.ramdisk, "ari") if server.ramdisk else None,
    "rootDeviceName": lambda call, server: View(call).instance(server)["rootDeviceName"],
    "userData": lambda call, server: decoded_user_data(server),
}
_BOOT_TEXT = """\
Linux version 3.0.0-12-virtual (buildd@crested) (gcc version 4.6.1) #20-Ubuntu SMP
Command line: root=/dev/vda console=tty0 console=ttyS0
initramfs: up at 0.43
EXT4-fs (vda): mounted filesystem with ordered data mode. Opts: (null)
cirrosds 'net' up at 1.12
Starting dropbear sshd: generating rsa key... generating dsa key... OK
{keys}===== cloud-final: system completely up in 3.21 seconds ====
  instance-id: {ec2_id}
  local-ipv4: {ip}
  ___ _ ____ ___  ___
 / __/ / __// __// _ \\/ __/
login as 'cirros' user. default password: 'cubswin:)'. use 'sudo' for root.
{host} login: """
# As cloud-init writes them.
_KEYS_BEGIN, _KEYS_END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"


@action(required="instance_id attribute")
def describe_instance_attribute(call: Call, /, instance_id: Any, attribute: Any, **_ignored: Any) -> dict[str, Any]:
    """Return one attribute; Nova puts the value straight into its element, ec2-api into a ``value`` inside."""
    if call.profile.ec2api:
        _check_known(call, instance_id, attribute)
    if attribute not in _SHOWN:
        raise NovaError("InvalidAttribute", unsupported(call, attribute))
    server = call.server(instance_id)
    value = _value(call, server, attribute)
    reply = {"instanceId": instance_id} if value is None else {"instanceId": instance_id, attribute: value}
    if attribute == "blockDeviceMapping":
        reply["rootDeviceType"] = "instance-store"  # comes along with the mapping, even with an empty one
    return reply


def _check_known(call: Call, instance_id: Any, attribute: str) -> None:
    call.server(instance_id)
    if attribute == "sourceDestCheck":
        text = "You may only describe the sourceDestCheck attribute for VPC instances"
        raise NovaError("InvalidCombination", text)
    if attribute not in _SHOWN or attribute == "instanceInitiatedShutdownBehavior":
        raise invalid(attribute, "attribute", "Unknown attribute.")


def _value(call: Call, server: Server, attribute: str) -> Any:
    if not call.profile.ec2api:
        return _SHOWN[attribute](call, server)
    if attribute == "userData":
        return {"value": server.user_data} if server.user_data else None
    value = _SHOWN[attribute](call, server)
    if attribute in ("kernel", "ramdisk"):
        return {"value": value}
    return value if value is None or isinstance(value, list) else {"value": value}


@action(lambda profile: profile.ec2api, also="value", required="instance_id")
def modify_instance_attribute(
    call: Call, /, instance_id: Any, attribute: Any = None, instance_type: Any = None, **kwargs: Any
) -> dict[str, Any]:
    """Change the type of a stopped server, the one attribute that this cloud can change."""
    server = call.server(instance_id)
    value = instance_type.get("value") if isinstance(instance_type, dict) else kwargs.get("value")
    if instance_type is None and attribute != "instanceType":
        raise NovaError("InvalidParameter", unsupported(call, attribute))
    servers.check(server, "resize", ("stopped",))
    server.flavor = flavor(call, value)
    return {"return": True}


@action(lambda profile: profile.ec2api, required="instance_id attribute")
def reset_instance_attribute(call: Call, /, instance_id: Any, attribute: Any) -> dict[str, Any]:
    """Refuse: none of the attributes that can be reset exists here."""
    call.server(instance_id)
    raise NovaError("InvalidParameter", unsupported(call, attribute))


def _first(instance_id: Any) -> Any:
    return instance_id[0] if isinstance(instance_id, list) else instance_id


@action(also="latest", required="instance_id")
def get_console_output(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Return what the server has written to its console so far."""
    typed = _first(instance_id)
    server = call.server(typed)
    servers.require_host(server)
    text = server.console
    if text is None:
        keys = "\n".join([_KEYS_BEGIN, *server.host_keys, _KEYS_END, ""]) if server.host_keys else ""
        text = _BOOT_TEXT.format(ec2_id=server.ec2_id, ip=server.fixed_ip, host=server.hostname, keys=keys)
    return {
        "instanceId": typed,
        "timestamp": timestamp(call.cloud.now()),
        "output": base64.b64encode(text.encode("utf-8", "surrogateescape")).decode(),
    }


@action(required="instance_id")
def get_password_data(call: Call, /, instance_id: Any, **_ignored: Any) -> dict[str, Any]:
    """Return the empty password of servers that set none."""
    typed = _first(instance_id)
    call.server(typed)
    return {"instanceId": typed, "timestamp": timestamp(call.cloud.now()), "passwordData": None}
