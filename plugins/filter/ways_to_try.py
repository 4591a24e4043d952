# MIT License (see LICENSE)
"""Jinja filter that says which addresses and ports a host has to try."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ways_to_try
short_description: Say which addresses and ports a host has to try
version_added: 0.1.0
description:
  - Returns the pairs of address and port that a source or an appliance must reach by Site Recovery's table of ports,
    for C(want.reach) of M(asr.migrate.source_host). Ranges of ports cannot be tried and are left out.
positional: _input, origin, appliance, architecture, push
options:
  _input:
    description: The sources, as P(asr.migrate.machines#filter) returns them.
    type: list
    elements: dict
    required: true
  origin:
    description: Name of the source or of the appliance that tries.
    type: str
    required: true
  appliance:
    description: The appliance, with C(name) and C(address).
    type: dict
    required: true
  architecture:
    description: Its architecture.
    type: str
    choices: [classic, modernized]
    required: true
  push:
    description: Whether the appliance installs the Mobility service, which needs ports of the sources.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Try the ways from a source
  asr.migrate.source_host:
    state: probed
    want:
      reach: "{{ machines | asr.migrate.ways_to_try('app-1', {'name': 'cs-1', 'address': '10.20.0.10'}, 'classic') }}"
"""

RETURN = r"""
_value:
  description: Pairs of address and port.
  type: list
  elements: list
"""

import sys
from pathlib import Path

LIBRARY = str(Path(__file__).resolve().parents[2] / "python")


def ways_to_try(machines, origin, appliance, architecture, push=True):
    """Return the pairs of address and port that ``origin`` has to try."""
    if LIBRARY not in sys.path:
        sys.path.insert(0, LIBRARY)
    from asr_migrate.hosts.ways import of_machines, targets

    return targets(of_machines(list(machines), appliance, architecture=architecture, push=push), origin)


class FilterModule:
    """Filters of asr.migrate about ways."""

    def filters(self):
        return {"ways_to_try": ways_to_try}
