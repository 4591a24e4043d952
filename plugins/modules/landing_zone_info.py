#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: landing_zone_info
short_description: Read whether everything in Azure is there before a wave replicates
version_added: 0.1.0
description:
  - Looks at the subscription, the resource group, both networks with their subnets, the cache storage account, the
    vault and its fabrics, and returns everything that is missing or in the wrong place at once.
  - Nothing is changed. Networks and storage accounts are the user's own and are never made.
extends_documentation_fragment:
  - asr.migrate.azure
"""

EXAMPLES = r"""
- name: Look at the landing zone
  asr.migrate.landing_zone_info:
    landing_zone: "{{ asr_landing_zone }}"
  register: zone
  delegate_to: localhost

- name: Stop when something is in the way
  ansible.builtin.assert:
    that: zone.blockers | length == 0
"""

RETURN = r"""
blockers:
  description: What must be put right first, each with C(rule), C(severity), C(text), C(remedy) and C(source).
  returned: success
  type: list
  elements: dict
refusal:
  description: All blockers with their remedies in one text, empty when there are none.
  returned: success
  type: str
warnings_found:
  description: What is unwise, with the same keys.
  returned: success
  type: list
  elements: dict
seen:
  description:
    - What is there. C(subscription), C(resource_group), C(network), C(test_network), C(cache_storage_account) and
      C(vault) are each V(null) or have C(id) and C(location); C(fabrics) is a list with C(name) and C(kind).
  returned: success
  type: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = dict(AZURE_OPTIONS)


async def run(params, context):
    """Look once; see RETURN for the result."""
    from asr_migrate.azure import landing_zone

    async with context.session(params) as session:
        seen = await landing_zone.read(session.clients, session.landing_zone)
        found = [finding.as_dict() for finding in landing_zone.check(session.landing_zone, seen)]
    blockers = [finding for finding in found if finding["severity"] == "blocker"]
    return {
        "changed": False,
        "blockers": blockers,
        "refusal": "; ".join(f"{finding['text']} -> {finding['remedy']}" for finding in blockers),
        "warnings_found": [finding for finding in found if finding["severity"] == "warning"],
        "seen": seen.as_dict(),
    }


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
