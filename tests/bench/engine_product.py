"""What the engine's bench runs of the product, in a process of its own: ``engine_product.py MODE SETTINGS``.

Prints one line of JSON. Modes: ``enable`` (begin replication of every machine, in real time), ``steady`` (sweeps,
``decide`` and an hour of engine time while the machines replicate), ``journey`` (every machine from absent to
migrated).
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from engine_clock import LeapingClock

from asr_migrate.azure.client import AzureClients, trust, writes_arrive_once
from asr_migrate.azure.journal import Journal
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import CloudSettings
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Goal
from asr_migrate.domain.wave import Wave
from asr_migrate.engine.decide import decide
from asr_migrate.engine.run import Engine
from asr_migrate.session import Session, provider_of

ROAD = (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)
LONG_S = 24 * 3600.0
GIVE_UP_S = 300.0
HOUR_S = 3600.0
SWEEPS = 5


def peak_mb() -> float:
    """Return the most resident memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


class Lab:
    """The lab's door, asked over a session that is not counted."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def count(self) -> dict[str, Any]:
        """Return the requests since the last question: ``total``, ``reads``, ``by`` method and status."""
        async with self.session.post(f"{self.url}/_lab/hosts/count", json={}) as answer:
            answer.raise_for_status()
            told: dict[str, Any] = await answer.json()
            return told


@asynccontextmanager
async def opened(settings: dict[str, Any], clock: Clock) -> AsyncIterator[tuple[Session, Lab]]:
    """Open the product's session as ``session.open_session`` does, but with this clock, and a way to the lab."""
    url = settings["url"]
    cloud = CloudSettings.model_validate(
        {"resource_manager": url, "authority": url, "ca_file": settings["ca_file"], "instance_discovery": False}
    )
    zone = LandingZone.model_validate(settings["zone"])
    tls = trust(cloud)
    traced = [clock.tracing()] if isinstance(clock, LeapingClock) else []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.jsonl", actor="bench")
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as door,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(writes_arrive_once,),
                trace_configs=traced,
            ) as session,
        ):
            clients = AzureClients(cloud, zone.subscription_id, session, clock=clock, journal=journal)
            driver = asyncio.create_task(clock.drive(door, url)) if isinstance(clock, LeapingClock) else None
            try:
                yield Session(clients, zone, clock, False), Lab(door, url)
            finally:
                if driver:
                    driver.cancel()


async def enable(settings: dict[str, Any], wave: Wave) -> dict[str, Any]:
    """Begin replication of the whole wave in real time; ends when the lab has accepted every machine."""
    async with opened(settings, Clock()) as (session, lab):
        engine = Engine(
            AzureSiteRecovery(session.clients, session.landing_zone),
            provider_of(session.landing_zone),
            session.clock,
            caps=(),
        )
        await lab.count()
        began_s, cpu_s = time.monotonic(), time.process_time()
        run = asyncio.create_task(session.reach(engine, wave, Goal.PROTECTED, LONG_S))
        by: dict[str, int] = {}
        while by.get("PUT 202", 0) < len(wave.machines) and not run.done():
            if time.monotonic() - began_s > GIVE_UP_S:
                break
            await asyncio.sleep(0.25)
            for key, number in (await lab.count())["by"].items():
                by[key] = by.get(key, 0) + number
        took_s, spent_s = time.monotonic() - began_s, time.process_time() - cpu_s
        engine.stop("the bench has seen enough")
        outcome = await run
        failed = [result for result in outcome.machines.values() if result.error and result.error.code != "Stopped"]
        return {
            "took_s": took_s,
            "cpu_s": spent_s,
            "accepted": by.get("PUT 202", 0),
            "by": by,
            "throttled": sum(number for key, number in by.items() if key.endswith(" 429")),
            "failed": len(failed),
            "error": failed[0].error.message if failed and failed[0].error else None,
            "peak_mb": peak_mb(),
        }


