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
  - A machine's failure never fails the task and stops no others than those of its application (C(group)), which is
    tested and failed over whole; see RV(machines). The task fails only when the vault itself cannot be worked with.
  - Nothing that Azure is doing is ever cancelled, also when the time runs out.
  - One run works on a wave at a time, whichever controllers they start from. A second one fails with the code
    C(WaveHeld), says who works on it and since when, and changes nothing. A run that was killed blocks others for
    15 minutes, on its own controller not at all.
  - On SIGTERM or SIGINT, or when ansible-playbook is gone, nothing more is asked for; see RV(stopped).
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
  gates:
    description:
      - What must be true before a step that is hard to undo. Empty asks for nothing.
      - Keys are C(tested_within_days) (a test failover that ended well not longer ago, before a failover),
        C(fresh_point) (a recovery point newer than the machine's C(quiesced_at), before a failover),
        C(require_approval), C(probes) (the Azure VM answers its C(probes), before a commit) and C(freeze), a list of
        windows in which nothing is failed over, committed or completed.
      - A window has C(start), C(end) and C(why), or C(days), C(from), C(to), C(zone) and C(why) for every week.
      - A dictionary; anything else is refused with the place, the value and the remedy.
    type: raw
  require_approval:
    description: Switches the gate C(require_approval) on, whatever O(gates) says.
    type: bool
    default: false
  approval:
    description: Who approved the run, as a dictionary of C(by) and C(reason). They are kept in the journal.
    type: raw
  timeout_s:
    description: Seconds that each machine is given, more than 0.
    type: int
    default: 21600
  planned_before:
    description:
      - Goals that an earlier task of the same run has planned in check mode. One that has to be reached first counts as
        reached when it stands here; else the machine is refused, as a run would refuse it.
    type: list
    elements: str
    choices: [protected, test_running, tested, failed_over, migrated, absent]
    default: []
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
    remedies:
      description:
        - What the engine mended by itself, in words. It is said before it is sent, and nothing is mended by a failover.
        - A machine whose health is Critical is synchronised again, once, when Site Recovery offers it
          (C(repairReplication)); check mode lists that in RV(writes). A failed clean-up, update, commit or removal is
          asked for again, twice at most; an appliance that does not list a machine is refreshed once.
      type: list
      elements: str
      returned: success
      sample: ["synchronise its disks again (repairReplication): health is Critical and Site Recovery offers it"]
    waited_on:
      description: What was waited for last.
      type: str
      returned: when the machine failed
writes:
  description:
    - In check mode, what would be sent, in order, each with C(method), C(path), C(what), C(why) and all of it as
      C(line), as well as C(machine), C(body), C(calls), C(minutes) and C(gates).
  returned: success
  type: list
  elements: dict
stopped:
  description: Why this run asked for nothing more before every machine was done; what Azure was doing goes on.
  returned: when the run was stopped
  type: str
  sample: it was asked to stop by SIGTERM
going_on:
  description: What Azure goes on with, in words, by machine.
  returned: when the run was stopped
  type: dict
  sample: {web: fail over to the latest recovery point}
eta_minutes:
  description:
    - In about how many minutes the disks of a machine are copied, at the pace of the last half hour, by machine.
    - Of those machines that were being copied when this run ended (it was stopped, or the time was up); one whose pace
      is not known yet is left out.
  returned: when machines are still being copied and their pace is known
  type: dict
  sample: {web: 40}
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

GOALS = ["protected", "test_running", "tested", "failed_over", "migrated", "absent"]

ARGUMENT_SPEC = {
    **AZURE_OPTIONS,
    "machines": {"type": "list", "elements": "dict", "required": True},
    "goal": {"type": "str", "choices": GOALS, "required": True},
    "gates": {"type": "raw"},
    "require_approval": {"type": "bool", "default": False},
    "approval": {"type": "raw"},
    "timeout_s": {"type": "int", "default": 6 * 3600},
    "planned_before": {"type": "list", "elements": "str", "choices": GOALS, "default": []},
    "progress": {"type": "path"},
}


async def run(params, context):
    """Bring the wave to ``goal``; see RETURN for the result."""
    from asr_migrate.domain.lifecycle import Goal
    from asr_migrate.session import request_of, wave_names

    goal = Goal(params["goal"])
    async with context.session(params) as session:
        asked = request_of(params, session.landing_zone)
        before = [Goal(name) for name in params["planned_before"]]
        engine = session.engine(context.progress, wave=asked.wave, gates=asked.gates, planned_before=before)
        about = f"wave {', '.join(wave_names(asked.wave))}: {goal}"
        async with context.stoppable(engine.stop, about) as stops:
            outcome = await session.reach(engine, asked.wave, goal, asked.timeout_s, warn=context.warn)
            if outcome.stopped:
                stops.tell(outcome.stopped, [f"{name}: {words}" for name, words in outcome.going_on.items()])
    result = {
        "changed": outcome.changed,
        "machines": outcome.by_machine(),
        "writes": [write.as_dict() for write in outcome.writes],
    }
    if outcome.stopped:
        result |= {"stopped": outcome.stopped, "going_on": dict(outcome.going_on)}
    if eta_minutes := engine.eta_minutes():
        result |= {"eta_minutes": eta_minutes}
    return result


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
