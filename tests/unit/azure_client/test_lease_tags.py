"""The lease in the vault's tags, over HTTPS against the lab's Azure with the real SDK."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC

import pytest

from asr_lab.arm import landing_zone
from asr_lab.arm.wire import Request
from asr_migrate.azure.journal import Journal
from asr_migrate.azure.lease_tags import LeaseTags
from asr_migrate.clock import Clock
from asr_migrate.domain.errors import ServiceError, SetupError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.engine.lease import Lease, WaveHeldError

ZONE = LandingZone(
    subscription_id=landing_zone.SUBSCRIPTION_ID,
    tenant_id=landing_zone.TENANT_ID,
    location=landing_zone.LOCATION,
    resource_group=landing_zone.RESOURCE_GROUP,
    vault="vault-a",
    network="n",
    subnet="s",
    test_network="t",
    test_subnet="s",
    cache_storage_account="c",
    policy={"name": "p"},
    appliance={"name": "a", "address": "10.0.0.1"},
)
TAGS = f"{ZONE.vault_id}/providers/Microsoft.Resources/tags/default"


@pytest.fixture
def vault(lab):
    """Give the lab a vault with one tag of somebody else; return how to read what it holds."""

    def ask(method, path, body=None, version="2026-11-01"):
        return lab.world.handle(Request(method, path, {"api-version": version}, {}, body), lab.clock.now())

    body = {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}, "tags": {"owner": "ann"}}
    assert ask("PUT", ZONE.vault_id, body).status == 201
    lab.clock.advance(120)
    lab.world.log.clear()
    return lambda: ask("GET", ZONE.vault_id).body["tags"]


@pytest.fixture
def run(lab, vault):
    """Run a story with the tags of the lab's vault over HTTPS."""

    def go(story, zone=ZONE, **options):
        @asynccontextmanager
        async def opened():
            async with lab.opened(**options) as clients:
                yield LeaseTags(clients, zone)

        async def tell():
            async with opened() as tags:
                return await story(tags)

        return asyncio.run(tell())

    return go


def test_putting_and_dropping_a_tag_leaves_the_others(run, vault):
    async def story(tags):
        await tags.put("lease", "x")
        assert vault() == {"owner": "ann", "lease": "x"}
        await tags.drop("lease", "x")

    run(story)
    assert vault() == {"owner": "ann"}


def test_a_tag_that_says_something_else_by_now_is_not_dropped(run, vault):
    async def story(tags):
        await tags.put("lease", "new")
        await tags.drop("lease", "old")

    run(story)
    assert vault()["lease"] == "new"


def test_the_time_is_the_services_not_the_controllers(run, lab):
    lab.clock.advance(86_400)
    before = lab.clock.now()

    async def story(tags):
        return await tags.read()

    seen, now = run(story)
    assert seen == {"owner": "ann"}
    assert now.tzinfo is not None
    assert abs((now.astimezone(UTC) - before).total_seconds()) < 3600


def test_every_change_is_in_the_journal(run, tmp_path):
    path = tmp_path / "j.jsonl"

    async def story(tags):
        await tags.put("lease", "x")

    run(story, journal=Journal(path, actor="me"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["event"], line["method"], line["path"]) for line in lines] == [
        ("sending", "PATCH", TAGS),
        ("answered", "PATCH", TAGS),
    ]


def test_a_lost_answer_is_asked_for_again_because_a_tag_put_twice_is_the_same(run, vault, lab):
    lab.world.faults.add(
        {"match": {"method": "PATCH", "path": "*/tags/default"}, "status": 503, "after_effect": True, "times": 1}
    )

    async def story(tags):
        await tags.put("lease", "x")

    run(story)
    assert vault()["lease"] == "x"
    assert [entry.status for entry in lab.world.writes] == [503, 200]


def test_a_vault_that_does_not_exist_is_named_with_the_remedy(run):
    async def story(tags):
        await tags.read()

    with pytest.raises(SetupError, match="vault vault-b does not exist") as refused:
        run(story, zone=ZONE.model_copy(update={"vault": "vault-b"}))
    assert refused.value.code == "VaultMissing"


def test_a_vault_full_of_tags_is_told_as_such(run, lab):
    async def story(tags):
        for number in range(49):
            await tags.put(f"t{number}", "")
        await tags.put("lease", "x")

    with pytest.raises(SetupError, match="has 50 tags") as refused:
        run(story)
    assert refused.value.code == "NoRoomForLease"


def test_without_the_right_to_write_tags_the_role_that_is_missing_is_named(run, lab):
    error = {"code": "AuthorizationFailed", "message": "no"}
    lab.world.faults.add({"match": {"method": "PATCH", "path": "*/tags/default"}, "status": 403, **error})

    async def story(tags):
        await tags.put("lease", "x")

    with pytest.raises(SetupError) as refused:
        run(story)
    assert "Tag Contributor" in refused.value.remedy


def test_check_mode_reads_who_holds_the_wave_and_writes_nothing(run, vault, lab):
    async def story(tags):
        await Lease(tags, "w", holder="ann@one", clock=Clock(0.001), run="a").acquire()

    run(story)
    lab.world.log.clear()

    async def look(tags):
        return await Lease(tags, "w", holder="bob@two", clock=Clock(0.001), run="b").others()

    assert [ticket.holder for ticket in run(look, check_mode=True)] == ["ann@one"]
    assert lab.world.writes == []


def test_a_second_run_refuses_and_a_stale_one_is_taken_over(run, vault, lab):
    async def story(tags):
        clock = Clock(0.0005)
        await Lease(tags, "w", holder="ann@one", clock=clock, run="a").acquire()
        with pytest.raises(WaveHeldError, match="being worked on by ann@one since"):
            await Lease(tags, "w", holder="bob@two", clock=clock, run="b").acquire()
        lab.clock.advance(901)
        async with Lease(tags, "w", holder="bob@two", clock=clock, run="b").held():
            assert "asr-migrate-lease.w.a" not in vault()

    run(story)
    assert vault() == {"owner": "ann"}


def test_an_error_that_is_final_is_not_asked_again(run, lab):
    lab.world.faults.add({"match": {"method": "PATCH", "path": "*/tags/default"}, "status": 409, "code": "Conflict"})

    async def story(tags):
        await tags.put("lease", "x")

    with pytest.raises(ServiceError):
        run(story)
    assert len(lab.world.writes) == 1
