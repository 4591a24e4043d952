"""Puts into a world what a recorded exchange takes for granted; every name comes from the recorded URLs and bodies."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from asr_lab.arm.estate import HostDescription, HostDisk, PushFailure
from asr_lab.arm.providers.model import (
    AZURE,
    RCM_FABRIC,
    VMWARE_FABRIC,
    ApplianceServer,
    Container,
    Fabric,
    Mapping,
    Policy,
    ProtectableItem,
    ProtectedItem,
    RecoveryPoint,
)
from asr_lab.arm.providers.source_machines import machine_properties
from asr_lab.arm.resources.network import add_virtual_network
from asr_lab.arm.resources.off_azure import add_machine, add_run_as_account, add_site
from asr_lab.arm.resources.resource_groups import add_resource_group
from asr_lab.arm.resources.storage import add_storage_account
from asr_lab.arm.resources.subscriptions import add_subscription
from asr_lab.arm.site_recovery import add_fabric
from asr_lab.arm.wire import Request, Response, capital, last_segment
from asr_lab.arm.world import World

from .recordings import Exchange, texts

GIB = 1024**3
LOCATION = "westeurope"
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
OWN_VERSION = "2025-08-01"
NETWORK = re.compile(r"^/subscriptions/[^/]+/resourceGroups/([^/]+)/.*/virtualNetworks/([^/]+)$", re.IGNORECASE)
STORAGE = re.compile(r"^/subscriptions/[^/]+/resourceGroups/([^/]+)/.*/storageAccounts/([^/]+)$", re.IGNORECASE)
GROUP = re.compile(r"^/subscriptions/[^/]+/resourceGroups/([^/]+)", re.IGNORECASE)
SUBNETS = ("targetSubnetName", "testSubnetName", "targetAzureSubnetId", "recoveryVMSubnetName")


@dataclass
class Hosts:
    """Machines that can all be prepared; one can be cut off."""

    machines: dict[str, HostDescription] = field(default_factory=dict)
    cut_off: set[str] = field(default_factory=set)
    refusing: set[str] = field(default_factory=set)

    def push_mobility(self, address: str, account: str) -> PushFailure | None:
        if address in self.refusing:
            return PushFailure("95107", "The account was refused.", "Wrong password.", "Correct the account.")
        self.machines[address] = replace(self.machines[address], agent_version="9.44.0.0")
        return None

    def connects(self, source: str, target: str, port: int) -> bool:
        return source not in self.cut_off

    def describe(self, address: str) -> HostDescription | None:
        return self.machines.get(address)


class Scenery:
    """A world at the beginning of one recorded session."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.exchanges = exchanges
        self.hosts = Hosts()
        self.world = World(self.hosts)
        self.now = START
        first = next(exchange for exchange in exchanges if exchange.name("vaults"))
        self.subscription = first.name("subscriptions") or ""
        self.group = first.name("resourceGroups") or ""
        self.vault_name = first.name("vaults") or ""
        self.vault = (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.RecoveryServices/vaults/{self.vault_name}"
        )
        self._hosts = 0
        self._landing_zone()

    # Azure around the vault

    def _landing_zone(self) -> None:
        add_subscription(self.world, self.subscription, tenant_id="11111111-1111-1111-1111-111111111111")
        said = [text for exchange in self.exchanges for text in [exchange.path, *texts(exchange.body)]]
        groups = {match[1].casefold(): match[1] for text in said if (match := GROUP.match(text))}
        for group in groups.values():
            add_resource_group(self.world, self.subscription, group, location=LOCATION)
        subnets = self._subnets() or ["apps"]
        prefixes = {subnet: f"10.{number}.0.0/16" for number, subnet in enumerate(subnets, start=1)}
        networks = {(match[1], match[2]) for text in said if (match := NETWORK.match(text))}
        for group, network in sorted({*networks, (self.group, "own-network")}):
            add_virtual_network(
                self.world,
                self.subscription,
                group,
                network,
                location=LOCATION,
                address_prefixes=["10.0.0.0/8"],
                subnets=prefixes,
            )
        accounts = {(match[1], match[2]) for text in said if (match := STORAGE.match(text))}
        for group, account in sorted({*accounts, (self.group, "ownstorage")}):
            add_storage_account(self.world, self.subscription, group, account, location=LOCATION, now=self.now)

    def _subnets(self) -> list[str]:
        found: set[str] = set()

        def look(value: Any) -> None:
            if isinstance(value, dict):
                found.update(held for key, held in value.items() if key in SUBNETS and isinstance(held, str))
                for held in value.values():
                    look(held)
            elif isinstance(value, list):
                for held in value:
                    look(held)

        for exchange in self.exchanges:
            look(exchange.body)
        return sorted(found)

    # Asking the world

    def ask(self, method: str, path: str, body: Any = None, *, api: str = OWN_VERSION) -> Response:
        return self.world.handle(Request(method, path, {"api-version": api}, {}, body, "recorded"), self.now)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def do(self, method: str, path: str, body: Any = None) -> None:
        """Make a change and let it end."""
        response = self.ask(method, path, body)
        assert response.status == 202, (method, path, response.status, response.body)
        operation = self.world.operation(last_segment(response.headers["x-ms-request-id"]))
        assert operation is not None
        self.now = operation.due
        self.world.advance(self.now)

    # The vault and what is in it

    def make_vault(self) -> None:
        made = self.ask("PUT", self.vault, {"location": LOCATION, "sku": {"name": "Standard"}, "properties": {}})
        assert made.status == 201, made.body
        self.advance(120)

    def named(self, collection: str) -> list[str]:
        """The names under a collection in the recorded URLs and request bodies, in order."""
        found: dict[str, None] = {}
        pattern = re.compile(rf"/{collection}/([^/]+)", re.IGNORECASE)
        for exchange in self.exchanges:
            for text in [exchange.path, *texts(exchange.body)]:
                for match in pattern.finditer(text):
                    found.setdefault(match[1])
        return list(found)

    def said(self, key: str) -> list[str]:
        """The texts under a key anywhere in the recorded request bodies."""
        found: list[str] = []

        def look(value: Any) -> None:
            if isinstance(value, dict):
                for name, held in value.items():
                    if name == key and isinstance(held, str):
                        found.append(held)
                    look(held)
            elif isinstance(value, list):
                for held in value:
                    look(held)

        for exchange in self.exchanges:
            look(exchange.body)
        return found

    def host(self, name: str, *, mac: str = "") -> HostDescription:
        self._hosts += 1
        number = self._hosts
        guid = f"00000000-0000-4000-8000-{number:012d}"
        made = HostDescription(
            host_id=guid,
            host_name=name,
            addresses=(f"10.20.1.{number}",),
            os_type="Windows",
            os_name="Windows Server 2016",
            disks=(
                HostDisk("\\\\.\\PHYSICALDRIVE0", 32 * GIB, True),
                HostDisk("\\\\.\\PHYSICALDRIVE1", 8 * GIB, False),
            ),
            bios_id=guid.upper(),
            mac=mac or f"00:50:56:00:00:{number:02x}",
            firmware="BIOS",
            cores=2,
            memory_mb=4096,
            agent_version="9.44.0.0",
        )
        self.hosts.machines[made.addresses[0]] = made
        return made

    def fabric(self) -> Fabric:
        """Put the fabric of the session into the world: of appliances or a configuration server, as its name tells."""
        name = (self.named("replicationFabrics") or ["f" * 64])[0]
        container = (self.named("replicationProtectionContainers") or [""])[0]
        rcm = name.endswith("-vmwarefabric")
        internal = container.removeprefix("cloud_") if container.startswith("cloud_") else self.world.guid()
        server_ids = sorted(set(self.said("processServerId"))) or [self.world.guid()]
        vault = capital(self.vault)
        made = Fabric(
            id=f"{vault}/replicationFabrics/{name}",
            name=name,
            kind=RCM_FABRIC if rcm else VMWARE_FABRIC,
            friendly_name=name if rcm else "server",
            internal_id=internal,
            vault_id=vault,
            location=LOCATION,
            servers=[ApplianceServer(one, "server", self.host("server"), "9.44.0.0") for one in server_ids],
            registered=self.now,
            accounts={"1": "admin"},
            vmware_site_id=self.site(),
            physical_site_id="",
        )
        text = container if rcm else "server"
        add_fabric(self.world, made, container=container or f"cloud_{internal}", container_text=text)
        return made

    def site(self) -> str:
        """The id of the VMware site the session's machines are in."""
        sites = self.named("VMwareSites") or ["site"]
        return add_site(
            self.world,
            subscription_id=self.subscription,
            resource_group=self.group,
            name=sites[0],
            location=LOCATION,
            now=self.now,
            kind="VMwareSites",
        )

    def container(self, fabric: Fabric) -> Container:
        found = self.world.resources.children(fabric.id, "replicationProtectionContainers")[0]
        assert isinstance(found, Container)
        return found

    def policy(self, name: str, provider: str) -> Policy:
        settings: dict[str, Any] = {
            "InMageRcm": {
                "instanceType": "InMageRcm",
                "recoveryPointHistoryInMinutes": 1440,
                "appConsistentFrequencyInMinutes": 0,
                "crashConsistentFrequencyInMinutes": 5,
                "enableMultiVmSync": "true",
            },
            "InMageAzureV2": {
                "instanceType": "InMageAzureV2",
                "crashConsistentFrequencyInMinutes": 5,
                "recoveryPointThresholdInMinutes": 5,
                "recoveryPointHistory": 1440,
                "appConsistentFrequencyInMinutes": 0,
                "multiVmSyncStatus": "Enabled",
            },
            "InMage": {
                "instanceType": "InMage",
                "recoveryPointThresholdInMinutes": 5,
                "recoveryPointHistory": 1440,
                "appConsistentFrequencyInMinutes": 0,
                "multiVmSyncStatus": "Enabled",
            },
        }[provider]
        made = Policy(f"{capital(self.vault)}/replicationPolicies/{name}", name, self.world.guid(), settings)
        self.world.resources.put(made.id, made)
        return made

    def pair(self, container: Container, policy: Policy, name: str, *, target: str = AZURE) -> None:
        mapping_id = f"{container.id}/replicationProtectionContainerMappings/{name}"
        details = {"instanceType": "InMageRcm"} if policy.provider == "InMageRcm" else None
        self.world.resources.put(mapping_id, Mapping(mapping_id, name, container.id, policy.id, target, details))

    def protectable(
        self, container: Container, name: str = "", *, known: bool = True, address: str = "", mac: str = ""
    ) -> ProtectableItem:
        """Put a machine that the configuration server knows into the world; ``known``: its agent has registered."""
        host = self.host(f"machine{self._hosts}", mac=mac)
        own = name or self.world.guid()
        made = ProtectableItem(
            id=f"{container.id}/replicationProtectableItems/{own}",
            name=own,
            container_id=container.id,
            friendly_name=host.host_name,
            address=address or host.addresses[0],
            os_type="Windows",
            discovery="vCenter",
            host=host if known else None,
        )
        self.world.resources.put(made.id, made)
        return made

    def machine(self, name: str = "", *, mac: str = "") -> str:
        """Put a machine that the appliance found into the world and return its id."""
        site = self.site()
        host = self.host(f"machine{self._hosts}", mac=mac)
        account = add_run_as_account(
            self.world,
            site,
            self.world.guid(),
            display_name="admin",
            credential_type="WindowsGuest",
            now=self.now,
        )
        properties = machine_properties(host, account_id=account, appliance="server")
        return add_machine(self.world, site, name or f"vcenter_{host.host_id}", properties, now=self.now)

    def item(self, fabric: Fabric, name: str, state: str, *, refuse: bool = False, cut_off: bool = False) -> None:
        """Bring a protected item into a state: protected, testing, tested, failed over, enabling failed."""
        container = self.container(fabric)
        policy = self.policy(f"policy-of-{name}", fabric.provider)
        self.pair(container, policy, f"mapping-of-{name}")
        macs = self.said("nicId") or [""]
        path = f"{container.id}/replicationProtectedItems/{name}"
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        network = f"{group}/providers/Microsoft.Network/virtualNetworks/own-network"
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/ownstorage"
        properties: dict[str, Any] = {"policyId": policy.id}
        if fabric.kind == RCM_FABRIC:
            machine = self.machine(mac=macs[0])
            properties["providerSpecificDetails"] = {
                "instanceType": "InMageRcm",
                "fabricDiscoveryMachineId": machine,
                "processServerId": fabric.servers[0].server_id,
                "disksDefault": {"diskType": "Standard_LRS", "logStorageAccountId": account},
                "targetResourceGroupId": group,
                "targetNetworkId": network,
                "testNetworkId": network,
                "targetVmName": f"vm-{name}",
            }
        else:
            protectable = self.protectable(container, mac=macs[0])
            properties["protectableItemId"] = protectable.id
            properties["providerSpecificDetails"] = {
                "instanceType": "InMageAzureV2",
                "processServerId": fabric.servers[0].server_id,
                "storageAccountId": account,
                "targetAzureNetworkId": network,
                "targetAzureV2ResourceGroupId": group,
                "targetAzureVmName": f"vm-{name}",
            }
        source = f"10.20.1.{self._hosts}"
        if refuse:
            self.hosts.refusing.add(source)
        self.do("PUT", path, {"properties": properties})
        if state == "enabling failed":
            return
        self.advance(7200)
        if cut_off:
            self.hosts.cut_off.add(source)
            self.advance(7200)
        self._move_on(path, fabric.provider, network, state)

    def _move_on(self, path: str, provider: str, network: str, state: str) -> None:
        specific: dict[str, Any] = {"instanceType": provider}
        if state in ("testing", "tested", "tested and failed over"):
            body = {
                "failoverDirection": "PrimaryToRecovery",
                "networkType": "VmNetworkAsInput",
                "networkId": network,
                "providerSpecificDetails": specific,
            }
            self.do("POST", f"{path}/testFailover", {"properties": body})
        if state in ("tested", "tested and failed over"):
            self.do("POST", f"{path}/testFailoverCleanup", {"properties": {}})
        if state in ("failed over", "tested and failed over"):
            if provider == "InMageRcm":
                specific = {**specific, "performShutdown": "false"}
            body = {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": specific}
            self.do("POST", f"{path}/unplannedFailover", {"properties": body})

    def held_item(self, name: str) -> ProtectedItem:
        """The protected item of this name as the world holds it."""
        for resource in self.world.resources.ids():
            found = self.world.resources.get(resource)
            if isinstance(found, ProtectedItem) and found.name == name:
                return found
        raise LookupError(name)

    def point(self, item: str, name: str) -> None:
        """Give an item a recovery point of this name."""
        replication = self.held_item(item).replication
        assert replication is not None
        replication.points.insert(1, RecoveryPoint(name, self.now - timedelta(minutes=7)))
