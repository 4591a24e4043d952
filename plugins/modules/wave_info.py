#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: wave_info
short_description: Read from Azure where the machines of a wave stand
version_added: 0.1.0
description:
  - Reads the vault and the target resource groups once and says of every machine at which stage it is.
  - Nothing is changed.
extends_documentation_fragment:
  - asr.migrate.azure
options:
  machines:
    description: The machines, as the filter P(asr.migrate.machines#filter) makes them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Look at the wave
  asr.migrate.wave_info:
    machines: "{{ ansible_play_hosts | asr.migrate.machines(hostvars) }}"
  register: wave
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
machines:
  description: What was seen of each machine, by its name.
  returned: success
  type: dict
  contains:
    stage:
      description:
        - One of V(absent), V(enabling), V(replicating), V(protected), V(testing), V(test_running), V(cleaning),
          V(tested), V(failing_over), V(failed_over), V(committing), V(committed), V(completing), V(migrated),
          V(broken).
      type: str
      returned: success
    busy_with:
      description: What Site Recovery is doing, in words.
      type: str
      returned: when it is doing something
    progress:
      description: Percent of the initial replication.
      type: float
      returned: during the initial replication
    rpo_s:
      description: Recovery point objective in seconds.
      type: float
      returned: when there is a recovery point
    health:
      description: Replication health, V(Normal), V(Warning) or V(Critical).
      type: str
      returned: when it replicates
    health_errors:
      description: Health errors, each with C(message), C(code), C(cause) and C(remedy).
      type: list
      elements: dict
      returned: success
    error:
      description: Why the machine is broken, with the same keys.
      type: dict
      returned: when it is broken
    azure_vm:
      description: The Azure VM, with C(name), C(id), C(resource_group), C(size) and C(running).
      type: dict
      returned: when there is one
    test_vm:
      description: The test VM, with the same keys.
      type: dict
      returned: when there is one
    allowed_operations:
      description: What Site Recovery offers now.
      type: list
      elements: str
      returned: success
    item_id:
      description: The id of the protected item.
      type: str
      returned: when it replicates
    waiting_for:
      description: What has to happen before replication can be asked for.
      type: str
      returned: when something has to
service_time:
  description: The time of Azure, as ISO 8601; null while the vault does not exist.
  returned: success
  type: str
  sample: "2026-11-21T02:00:00+00:00"
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = {**AZURE_OPTIONS, "machines": {"type": "list", "elements": "dict", "required": True}}


async def run(params, context):
    """Look at every machine once; see RETURN for the result."""
    from asr_migrate.domain.wave import Wave, described

    async with context.session(params) as session:
        wave = Wave.from_hosts(params["machines"], session.landing_zone)
        seen = await session.engine().look(wave) if wave.machines else {}
        now = await session.service_time()
    machines = {name: described(observation) for name, observation in seen.items()}
    return {"changed": False, "machines": machines, "service_time": now and now.isoformat()}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
