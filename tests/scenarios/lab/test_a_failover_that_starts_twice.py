"""Accepted, but answered 503: the SDK's own retries start a failover a second time."""

import pytest
from azure.core.exceptions import HttpResponseError

from .journey import ITEMS, Journey
from .protected import protected_machine

FAULT = {
    "match": {"method": "POST", "path": "*/unplannedFailover"},
    "status": 503,
    "after_effect": True,
    "times": 1,
}


def failover(way: Journey):
    details = {"instanceType": way.provider, **way.failover_details}
    return {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": details}}


async def failover_jobs(azure):
    jobs = await azure.do("replication_jobs.list")
    return [job for job in jobs if job.properties.scenario_name == "UnplannedFailover"]


def test_the_stock_sdk_starts_the_failover_twice(tell, served):
    async def story(azure):
        way = await protected_machine(azure, served)
        served.world.faults.add(FAULT)
        with pytest.raises(HttpResponseError):
            await azure.do(f"{ITEMS}.begin_unplanned_failover", *way.place, failover(way))
        assert len(await failover_jobs(azure)) == 2

    tell(story)


def test_without_retries_the_sdk_starts_it_once_and_says_503(tell, served):
    async def story(azure):
        way = await protected_machine(azure, served)
        served.world.faults.add(FAULT)
        with pytest.raises(HttpResponseError) as refused:
            await azure.do(f"{ITEMS}.begin_unplanned_failover", *way.place, failover(way), retry_total=0)
        assert refused.value.status_code == 503
        assert len(await failover_jobs(azure)) == 1
        item = await azure.until(
            f"{ITEMS}.get", *way.place, fits=lambda found: found.properties.active_location == "Recovery"
        )
        assert "Commit" in item.properties.allowed_operations

    tell(story)
