"""A world that is written and read in the middle of something goes on as if nothing had happened."""

import pytest


def job_of(lab, answer):
    assert answer.status == 202, answer.body
    return answer.headers["x-ms-request-id"]


def ended(lab, job, within_s=7200.0):
    waited = 0.0
    while (found := lab.get(job)["properties"])["state"] in ("NotStarted", "InProgress"):
        assert waited < within_s, found
        lab.advance(30)
        waited += 30
    return found


def test_resources_log_and_identities_are_the_same(ready, restart):
    lab = ready.lab
    ready.protect()
    before = ready.properties()
    listed = list(lab.world.log)
    restart(lab)
    assert [entry.row() for entry in lab.world.log] == [entry.row() for entry in listed]
    assert ready.properties() == before
    assert lab.world.resources.get(ready.item) is lab.world.resources.get(ready.item.upper())


def test_guids_go_on_where_the_sequence_stood(lab, restart):
    lab.make_vault("vault-1")
    restart(lab)
    kept = lab.world
    again = [kept.guid() for _ in range(3)]
    assert len(set(again)) == 3
    assert lab.world.number(16) < 1 << 16


def test_a_vault_that_is_being_made_is_ready_later(lab, restart):
    path = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-migration"
    path += "/providers/Microsoft.RecoveryServices/vaults/vault-1"
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}
    assert lab.ask("PUT", path, body).status == 201
    restart(lab)
    assert lab.get(path)["properties"]["provisioningState"] == "Provisioning"
    lab.advance(120)
    assert lab.get(path)["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize("after_s", [1, 30, 200])
def test_an_enable_job_goes_on(ready, restart, after_s):
    lab = ready.lab
    job = job_of(lab, lab.ask("PUT", ready.item, ready.enable_body()))
    lab.advance(after_s)
    restart(lab)
    assert ended(lab, job)["state"] == "Succeeded"
    lab.until(ready.item, "Protected")


@pytest.mark.parametrize("after_s", [60, 1200, 2400])
def test_an_initial_replication_goes_on(ready, restart, after_s):
    lab = ready.lab
    assert lab.do("PUT", ready.item, ready.enable_body())["state"] == "Succeeded"
    lab.advance(after_s)
    before = ready.properties()
    restart(lab)
    assert ready.properties() == before
    lab.until(ready.item, "Protected")
    lab.advance(3600)
    assert lab.get(f"{ready.item}/recoveryPoints")["value"]


def test_a_test_failover_a_failover_and_a_commit_go_on(ready, restart):
    lab, item = ready.lab, ready.item
    ready.protect()
    lab.advance(600)
    steps = [
        (f"{item}/testFailover", ready.test_body()),
        (f"{item}/testFailoverCleanup", {"properties": {"comments": "ok"}}),
        (f"{item}/unplannedFailover", ready.failover_body()),
        (f"{item}/failoverCommit", None),
        (f"{item}/remove", {"properties": {"disableProtectionReason": "MigrationComplete"}}),
    ]
    for path, body in steps:
        job = job_of(lab, lab.ask("POST", path, body))
        lab.advance(5)
        restart(lab)
        assert ended(lab, job)["state"] == "Succeeded", path
    assert lab.ask("GET", item).status == 404


def test_a_job_that_is_to_fail_fails_after_the_restart(ready, restart):
    lab = ready.lab
    ready.protect()
    lab.world.faults.add(
        {"match": {"scenario": "TestFailover"}, "job": {"code": "28031", "message": "no quota"}, "times": 1}
    )
    job = job_of(lab, lab.ask("POST", f"{ready.item}/testFailover", ready.test_body()))
    restart(lab)
    assert ended(lab, job)["state"] == "Failed"


def test_planted_effects_stay(ready, restart):
    lab = ready.lab
    lab.world.faults.add({"match": {"name": "*"}, "effect": "stuck_replication"})
    restart(lab)
    assert lab.world.planted("stuck_replication", name="web-2022") is not None


def test_hyper_v_goes_on_from_the_registration_to_the_completed_initial_replication(bare, restart):
    lab = bare.lab
    assert bare.make()["state"] == "Succeeded"
    bare.register()
    assert bare.associate()["state"] == "Succeeded"
    job = job_of(lab, lab.ask("PUT", bare.item, bare.enable_body()))
    restart(lab)
    assert ended(lab, job)["state"] == "Succeeded"
    lab.advance(60)
    restart(lab)
    lab.until(bare.item, "Protected")
    lab.advance(30)
    job = job_of(lab, lab.ask("POST", f"{bare.item}/plannedFailover", bare.failover_body()))
    lab.advance(20)
    restart(lab)
    assert ended(lab, job)["state"] == "Succeeded"


def test_azure_to_azure_goes_on(regions, restart):
    lab = regions.lab
    regions.prepare()
    restart(lab)
    job = job_of(lab, lab.ask("PUT", regions.item, regions.enable_body()))
    lab.advance(10)
    restart(lab)
    assert ended(lab, job)["state"] == "Succeeded"
    lab.until(regions.item, "Protected")
    regions.fail_over_and_commit()
    job = job_of(lab, lab.ask("POST", f"{regions.container_here}/switchprotection", regions.switch_body()))
    lab.advance(10)
    restart(lab)
    assert ended(lab, job)["state"] == "Succeeded"
    assert lab.ask("GET", regions.item_there).status == 200


def test_a_recovery_plan_goes_on_with_its_next_group(wave, restart):
    lab = wave.lab
    wave.protect()
    wave.make_plan()
    job = wave.begin("testFailover", wave.test_body())
    for _ in range(4):
        lab.advance(40)
        restart(lab)
    assert ended(lab, job)["state"] == "Succeeded"
    assert len(wave.vms) == 3
