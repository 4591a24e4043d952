# MIT License (see LICENSE)
"""Jinja filter that says how large an appliance must be."""

from __future__ import annotations

DOCUMENTATION = r"""
name: appliance_size
short_description: Say how large an appliance must be
version_added: 0.1.0
description:
  - Returns processors, memory, cache, EC2 instance type and volumes for a number of machines and their daily changes,
    by Site Recovery's tables for capacity, and how many appliances of that size are needed.
positional: _input, architecture, churn_gb
options:
  _input:
    description: Number of machines, each counted with three disks of 100 GB.
    type: int
    required: true
  architecture:
    description: The architecture of the appliance.
    type: str
    choices: [classic, modernized]
    required: true
  churn_gb:
    description: What all machines together write in a day, in GB; empty when it is unknown.
    type: float
"""

EXAMPLES = r"""
- name: Say how large the appliance must be
  ansible.builtin.debug:
    msg: "{{ (120 | asr.migrate.appliance_size('modernized', 300)).text }}"
"""

RETURN = r"""
_value:
  description:
    - C(appliances), C(vcpus), C(cores) (physical, 0 where none are counted), C(memory_gib), C(cache_gib),
      C(instance_type), C(block_devices) as M(amazon.aws.ec2_instance) takes them, C(text) and C(notes).
  type: dict
"""

import sys
from pathlib import Path

from ansible.errors import AnsibleFilterError

LIBRARY = str(Path(__file__).resolve().parents[2] / "python")


def appliance_size(machines, architecture, churn_gb=None):
    """Return the size as plain data; nonsense is an error with place, value and remedy."""
    if LIBRARY not in sys.path:
        sys.path.insert(0, LIBRARY)
    from asr_migrate.domain.errors import InputError
    from asr_migrate.hosts.server_sizing import size

    try:
        return size(architecture, int(machines), None if churn_gb in (None, "") else float(churn_gb)).as_dict()
    except InputError as error:
        raise AnsibleFilterError(f"{error} ({error.cause}). {error.remedy}") from error
    except ValueError as error:
        raise AnsibleFilterError(f"appliance_size: {error}. Give numbers.") from error


class FilterModule:
    """Filters of asr.migrate about appliances."""

    def filters(self):
        return {"appliance_size": appliance_size}
