"""Reading what a report needs from a vault that is a fake in memory."""

import asyncio
from datetime import UTC, datetime

from tests.worlds.zones import short_zone

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import AzureVm, Observation, Stage
from asr_migrate.domain.site import Sweep
from asr_migrate.domain.wave import Wave
from asr_migrate.report.model import EarlierPoint, Result
from asr_migrate.report.read import read_wave

ZONE = short_zone(vault="vault-current", network="vnet-prod")
MACHINES = [
    {"name": "web", "source_id": "i-1", "wave": "current", "os": "linux", "target": {"vm_name": "web-az"}},
    {"name": "old", "source_id": "i-2", "wave": "current", "os": "linux", "target": {"vm_name": "old-az"}},
]
VM = AzureVm("web-az", "/subscriptions/s/resourceGroups/RG/VM/web-az", "rg", "Standard_D2s_v5", True)


def job(name, scenario, minute):
    start = f"2026-05-04T10:{minute:02}:00Z"
    properties = {"scenarioName": scenario, "targetObjectName": "web-host", "state": "Succeeded"}
    return {"name": name, "properties": properties | {"startTime": start, "endTime": start}}


ITEM = {"id": "/vault/items/web", "properties": {"failoverRecoveryPointId": "/alias/recoveryPoints/p1"}}
POINT_TIME = datetime(2026, 5, 4, 10, 29, tzinfo=UTC)


class Vault:
    """A vault whose machine ``web`` was failed over; its item is gone when the migration is ``complete``."""

    def __init__(self, complete=False, pruned=False):
        self.sweeps = 0
        self.items = () if complete else (ITEM,)
        self.pruned = pruned
        self.jobs = [job("enable", "EnableDr", 1), job("failover", "UnplannedFailover", 30)]

    async def sweep(self, resource_groups, *, with_sources):
        self.sweeps += 1
        assert (tuple(resource_groups), with_sources) == (("rg",), False)
        return Sweep(items=self.items, jobs=tuple(self.jobs), vms=(VM,))

    async def item(self, identifier):
        assert identifier == "/vault/items/web/recoveryPoints/p1"
        if self.pruned:
            raise ServiceError("it is gone", status=404)
        return {"properties": {"recoveryPointTime": "2026-05-04T10:29:00Z"}}


class Provider:
    def item(self, machine, sweep):
        return next((item for item in sweep.items if machine.name == "web"), None)

    def observe(self, machine, sweep):
        return Observation(Stage.MIGRATED, vm=VM) if machine.name == "web" else Observation(Stage.ABSENT)


async def address_of(vm):
    return "10.60.1.7"


ASSESSMENT = {
    "web": {"facts": {"os_name": "Ubuntu 22.04", "host_name": "web-host"}, "findings": []},
    "old": {
        "findings": [{"rule": "os.64-bit", "severity": "blocker", "text": "32-bit", "remedy": "Move", "source": "x"}]
    },
}


def read(vault, earlier=None):
    wave = Wave.from_hosts(MACHINES, LandingZone.model_validate(ZONE))
    call = read_wave("current", wave, vault, Provider(), address_of, assessment=ASSESSMENT, earlier=earlier or {})
    return asyncio.run(call)


def test_one_look_tells_steps_recovery_point_and_address_of_a_machine():
    vault = Vault()
    report = read(vault)
    web = report.machines[0]
    assert vault.sweeps == 1
    assert (web.result, web.os_name, web.azure_vm.private_ip) == (Result.MIGRATED, "Ubuntu 22.04", "10.60.1.7")
    assert [step.job for step in web.steps] == ["enable", "failover"]
    assert web.recovery_point == POINT_TIME


def test_a_recovery_point_that_azure_does_not_tell_any_more_is_kept_from_the_report_of_before():
    kept = {"web": EarlierPoint("failover", POINT_TIME)}
    assert read(Vault(complete=True), kept).machines[0].recovery_point == POINT_TIME


def test_the_recovery_point_of_another_failover_is_not_kept():
    kept = {"web": EarlierPoint("an older failover", POINT_TIME)}
    assert read(Vault(complete=True), kept).machines[0].recovery_point is None


def test_a_recovery_point_that_is_gone_is_no_error():
    assert read(Vault(pruned=True)).machines[0].recovery_point is None


def test_a_machine_that_the_assessment_refused_is_reported_with_its_reason():
    old = read(Vault()).machines[1]
    assert (old.result, old.reasons) == (Result.REFUSED, ("32-bit",))
