"""A vault with a Hyper-V site, its host and two virtual machines, driven through World.handle."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.lab_site_recovery.conftest import Lab
from tests.worlds.hosts import GIB, host
from tests.worlds.zones import ACCOUNT, GROUP, PROD, TEST

from asr_lab.arm.providers.hyper_v_model import VirtualAdapter, VirtualDisk, VirtualMachine
from asr_lab.arm.site_recovery_hyper_v import world_register_hyper_v_host

OLD = "2016-08-10"
SWITCH = "Production Switch"
POLICY = {
    "instanceType": "HyperVReplicaAzure",
    "recoveryPointHistoryDuration": 4,
    "applicationConsistentSnapshotFrequencyInHours": 1,
    "replicationInterval": 300,
    "storageAccounts": [ACCOUNT],
}


def machine(name: str, number: int, **changes: Any) -> VirtualMachine:
    """Return a Windows machine with a system disk of 40 GiB and a data disk of 10 GiB."""
    guid = f"b1956159-f3d3-4317-86d4-{number:012d}"
    given: dict[str, Any] = {
        "vm_id": guid,
        "name": name,
        "disks": (
            VirtualDisk(f"ecdaefa8-9206-4d8b-9ff8-{number:012d}", name, 40 * GIB, boot=True),
            VirtualDisk(f"ecdaefa8-9206-4d8b-9ff9-{number:012d}", f"{name}-data", 10 * GIB),
        ),
        "adapters": (
            VirtualAdapter(f"5d4cbafb-724f-4e82-aa67-{number:012d}", SWITCH, "00:15:5d:00:00:01", f"10.30.1.{number}"),
        ),
    }
    return VirtualMachine(**{**given, **changes})


@dataclass
class Site:
    """A vault and a Hyper-V site; what is not made yet is made by the methods, as a client does it."""

    lab: Lab
    vault: str
    machines: list[VirtualMachine] = field(default_factory=lambda: [machine("sql-1", 1), machine("web-1", 2)])

    @property
    def fabric(self) -> str:
        return f"{self.vault}/replicationFabrics/site-1"

    @property
    def container(self) -> str:
        listed = self.lab.get(f"{self.fabric}/replicationProtectionContainers")["value"]
        return str(listed[0]["id"])

    @property
    def policy(self) -> str:
        return f"{self.vault}/replicationPolicies/policy-hyper-v"

    @property
    def mapping(self) -> str:
        return f"{self.container}/replicationProtectionContainerMappings/mapping-hyper-v"

    @property
    def item(self) -> str:
        return f"{self.container}/replicationProtectedItems/sql-1"

    def protectable(self, number: int = 0) -> str:
        return f"{self.container}/replicationProtectableItems/{self.machines[number].vm_id}"

    def make(self) -> dict[str, Any]:
        body = {"properties": {"customDetails": {"instanceType": "FabricSpecificCreationInput"}}}
        return self.lab.do("PUT", self.fabric, body)

    def register(self) -> str:
        """Register the host with the site's own key and wait for the job."""
        found = world_register_hyper_v_host(
            self.lab.world,
            vault_credentials_xml=self.key(),
            host=host("hv-1", "10.30.0.10", 30),
            machines=self.machines,
            now=self.lab.now,
        )
        self.lab.advance(60)
        return found

    def key(self) -> bytes:
        internal = self.lab.get(self.fabric)["properties"]["internalIdentifier"]
        return self.lab.vault_key(self.vault, site=(internal, "site-1"))

    def associate(self) -> dict[str, Any]:
        made = self.lab.do("PUT", self.policy, {"properties": {"providerSpecificInput": POLICY}})
        assert made["state"] == "Succeeded", made["errors"]
        body = {
            "targetProtectionContainerId": "Microsoft Azure",
            "policyId": self.policy,
            "providerSpecificInput": {"instanceType": "HyperVReplicaAzure"},
        }
        return self.lab.do("PUT", self.mapping, {"properties": body})

    def details(self, number: int = 0) -> dict[str, Any]:
        source = self.machines[number]
        return {
            "instanceType": "HyperVReplicaAzure",
            "hvHostVmId": source.vm_id,
            "vmName": source.name,
            "osType": source.os_type,
            "vhdId": source.disks[0].vhd_id if source.disks else None,
            "disksToInclude": [disk.vhd_id for disk in source.disks],
            "targetStorageAccountId": ACCOUNT,
            "targetAzureNetworkId": PROD,
            "targetAzureSubnetId": f"{PROD}/subnets/apps",
            "targetAzureVmName": f"vm-{source.name}",
            "targetAzureV2ResourceGroupId": GROUP,
            "enableRdpOnTargetOption": "Never",
            "useManagedDisks": "false",
        }

    def enable_body(self, number: int = 0, **changes: Any) -> dict[str, Any]:
        details = {name: value for name, value in (self.details(number) | changes).items() if value is not None}
        properties = {
            "policyId": self.policy,
            "protectableItemId": self.protectable(number),
            "providerSpecificDetails": details,
        }
        return {"properties": properties}

    def protect(self) -> None:
        """Enable protection and wait until the machine can be failed over."""
        job = self.lab.do("PUT", self.item, self.enable_body())
        assert job["state"] == "Succeeded", job["errors"]
        self.lab.until(self.item, "Protected")
        self.lab.advance(30)

    def test_body(self) -> dict[str, Any]:
        return {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "networkType": "VmNetworkAsInput",
                "networkId": TEST,
                "providerSpecificDetails": {"instanceType": "HyperVReplicaAzure"},
            }
        }

    def failover_body(self, **more: Any) -> dict[str, Any]:
        return {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "providerSpecificDetails": {"instanceType": "HyperVReplicaAzure", **more},
            }
        }

    def failback_body(self, direction: str = "RecoveryToPrimary", **more: Any) -> dict[str, Any]:
        options = {"dataSyncOption": "ForSynchronization", "recoveryVmCreationOption": "NoAction"} | more
        specific = {"instanceType": "HyperVReplicaAzureFailback", **options}
        return {"properties": {"failoverDirection": direction, "providerSpecificDetails": specific}}

    def act(self, verb: str, body: Any = None) -> dict[str, Any]:
        """Do an action on the item and return its finished job."""
        return self.lab.do("POST", f"{self.item}/{verb}", body)

    def fail_over(self) -> None:
        job = self.act("plannedFailover", self.failover_body())
        assert job["state"] == "Succeeded", job["errors"]

    def commit(self) -> None:
        job = self.act("failoverCommit")
        assert job["state"] == "Succeeded", job["errors"]

    def properties(self) -> dict[str, Any]:
        return dict(self.lab.get(self.item)["properties"])

    @property
    def vms(self) -> dict[str, Any]:
        return self.lab.vms


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def bare(lab: Lab) -> Site:
    """A vault, and a site that is not made yet."""
    return Site(lab, lab.make_vault("vault-hyper-v"))


@pytest.fixture
def site(bare: Site) -> Site:
    """A site with a registered host, associated with a policy."""
    assert bare.make()["state"] == "Succeeded"
    bare.register()
    assert bare.associate()["state"] == "Succeeded"
    return bare


@pytest.fixture
def protected(site: Site) -> Site:
    """A site whose first machine is protected."""
    site.protect()
    return site
