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
  goal:
    description:
      - Also say of every machine whether a run to this goal would move it now, before its work is stopped for that; see
        RV(machines). Everything that the run would check first is checked, except for the gate C(fresh_point) - its
        input, the other gates, whether the journal can be written, and whether another run works on the wave.
      - What may change by itself is waited for ten minutes.
    type: str
    choices: [protected, test_running, tested, failed_over, migrated, absent]
  left_out:
    description:
      - Machines of O(machines) that the run does not take along. Those that have not moved yet hold the rest of their
        application back.
    type: list
    elements: str
    default: []
  gates:
    description: As the option of M(asr.migrate.wave).
    type: raw
  require_approval:
    description: As the option of M(asr.migrate.wave).
    type: bool
    default: false
  approval:
    description: As the option of M(asr.migrate.wave).
    type: raw
  timeout_s:
    description: As the option of M(asr.migrate.wave); it is only checked.
    type: int
    default: 21600
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
    moves:
      description: Whether a run to O(goal) would ask for a change of it now.
      type: bool
      returned: when O(goal) is given
    refusal:
      description:
        - Why it would not be moved although it is not at the goal, with C(message), C(code), C(cause) and C(remedy).
      type: dict
      returned: when O(goal) is given and something keeps it back
    summary:
      description: The same in one sentence.
      type: str
      returned: when O(goal) is given and something keeps it back
service_time:
  description: The time of Azure, as ISO 8601; null while the vault does not exist.
  returned: success
  type: str
  sample: "2026-11-21T02:00:00+00:00"
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

GOALS = ["protected", "test_running", "tested", "failed_over", "migrated", "absent"]

ARGUMENT_SPEC = {
    **AZURE_OPTIONS,
    "machines": {"type": "list", "elements": "dict", "required": True},
    "goal": {"type": "str", "choices": GOALS},
    "left_out": {"type": "list", "elements": "str", "default": []},
    "gates": {"type": "raw"},
    "require_approval": {"type": "bool", "default": False},
    "approval": {"type": "raw"},
    "timeout_s": {"type": "int", "default": 6 * 3600},
}


async def run(params, context):
    """Look at every machine once, or ask which of them may move; see RETURN for the result."""
    from asr_migrate.domain.lifecycle import Goal
    from asr_migrate.domain.wave import MachineResult, described, refused
    from asr_migrate.session import request_of

    async with context.session(params) as session:
        asked = request_of(params, session.landing_zone)
        engine = session.engine(wave=asked.wave, gates=asked.gates)
        goal = params["goal"] and Goal(params["goal"])
        ready = await session.preflight(engine, asked, goal, params["left_out"]) if goal else {}
        seen = await engine.look(asked.wave) if asked.wave.machines else {}
        kept_back = {name: one.refusal for name, one in ready.items() if one.refusal and name not in params["left_out"]}
        session.note(
            MachineResult(name, goal, seen[name].stage, failed=True, refused=True, error=why)
            for name, why in kept_back.items()
        )
        now = await session.service_time()
    machines = {name: described(observation) for name, observation in seen.items()}
    for name, one in ready.items():
        machines[name] |= one.as_dict()
        if one.refusal:
            machines[name]["summary"] = refused(name, goal, seen[name].stage, one.refusal)
    return {"changed": False, "machines": machines, "service_time": now and now.isoformat()}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