async def steady(settings: dict[str, Any], wave: Wave) -> dict[str, Any]:
    """Look at a replicating wave, decide for it, and follow it for ``stretch_s`` seconds of engine time."""
    clock = LeapingClock()
    stretch_s = settings.get("stretch_s", HOUR_S)
    async with opened(settings, clock) as (session, lab):
        engine = session.engine()
        await lab.count()
        cpu_s = time.process_time()
        await engine.look(wave)
        first_cpu_s, first = time.process_time() - cpu_s, await lab.count()
        looked = await looks(session, wave, lab)
        looked_mb = peak_mb()
        run = asyncio.create_task(session.reach(engine, wave, Goal.PROTECTED, LONG_S))
        await clock.sleep(600)
        await lab.count()
        cpu_s = time.process_time()
        await clock.sleep(stretch_s)
        spent_s, hour = time.process_time() - cpu_s, await lab.count()
        engine.stop("the bench has seen enough")
        outcome = await run
        wrong = [one.error.message for one in outcome.machines.values() if one.error and one.error.code != "Stopped"]
        return {
            "first_reads": first["reads"],
            "first_cpu_s": first_cpu_s,
            **looked,
            "looked_mb": looked_mb,
            "stretch_s": stretch_s,
            "stretch_reads": hour["reads"],
            "stretch_calls": hour["total"],
            "stretch_cpu_s": spent_s,
            "by": hour["by"],
            "wrong": len(wrong),
            "error": wrong[0] if wrong else None,
            "peak_mb": peak_mb(),
        }


async def looks(session: Session, wave: Wave, lab: Lab) -> dict[str, Any]:
    """Look at the wave a few times and decide for it; all that was seen is let go at the end."""
    port, provider = AzureSiteRecovery(session.clients, session.landing_zone), provider_of(session.landing_zone)
    await port.sweep(wave.resource_groups, with_sources=False)
    await lab.count()
    cpus, walls = [], []
    seen: list[Any] = []
    for _ in range(SWEEPS):
        cpu_s, wall_s = time.process_time(), time.monotonic()
        sweep = await port.sweep(wave.resource_groups, with_sources=False)
        seen = [provider.observe(machine, sweep) for machine in wave.machines]
        cpus.append(time.process_time() - cpu_s)
        walls.append(time.monotonic() - wall_s)
    return {
        "sweep_reads": (await lab.count())["reads"] / SWEEPS,
        "sweep_cpu_s": statistics.median(cpus),
        "sweep_wall_s": statistics.median(walls),
        "stages": sorted({str(one.stage) for one in seen}),
        "decide_ms": max(decided_ms(seen, goal) for goal in Goal),
    }


def decided_ms(seen: list[Any], goal: Goal) -> float:
    """Return the median milliseconds of processor time of deciding once for every observation."""
    taken = []
    for _ in range(7):
        began = time.process_time()
        for one in seen:
            decide(one, goal)
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


async def journey(settings: dict[str, Any], wave: Wave) -> dict[str, Any]:
    """Bring every machine from absent to migrated, goal by goal, and count what Azure was asked."""
    clock = LeapingClock()
    steps, wrong = {}, []
    async with opened(settings, clock) as (session, lab):
        await lab.count()
        cpu_s, began_s, real_s = time.process_time(), clock.monotonic(), time.monotonic()
        for goal in ROAD:
            outcome = await session.reach(session.engine(), wave, goal, LONG_S)
            told = await lab.count()
            steps[str(goal)] = {"total": told["total"], "reads": told["reads"]}
            wrong += [one.error.message for one in outcome.machines.values() if one.error]
        total = sum(step["total"] for step in steps.values())
        return {
            "calls": total,
            "per_machine": total / len(wave.machines),
            "steps": steps,
            "cpu_s": time.process_time() - cpu_s,
            "engine_s": clock.monotonic() - began_s,
            "wall_s": time.monotonic() - real_s,
            "wrong": len(wrong),
            "error": wrong[0] if wrong else None,
            "peak_mb": peak_mb(),
        }


def main(mode: str, settings: dict[str, Any]) -> None:
    """Sign in as the lab's principal, run the mode and print what it measured."""
    os.environ.update(settings["environment"])
    wave = Wave.from_hosts(settings["machines"], LandingZone.model_validate(settings["zone"]))
    settings["machines"] = []
    work = {"enable": enable, "steady": steady, "journey": journey}[mode]
    print(json.dumps(asyncio.run(work(settings, wave))))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.stdin.read()))
