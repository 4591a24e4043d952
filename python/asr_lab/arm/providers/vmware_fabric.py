"""Fabrics of kind VMware: a configuration server with its process servers and master targets.

Shapes are those of recorded sessions of the public SDK test suites (2017).
"""

from datetime import datetime, timedelta
from typing import Any

from asr_lab.arm.providers import fabric_details as shared
from asr_lab.arm.providers.fabric_kind import FabricKind, fabric_kind
from asr_lab.arm.providers.model import VMWARE_FABRIC, ApplianceServer, Fabric, ProtectedItem
from asr_lab.arm.providers.scope import containers, items
from asr_lab.arm.providers.vmware_vcenters import datastores, discover, vcenters
from asr_lab.arm.wire import iso, iso7
from asr_lab.arm.world import World

CERTIFICATE_DAYS = 1095


@fabric_kind
class VMware(FabricKind):
    """A configuration server registers itself; its machines go to Azure (InMageAzureV2) or back (InMage)."""

    name = VMWARE_FABRIC
    policies = frozenset({"InMageAzureV2", "InMage"})
    failback_policies = frozenset({"InMage"})
    mapping_inputs = FabricKind.mapping_inputs | {"InMageAzureV2"}
    role = "Configuration server"

    def details(self, world: World, fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
        """Return customDetails; the list shows as much as a GET (recorded)."""
        main = fabric.servers[0]
        protected = [item for one in containers(world, fabric.vault_id, fabric) for item in items(world, one)]
        silent = shared.silent_since(world, fabric, main.name, now) is not None
        stores = [body for one in vcenters(world, fabric) for body in datastores(world, one)]
        return {
            "instanceType": self.name,
            "processServers": [_process_server(world, fabric, one, protected, now) for one in fabric.servers],
            "masterTargetServers": [_master_target(world, fabric, one, stores, now) for one in fabric.servers],
            "runAsAccounts": [{"accountId": number, "accountName": name} for number, name in fabric.accounts.items()],
            "replicationPairCount": str(sum(len(item.disks) for item in protected)),
            "processServerCount": str(len(fabric.servers)),
            "agentCount": str(len(protected) + 1),
            "protectedServers": str(len(protected)),
            **_load(main),
            "webLoad": "0",
            "webLoadStatus": "Green",
            "databaseServerLoad": "0.57",
            "databaseServerLoadStatus": "Green",
            "csServiceStatus": "Unknown" if silent else "Running",
            "ipAddress": main.address,
            "agentVersion": main.agent_version,
            "hostName": main.name,
            "lastHeartbeat": iso7(shared.last_heard(world, fabric, main.name, now)),
            "versionStatus": "UpToDate",
            **_certificate(fabric, now),
            "psTemplateVersion": "201912.01.00,9.30.1.0",
        }

    def dras(self, world: World, fabric: Fabric, now: datetime, api_version: str) -> list[dict[str, Any]]:
        """Return the one provider: the configuration server's, named by the fabric's internal identifier."""
        main = fabric.servers[0]
        machine = {"biosId": main.host.bios_id, "machineId": main.server_id, "machineName": main.name}
        return [
            shared.dra_body(
                world,
                fabric,
                now,
                api_version,
                name=fabric.internal_id,
                friendly_name=main.name,
                machine=machine,
                role=self.role,
            )
        ]

    def health(self, world: World, fabric: Fabric, now: datetime) -> tuple[str, list[dict[str, Any]]]:
        """Return Critical when the configuration server is silent, Warning when only another process server is."""
        found = [
            error
            for number, server in enumerate(fabric.servers)
            for error in shared.server_health_errors(
                world, fabric, server.name, now, role=self.role if number == 0 else "Process server"
            )
        ]
        if not found:
            return "Normal", []
        main = shared.silent_since(world, fabric, fabric.servers[0].name, now)
        return ("Warning" if main is None else "Critical"), found

    def refreshed(self, world: World, fabric: Fabric, now: datetime) -> None:
        """List the machines that its vCenter servers have had since."""
        for one in vcenters(world, fabric):
            discover(world, fabric, one, now)

    def dra_removed(self, world: World, fabric: Fabric, name: str, now: datetime) -> None:
        """Take the fabric away: its provider is the configuration server itself."""
        world.resources.delete_tree(fabric.id)


def _load(server: ApplianceServer) -> dict[str, Any]:
    memory, space = server.host.memory_mb * 1024**2, sum(disk.size_bytes for disk in server.host.disks)
    return {
        "systemLoad": "0",
        "systemLoadStatus": "Green",
        "cpuLoad": "1%",
        "cpuLoadStatus": "Green",
        "totalMemoryInBytes": memory,
        "availableMemoryInBytes": memory // 2,
        "memoryUsageStatus": "Green",
        "totalSpaceInBytes": space,
        "availableSpaceInBytes": space // 2,
        "spaceUsageStatus": "Green",
    }


def _certificate(fabric: Fabric, now: datetime) -> dict[str, Any]:
    expires = (fabric.certificate_renewed or fabric.registered) + timedelta(days=CERTIFICATE_DAYS)
    return {"sslCertExpiryDate": iso(expires), "sslCertExpiryRemainingDays": (expires - now).days}


def _process_server(
    world: World, fabric: Fabric, server: ApplianceServer, protected: list[ProtectedItem], now: datetime
) -> dict[str, Any]:
    updates = [
        {"version": server.agent_version, "rebootStatus": "NotRequired", "osType": system}
        for system in ("Windows", "Linux")
    ]
    served = [item for item in protected if item.server_id.casefold() == server.server_id.casefold()]
    silent = shared.silent_since(world, fabric, server.name, now) is not None
    return {
        "friendlyName": server.name,
        "id": server.server_id,
        "ipAddress": server.address,
        "osType": "Windows",
        "agentVersion": server.agent_version,
        "lastHeartbeat": iso(shared.last_heard(world, fabric, server.name, now)),
        "versionStatus": "UpToDate",
        "mobilityServiceUpdates": updates,
        "hostId": server.server_id,
        "machineCount": str(len(served)),
        "replicationPairCount": str(sum(len(item.disks) for item in served)),
        **_load(server),
        "psServiceStatus": "Unknown" if silent else "Running",
        **_certificate(fabric, now),
        "osVersion": None,
    }


def _master_target(
    world: World, fabric: Fabric, server: ApplianceServer, stores: list[dict[str, Any]], now: datetime
) -> dict[str, Any]:
    data = [disk for disk in server.host.disks if not disk.boot] or list(server.host.disks[:1])
    volumes = [
        {
            "volumeName": letter,
            "capacityInBytes": disk.size_bytes,
            "freeSpaceInBytes": disk.size_bytes - disk.size_bytes // 50,
            "thresholdPercentage": None,
        }
        for letter, disk in zip("EFGH", data, strict=False)
    ]
    return {
        "id": server.server_id,
        "ipAddress": server.address,
        "name": server.name,
        "osType": "Windows",
        "agentVersion": server.agent_version,
        "lastHeartbeat": iso(shared.last_heard(world, fabric, server.name, now)),
        "versionStatus": "UpToDate",
        "retentionVolumes": volumes,
        "dataStores": list(stores),
        "validationErrors": [],
        "diskCount": len(server.host.disks),
        "osVersion": server.host.os_name,
    }
