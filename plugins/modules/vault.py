#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: vault
short_description: Make the Recovery Services vault of a landing zone
version_added: 0.1.0
description:
  - Makes the vault when there is none of its name in the resource group, and waits until it is provisioned.
  - A vault that exists is never changed. One in another region is an error.
extends_documentation_fragment:
  - asr.migrate.azure
"""

EXAMPLES = r"""
- name: Make the vault
  asr.migrate.vault:
    landing_zone: "{{ asr_landing_zone }}"
  delegate_to: localhost
"""

RETURN = r"""
vault:
  description:
    - The vault, with C(id), C(name), C(location) and C(provisioning_state); V(null) when check mode would make it.
  returned: success
  type: dict
writes:
  description: In check mode, what would be sent, each with C(method), C(what) and C(why).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = dict(AZURE_OPTIONS)


async def run(params, context):
    """Make sure of the vault; see RETURN for the result."""
    from asr_migrate.azure import vault

    async with context.session(params) as session:
        found, made = await vault.ensure(session.clients, session.landing_zone)
        writes = [write.as_dict() for write in session.writes]
    return {"changed": made or bool(writes), "vault": found.as_dict() if found else None, "writes": writes}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
