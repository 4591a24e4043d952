#!/usr/bin/python
# MIT License (see LICENSE)
"""Stop the EC2 instances that now run in Azure."""

from __future__ import annotations

DOCUMENTATION = r"""
module: source_power
short_description: Stop the EC2 instances that were failed over
version_added: 0.1.0
description:
  - Stops EC2 instances and waits until they are stopped. Site Recovery cannot shut AWS instances down itself.
  - An instance that is stopped or terminated is left as it is. None is ever started or terminated.
  - Region, credentials and end point are boto3's own settings (environment, profile, instance role).
options:
  instance_ids:
    description: The instances to stop. None asks nothing.
    type: list
    elements: str
    required: true
  state:
    description: The state to reach.
    type: str
    choices: [stopped]
    default: stopped
  region:
    description: The region, if boto3's settings do not name it.
    type: str
  timeout_s:
    description: How long all of them may take, in seconds of service time.
    type: int
    default: 900
  wait_scale:
    description: How many real seconds one second of waiting lasts. V(1.0) against AWS.
    type: float
    default: 1.0
attributes:
  check_mode:
    support: full
    description: Stops nothing and lists in RV(writes) what would be stopped.
  diff_mode:
    support: none
    description: Has no diff.
requirements:
  - boto3
author:
  - The asr-migrate authors (@asr-migrate)
"""

EXAMPLES = r"""
- name: Stop the sources of the wave
  asr.migrate.source_power:
    instance_ids: [i-0123456789abcdef0]
    state: stopped
  delegate_to: localhost
"""

RETURN = r"""
stopped:
  description: The instances that were stopped by this call, or would be in check mode.
  returned: success
  type: list
  elements: str
writes:
  description: What check mode did not send.
  returned: in check mode
  type: list
  elements: dict
  sample:
    - {method: POST, what: stop EC2 instance i-0123456789abcdef0, why: its Azure VM runs}
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import main

ARGUMENT_SPEC = {
    "instance_ids": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["stopped"], "default": "stopped"},
    "region": {"type": "str"},
    "timeout_s": {"type": "int", "default": 900},
    "wait_scale": {"type": "float", "default": 1.0},
}


def run(params, context):
    """Stop what runs; see RETURN for the result."""
    from asr_migrate.aws import ec2
    from asr_migrate.clock import Clock

    if not params["instance_ids"]:
        return {"changed": False, "stopped": []}
    client = ec2.client(params["region"])
    if context.check_mode:
        found = ec2.running(client, params["instance_ids"])
        why = "its Azure VM runs"
        writes = [{"method": "POST", "what": f"stop EC2 instance {name}", "why": why} for name in found]
        return {"changed": bool(found), "stopped": found, "writes": writes}
    clock = Clock(params["wait_scale"])
    found = ec2.stop_instances(client, params["instance_ids"], clock, timeout_s=params["timeout_s"])
    return {"changed": bool(found), "stopped": found}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
