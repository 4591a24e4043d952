"""``customDetails`` of a fabric: a configuration server (VMware) or the appliances of a vault (InMageRcm).

Shapes are those of recorded sessions of the public SDK test suites. The lab's servers are always heard of and healthy.
"""

from datetime import datetime, timedelta
from typing import Any

from asr_lab.arm.providers.model import RCM_FABRIC, ApplianceServer, Fabric
from asr_lab.arm.wire import iso, iso7

HEARTBEAT_S = 60.0
CERTIFICATE_DAYS = 1095
DRA_VERSION = "5.24.0814.3"


def heartbeat(now: datetime) -> datetime:
    """Return when a server was last heard of: at the last full minute."""
    return now - timedelta(seconds=now.timestamp() % HEARTBEAT_S)


def details(fabric: Fabric, now: datetime, *, sparse: bool, protected: int) -> dict[str, Any]:
    """Return ``customDetails``; ``sparse`` is how the list shows an InMageRcm fabric: its arrays empty."""
    if fabric.kind == RCM_FABRIC:
        return _rcm(fabric, now, sparse=sparse)
    return _vmware(fabric, now, protected=protected)


def _rcm(fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
    suffix = fabric.internal_id[:8]
    arrays: dict[str, list[dict[str, Any]]] = {
        "processServers": [_rcm_process_server(server, now) for server in fabric.servers],
        "rcmProxies": [
            {**_component(server, now), "clientAuthenticationType": "Certificate"} for server in fabric.servers
        ],
        "pushInstallers": [_component(server, now) for server in fabric.servers],
        "replicationAgents": [_component(server, now) for server in fabric.servers],
        "reprotectAgents": [_reprotect_agent(fabric, server, now) for server in fabric.servers],
        "marsAgents": [_component(server, now) for server in fabric.servers],
        "dras": [_dra(server, now) for server in fabric.servers],
        "agentDetails": [],
    }
    identity = {
        "tenantId": fabric.tenant_id,
        "applicationId": fabric.internal_id,
        "objectId": fabric.internal_id,
        "audience": f"https://{fabric.tenant_id}/{suffix}failbackagentauthaadapp",
        "aadAuthority": f"https://login.windows.net/{fabric.tenant_id}",
    }
    return {
        "instanceType": "InMageRcm",
        "vmwareSiteId": fabric.vmware_site_id,
        "physicalSiteId": fabric.physical_site_id,
        "serviceEndpoint": f"https://pod01-rcm1.{fabric.location}.hypervrecoverymanager.windowsazure.com",
        "serviceResourceId": fabric.internal_id,
        "serviceContainerId": fabric.internal_id,
        "dataPlaneUri": f"https://pod01-rcm1.{fabric.location}.hypervrecoverymanager.windowsazure.com",
        "controlPlaneUri": f"https://pod01-srs1.{fabric.location}.hypervrecoverymanager.windowsazure.com",
        "sourceAgentIdentityDetails": None if sparse else identity,
        **({name: [] for name in arrays} if sparse else arrays),
    }


def _component(server: ApplianceServer, now: datetime) -> dict[str, Any]:
    return {
        "id": server.server_id,
        "name": server.name,
        "biosId": server.host.bios_id,
        "fabricObjectId": server.fabric_object_id,
        "fqdn": server.host.host_name,
        "version": server.agent_version,
        "lastHeartbeatUtc": iso7(heartbeat(now)),
        "health": "Normal",
        "healthErrors": [],
    }


def _dra(server: ApplianceServer, now: datetime) -> dict[str, Any]:
    body = _component(server, now)
    del body["fabricObjectId"], body["fqdn"]
    return {**body, "version": DRA_VERSION, "forwardProtectedItemCount": None, "reverseProtectedItemCount": None}


def _reprotect_agent(fabric: Fabric, server: ApplianceServer, now: datetime) -> dict[str, Any]:
    return {
        **_component(server, now),
        "protectedItemCount": None,
        "accessibleDatastores": ["datastore"],
        "vcenterId": f"{fabric.vmware_site_id}/vcenters/vcenter",
        "lastDiscoveryInUtc": iso7(fabric.registered),
    }


def _rcm_process_server(server: ApplianceServer, now: datetime) -> dict[str, Any]:
    memory, space = server.host.memory_mb * 1024**2, sum(disk.size_bytes for disk in server.host.disks)
    return {
        **_component(server, now),
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


def _vmware(fabric: Fabric, now: datetime, *, protected: int) -> dict[str, Any]:
    main = fabric.servers[0]
    return {
        "instanceType": "VMware",
        "processServers": [_process_server(server, fabric, now) for server in fabric.servers],
        "masterTargetServers": [_master_target(server, now) for server in fabric.servers],
        "runAsAccounts": [{"accountId": number, "accountName": name} for number, name in fabric.accounts.items()],
        "replicationPairCount": str(protected),
        "processServerCount": str(len(fabric.servers)),
        "agentCount": str(protected + 1),
        "protectedServers": str(protected),
        **_load(main),
        "webLoad": "0",
        "webLoadStatus": "Green",
        "databaseServerLoad": "0.57",
        "databaseServerLoadStatus": "Green",
        "csServiceStatus": "Running",
        "ipAddress": main.address,
        "agentVersion": main.agent_version,
        "hostName": main.name,
        "lastHeartbeat": iso7(heartbeat(now)),
        "versionStatus": "UpToDate",
        **_certificate(fabric, now),
        "psTemplateVersion": "201912.01.00,9.30.1.0",
    }


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
    expires = fabric.registered + timedelta(days=CERTIFICATE_DAYS)
    return {"sslCertExpiryDate": iso(expires), "sslCertExpiryRemainingDays": (expires - now).days}


def _process_server(server: ApplianceServer, fabric: Fabric, now: datetime) -> dict[str, Any]:
    updates = [
        {"version": server.agent_version, "rebootStatus": "NotRequired", "osType": system}
        for system in ("Windows", "Linux")
    ]
    return {
        "friendlyName": server.name,
        "id": server.server_id,
        "ipAddress": server.address,
        "osType": "Windows",
        "agentVersion": server.agent_version,
        "lastHeartbeat": iso(heartbeat(now)),
        "versionStatus": "UpToDate",
        "mobilityServiceUpdates": updates,
        "hostId": server.server_id,
        "machineCount": "0",
        "replicationPairCount": "0",
        **_load(server),
        "psServiceStatus": "Running",
        **_certificate(fabric, now),
        "osVersion": None,
    }


def _master_target(server: ApplianceServer, now: datetime) -> dict[str, Any]:
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
        "lastHeartbeat": iso(heartbeat(now)),
        "versionStatus": "UpToDate",
        "retentionVolumes": volumes,
        "dataStores": [],
        "validationErrors": [],
        "diskCount": len(server.host.disks),
        "osVersion": server.host.os_name,
    }


def appliance(fabric: Fabric, server: ApplianceServer, now: datetime) -> dict[str, Any]:
    """Return one entry of ``replicationAppliances``, in the specification's shape."""
    component = _component(server, now)
    return {
        "id": server.server_id,
        "name": server.name,
        "fabricArmId": fabric.id,
        "processServer": _rcm_process_server(server, now),
        "rcmProxy": {**component, "clientAuthenticationType": "Certificate"},
        "pushInstaller": component,
        "replicationAgent": component,
        "reprotectAgent": _reprotect_agent(fabric, server, now),
        "marsAgent": component,
        "dra": _dra(server, now),
        "switchProviderBlockingErrorDetails": [],
    }
