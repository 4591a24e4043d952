"""A vault in memory that behaves: operations take time, items change state, jobs end well or not."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from asr_migrate.clock import ManualClock
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import AzureVm, Goal, Observation
from asr_migrate.domain.site import Call, Site, Sweep
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.run import Engine
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm

JOBS = {
    "create": ("EnableDr", "EnableProtection", 1650),
    "update": ("UpdateVmProperties", "UpdateVmProperties", 4),
    "testFailover": ("TestFailover", "TestFailover", 472),
    "testFailoverCleanup": ("TestFailoverCleanup", "TestFailoverCleanup", 106),
    "unplannedFailover": ("UnplannedFailover", "UnplannedFailover", 468),
    "failoverCommit": ("CommitFailover", "Commit", 1),
    "remove": ("DisableDr", "DisableProtection", 67),
    "discover": ("DiscoverPhysicalMachine", "", 24),
}
INITIAL_REPLICATION_S = 3300
PROTECTED = ["UnplannedFailover", "DisableProtection", "TestFailover"]
TESTING = ["UnplannedFailover", "DisableProtection", "TestFailoverCleanup"]
FAILED_OVER = ["CompleteMigration", "Commit", "DisableProtection", "ChangePit", "SwitchProtection"]
COMMITTED = ["CompleteMigration", "DisableProtection", "SwitchProtection"]


@dataclass
class Running:
    """One job that has not ended."""

    name: str
    call: Call
    due_s: float
    fail_code: str | None


@dataclass
class FakeVault:
    """Implements ``engine.port.SiteRecovery``; ``sent`` is what was asked for, in order."""

    clock: ManualClock
    instance_type: str = "InMageRcm"
    site: Site | None = field(default_factory=lambda: Site("fabric", "container", "ps-1", "mt-1", {"admin": "1"}, "/s"))
    sources: list[dict[str, Any]] = field(default_factory=list)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    vms: dict[str, AzureVm] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Mapping[str, Any] | None] = field(default_factory=list)
    sweeps: int = 0
    failing: dict[tuple[str, str], str] = field(default_factory=dict)
    stalled: set[str] = field(default_factory=set)
    refusing: dict[tuple[str, str], Exception] = field(default_factory=dict)
    after_effect: bool = False
    lost_sweeps: list[Exception] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    waiting: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    async def sweep(self, resource_groups: Any, *, with_sources: bool) -> Sweep:
        await asyncio.sleep(0)
        self.sweeps += 1
        if self.lost_sweeps:
            raise self.lost_sweeps.pop()
        self._let_happen()
        sources = tuple(self.sources) if with_sources else ()
        return Sweep(tuple(self.items.values()), tuple(self.jobs), tuple(self.vms.values()), sources, self.site)

    async def item(self, item_id: str) -> dict[str, Any]:
        return self.items[item_id.rpartition("/")[2]]

    async def job(self, name: str) -> dict[str, Any]:
        return next(job for job in self.jobs if job["name"] == name)

    async def send(self, call: Call, site: Site | None) -> str | None:
        await asyncio.sleep(0)
        refusal = self.refusing.pop((call.item, call.operation), None)
        if refusal is not None and not self.after_effect:
            raise refusal
        name = self._begin(call)
        if refusal is not None:
            raise refusal
        return name

    def _begin(self, call: Call) -> str:
        self.sent.append((call.item, call.operation))
        self.bodies.append(call.body)
        name = f"job-{len(self.jobs)}"
        scenario, current, duration_s = JOBS[call.operation]
        properties = {
            "scenarioName": scenario,
            "friendlyName": scenario,
            "state": "InProgress",
            "targetObjectName": call.item,
            "startTime": f"{len(self.jobs):04}",
            "tasks": [],
            "errors": [],
        }
        self.jobs.append({"name": name, "properties": properties})
        if call.operation == "create":
            self._add_item(call)
        if call.operation != "discover":
            item = self.items[call.item]["properties"]
            item["currentScenario"] = {"scenarioName": current, "jobId": f"/jobs/{name}"}
            item["allowedOperations"] = []
        due_s = self.clock.monotonic() + duration_s
        self.running.append(Running(name, call, due_s, self.failing.pop((call.item, call.operation), None)))
        return name

    def _add_item(self, call: Call) -> None:
        details = dict(call.body["properties"]["providerSpecificDetails"]) if call.body else {}
        self.items[call.item] = {
            "id": f"/v/replicationFabrics/f/replicationProtectionContainers/c/replicationProtectedItems/{call.item}",
            "name": call.item,
            "properties": {
                "friendlyName": call.item,
                "protectionState": "UnprotectedStatesBegin",
                "activeLocation": "Primary",
                "testFailoverState": "None",
                "replicationHealth": "Normal",
                "healthErrors": [],
                "providerSpecificDetails": {
                    "instanceType": self.instance_type,
                    "targetVmName": details.get("targetVmName"),
                    "recoveryAzureVMName": details.get("targetAzureVmName"),
                    "wanted": details,
                    "vmNics": [{"nicId": "nic", "isPrimaryNic": "true", "targetIPAddress": ""}],
                },
            },
        }

    def _let_happen(self) -> None:
        now_s = self.clock.monotonic()
        for run in [run for run in self.running if run.due_s <= now_s]:
            self.running.remove(run)
            self._end(run, now_s)
        for due in [due for due in self.waiting if due[0] <= now_s]:
            self.waiting.remove(due)
            due[1]()

    def _end(self, run: Running, now_s: float) -> None:
        job = next(job for job in self.jobs if job["name"] == run.name)["properties"]
        job["state"] = "Failed" if run.fail_code else "Succeeded"
        if run.fail_code:
            job["errors"] = [{"serviceErrorDetails": {"code": run.fail_code, "message": "it went wrong"}}]
        if run.call.operation == "discover":
            self.sources.append(protectable(run.call.item, run.call.body["properties"]["ipAddress"]))
            return
        item = self.items[run.call.item]["properties"]
        if not (run.call.operation == "create" and run.fail_code):
            item["currentScenario"] = {"scenarioName": "None", "jobId": "/jobs/None"}
        ending = self._failed if run.fail_code else self._succeeded
        ending(run.call, item, now_s)

    def _failed(self, call: Call, item: dict[str, Any], now_s: float) -> None:
        if call.operation == "create":
            item.update(protectionState="EnablingFailed", allowedOperations=["DisableProtection"])
        elif call.operation == "testFailover":
            item.update(testFailoverState="Failed", allowedOperations=TESTING)
        elif call.operation == "unplannedFailover":
            item.update(protectionState="UnplannedFailoverFailed", allowedOperations=PROTECTED)

    def _succeeded(self, call: Call, item: dict[str, Any], now_s: float) -> None:
        name = call.item
        details = item["providerSpecificDetails"]
        vm_name = details["targetVmName"] or details["recoveryAzureVMName"]
        if call.operation == "create":
            item.update(protectionState="InitialReplicationInProgress", allowedOperations=["DisableProtection"])
            if name in self.stalled:
                details["initialReplicationProgressHealth"] = "NoProgress"
                return
            for part in range(4):
                share = {"initialReplicationProgressPercentage": part * 25}
                self.waiting.append((now_s + INITIAL_REPLICATION_S * part / 4, partial(details.update, share)))
            self.waiting.append((now_s + INITIAL_REPLICATION_S, lambda: self._protected(item)))
        elif call.operation == "update":
            nics = call.body["properties"]["providerSpecificDetails"].get("vmNics") if call.body else None
            details["vmNics"][0]["targetIPAddress"] = nics[0]["targetStaticIPAddress"] if nics else ""
            item["allowedOperations"] = PROTECTED
        elif call.operation == "testFailover":
            item.update(testFailoverState="WaitingForCompletion", allowedOperations=TESTING)
            self._add_vm(f"{vm_name}-test", details)
            item["lastSuccessfulTestFailoverTime"] = "2026-01-01T00:00:00Z"
        elif call.operation == "testFailoverCleanup":
            item.update(testFailoverState="MarkedForDeletion", allowedOperations=PROTECTED)
            self.vms.pop(f"{vm_name}-test", None)
        elif call.operation == "unplannedFailover":
            state = "UnplannedFailoverCommitPendingStatesBegin"
            item.update(protectionState=state, activeLocation="Recovery", allowedOperations=FAILED_OVER)
            self._add_vm(vm_name, details)
        elif call.operation == "failoverCommit":
            item.update(protectionState="UnplannedFailoverStatesBegin", allowedOperations=COMMITTED)
        elif call.operation == "remove":
            del self.items[name]

    def _add_vm(self, name: str, details: dict[str, Any]) -> None:
        tags = details["wanted"].get("targetVmTags") or {}
        if isinstance(tags, list):
            tags = {tag["tagName"]: tag["tagValue"] for tag in tags}
        self.vms[name] = AzureVm(name, f"/vms/{name}", "rg-migration", "Standard_B2s", True, tags)

    @staticmethod
    def _protected(item: dict[str, Any]) -> None:
        item.update(protectionState="Protected", allowedOperations=PROTECTED)


def server(name: str, address: str) -> dict[str, Any]:
    """Return a server as the appliance's site lists it."""
    adapters = [{"ipAddressList": [address]}]
    return {"id": f"/s/machines/{name}", "properties": {"displayName": name, "networkAdapters": adapters}}


