#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: server_certificate
short_description: Keep the certificate that a Windows instance shows in its console
version_added: 0.1.0
description:
  - The user data of the role appliance makes a WinRM listener with a certificate of its own and prints the certificate
    to the instance's console. This module reads it there, which EC2 alone can show, and writes it to a file that
    C(ansible_winrm_ca_trust_path) or C(ansible_psrp_ca_cert) names, so that the connection is verified from the first
    one on.
  - Waits until the console shows it. A file of the same instance is left as it is.
options:
  instance_id:
    description: Id of the instance.
    type: str
    required: true
  dest:
    description: File on the controller.
    type: path
    required: true
  timeout_s:
    description: How long the first start may take, in seconds before O(wait_scale).
    type: int
    default: 1800
  wait_scale:
    description: Factor of every wait; 1.0 is real time.
    type: float
    default: 1.0
  region:
    description: AWS region; by default that of boto3's settings.
    type: str
author:
  - The asr-migrate authors (@asr-migrate)
attributes:
  check_mode:
    support: full
    description: Says whether the file would be written; does not wait.
"""

EXAMPLES = r"""
- name: Trust what the instance shows in its console
  asr.migrate.server_certificate:
    instance_id: i-0123456789abcdef0
    dest: ~/.asr/keys/wave1-appliance.pem
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import main

ARGUMENT_SPEC = {
    "instance_id": {"type": "str", "required": True},
    "dest": {"type": "path", "required": True},
    "timeout_s": {"type": "int", "default": 1800},
    "wait_scale": {"type": "float", "default": 1.0},
    "region": {"type": "str"},
}


def run(params, context):
    """Write the file unless it is there; see RETURN for the result."""
    from pathlib import Path

    from asr_migrate.aws import console, ec2
    from asr_migrate.clock import Clock

    path, instance = Path(params["dest"]), params["instance_id"]
    kept = console.kept_for(path, instance)
    if not kept and not context.check_mode:
        clock = Clock(params["wait_scale"])
        client = ec2.client(params["region"])
        pem = console.wait_for_certificate(client, instance, clock, timeout_s=params["timeout_s"])
        console.keep(path, instance, pem)
    return {"changed": not kept, "path": str(path)}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
