"""The runs of the engine's bench: which lab, which process, with what settings. Every run is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import engine_lab
from engine_figures import FORKS

from asr_lab.arm import landing_zone

HERE = Path(__file__).parent
ENVIRONMENT = {
    "AZURE_TENANT_ID": landing_zone.TENANT_ID,
    "AZURE_CLIENT_ID": engine_lab.CLIENT,
    "AZURE_CLIENT_SECRET": engine_lab.SECRET,
}
ZONE = {
    "subscription_id": landing_zone.SUBSCRIPTION_ID,
    "tenant_id": landing_zone.TENANT_ID,
    "location": landing_zone.LOCATION,
    "resource_group": landing_zone.RESOURCE_GROUP,
    "vault": "vault-1",
    "network": "vnet-prod",
    "subnet": "apps",
    "test_network": "vnet-test",
    "test_subnet": "apps",
    "cache_storage_account": landing_zone.STORAGE_ACCOUNT,
    "policy": {"name": "policy"},
    "appliance": {"name": engine_lab.name_of(0), "address": engine_lab.address_of(0)},
    "architecture": "modernized",
}
SPEED = 30.0
"""Virtual seconds in a second of the naive journey: a poll every 30 s is then one a second."""


def described(number: int) -> dict[str, Any]:
    """Return a machine as the inventory describes it."""
    return {
        "name": engine_lab.name_of(number),
        "source_id": f"i-{number:017x}",
        "wave": "bench",
        "os": "linux",
        "addresses": [engine_lab.address_of(number)],
        "target": {"vm_name": f"vm-{number:05d}"},
    }


def child(file: str, mode: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Run ``file`` with ``mode`` in a new process and return what it prints."""
    line = [sys.executable, str(HERE / file), mode]
    done = subprocess.run(line, input=json.dumps(settings), capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip():
        raise SystemExit(f"{file} {mode} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def product(mode: str, machines: int, state: str, **settings: Any) -> dict[str, Any]:
    """Run the product against a lab with ``machines`` machines."""
    with engine_lab.running(machines, state) as lab:
        wave = [described(number) for number in range(1, machines + 1)]
        given = {**lab, "zone": ZONE, "machines": wave, "environment": ENVIRONMENT, **settings}
        return child("engine_product.py", mode, given)


def naive(mode: str, machines: int, state: str, *, speed: float = 1.0, **settings: Any) -> dict[str, Any]:
    """Run a naive way against a lab with ``machines`` machines."""
    with engine_lab.running(machines, state, speed=speed) as lab:
        return child("engine_naive.py", mode, {**lab, "count": machines, "speed": speed, **settings})


def hosts(sample: int) -> dict[str, float]:
    """Run a process for each of ``sample`` hosts, as many at once as Ansible's default, and return means."""

    def each(mode: str) -> tuple[float, list[dict[str, Any]]]:
        began_s = time.monotonic()
        with ThreadPoolExecutor(FORKS) as pool:
            used = list(
                pool.map(lambda number: child("engine_naive.py", mode, {**lab, "number": number}), range(1, sample + 1))
            )
        return time.monotonic() - began_s, used

    with engine_lab.running(sample, "fresh") as lab:
        begin_s, begun = each("host")
        _, looked = each("look")
    return {
        "sample": sample,
        "begin_wall_s": begin_s,
        "begin_cpu_s": sum(one["cpu_s"] for one in begun) / sample,
        "look_cpu_s": sum(one["cpu_s"] for one in looked) / sample,
        "peak_mb": max(one["peak_mb"] for one in begun),
    }
