"""Fabrics of kind InMageRcm: the replication appliances of a vault.

Shapes are those of a recorded session (2021); an entry of ``replicationAppliances`` is the specification's.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.estate import HostDescription
from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import fabric_details as shared
from asr_lab.arm.providers.fabric_kind import FabricKind, fabric_kind
from asr_lab.arm.providers.in_mage_rcm import AGENT_VERSION
from asr_lab.arm.providers.model import RCM_FABRIC, ApplianceServer, Container, Fabric
from asr_lab.arm.providers.scope import Scope, containers, items
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import ArmError, iso7
from asr_lab.arm.world import World


@fabric_kind
class InMageRcm(FabricKind):
    """The fabric of the modernized architecture; the portal makes it, appliances join it."""

    name = RCM_FABRIC
    input_type = "InMageRcm"
    policies = frozenset({"InMageRcm", "InMageRcmFailback"})
    failback_policies = frozenset({"InMageRcmFailback"})
    mapping_inputs = FabricKind.mapping_inputs | {"InMageRcm"}
    mapping_updates = frozenset({"InMageRcm"})
    role = "Azure Site Recovery replication appliance"

    def make(self, scope: Scope, name: str, given: Mapping[str, Any], now: datetime) -> Fabric:
        """Return the fabric for two discovery sites; both must be there."""
        wanted = given["customDetails"]
        for site in ("vmwareSiteId", "physicalSiteId"):
            if wanted[site] not in scope.world.resources:
                raise ArmError(
                    400, "BadRequest", f"properties.customDetails.{site} is '{wanted[site]}': there is no such site."
                )
        return self.fresh(
            scope,
            name,
            now,
            tenant_id=wanted["sourceAgentIdentity"]["tenantId"],
            vmware_site_id=wanted["vmwareSiteId"],
            physical_site_id=wanted["physicalSiteId"],
        )

    def made(self, world: World, fabric: Fabric, now: datetime) -> None:
        """Make the container ``{prefix}replicationcontainer``, where ``{prefix}vmwarefabric`` is the fabric's name."""
        prefix = fabric.name.removesuffix("vmwarefabric") if fabric.name.endswith("vmwarefabric") else f"{fabric.name}-"
        name = f"{prefix}replicationcontainer"
        container = Container(f"{fabric.id}/replicationProtectionContainers/{name}", name, name, fabric.id)
        world.resources.put(container.id, container)

    def details(self, world: World, fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
        """Return customDetails; in the list the arrays are empty and the identity is null (recorded)."""
        suffix = fabric.internal_id[:8]
        arrays = {} if sparse else _components(world, fabric, now)
        identity = {
            "tenantId": fabric.tenant_id,
            "applicationId": fabric.internal_id,
            "objectId": fabric.internal_id,
            "audience": f"https://{fabric.tenant_id}/{suffix}failbackagentauthaadapp",
            "aadAuthority": f"https://login.windows.net/{fabric.tenant_id}",
        }
        return {
            "instanceType": self.name,
            "vmwareSiteId": fabric.vmware_site_id,
            "physicalSiteId": fabric.physical_site_id,
            "serviceEndpoint": f"https://pod01-rcm1.{fabric.location}.hypervrecoverymanager.windowsazure.com",
            "serviceResourceId": fabric.internal_id,
            "serviceContainerId": fabric.internal_id,
            "dataPlaneUri": f"https://pod01-rcm1.{fabric.location}.hypervrecoverymanager.windowsazure.com",
            "controlPlaneUri": f"https://pod01-srs1.{fabric.location}.hypervrecoverymanager.windowsazure.com",
            "sourceAgentIdentityDetails": None if sparse else identity,
            **{name: arrays.get(name, []) for name in _ARRAYS},
        }

    def dras(self, world: World, fabric: Fabric, now: datetime, api_version: str) -> list[dict[str, Any]]:
        """Return a provider for each appliance."""
        return [
            shared.dra_body(
                world,
                fabric,
                now,
                api_version,
                name=server.server_id,
                friendly_name=server.name,
                machine={
                    "biosId": server.host.bios_id,
                    "machineId": server.server_id,
                    "machineName": server.name,
                },
                role=self.role,
            )
            for server in fabric.servers
        ]

    def health(self, world: World, fabric: Fabric, now: datetime) -> tuple[str, list[dict[str, Any]]]:
        """Return Critical as soon as one appliance is silent."""
        found = [error for server in fabric.servers for error in _errors(world, fabric, server, now)]
        return ("Critical" if found else "Normal"), found

    def mapping_details(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return whether agents are upgraded by themselves; not unless it is asked for."""
        return {"instanceType": self.name, "enableAgentAutoUpgrade": given.get("enableAgentAutoUpgrade") or "false"}

    def make_dra(
        self, scope: Scope, fabric: Fabric, name: str, given: Mapping[str, Any], now: datetime
    ) -> Callable[[datetime], None]:
        """Return what makes an appliance known by request, as the portal's registration does (specification)."""
        return partial(_join, fabric, name, given["machineName"], given.get("biosId") or "")

    def dra_refusal(self, world: World, fabric: Fabric, name: str) -> OperationError | None:
        """Refuse to take an appliance away while it serves machines."""
        served = [
            item.friendly_name
            for container in containers(world, fabric.vault_id, fabric)
            for item in items(world, container)
            if item.server_id.casefold() == name.casefold()
        ]
        if not served:
            return None
        operation = f"removing it: it replicates {', '.join(served)}; disable their protection first"
        return error("25037", name=name, state="in use", operation=operation)


def _join(fabric: Fabric, server_id: str, name: str, bios_id: str, _due: datetime) -> None:
    if fabric.server(server_id) is None:
        fabric.servers.append(ApplianceServer(server_id, name, _unseen(server_id, name, bios_id), AGENT_VERSION))


def _unseen(server_id: str, name: str, bios_id: str) -> HostDescription:
    """Return an appliance of which nothing but its registration is known."""
    return HostDescription(
        host_id=server_id,
        host_name=name,
        addresses=(),
        os_type="Windows",
        os_name="Windows Server 2022",
        disks=(),
        bios_id=bios_id,
        mac="",
        firmware="UEFI",
        cores=8,
        memory_mb=32768,
        agent_version=None,
    )


_ARRAYS = (
    "processServers",
    "rcmProxies",
    "pushInstallers",
    "replicationAgents",
    "reprotectAgents",
    "marsAgents",
    "dras",
    "agentDetails",
)


def _components(world: World, fabric: Fabric, now: datetime) -> dict[str, list[dict[str, Any]]]:
    parts = [_parts(world, fabric, server, now) for server in fabric.servers]
    single = dict(zip(_ARRAYS, _PARTS, strict=False))
    return {array: [part[name] for part in parts] for array, name in single.items()}


_PARTS = ("processServer", "rcmProxy", "pushInstaller", "replicationAgent", "reprotectAgent", "marsAgent", "dra")


def _parts(world: World, fabric: Fabric, server: ApplianceServer, now: datetime) -> dict[str, dict[str, Any]]:
    """Return what an appliance consists of, by the names of the specification."""
    component = _component(world, fabric, server, now)
    dra = {name: value for name, value in component.items() if name not in ("fabricObjectId", "fqdn")}
    return {
        "processServer": {**component, **_load(server)},
        "rcmProxy": {**component, "clientAuthenticationType": "Certificate"},
        "pushInstaller": component,
        "replicationAgent": component,
        "reprotectAgent": {
            **component,
            "protectedItemCount": None,
            "accessibleDatastores": ["datastore"],
            "vcenterId": f"{fabric.vmware_site_id}/vcenters/vcenter",
            "lastDiscoveryInUtc": iso7(fabric.registered),
        },
        "marsAgent": component,
        "dra": {
            **dra,
            "version": shared.DRA_VERSION,
            "forwardProtectedItemCount": None,
            "reverseProtectedItemCount": None,
        },
    }


def _component(world: World, fabric: Fabric, server: ApplianceServer, now: datetime) -> dict[str, Any]:
    errors = _errors(world, fabric, server, now)
    return {
        "id": server.server_id,
        "name": server.name,
        "biosId": server.host.bios_id,
        "fabricObjectId": server.fabric_object_id,
        "fqdn": server.host.host_name,
        "version": server.agent_version,
        "lastHeartbeatUtc": iso7(shared.last_heard(world, fabric, server.name, now)),
        "health": "Critical" if errors else "Normal",
        "healthErrors": errors,
    }


def _errors(world: World, fabric: Fabric, server: ApplianceServer, now: datetime) -> list[dict[str, Any]]:
    return shared.server_health_errors(world, fabric, server.name, now, role=InMageRcm.role, entity_id=server.server_id)


def _load(server: ApplianceServer) -> dict[str, Any]:
    memory, space = server.host.memory_mb * 1024**2, sum(disk.size_bytes for disk in server.host.disks)
    return {
        "ipAddresses": list(server.host.addresses),
        "totalMemoryInBytes": memory,
        "availableMemoryInBytes": memory - memory // 10,
        "usedMemoryInBytes": memory // 10,
        "memoryUsagePercentage": 10.0,
        "totalSpaceInBytes": space,
        "availableSpaceInBytes": space - space // 100,
        "usedSpaceInBytes": space // 100,
        "freeSpacePercentage": 99.0,
        "throughputUploadPendingDataInBytes": -1,
        "throughputInBytes": -1,
        "processorUsagePercentage": 8.0,
        "throughputStatus": "Unknown",
        "systemLoad": 0,
        "systemLoadStatus": "Healthy",
        "diskUsageStatus": "Healthy",
        "memoryUsageStatus": "Healthy",
        "processorUsageStatus": "Healthy",
        "protectedItemCount": None,
        "historicHealth": "Normal",
    }


def appliance(world: World, fabric: Fabric, server: ApplianceServer, now: datetime) -> dict[str, Any]:
    """Return one entry of ``replicationAppliances``, in the specification's shape."""
    return {
        "id": server.server_id,
        "name": server.name,
        "fabricArmId": fabric.id,
        **_parts(world, fabric, server, now),
        "switchProviderBlockingErrorDetails": [],
    }