def protectable(name: str, address: str, agent: str = "Installed") -> dict[str, Any]:
    """Return a machine as the configuration server lists it."""
    details = {"ipAddress": address, "agentInstalled": agent}
    return {"id": f"/pi/{name}", "name": name, "properties": {"friendlyName": name, "customDetails": details}}


ZONE = {
    "subscription_id": "22222222-2222-4222-8222-222222222222",
    "tenant_id": "11111111-1111-4111-8111-111111111111",
    "location": "westeurope",
    "resource_group": "rg-migration",
    "vault": "vault-current",
    "network": "vnet-prod",
    "subnet": "apps",
    "test_network": "vnet-test",
    "test_subnet": "apps",
    "cache_storage_account": "stasrcache",
    "policy": {"name": "policy"},
    "appliance": {"name": "current-appliance", "address": "10.20.0.20"},
}


def described(name: str, address: str, **target: Any) -> dict[str, Any]:
    return {
        "name": name,
        "source_id": f"i-{name}",
        "wave": "current",
        "os": "linux",
        "addresses": [address],
        "target": {"vm_name": f"vm-{name}", **target},
    }


@dataclass
class Story:
    """One wave, one vault, one clock; ``reach`` runs the engine to its end."""

    vault: FakeVault
    clock: ManualClock
    zone: LandingZone
    machines: list[dict[str, Any]]
    lines: list[str] = field(default_factory=list)

    def engine(self, check_mode: bool = False) -> Engine:
        classic = self.zone.architecture == "classic"
        provider = InMageAzureV2(self.zone) if classic else InMageRcm(self.zone)
        return Engine(self.vault, provider, self.clock, check_mode=check_mode, emit=self.lines.append, seed=1)

    def reach(self, goal: Goal, *, timeout_s: float = 6 * 3600, check_mode: bool = False) -> Outcome:
        wave = Wave.from_hosts(self.machines, self.zone)
        return asyncio.run(self.engine(check_mode).reach(wave, goal, timeout_s))

    def look(self) -> dict[str, Observation]:
        return asyncio.run(self.engine().look(Wave.from_hosts(self.machines, self.zone)))

    def reach_all(self, *goals: Goal) -> None:
        for goal in goals:
            outcome = self.reach(goal)
            assert all(result.reached for result in outcome.machines.values()), outcome.by_machine()


@pytest.fixture
def story() -> Story:
    """A modernized wave of two machines that the appliance knows."""
    clock = ManualClock()
    vault = FakeVault(clock, sources=[server("web", "10.20.1.21"), server("db", "10.20.1.22")])
    machines = [described("web", "10.20.1.21"), described("db", "10.20.1.22")]
    return Story(vault, clock, LandingZone.model_validate(ZONE), machines)


@pytest.fixture
def classic_story() -> Story:
    """A classic wave of one machine whose agent has registered."""
    clock = ManualClock()
    vault = FakeVault(clock, "InMageAzureV2", sources=[protectable("app", "10.20.1.11")])
    zone = LandingZone.model_validate({**ZONE, "architecture": "classic"})
    return Story(vault, clock, zone, [described("app", "10.20.1.11")])
