"""Scenarios whose symptom is the connection itself, over real HTTPS."""

import asyncio
import time

import pytest

from asr_lab.arm.landing_zone import RESOURCE_GROUP, SUBSCRIPTION_ID

GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-current"
POLICY = f"{VAULT}/replicationPolicies/policy"
BODY = {
    "properties": {
        "providerSpecificInput": {
            "instanceType": "InMageRcm",
            "recoveryPointHistoryInMinutes": 1440,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 0,
            "enableMultiVmSync": "false",
        }
    }
}


async def make_vault(served):
    async with served.session.put(
        f"{served.url}{VAULT}?api-version=2026-11-01",
        json={"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}},
    ) as answer:
        assert answer.status == 201
    served.clock.advance(120)


async def inject(served, body):
    async with served.session.post(f"{served.url}/_lab/inject", json=body) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(("moment", "status"), [("before", 404), ("after", 200)])
def test_the_connection_breaks_before_or_after_the_effect(served, moment, status):
    async def story():
        async with served() as lab:
            await make_vault(lab)
            await inject(lab, {"scenario": f"connection_reset_{moment}"})
            assert await lab.raw("PUT", POLICY, BODY) == b""
            lab.clock.advance(60)
            assert (await lab.ask("GET", POLICY))[0] == status

    asyncio.run(story())


def test_an_idempotent_request_that_a_client_repeats_by_itself_happens_twice(served):
    async def story():
        async with served() as lab:
            await make_vault(lab)
            await inject(lab, {"scenario": "connection_reset_after"})
            assert (await lab.ask("PUT", POLICY, BODY))[0] == 202
            assert [logged.status for logged in lab.world.log if logged.path == POLICY] == [0, 202]

    asyncio.run(story())


def test_a_slow_answer_holds_up_nobody_else(served):
    async def story():
        async with served() as lab:
            await make_vault(lab)
            await inject(lab, {"match": {"path": "*/replicationPolicies"}, "delay_s": 0.6, "times": 1})
            arrived = []

            async def read(collection):
                status, _ = await lab.ask("GET", f"{VAULT}/{collection}")
                arrived.append((collection, status))

            began = time.monotonic()
            await asyncio.gather(read("replicationPolicies"), read("replicationFabrics"))
            assert arrived == [("replicationFabrics", 200), ("replicationPolicies", 200)]
            assert time.monotonic() - began >= 0.6

    asyncio.run(story())


def test_an_accepted_change_names_its_job_twice_and_has_no_body_and_no_content_type(served):
    async def story():
        async with served() as lab:
            await make_vault(lab)
            status, headers = await lab.ask("PUT", POLICY, BODY)
            assert status == 202
            named = headers.getall("x-ms-request-id")
            assert named == [headers["x-ms-request-id"]] * 2
            assert "/replicationJobs/" in named[0]
            assert headers["Content-Length"] == "0"
            assert "Content-Type" not in headers
            assert headers["Retry-After"] == "30"
            assert headers["Date"].endswith("GMT")

    asyncio.run(story())


def test_a_signed_poll_url_is_followed_as_it_is(served):
    async def story():
        async with served() as lab:
            await make_vault(lab)
            _, headers = await lab.ask("PUT", POLICY, BODY)
            assert "&t=" in headers["Azure-AsyncOperation"]
            assert "&h=" in headers["Location"]
            async with lab.session.get(headers["Azure-AsyncOperation"]) as answer:
                assert (await answer.json())["status"] in ("NotStarted", "InProgress")

    asyncio.run(story())


@pytest.mark.parametrize(("speed", "header_s", "exact_ms"), [(1, "30", None), (240, "1", "125"), (24, "2", "1250")])
def test_waiting_times_leave_in_the_clients_seconds_and_are_never_0(served, speed, header_s, exact_ms):
    async def story():
        async with served(speed) as lab:
            await make_vault(lab)
            _, accepted = await lab.ask("PUT", POLICY, BODY)
            async with lab.session.get(accepted["Azure-AsyncOperation"]) as running:
                for told in (accepted, running.headers):
                    assert told["Retry-After"] == header_s
                    assert told.get("x-ms-retry-after-ms") == exact_ms

    asyncio.run(story())


def test_the_scenarios_are_listed_and_the_limits_are_switched_at_the_labs_door(served):
    async def story():
        async with served() as lab:
            async with lab.session.get(f"{lab.url}/_lab/scenarios") as answer:
                names = [row["name"] for row in (await answer.json())["scenarios"]]
            assert {"slow_region", "throttled"} <= set(names)
            limits = {"reads": {"capacity": 2, "per_second": 1}}
            async with lab.session.post(f"{lab.url}/_lab/throttle", json=limits) as answer:
                assert (await answer.json())["enabled"] is True
            assert [(await lab.ask("GET", GROUP))[0] for _ in range(3)][-1] == 429
            async with lab.session.delete(f"{lab.url}/_lab/inject") as answer:
                assert await answer.json() == {"faults": 0}
            assert (await lab.ask("GET", GROUP))[0] != 429

    asyncio.run(story())


def test_a_session_is_exported_with_answers_and_without_secrets(served):
    async def story():
        async with served() as lab:
            async with lab.session.get(f"{lab.url}/_lab/log?session=1") as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (409, "AnswersNotKept")
            await lab.session.post(f"{lab.url}/_lab/log", json={"keep_answers": True})
            await make_vault(lab)
            await lab.ask("PUT", POLICY, BODY)
            async with lab.session.get(f"{lab.url}/_lab/log?session=1&last=1") as answer:
                (exchange,) = (await answer.json())["exchanges"]
            assert exchange["request"] == {
                "method": "PUT",
                "url": f"{lab.url}{POLICY}?api-version=2025-08-01",
                "body": BODY,
            }
            assert exchange["response"]["status"] == 202
            assert exchange["response"]["body"] is None
            assert exchange["response"]["headers"]["x-ms-request-id"].startswith("/Subscriptions/")

    asyncio.run(story())


def test_a_hyper_v_host_is_registered_at_the_labs_door(served):
    async def story():
        async with served() as lab:
            await make_vault(lab)
            site = f"{VAULT}/replicationFabrics/site"
            status, _ = await lab.ask("PUT", site, {"properties": {"customDetails": {}}})
            assert status == 202
            lab.clock.advance(600)
            host = {"site": site, "host": "hv-1", "machines": [{"name": "sql-1", "disks": [{"size_gib": 40}]}]}
            async with lab.session.post(f"{lab.url}/_lab/hyper-v", json=host) as answer:
                assert answer.status == 200, await answer.text()
            async with lab.session.post(f"{lab.url}/_lab/hyper-v", json={"site": site}) as answer:
                assert answer.status == 400

    asyncio.run(story())
