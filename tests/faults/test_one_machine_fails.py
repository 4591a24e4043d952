"""One machine of a wave fails, at each stage in turn: the others go on, and a rerun touches only the one."""

import asyncio
import re
from dataclasses import dataclass

import pytest
from tests.worlds.served import sign_in

from . import verdict
from .lab import ARCHITECTURES, FaultLab
from .runs import ROAD
from .wave_process import work

PLACE = re.compile("/(replicationProtectedItems|replicationRecoveryPlans)/([^/]+)", re.IGNORECASE)
UNLUCKY = "web-02"
ERROR = {"code": "28031", "message": "The lab was told to fail this job.", "recommended_action": "Run it again."}


@dataclass(frozen=True)
class Failure:
    """A job that fails: the goal at which it stops its machine, the goals that a person then runs before all others,
    and the jobs that these need on top of the road's."""

    scenario: str
    at: str
    first: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


FAILURES = (
    Failure("EnableDr", "protected", first=("absent",), extra=("DisableDr",)),
    Failure("TestFailover", "test_running", first=("tested",), extra=("TestFailoverCleanup",)),
    Failure("TestFailoverCleanup", "tested"),
    Failure("UnplannedFailover", "failed_over"),
    Failure("CommitFailover", "migrated"),
    Failure("DisableDr", "migrated"),
)


ALONE, IN_A_PLAN = 3, 12
CASES = [
    pytest.param(failure, (architecture, machines), id=f"{architecture}-{failure.scenario}-{machines}")
    for architecture in ARCHITECTURES
    for failure in FAILURES
    for machines in (ALONE, IN_A_PLAN)
    if machines == ALONE or failure.scenario in ("TestFailover", "UnplannedFailover")
]


@pytest.fixture
def lab(request, tmp_path, monkeypatch):
    architecture, machines = request.param
    made = FaultLab(tmp_path, architecture, machines, speed=1200.0)
    sign_in(monkeypatch)
    return made


def run(lab: FaultLab, *goals: str) -> dict[str, dict[str, dict]]:
    """Run the wave to ``goals`` and return the machines' results by goal."""

    async def go() -> dict[str, dict[str, dict]]:
        async with lab.served() as url:
            result = {"goals": {}, "error": None}
            await work(lab.description(url, lab.folder, goals), result)
            return result["goals"]

    return asyncio.run(go())


def touched(lab: FaultLab) -> set[str]:
    """Return the names of the machines, or of the recovery plans, that the log's verbs were about.

    Making a plan and taking machines out of it asks nothing of a machine.
    """
    found = set()
    for logged in lab.world.writes:
        collection, name = PLACE.search(logged.path).groups() if PLACE.search(logged.path) else ("", logged.path)
        bookkeeping = collection.casefold() == "replicationrecoveryplans" and logged.method != "POST"
        if not bookkeeping and verdict.LOCK_PATH not in logged.path.casefold():
            found.add(name.casefold())
    return found


@pytest.mark.parametrize(("failure", "lab"), CASES, indirect=["lab"])
def test_the_others_reach_the_goal_and_a_rerun_touches_only_the_one_that_failed(lab, failure):
    planted = lab.world.faults.add({"match": {"scenario": failure.scenario, "name": UNLUCKY}, "job": ERROR})
    first = run(lab, *ROAD)
    failed = {(goal, name) for goal, machines in first.items() for name in machines if machines[name]["failed"]}
    assert failed == {(failure.at, UNLUCKY)}
    assert {name for name, machine in first["migrated"].items() if machine["reached"]} == set(lab.sources) - {UNLUCKY}
    assert ERROR["code"] in first[failure.at][UNLUCKY]["summary"]

    lab.all_well()
    lab.world.log.clear()
    run(lab, *failure.first)
    again = run(lab, *ROAD)
    assert all(machine["reached"] for machine in again["migrated"].values()), again["migrated"]
    assert touched(lab) == {UNLUCKY}
    assert verdict.lost(lab) == []
    assert verdict.cancelled(lab.world) == []
    jobs = verdict.machine_jobs(lab.world, planted=[planted.job])
    assert {
        name: sorted(scenario for scenario, found in by_scenario.items() for _ in found)
        for name, by_scenario in jobs.items()
    } == {name: sorted(verdict.ROAD + (failure.extra if name == UNLUCKY else ())) for name in lab.sources}
