# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options, documented once."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that every module and plugin of the collection takes."""

    DOCUMENTATION = r"""
options:
  endpoint_url:
    description:
      - Address of the cloud's EC2 API, with scheme, host, port and path.
      - For Nova that is V(http://HOST:8773/services/Cloud), for the stand-alone ec2-api V(http://HOST:8788/).
      - If not given, it comes from O(rc_file), or, without one, from the first that is set of the environment variables
        E(EC2_URL), E(AWS_URL), E(AWS_ENDPOINT_URL_EC2) and E(AWS_ENDPOINT_URL).
      - There is no default. Without an endpoint the task fails; it never talks to Amazon instead.
    type: str
    aliases: [ec2_url, url, aws_endpoint_url]
  access_key:
    description:
      - Access key of the EC2 credentials (C(openstack ec2 credentials create)).
      - If neither this nor O(secret_key) is given, the pair comes from O(rc_file), or, without one, from the
        environment, from E(EC2_ACCESS_KEY) and E(EC2_SECRET_KEY), or else from E(AWS_ACCESS_KEY_ID) (or
        E(AWS_ACCESS_KEY)) and E(AWS_SECRET_ACCESS_KEY) (or E(AWS_SECRET_KEY)).
      - The two keys always come from the same place.
    type: str
    aliases: [ec2_access_key, aws_access_key, aws_access_key_id]
  secret_key:
    description:
      - Secret key of the EC2 credentials.
    type: str
    aliases: [ec2_secret_key, aws_secret_key, aws_secret_access_key]
  rc_file:
    description:
      - Path of a file such as the C(ec2rc.sh) that Horizon hands out, on the host that executes the module.
      - It is read, never executed. Only plain assignments count, and references to variables assigned before. What is
        assigned under a condition, or by a command, does not.
      - With it, the environment says neither endpoint nor keys. What the file lacks is an error, unless
        O(endpoint_url), or O(access_key) and O(secret_key), say it.
      - It cannot be encrypted. Keep the keys in an encrypted file of variables instead.
    type: path
  region:
    description:
      - Name of the region. It is only part of what is signed with O(signature_version=4); it decides nothing else.
    type: str
    default: nova
    aliases: [ec2_region, aws_region]
  validate_certs:
    description:
      - Whether the server's certificate must be issued by a trusted authority for the name or address in the endpoint.
    type: bool
    default: true
  ca_bundle:
    description:
      - File (PEM) or directory with the certificates of the authorities to trust instead of the system's.
      - If not given, the environment variable E(AWS_CA_BUNDLE) is used.
      - The C(cacert.pem) in Horizon's zip file is not such a file.
    type: path
    aliases: [aws_ca_bundle, ca_cert]
  connect_timeout:
    description:
      - How many seconds making a connection may take.
    type: float
    default: 10
  read_timeout:
    description:
      - For how many seconds to wait for an answer, from the first byte of the request to the last of the answer.
      - A request that changes something is sent once, whatever happens. One that only reads is tried up to three times,
        but not again once this time is over, or C(wait_timeout) of modules that have it. If the cloud takes no
        more requests at the moment, that is after the time that it asks for.
    type: float
    default: 120
  signature_version:
    description:
      - How requests are signed. Every generation of Nova and ec2-api knows V(2). Juno 2014.2.2 and later know V(4) too.
    type: int
    choices: [2, 4]
    default: 2
requirements:
  - boto == 2.49.0 in the Python that executes the module; Python 3.9 or later
notes:
  - The files C(~/.boto) and C(/etc/boto.cfg) and proxy variables in the environment have no effect.
"""
