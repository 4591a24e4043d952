# MIT License (see LICENSE)
"""Jinja filter that judges whether a machine can be migrated."""

from __future__ import annotations

DOCUMENTATION = r"""
name: findings
short_description: Judge whether a machine can be migrated
version_added: 0.1.0
description:
  - Asks every readiness rule of Site Recovery and of Azure about one machine, as P(asr.migrate.machines#filter) returns
    it, and returns every rule that it breaks, blockers first.
positional: _input, architecture
options:
  _input:
    description: One machine.
    type: dict
    required: true
  architecture:
    description: The architecture that is to move it, which decides the list of operating systems.
    type: str
    choices: [classic, modernized]
    required: true
"""

EXAMPLES = r"""
- name: Show what stands in the way
  ansible.builtin.debug:
    msg: "{{ ([inventory_hostname] | asr.migrate.machines(hostvars) | first) | asr.migrate.findings('modernized') }}"
"""

RETURN = r"""
_value:
  description: The findings. RV(_value[].severity) is V(blocker) or V(warning).
  type: list
  elements: dict
  sample:
    - rule: os.64-bit
      severity: blocker
      text: app-1 runs a 32-bit operating system; Site Recovery replicates 64-bit ones only
      remedy: Move its workload to a 64-bit system before replicating it.
      source: migration article, prerequisites
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleFilterError

LIBRARY = str(Path(__file__).resolve().parents[2] / "python")


def plain(value):
    """Return ``value`` without Ansible's lazy containers, which only Python's own iteration resolves."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def findings(machine, architecture):
    """Return every finding about ``machine``; one that cannot be read is an error with place, value and remedy."""
    if LIBRARY not in sys.path:
        sys.path.insert(0, LIBRARY)
    from asr_migrate.domain.errors import InputError
    from asr_migrate.domain.machine import Machine, parse
    from asr_migrate.domain.readiness import evaluate

    if architecture not in ("classic", "modernized"):
        raise AnsibleFilterError(f"architecture is {architecture!r}; it must be classic or modernized")
    try:
        name = machine.get("name") if isinstance(machine, Mapping) else None
        parsed = parse(Machine, plain(machine), f"machine {name}")
    except InputError as error:
        raise AnsibleFilterError(f"{error} ({error.cause}). {error.remedy}") from error
    return [finding.as_dict() for finding in evaluate(parsed, architecture)]


class FilterModule:
    """Filters of asr.migrate about readiness."""

    def filters(self):
        return {"findings": findings}
