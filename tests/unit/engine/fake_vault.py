"""A vault in memory that behaves: operations take time, items change state, jobs end well or not, answers get lost."""

import asyncio
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from asr_migrate.clock import ManualClock
from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import AzureVm
from asr_migrate.domain.recovery_plan import PlanCall, StandingPlan
from asr_migrate.domain.site import Call, Sent, Site, Sweep, Written

JOBS = {
    "create": ("EnableDr", "EnableProtection", 1650),
    "update": ("UpdateVmProperties", "UpdateVmProperties", 4),
    "testFailover": ("TestFailover", "TestFailover", 472),
    "testFailoverCleanup": ("TestFailoverCleanup", "TestFailoverCleanup", 106),
    "unplannedFailover": ("UnplannedFailover", "UnplannedFailover", 468),
    "failoverCommit": ("CommitFailover", "Commit", 1),
    "remove": ("DisableDr", "DisableProtection", 67),
    "repairReplication": ("RepairVMReplication", "RepairReplication", 37),
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
class RunningPlan:
    """One job of a recovery plan: the groups that have not begun, and the machines that have not ended."""

    name: str
    call: PlanCall
    groups: list[list[str]]
    running: list[Running] = field(default_factory=list)


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
    requests: list[tuple[str, str]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    bodies: list[Mapping[str, Any] | None] = field(default_factory=list)
    sweeps: int = 0
    failing: dict[tuple[str, str], str] = field(default_factory=dict)
    stalled: set[str] = field(default_factory=set)
    refusing: dict[tuple[str, str], Exception] = field(default_factory=dict)
    after_effect: bool = False
    lost_reads: list[Exception] = field(default_factory=list)
    listed_jobs: int | None = None
    behind: dict[str, str] = field(default_factory=dict)
    old: Sweep | None = None
    old_for: int = 0
    plans_here: dict[str, StandingPlan] = field(default_factory=dict)
    plan_runs: list[RunningPlan] = field(default_factory=list)
    plan_calls: list[PlanCall] = field(default_factory=list)
    no_plans: Exception | None = None
    skipping: set[str] = field(default_factory=set)
    released: list[str] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    most_running: int = 0
    on_sweep: Callable[[], None] = lambda: None
    lost_sweeps: list[Exception] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    waiting: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    async def sweep(self, resource_groups: Any, *, with_sources: bool) -> Sweep:
        await asyncio.sleep(0)
        self.sweeps += 1
        if self.lost_sweeps:
            raise self.lost_sweeps.pop()
        self._let_happen()
        self.on_sweep()
        if self.old is not None and self.old_for > 0:
            self.old_for -= 1
            return self.old
        sources = tuple(self.sources) if with_sources else ()
        jobs = tuple(self.jobs if self.listed_jobs is None else self.jobs[-self.listed_jobs :])
        listed = tuple({**job, "properties": {**job["properties"], "tasks": [], "activityId": None}} for job in jobs)
        vms = tuple(self.vms.values())
        return Sweep(tuple(self.items.values()), listed, vms, sources, self.site, dict(self.behind))

    def grow_old(self, sweeps: int) -> None:
        """Let the next ``sweeps`` sweeps show what is true now, as lists of a replica that lags behind do."""
        sources = tuple(self.sources)
        jobs, items = tuple(deepcopy(self.jobs)), tuple(deepcopy(list(self.items.values())))
        self.old = Sweep(items, jobs, tuple(self.vms.values()), sources, self.site)
        self.old_for = sweeps

    def _read(self, name: str) -> None:
        self.read.append(name)
        if self.lost_reads:
            raise self.lost_reads.pop()

    async def item(self, item_id: str) -> dict[str, Any]:
        await asyncio.sleep(0)
        name = item_id.rpartition("/")[2]
        self._read(name)
        if name not in self.items:
            raise ServiceError(f"{name} is not there", code="NotFound", status=404)
        return self.items[name]

    async def job(self, name: str) -> dict[str, Any]:
        await asyncio.sleep(0)
        self._read(name)
        found = next((job for job in self.jobs if job["name"] == name), None)
        if found is None:
            raise ServiceError(f"{name} is not there", code="NotFound", status=404)
        return found

    async def recent(self, since: Any) -> tuple[Written, ...]:
        return tuple(one for one in self.written if one.at >= since)

    async def send(self, call: Call, site: Site | None, client_request_id: str | None = None) -> Sent:
        self.requests.append((call.item, call.operation))
        await asyncio.sleep(0)
        refusal = self.refusing.pop((call.item, call.operation), None)
        if refusal is not None and not self.after_effect:
            raise refusal
        if call.operation == "refreshProvider":
            self.sent.append(("", call.operation))
            return Sent(None, str(client_request_id))
        name = self._begin(call, str(client_request_id))
        if refusal is not None:
            raise refusal
        return Sent(name, str(client_request_id))

    async def plans(self, wave: str) -> dict[str, StandingPlan]:
        self.read.append(f"plans of {wave}")
        busy = {run.call.plan.lower() for run in self.plan_runs}
        return {
            name: StandingPlan(plan.name, plan.groups, "TestFailover" if name in busy else None)
            for name, plan in self.plans_here.items()
        }

    async def prepare_plan(self, call: PlanCall) -> bool:
        await asyncio.sleep(0)
        if self.no_plans is not None:
            raise self.no_plans
        if any(run.call.plan == call.plan for run in self.plan_runs):
            return False
        groups = tuple(tuple(member.item_id.lower() for member in group) for group in call.groups)
        self.plans_here[call.plan.lower()] = StandingPlan(call.plan, groups)
        return True

    async def send_plan(self, call: PlanCall, client_request_id: str | None = None) -> Sent:
        self.requests.append((call.plan, call.operation))
        await asyncio.sleep(0)
        refusal = self.refusing.pop((call.plan, call.operation), None)
        if refusal is not None and not self.after_effect:
            raise refusal
        name = self._new_job(call.operation, call.plan, str(client_request_id), "RecoveryPlan")
        self.sent.append((call.plan, call.operation))
        self.plan_calls.append(call)
        groups = [[member.item_id.rpartition("/")[2] for member in group] for group in call.groups]
        run = RunningPlan(name, call, groups)
        self.plan_runs.append(run)
        for member in call.members:
            self._occupy(member.item_id.rpartition("/")[2], call.operation, name)
        self._next_group(run)
        if refusal is not None:
            raise refusal
        return Sent(name, str(client_request_id))

    async def release(self, wave: str, item_ids: Any) -> frozenset[str]:
        self.released += [item.rpartition("/")[2] for item in item_ids]
        return frozenset()

    def _next_group(self, run: RunningPlan) -> None:
        for name in run.groups.pop(0):
            if name in self.skipping:
                self.skipping.discard(name)
                self._task(run, name, "Other")
                self._free(name)
                self.items[name]["properties"]["allowedOperations"] = list(PROTECTED)
                continue
            call = Call(run.call.operation, name, run.call.body)
            code = self.failing.pop((name, call.operation), None)
            due_s = self.clock.monotonic() + JOBS[call.operation][2]
            run.running.append(Running(run.name, call, due_s, code))

    def _let_plans_happen(self, now_s: float) -> None:
        for run in list(self.plan_runs):
            while True:
                for one in [one for one in run.running if one.due_s <= now_s]:
                    run.running.remove(one)
                    self._free(one.call.item)
                    ending = self._failed if one.fail_code else self._succeeded
                    ending(one.call, self.items[one.call.item]["properties"], now_s)
                    self._task(run, one.call.item, "Failed" if one.fail_code else "Succeeded", one.fail_code)
                if run.running or not run.groups:
                    break
                self._next_group(run)
            if not run.running and not run.groups:
                job = self._job(run.name)
                failed = any(task["state"] == "Failed" for task in job["tasks"])
                job["state"] = "Failed" if failed else "Succeeded"
                self.plan_runs.remove(run)

    def _task(self, run: RunningPlan, name: str, state: str, code: str | None = None) -> None:
        errors = [{"serviceErrorDetails": {"code": code, "message": "it went wrong"}}] if code else []
        details = {"instanceType": "VirtualMachineTaskDetails", "jobTask": {"targetObjectName": name}}
        if state == "Other":
            details["skippedReason"] = "it was busy"
        task = {"name": name, "friendlyName": name, "state": state, "customDetails": details, "errors": errors}
        self._job(run.name)["tasks"].append(task)

    def _job(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = next(job for job in self.jobs if job["name"] == name)["properties"]
        return properties

    def _occupy(self, name: str, operation: str, job: str) -> None:
        item = self.items[name]["properties"]
        item["currentScenario"] = {"scenarioName": JOBS[operation][1], "jobId": f"/jobs/{job}"}
        item["before"] = item.get("allowedOperations") or []
        item["allowedOperations"] = []

    def _free(self, name: str) -> None:
        self.items[name]["properties"]["currentScenario"] = {"scenarioName": "None", "jobId": "/jobs/None"}

    def _new_job(self, operation: str, target: str, client_request_id: str, kind: str = "ProtectionEntity") -> str:
        name = f"job-{len(self.jobs)}"
        properties = {
            "scenarioName": JOBS[operation][0],
            "friendlyName": JOBS[operation][0],
            "state": "InProgress",
            "targetObjectName": target,
            "targetInstanceType": kind,
            "startTime": f"{len(self.jobs):04}",
            "activityId": f"{client_request_id} ActivityId: {name}",
            "tasks": [],
            "errors": [],
        }
        self.jobs.append({"name": name, "properties": properties})
        return name

    def _begin(self, call: Call, client_request_id: str) -> str:
        self.sent.append((call.item, call.operation))
        self.bodies.append(call.body)
        name = self._new_job(call.operation, call.item, client_request_id)
        if call.operation == "create":
            self._add_item(call)
        if call.operation != "discover":
            self._occupy(call.item, call.operation, name)
        due_s = self.clock.monotonic() + JOBS[call.operation][2]
        self.running.append(Running(name, call, due_s, self.failing.pop((call.item, call.operation), None)))
        self.most_running = max(self.most_running, len(self.running))
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
        self._let_plans_happen(now_s)
        for due in [due for due in self.waiting if due[0] <= now_s]:
            self.waiting.remove(due)
            due[1]()

    def _end(self, run: Running, now_s: float) -> None:
        job = self._job(run.name)
        job["state"] = "Failed" if run.fail_code else "Succeeded"
        if run.fail_code:
            job["errors"] = [{"serviceErrorDetails": {"code": run.fail_code, "message": "it went wrong"}}]
        if run.call.operation == "discover":
            self.sources.append(protectable(run.call.item, run.call.body["properties"]["ipAddress"]))
            return
        item = self.items[run.call.item]["properties"]
        if not (run.call.operation == "create" and run.fail_code):
            self._free(run.call.item)
        ending = self._failed if run.fail_code else self._succeeded
        ending(run.call, item, now_s)

    def _failed(self, call: Call, item: dict[str, Any], now_s: float) -> None:
        if call.operation == "create":
            item.update(protectionState="EnablingFailed", allowedOperations=["DisableProtection"])
        elif call.operation == "testFailover":
            item.update(testFailoverState="Failed", allowedOperations=TESTING)
        elif call.operation == "unplannedFailover":
            item.update(protectionState="UnplannedFailoverFailed", allowedOperations=PROTECTED)
        else:
            item["allowedOperations"] = item["before"]

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
