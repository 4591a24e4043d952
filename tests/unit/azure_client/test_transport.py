"""How long a request and the waits between requests may last."""

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.rest import HttpRequest

from asr_migrate.azure.policies import AnswerPolicy, WriteOnceRetryPolicy
from asr_migrate.azure.transport import ClockedTransport, WaitedTooLongError, no_longer_than, whole_seconds
from asr_migrate.clock import Clock, ManualClock

ADDRESS = "127.35.0.3"
NOW = datetime(2026, 10, 21, 7, 27, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("named", "seconds"),
    [
        ("17", 17),
        ("0", 0),
        ("0.5", 1),
        ("16.2", 17),
        ("7200", 300),
        ("-3", 0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 30),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 1),
        ("Thu, 22 Oct 2026 07:28:00 GMT", 300),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_a_wait_is_read_in_every_form_and_capped(named, seconds):
    assert whole_seconds(named, NOW) == seconds


async def without_session(clock, work):
    async with aiohttp.ClientSession() as session:
        return await work(ClockedTransport(session, clock))


def test_no_wait_is_longer_than_five_minutes():
    clock = ManualClock()
    asyncio.run(without_session(clock, lambda transport: transport.sleep(7200)))
    assert clock.monotonic() == 300.0


def test_a_wait_that_would_end_after_the_deadline_does_not_begin():
    clock = ManualClock()

    async def work(transport):
        with no_longer_than(clock, 60):
            await transport.sleep(50)
            with pytest.raises(WaitedTooLongError):
                await transport.sleep(20)
        await transport.sleep(20)

    asyncio.run(without_session(clock, work))
    assert clock.monotonic() == 70.0


def test_a_throttled_read_is_asked_again_after_five_minutes_at_the_latest(script, answer, send, clock):
    transport = script(answer(429, {"Retry-After": "7200"}), answer(200))
    assert send(transport, [WriteOnceRetryPolicy(), AnswerPolicy(clock)], "GET") == 200
    assert transport.slept == [300]


def test_an_answer_that_does_not_come_is_given_up():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    async def story():
        server = await asyncio.start_server(silent, ADDRESS, 0)
        url = f"http://{ADDRESS}:{server.sockets[0].getsockname()[1]}/"
        async with server, aiohttp.ClientSession() as session:
            transport = ClockedTransport(session, Clock(), read_timeout_s=0.05)
            with pytest.raises(ServiceResponseError):
                await transport.send(HttpRequest("GET", url))

    asyncio.run(story())
