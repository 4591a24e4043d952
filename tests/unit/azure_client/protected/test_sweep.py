"""One look at a vault over real HTTPS: pages, lists that lag behind, and what earlier runs have sent."""

from datetime import timedelta

import pytest

from asr_migrate.azure.journal import Journal
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import Stage, Verb
from asr_migrate.domain.site import Call

LATE = 3600.0
ITEMS = "replicationProtectedItems"


def lag(story, path):
    """Let reads of ``path`` answer what was true an hour ago; of what no such read was remembered, the first."""
    story.world.faults.add({"match": {"path": path}, "stale_s": LATE})


def remember(story, *paths):
    """Let the lab keep what these paths of the vault answer now, for ``lag`` to show later."""
    for path in paths:
        lag(story, "*")
        story.ask("GET", path if path.startswith("/") else f"{story.vault}/{path}")
        story.world.faults.clear()


async def listed(port):
    """Return what the vault's list of items says by itself: where the machines run, and which operations it offers."""
    rows = await port._reader.vault_list(ITEMS)
    return {
        (row["properties"]["activeLocation"], "TestFailover" in row["properties"]["allowedOperations"]) for row in rows
    }


def stages(story, sweep):
    return {machine.name: story.provider.observe(machine, sweep).stage for machine in story.wave.machines}


async def failed_over(story, port):
    """Fail every machine over, one by one, and look: the port has then seen it."""
    items = await story.items(port)
    sent = [
        await port.send(story.provider.act(Verb.FAIL_OVER, machine, items[machine.name]), None)
        for machine in story.wave.machines
    ]
    for one in sent:
        await story.ended(port, one.job_id)
    return await port.sweep(["rg-migration"], with_sources=False)


def test_250_items_are_two_pages_and_a_sweep_few_reads(replicating):
    story = replicating([(f"m{number:03}", None, 1) for number in range(250)])

    async def work(port):
        await port.sweep(["rg-migration"], with_sources=False)
        story.world.log.clear()
        return await port.sweep(["rg-migration"], with_sources=False)

    sweep = story.run(work)
    assert len(sweep.items) == 250
    assert len(story.world.log) == 4
    assert set(stages(story, sweep).values()) == {Stage.PROTECTED}


@pytest.mark.parametrize("fresh_run", [True, False])
def test_a_list_older_than_a_failover_does_not_send_a_machine_back(story, fresh_run):
    async def work(port):
        remember(story, ITEMS)
        await failed_over(story, port)
        lag(story, f"*/vault-a/{ITEMS}")
        assert await listed(port) == {("Primary", True)}
        if fresh_run:
            port = AzureSiteRecovery(port._clients, story.zone)
        return await port.sweep(["rg-migration"], with_sources=False)

    sweep = story.run(work)
    assert set(stages(story, sweep).values()) == {Stage.FAILED_OVER}
    assert sweep.behind == {}


def test_a_machine_whose_single_read_is_old_too_is_said_to_be_behind(story):
    async def work(port):
        remember(story, ITEMS, *(item["id"] for item in (await story.items(port)).values()))
        await failed_over(story, port)
        lag(story, "*/replicationProtectedItems*")
        return await port.sweep((), with_sources=False)

    sweep = story.run(work)
    assert set(sweep.behind) == {item["id"].lower() for item in sweep.items}
    assert all("does not show yet what UnplannedFailover" in why for why in sweep.behind.values())


def test_a_list_older_than_a_plans_failover_does_not_send_its_machines_back(story):
    async def work(port):
        remember(story, ITEMS)
        await story.through(port, Verb.FAIL_OVER)
        lag(story, f"*/vault-a/{ITEMS}")
        assert await listed(port) == {("Primary", True)}
        return await AzureSiteRecovery(port._clients, story.zone).sweep(["rg-migration"], with_sources=False)

    assert set(stages(story, story.run(work)).values()) == {Stage.FAILED_OVER}


def test_while_a_plan_runs_its_machines_are_at_work_although_the_list_is_old(story):
    async def work(port):
        (call,) = story.calls(Verb.TEST_FAILOVER, await story.items(port))
        await port.prepare_plan(call)
        remember(story, ITEMS)
        await port.send_plan(call)
        lag(story, f"*/vault-a/{ITEMS}")
        assert await listed(port) == {("Primary", True)}
        other = AzureSiteRecovery(port._clients, story.zone)
        sweep = await other.sweep((), with_sources=False)
        return [story.provider.observe(machine, sweep).busy for machine in story.wave.machines]

    assert story.run(work) == [True, True, True]


