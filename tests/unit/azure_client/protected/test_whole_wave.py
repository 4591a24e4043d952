"""Done when 6: a wave of 250 machines with applications and boot order is tested and failed over by three plans."""

from asr_migrate.domain.lifecycle import Verb
from asr_migrate.domain.recovery_plan import machine_tasks


def test_a_wave_of_250_machines_is_tested_and_failed_over_by_three_plans(replicating):
    machines = [
        (f"app{number:02}-{member:02}", f"app{number:02}", 1 + member % 3)
        for number in range(20)
        for member in range(12)
    ]
    machines += [(f"single{number}", None, 1) for number in range(10)]
    story = replicating(machines)

    async def work(port):
        return [await story.through(port, verb) for verb in (Verb.TEST_FAILOVER, Verb.CLEAN_UP_TEST, Verb.FAIL_OVER)]

    verbs = story.run(work)
    plans = ["asr-w1-1", "asr-w1-2", "asr-w1-3"]
    actions = ("testFailover", "testFailoverCleanup", "unplannedFailover")
    assert story.writes() == [
        *(("PUT", plan) for plan in plans),
        *(("POST", f"{plan}/{action}") for action in actions for plan in plans),
    ]
    for jobs in verbs:
        assert list(jobs) == plans
        in_plan = {}
        seen = []
        for plan, job in jobs.items():
            assert job["properties"]["state"] == "Succeeded", job["properties"]["errors"]
            groups = [task for task in job["properties"]["tasks"] if list(machine_tasks([task]))]
            starts = [[task["startTime"] for task in machine_tasks([group])] for group in groups]
            ends = [[task["endTime"] for task in machine_tasks([group])] for group in groups]
            assert len(groups) == 3
            assert all(max(ends[number]) <= min(starts[number + 1]) for number in range(2))
            for order, group in enumerate(groups, start=1):
                for task in machine_tasks([group]):
                    machine = next(one for one in story.wave.machines if one.name == task["friendlyName"])
                    assert machine.boot_order == order
                    seen.append(machine.name)
                    if machine.group:
                        in_plan.setdefault(machine.group, set()).add(plan)
        assert sorted(seen) == sorted(machine.name for machine in story.wave.machines)
        assert {len(found) for found in in_plan.values()} == {1}
