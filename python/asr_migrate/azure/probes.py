"""Whether a VM in Azure does its work: it runs, its agent is ready, and its ports and pages answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, TypeVar

import aiohttp

from asr_migrate.clock import Clock
from asr_migrate.domain.lifecycle import AzureVm
from asr_migrate.domain.machine import Machine, Probe
from asr_migrate.domain.probe import ProbeResult

COMPUTE_API = "2024-07-01"
NETWORK_API = "2024-05-01"
PROBE_TIMEOUT_S = 10.0
T = TypeVar("T")


class Reader(Protocol):
    """What is needed of ``AzureClients``."""

    async def get(self, path: str, api_version: str, doing: str | None = None) -> dict[str, Any]: ...


class AzureProbes:
    """Asks the VMs of a wave from where this process runs.

    Ports and pages are asked at the VM's private address, or at ``Machine.probe_address``. The test network is
    isolated: those of a test VM are asked only where ``Machine.probe_test_address`` is given. A probe that gets no
    answer in ``timeout_s`` service seconds has failed.
    """

    def __init__(self, clients: Reader, clock: Clock, *, timeout_s: float = PROBE_TIMEOUT_S) -> None:
        self._clients = clients
        self._clock = clock
        self._timeout_s = timeout_s
        self._last: dict[tuple[str, str], ProbeResult] = {}

    async def passed(self, machine: Machine, vm: AzureVm) -> bool:
        """Say whether every probe passes now. Raises ServiceError when Azure itself does not answer."""
        found = await self.ask(machine, vm)
        self._last[machine.name, vm.id.lower()] = found
        return found.passed

    def failures_of(self, machine: Machine, vm: AzureVm) -> tuple[str, ...]:
        """Return what did not answer when ``passed`` asked last."""
        found = self._last.get((machine.name, vm.id.lower()))
        return found.failures if found else ()

    async def ask(self, machine: Machine, vm: AzureVm) -> ProbeResult:
        """Return what does not answer as it should; a VM that does not run is asked nothing more.

        Raises ServiceError when Azure itself does not answer.
        """
        doing = f"probing the VM {vm.name}"
        view = await self._clients.get(f"{vm.id}/instanceView", COMPUTE_API, doing)
        if failures := _state_failures(view):
            return ProbeResult(failures)
        test = vm.name.lower() == machine.target.test_vm_name.lower()
        if not machine.probes or (test and machine.probe_test_address is None):
            return ProbeResult()
        address = machine.probe_test_address if test else machine.probe_address
        address = address or await self._private_address(vm, doing)
        if address is None:
            return ProbeResult((f"the VM {vm.name} has no private address",))
        found = await asyncio.gather(*(self._ask(probe, address) for probe in machine.probes))
        return ProbeResult(tuple(failure for failure in found if failure))

    async def _private_address(self, vm: AzureVm, doing: str) -> str | None:
        """Return the primary address of the VM's primary network adapter."""
        model = await self._clients.get(vm.id, COMPUTE_API, doing)
        nics = ((model.get("properties") or {}).get("networkProfile") or {}).get("networkInterfaces") or []
        nic = _primary(nics)
        if nic is None:
            return None
        found = await self._clients.get(str(nic["id"]), NETWORK_API, doing)
        config = _primary((found.get("properties") or {}).get("ipConfigurations") or [])
        return ((config or {}).get("properties") or {}).get("privateIPAddress")

    async def _ask(self, probe: Probe, address: str) -> str | None:
        """Return what is wrong with one probe, None when it passes."""
        asked = f"{probe.words} at {address}"
        try:
            problem = await self._in_time(_connect(probe, address) if probe.path is None else _get(probe, address))
        except TimeoutError:
            return f"{asked}: no answer in {self._timeout_s:.0f} s"
        except (OSError, aiohttp.ClientError) as error:
            return f"{asked}: {error or type(error).__name__}"
        return f"{asked}: {problem}" if problem else None

    async def _in_time(self, work: Awaitable[T]) -> T:
        """Return the result of ``work``. Raises TimeoutError when it takes longer than allowed by our clock."""
        task = asyncio.ensure_future(work)
        timer = asyncio.ensure_future(self._clock.sleep(self._timeout_s))
        try:
            await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            task.cancel()
            timer.cancel()
            await asyncio.gather(task, timer, return_exceptions=True)


async def _connect(probe: Probe, address: str) -> str | None:
    _, writer = await asyncio.open_connection(address, probe.port)
    writer.close()
    return None


async def _get(probe: Probe, address: str) -> str | None:
    host = f"[{address}]" if ":" in address else address
    url = f"{probe.scheme}://{host}:{probe.port}{probe.path}"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=False, allow_redirects=False) as response:
        return None if response.status < 400 else f"it answers {response.status}"


def _primary(rows: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the row that is marked as primary, else the first."""
    return next((row for row in rows if (row.get("properties") or {}).get("primary")), rows[0] if rows else None)


def _state_failures(view: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why a VM does not run or its agent is not ready; a view without an agent says nothing of it.

    ``view`` is an instance view: ``statuses[].code`` has ``PowerState/running``, ``vmAgent.statuses[].code``
    ``ProvisioningState/succeeded`` (ready).
    """
    codes = [str(status.get("code") or "") for status in view.get("statuses") or ()]
    power = next((code.partition("/")[2] for code in codes if code.startswith("PowerState/")), "unknown")
    if power != "running":
        return (f"the VM does not run: its power state is {power}",)
    agent = list((view.get("vmAgent") or {}).get("statuses") or ())
    if agent and not any(str(status.get("code")) == "ProvisioningState/succeeded" for status in agent):
        told = agent[0].get("displayStatus") or agent[0].get("code")
        return (f"the VM's agent is not ready: {told}",)
    return ()
