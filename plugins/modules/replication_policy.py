#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: replication_policy
short_description: Make the replication policy of a landing zone and associate it with the appliance
version_added: 0.1.0
description:
  - Makes the policy when the vault has none of its name, and associates it with the appliance's protection container.
  - A policy that exists with other settings is an error that names them; nothing that exists is changed.
  - Without a registered appliance only the policy is made.
extends_documentation_fragment:
  - asr.migrate.azure
"""

EXAMPLES = r"""
- name: Make the policy and associate it
  asr.migrate.replication_policy:
    landing_zone: "{{ asr_landing_zone }}"
  delegate_to: localhost
"""

RETURN = r"""
policy:
  description: The name of the policy.
  returned: success
  type: str
associated:
  description: Whether the policy is associated with the appliance's container.
  returned: success
  type: bool
container:
  description: The container; V(null) while no appliance is registered.
  returned: success
  type: str
writes:
  description: In check mode, what would be sent, each with C(method), C(what) and C(why).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = dict(AZURE_OPTIONS)


async def run(params, context):
    """Make sure of policy and association; see RETURN for the result."""
    from asr_migrate.azure import replication_policy
    from asr_migrate.azure.appliance import ApplianceReader

    async with context.session(params) as session:
        clients, zone = session.clients, session.landing_zone
        changed = await replication_policy.ensure_policy(clients, zone)
        seen = await ApplianceReader(clients, zone).look()
        if seen.container:
            changed |= await replication_policy.ensure_mapping(clients, zone, seen.fabric, seen.container)
        elif context.check_mode:
            replication_policy.plan_mapping(clients, zone)
        writes = [write.as_dict() for write in session.writes]
    return {
        "changed": changed or bool(writes),
        "policy": zone.policy.name,
        "associated": bool(seen.container) and not writes,
        "container": seen.container,
        "writes": writes,
    }


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