def test_when_nothing_lags_every_row_is_taken_as_it_stands(story):
    async def work(port):
        found = []
        for verb in (Verb.TEST_FAILOVER, Verb.CLEAN_UP_TEST, Verb.FAIL_OVER, Verb.COMMIT):
            await story.through(port, verb)
            sweep = await port.sweep(["rg-migration"], with_sources=False)
            found.append((set(stages(story, sweep).values()), sweep.behind))
        items = await story.items(port)
        await port.release("w1", [item["id"] for item in items.values()])
        story.world.log.clear()
        for machine in story.wave.machines:
            call = story.provider.act(Verb.COMPLETE, machine, items[machine.name])
            await story.ended(port, (await port.send(call, None)).job_id)
        sweep = await port.sweep(["rg-migration"], with_sources=False)
        return [*found, (set(stages(story, sweep).values()), sweep.behind)]

    expected = (Stage.TEST_RUNNING, Stage.TESTED, Stage.FAILED_OVER, Stage.COMMITTED, Stage.MIGRATED)
    assert story.run(work) == [({stage}, {}) for stage in expected]


def test_a_list_of_jobs_that_lags_does_not_let_a_job_run_again(story):
    async def work(port):
        items = await story.items(port)
        sent = await port.send(story.provider.act(Verb.FAIL_OVER, story.wave.machines[0], items["web"]), None)
        remember(story, "replicationJobs")
        during = await port.sweep((), with_sources=False)
        await story.ended(port, sent.job_id)
        after = await port.sweep((), with_sources=False)
        lag(story, "*/replicationJobs")
        (old,) = [one for one in await port._reader.vault_list("replicationJobs") if one["name"] == sent.job_id]
        assert old["properties"]["state"] == "InProgress"
        again = await port.sweep((), with_sources=False)
        return [sweep.job(sent.job_id)["properties"]["state"] for sweep in (during, after, again)]

    assert story.run(work) == ["InProgress", "Succeeded", "Succeeded"]


def test_an_item_that_the_list_has_lost_is_still_there(replicating):
    story = replicating([("web", None, 1)], enabled=False)
    remember(story, ITEMS)
    story.enable()

    async def work(port):
        before = await story.items(port)
        lag(story, f"*/vault-a/{ITEMS}")
        assert await port._reader.vault_list(ITEMS) == []
        return list(before), list(await story.items(port))

    assert story.run(work) == (["web"], ["web"])


def test_an_item_that_somebody_removed_is_gone_at_the_next_look(story):
    async def work(port):
        items = await story.items(port)
        story.ask("DELETE", items["web"]["id"])
        story.clock.advance(600)
        return sorted(await story.items(port))

    assert story.run(work) == ["app", "db"]


def test_earlier_runs_tell_what_they_sent_and_what_came_of_it(story, tmp_path):
    path = tmp_path / "journal.jsonl"
    row = {"match": {"method": "POST", "path": "*/web/unplannedFailover"}, "after_effect": True, "times": 1}
    story.world.faults.add({**row, "reset": True})
    began = None

    async def first(port):
        nonlocal began
        began = port._clients.clock.now() - timedelta(minutes=1)
        items = await story.items(port)
        web, db, _ = (story.provider.act(Verb.FAIL_OVER, one, items[one.name]) for one in story.wave.machines)
        with pytest.raises(ServiceError):
            await port.send(web, None, "id-of-web")
        return await port.send(db, None), await port.recent(began)

    sent, own = story.run(first, journal=Journal(path, actor="one"))
    assert own == ()
    web, db = story.run(lambda port: port.recent(began), journal=Journal(path, actor="two"))
    assert (web.client_request_id, web.status, web.job_id) == ("id-of-web", None, None)
    assert web.path.endswith("/replicationProtectedItems/web/unplannedFailover")
    assert (db.client_request_id, db.status, db.job_id) == (sent.client_request_id, 202, sent.job_id)
    assert story.run(lambda port: port.recent(began)) == ()


def test_the_appliance_is_refreshed_and_replication_repaired(story):
    async def work(port):
        sweep = await port.sweep((), with_sources=False)
        refreshed = await port.send(Call("refreshProvider", "", None), sweep.site)
        item = sweep.item_named("web")
        repaired = await port.send(Call("repairReplication", "web", None, item["id"]), sweep.site)
        return [(await story.ended(port, one.job_id))["properties"]["scenarioName"] for one in (refreshed, repaired)]

    assert story.run(work)[0] == "RefreshFabricLayout"


def test_what_is_not_there_is_an_error_with_status_404(story):
    async def work(port):
        item = (await story.items(port))["web"]
        for read in (port.item(f"{item['id']}-not"), port.job("no-such-job")):
            with pytest.raises(ServiceError) as caught:
                await read
            assert caught.value.status == 404

    story.run(work)
