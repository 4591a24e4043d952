#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: appliance
short_description: Take an appliance out of its vault
version_added: 0.1.0
description:
  - Removes the association of replication policies, the landing zone's policy when no other appliance uses it, and the
    configuration server or replication appliance from the vault.
  - Refuses while a machine is protected through it, while other appliances share its fabric, or while it has vCenters.
  - The server itself is left as it is. Appliances are made by the role P(asr.migrate.appliance#role).
extends_documentation_fragment:
  - asr.migrate.azure
options:
  state:
    description: Only V(absent).
    type: str
    choices: [absent]
    required: true
"""

EXAMPLES = r"""
- name: Take the appliance out of its vault
  asr.migrate.appliance:
    landing_zone: "{{ asr_landing_zone }}"
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
appliance:
  description: What the vault knew of it before.
  returned: success
  type: dict
writes:
  description: In check mode, what would be sent, each with C(method), C(what) and C(why).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = {**AZURE_OPTIONS, "state": {"type": "str", "choices": ["absent"], "required": True}}


async def run(params, context):
    """Remove it; see RETURN for the result."""
    from asr_migrate.azure.appliance import ApplianceReader
    from asr_migrate.azure.appliance_removal import remove

    async with context.session(params) as session:
        seen = await ApplianceReader(session.clients, session.landing_zone).look()
        removed = await remove(session.clients, session.landing_zone, seen)
        writes = [write.as_dict() for write in session.writes]
    return {"changed": removed or bool(writes), "appliance": seen.as_dict(), "writes": writes}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
