"""A vault with an appliance and three machines, protected or about to be, and recovery plans of them."""

import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.lab_site_recovery.conftest import Lab
from tests.worlds.hosts import host
from tests.worlds.vaults import POLICIES
from tests.worlds.zones import ACCOUNT, GROUP, PROD, TEST

from asr_lab.arm.site_recovery import world_add_physical_server, world_register_appliance
from asr_lab.arm.wire import Response

NAMES = ("web-1", "web-2", "db-1")


@dataclass
class Wave:
    """Machines of one vault by name; ids of what is there."""

    lab: Lab
    vault: str
    fabric: str
    container: str
    policy: str
    server_id: str
    machines: dict[str, str]

    def item(self, name: str) -> str:
        return f"{self.container}/replicationProtectedItems/{name}"

    @property
    def plan(self) -> str:
        return f"{self.vault}/replicationRecoveryPlans/wave-1"

    def enable_body(self, name: str) -> dict[str, Any]:
        machine = self.machines[name]
        account = self.lab.get(machine, api="2023-06-06")["properties"]["runAsAccountId"]
        details = {
            "instanceType": "InMageRcm",
            "fabricDiscoveryMachineId": machine,
            "processServerId": self.server_id,
            "runAsAccountId": account,
            "disksDefault": {"diskType": "StandardSSD_LRS", "logStorageAccountId": ACCOUNT},
            "targetResourceGroupId": GROUP,
            "targetNetworkId": PROD,
            "targetSubnetName": "apps",
            "testNetworkId": TEST,
            "testSubnetName": "apps",
            "targetVmName": f"vm-{name}",
            "targetVmSize": "Standard_D2s_v5",
        }
        return {"properties": {"policyId": self.policy, "providerSpecificDetails": details}}

    def protect(self) -> None:
        """Protect every machine and wait until the last one is."""
        for name in NAMES:
            assert self.lab.ask("PUT", self.item(name), self.enable_body(name)).status == 202
        self.lab.advance(3 * 3600)
        for name in NAMES:
            assert self.state(name) == "Protected"

    def state(self, name: str) -> str:
        return str(self.properties(name)["protectionState"])

    def properties(self, name: str) -> dict[str, Any]:
        return dict(self.lab.get(self.item(name))["properties"])

    def group(self, *names: str, start: Any = (), end: Any = ()) -> dict[str, Any]:
        """Return a Boot group of the machines, with actions before and after them."""
        return {
            "groupType": "Boot",
            "replicationProtectedItems": [{"id": self.item(name)} for name in names],
            "startGroupActions": list(start),
            "endGroupActions": list(end),
        }

    def plan_body(self, *groups: dict[str, Any]) -> dict[str, Any]:
        return {
            "properties": {
                "primaryFabricId": self.fabric,
                "recoveryFabricId": "Microsoft Azure",
                "failoverDeploymentModel": "ResourceManager",
                "groups": list(groups),
            }
        }

    def make_plan(self, *groups: dict[str, Any]) -> None:
        """Make the plan of the groups; without any: the web machines, then the data base."""
        chosen = groups or (self.group("web-1", "web-2"), self.group("db-1"))
        assert self.lab.do("PUT", self.plan, self.plan_body(*chosen))["state"] == "Succeeded"

    def begin(self, verb: str, body: Any = None) -> str:
        """Ask for an action on the plan and return the id of its job."""
        response = self.lab.ask("POST", f"{self.plan}/{verb}", body)
        assert response.status == 202, response.body
        return response.headers["x-ms-request-id"]

    def end(self, job_id: str, within_s: float = 7200.0) -> dict[str, Any]:
        """Wait until a job has ended or waits for somebody, and return its properties."""
        waited = 0.0
        while (job := self.lab.get(job_id)["properties"])["state"] in ("NotStarted", "InProgress"):
            assert waited < within_s, job
            self.lab.advance(30)
            waited += 30
        return dict(job)

    def run(self, verb: str, body: Any = None) -> dict[str, Any]:
        return self.end(self.begin(verb, body))

    def ask(self, method: str, path: str, body: Any = None) -> Response:
        return self.lab.ask(method, path, body)

    def test_body(self, kind: str = "Latest") -> dict[str, Any]:
        return {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "networkType": "VmNetworkAsInput",
                "networkId": TEST,
                "providerSpecificDetails": [{"instanceType": "InMageRcm", "recoveryPointType": kind}],
            }
        }

    def failover_body(self, **more: Any) -> dict[str, Any]:
        return {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "sourceSiteOperations": "NotRequired",
                "providerSpecificDetails": [{"instanceType": "InMageRcm", "recoveryPointType": "LatestProcessed"}],
                **more,
            }
        }

    @property
    def vms(self) -> set[str]:
        return set(self.lab.vms)

    def move_to_another_world(self) -> None:
        """Write the world down and go on with what is read back, as the lab does when it is started again."""
        lock = self.lab.world.lock
        with lock:
            self.lab.world = pickle.loads(pickle.dumps(self.lab.world))


def action(name: str, kind: str = "manual", **more: Any) -> dict[str, Any]:
    """Return an action that runs in every failover from the primary side."""
    details: dict[str, Any] = {
        "manual": {"instanceType": "ManualActionDetails", "description": f"Do {name}."},
        "runbook": {
            "instanceType": "AutomationRunbookActionDetails",
            "runbookId": f"{GROUP}/providers/Microsoft.Automation/automationAccounts/auto/runbooks/{name}",
            "timeout": "00:30:00",
            "fabricLocation": "Recovery",
        },
        "script": {"instanceType": "ScriptActionDetails", "path": f"\\\\share\\{name}", "fabricLocation": "Primary"},
    }
    return {
        "actionName": name,
        "failoverTypes": ["TestFailover", "UnplannedFailover", "PlannedFailover"],
        "failoverDirections": ["PrimaryToRecovery"],
        "customDetails": details[kind],
    } | more


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def wave(lab: Lab) -> Wave:
    """Three machines that an appliance has found; none is protected yet."""
    vault = lab.make_vault("vault-plans")
    lab.hosts.hosts["10.20.0.20"] = host("appliance", "10.20.0.20", 20)
    fabric = world_register_appliance(lab.world, vault_id=vault, host=lab.hosts.hosts["10.20.0.20"], now=lab.now)
    for number, name in enumerate(NAMES, 31):
        address = f"10.20.1.{number}"
        lab.hosts.hosts[address] = host(name, address, number)
        world_add_physical_server(
            lab.world, vault_id=vault, address=address, account="admin", credential_type="WindowsServer", now=lab.now
        )
    lab.advance(600)
    container = lab.get(f"{fabric}/replicationProtectionContainers")["value"][0]["id"]
    details = lab.get(fabric)["properties"]["customDetails"]
    found = lab.get(f"{details['physicalSiteId']}/machines", api="2023-06-06")["value"]
    machines = {machine["properties"]["displayName"]: machine["id"] for machine in found}
    policy = f"{vault}/replicationPolicies/policy"
    lab.map_policy(vault, container, POLICIES["modernized"])
    return Wave(lab, vault, fabric, container, policy, details["processServers"][0]["id"], machines)


@pytest.fixture
def protected(wave: Wave) -> Wave:
    """The three machines, protected."""
    wave.protect()
    return wave
