"""The harness can fail: what it must find is done to a lab by hand."""

import asyncio

import pytest
from tests.worlds.vaults import SERVICE_VERSION

from asr_lab.arm.wire import Request

from . import answers, moments, verdict
from .lab import FaultLab
from .runs import Runs


@pytest.fixture
def lab(tmp_path) -> FaultLab:
    return FaultLab(tmp_path, "classic", machines=2, speed=600.0)


def protect(lab: FaultLab) -> None:
    async def go() -> None:
        async with lab.served() as url:
            ran = await Runs(lab, url).run(goals=["protected"])
            assert ran.code == 0, ran.output

    asyncio.run(go())


def post(lab: FaultLab, path: str, body: object = None) -> None:
    request = Request("POST", path, {"api-version": SERVICE_VERSION}, {"host": lab.address}, body)
    assert lab.world.handle(request, lab.clock.now()).status == 202


def test_a_verb_that_is_sent_again_is_found_whether_the_service_takes_it_or_not(lab):
    protect(lab)
    item = next(item for item in verdict.protected_items(lab.world) if item.friendly_name == "web-01")
    body = {"properties": {"disableProtectionReason": "NotSpecified"}}
    assert verdict.repeated(lab.world) == []
    post(lab, f"{item.id}/remove", body)
    post(lab, f"{item.id}/remove", body)
    assert [(found.kind, found.machine) for found in verdict.repeated(lab.world)] == [("repeated", "web-01")]


def test_a_machine_that_is_not_migrated_is_lost(lab):
    protect(lab)
    lost = {violation.machine: violation.what for violation in verdict.lost(lab)}
    assert set(lost) == set(lab.sources)
    assert "it has no VM" in lost["web-01"]
    assert "no job CommitFailover" in lost["web-01"]


def test_a_cancelled_job_is_found(lab):
    protect(lab)
    item = next(item for item in verdict.protected_items(lab.world) if item.friendly_name == "web-02")
    post(lab, f"{item.id}/remove", {"properties": {"disableProtectionReason": "NotSpecified"}})
    job = verdict.machine_jobs(lab.world)["web-02"]["DisableDr"][0]
    lab.world.cancel(job, lab.clock.now())
    assert [violation.machine for violation in verdict.cancelled(lab.world)] == ["web-02"]


@pytest.mark.parametrize("kind", ["arrived", "lost"])
def test_a_run_is_killed_at_a_write_whose_answer_never_leaves(lab, kind):
    async def go() -> None:
        async with lab.served() as url:
            ran = await Runs(lab, url).run(moments.Moment(kind, write=4), goals=["protected"])
            assert ran.killed

    asyncio.run(go())
    changes = [logged for logged in lab.world.log if logged.is_write]
    assert len(changes) == (4 if kind == "arrived" else 3)


def test_a_fifth_of_the_answers_is_faulty(lab):
    for row in answers.rows(seed=3, stale=False):
        lab.world.faults.add(row)
    path = f"{lab.vault_id}/replicationJobs"
    request = Request("GET", path, {"api-version": SERVICE_VERSION}, {"host": lab.address})
    answered = [lab.world.handle(request, lab.clock.now()) for _ in range(2000)]
    faulty = sum(answer.status != 200 or answer.delay_s > 0 for answer in answered)
    assert 320 < faulty < 480
