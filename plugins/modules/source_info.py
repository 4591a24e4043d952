#!/usr/bin/python
# MIT License (see LICENSE)
"""Look up what EC2 knows of the source instances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: source_info
short_description: Look up what EC2 knows of the machines to migrate
version_added: 0.1.0
description:
  - Returns disks, virtualization, firmware, storage interface and state of EC2 instances, which
    P(asr.migrate.findings#filter) judges.
  - Region, credentials and end point are boto3's own settings (environment, profile, instance role).
options:
  instance_ids:
    description: The instances to look up. None asks nothing.
    type: list
    elements: str
    required: true
  region:
    description: The region, if boto3's settings do not name it.
    type: str
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
    description: Has no diff.
requirements:
  - boto3
author:
  - The asr-migrate authors (@asr-migrate)
"""

EXAMPLES = r"""
- name: Look the wave's instances up
  asr.migrate.source_info:
    instance_ids: "{{ groups['wave_legacy'] | map('extract', hostvars, 'ec2_instance_id') }}"
  delegate_to: localhost
"""

RETURN = r"""
instances:
  description: One entry an instance, by its id.
  returned: success
  type: dict
  sample:
    i-0123456789abcdef0:
      architecture: x86_64
      disks:
        - {name: /dev/sda1, size_gib: 40, boot: true}
      firmware: BIOS
      instance_type: m4.large
      platform: linux
      platform_details: Red Hat Enterprise Linux
      private_ip: 10.20.1.13
      state: running
      storage_interface: xen
      virtualization: hvm
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import main

ARGUMENT_SPEC = {
    "instance_ids": {"type": "list", "elements": "str", "required": True},
    "region": {"type": "str"},
}


def run(params, _context):
    """Return what EC2 knows; see RETURN for the result."""
    from asr_migrate.aws import ec2

    if not params["instance_ids"]:
        return {"changed": False, "instances": {}}
    return {"changed": False, "instances": ec2.source_info(ec2.client(params["region"]), params["instance_ids"])}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
