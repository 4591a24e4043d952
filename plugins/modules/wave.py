#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: wave
short_description: Bring a wave of machines to a goal with Azure Site Recovery
version_added: 0.1.0
description:
  - Reads from Azure where every machine of the wave stands, asks Site Recovery for what is next, waits, and goes on
    until every machine has reached the goal or has failed.
  - A machine that is already there, or further, is left alone. A second run sends nothing.
  - A machine's failure never stops the others and never fails the task; see RV(machines). The task fails only when the
    vault itself cannot be worked with.
  - Nothing that Azure is doing is ever cancelled, also when the time runs out.
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
      - The stage to reach. V(protected) replicates and is healthy, V(test_running) has a test VM in the isolated
        network, V(tested) is cleaned up after the test, V(failed_over) runs in Azure, V(migrated) replicates no more
        and keeps the Azure VM, V(absent) replicates no more without having been failed over.
    type: str
    choices: [protected, test_running, tested, failed_over, migrated, absent]
    required: true
  timeout_s:
    description: Seconds that each machine is given.
    type: int
    default: 21600
  progress:
    description:
      - A file that gets one line for each change that is seen. The environment variable E(ASR_PROGRESS_FILE) also names
        it.
    type: path
"""

EXAMPLES = r"""
- name: Replicate the wave
  asr.migrate.wave:
    machines: "{{ ansible_play_hosts | asr.migrate.machines(hostvars) }}"
    goal: protected
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
machines:
  description: What came of each machine, by its name.
  returned: success
  type: dict
  contains:
    summary:
      description: The result in one sentence.
      type: str
      returned: success
    goal:
      description: The goal that was asked for.
      type: str
      returned: success
    stage:
      description: Where the machine stands now.
      type: str
      returned: success
    reached:
      description: Whether the goal is reached.
      type: bool
      returned: success
    failed:
      description: Whether the goal cannot be reached without somebody's help.
      type: bool
      returned: success
    refused:
      description: Whether it failed before anything was asked for.
      type: bool
      returned: success
    error:
      description: The reason, with C(message), C(code), C(cause) and C(remedy).
      type: dict
      returned: when the machine failed
    azure_vm:
      description: The Azure VM, with C(name), C(id), C(resource_group), C(size) and C(running).
      type: dict
      returned: when there is one
    did:
      description: What was asked of Site Recovery, in order.
      type: list
      elements: str
      returned: success
    steps:
      description: The same with C(verb), C(job) and C(took_s).
      type: list
      elements: dict
      returned: success
    waited_on:
      description: What was waited for last.
      type: str
      returned: when the machine failed
writes:
  description:
    - In check mode, what would be sent, each with C(method), C(path), C(what), C(why) and all of it as C(line).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

GOALS = ["protected", "test_running", "tested", "failed_over", "migrated", "absent"]

ARGUMENT_SPEC = {
    **AZURE_OPTIONS,
    "machines": {"type": "list", "elements": "dict", "required": True},
    "goal": {"type": "str", "choices": GOALS, "required": True},
    "timeout_s": {"type": "int", "default": 6 * 3600},
    "progress": {"type": "path"},
}


async def run(params, context):
    """Bring the wave to ``goal``; see RETURN for the result."""
    from asr_migrate.domain.lifecycle import Goal
    from asr_migrate.domain.wave import Wave

    async with context.session(params) as session:
        wave = Wave.from_hosts(params["machines"], session.landing_zone)
        engine = session.engine(context.progress)
        outcome = await engine.reach(wave, Goal(params["goal"]), timeout_s=float(params["timeout_s"]))
    writes = [write.as_dict() for write in outcome.writes]
    return {"changed": outcome.changed, "machines": outcome.by_machine(), "writes": writes}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
