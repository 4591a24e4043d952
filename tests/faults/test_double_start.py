"""The double-start trap: Azure starts a failover, then answers 503.

The SDK's own retry policy sends a POST again on 503, so the trap is also set for a client that has that policy: a test
that it cannot fail would prove nothing.
"""

import asyncio
from dataclasses import replace
from functools import cached_property

import aiohttp
import pytest
from tests.worlds.served import sign_in

from asr_migrate.azure.client import AzureClients, trust
from asr_migrate.domain.lifecycle import Goal
from asr_migrate.domain.wave import Wave
from asr_migrate.session import Session, open_session

from . import verdict
from .lab import ARCHITECTURES, FaultLab

TIMEOUT_S = 6 * 3600.0
TRAP = {
    "match": {"method": "POST", "path": "*/unplannedFailover"},
    "status": 503,
    "headers": {"Retry-After": "5"},
    "after_effect": True,
    "times": 1,
}


class StockClients(AzureClients):
    """Clients whose Site Recovery client keeps the SDK's own retry policy."""

    @cached_property
    def site_recovery(self):
        from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient

        return SiteRecoveryManagementClient(
            credential=self.credential,
            subscription_id=self.subscription_id,
            base_url=self.cloud.resource_manager,
            credential_scopes=[self.cloud.scope],
            transport=self.transport(),
        )


async def as_it_is(session: Session, work) -> None:
    await work(session)


async def with_the_stock_policy(session: Session, work) -> None:
    cloud = session.clients.cloud
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trust(cloud)), auto_decompress=False
    ) as connection:
        subscription = session.clients.subscription_id
        await work(replace(session, clients=StockClients(cloud, subscription, connection, clock=session.clock)))


def failovers(lab: FaultLab, equipped) -> dict[str, int]:
    """Fail a protected wave over with the trap set, and return how many failover jobs there are by machine."""

    async def go() -> None:
        async with lab.served() as url:
            given = lab.description(url, lab.folder, [])["waves"][0]
            async with open_session(given["session"]) as session:
                wave = Wave.from_hosts(given["machines"], session.landing_zone)
                await session.reach(session.engine(), wave, Goal.PROTECTED, TIMEOUT_S)
                lab.world.faults.add(TRAP)
                await equipped(session, lambda used: used.reach(used.engine(), wave, Goal.FAILED_OVER, TIMEOUT_S))

    asyncio.run(go())
    jobs = verdict.machine_jobs(lab.world)
    return {name: len(jobs[name]["UnplannedFailover"]) for name in lab.sources}


@pytest.fixture(params=ARCHITECTURES)
def make_lab(request, tmp_path, monkeypatch):
    def make(machines: int) -> FaultLab:
        lab = FaultLab(tmp_path, request.param, machines, speed=1200.0)
        sign_in(monkeypatch)
        return lab

    return make


@pytest.mark.parametrize("machines", [1, 12])
def test_a_failover_that_was_answered_503_after_it_started_is_started_once(make_lab, machines):
    started = failovers(make_lab(machines), as_it_is)
    assert set(started.values()) == {1}


def test_the_sdk_s_own_retry_policy_starts_it_twice(make_lab):
    started = failovers(make_lab(1), with_the_stock_policy)
    assert set(started.values()) == {2}
