"""One whole migration for each provider, recorded from the lab."""

from .lab_session import ACCOUNT, GROUP, NETWORK, VAULT, Held, Recorder

SERVER = "0c1f8f0a-93a1-4d30-9f4e-1f5a2b7c9d01"
SITE = f"{GROUP}/providers/Microsoft.OffAzure/VMwareSites/site-1"
MACHINE = f"{SITE}/machines/vcenter_501f0a11-2b3c-4d5e-8f90-a1b2c3d4e5f6"
SOURCE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/source-vm"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/source-vm_OsDisk"
PLAN = f"{VAULT}/replicationRecoveryPlans/wave-plan"
POLICY = f"{VAULT}/replicationPolicies/wave-policy"


def in_mage_rcm(*, back: bool = False) -> Held:
    """VMware to Azure with an appliance, from the policy to the removal of everything; or ``back`` again."""
    fabric = f"{VAULT}/replicationFabrics/lab-vmwarefabric"
    container = f"{fabric}/replicationProtectionContainers/lab-replicationcontainer"
    details = {
        "instanceType": "InMageRcm",
        "vmwareSiteId": SITE,
        "processServers": [{"id": SERVER, "name": "appliance"}],
    }
    recorder = Recorder(
        {"id": fabric, "name": "lab-vmwarefabric", "properties": {"customDetails": details}},
        {"id": container, "name": "lab-replicationcontainer", "properties": {"friendlyName": "lab"}},
        named=({"machine": MACHINE, "network": NETWORK, "account": ACCOUNT, "targetSubnetName": "apps"},),
    )
    settings = {
        "instanceType": "InMageRcm",
        "recoveryPointHistoryInMinutes": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 60,
        "enableMultiVmSync": "true",
    }
    mapping = {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "true"}
    enable = {
        "instanceType": "InMageRcm",
        "fabricDiscoveryMachineId": MACHINE,
        "processServerId": SERVER,
        "disksDefault": {"diskType": "Standard_LRS", "logStorageAccountId": ACCOUNT},
        "targetResourceGroupId": GROUP,
        "targetNetworkId": NETWORK,
        "targetSubnetName": "apps",
        "testNetworkId": NETWORK,
        "testSubnetName": "apps",
        "targetVmName": "web-01",
    }
    _pair(recorder, fabric, container, settings, mapping)
    item = f"{container}/replicationProtectedItems/web-01"
    recorder.run("PUT", item, {"properties": {"policyId": POLICY, "providerSpecificDetails": enable}})
    _to_azure(recorder, item, "InMageRcm", {"performShutdown": "true"}, fabric, commits=not back)
    if back:
        again = {"datastoreName": "datastore", "logStorageAccountId": ACCOUNT, "reprotectAgentId": SERVER}
        _reprotect(recorder, item, {"instanceType": "InMageRcm", **again})
        specific = {"instanceType": "InMageRcmFailback", "recoveryPointType": "CrashConsistent"}
        given = {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": specific}
        recorder.run("POST", f"{item}/plannedFailover", {"properties": given})
        recorder.read(item)
        return recorder.session()
    _remove(recorder, container, item, {"disableProtectionReason": "MigrationComplete"})
    return recorder.session()


def in_mage_azure_v2(*, api_version: str = "2022-08-01") -> Held:
    """VMware to Azure with a configuration server."""
    fabric = f"{VAULT}/replicationFabrics/{'ab12' * 16}"
    container = f"{fabric}/replicationProtectionContainers/cloud_6a1d1c9e-0d3b-4c57-8f9f-7d1c0b9b2a11"
    protectable = f"{container}/replicationProtectableItems/7f3a2b1c-954b-11e7-b6a4-0050568f2e8f"
    server = "30AE6187-5869-8E44-B8AF6AA66E3ECC8F"
    servers = [{"id": server, "friendlyName": "configuration-server"}]
    disks = [{"diskName": "Disk0", "diskSizeInMB": "40960", "diskType": "OperatingSystem"}]
    machine = {"instanceType": "VMwareVirtualMachine", "agentInstalled": "Installed", "diskDetails": disks}
    recorder = Recorder(
        {
            "id": fabric,
            "name": fabric[-64:],
            "properties": {"customDetails": {"instanceType": "VMware", "processServers": servers}},
        },
        {"id": container, "name": container.rpartition("/")[2], "properties": {"friendlyName": "configuration-server"}},
        {
            "id": protectable,
            "name": protectable.rpartition("/")[2],
            "properties": {"friendlyName": "web-02", "customDetails": machine},
        },
        named=({"network": NETWORK, "account": ACCOUNT, "targetAzureSubnetId": "apps"},),
        api_version=api_version,
    )
    settings = {
        "instanceType": "InMageAzureV2",
        "recoveryPointThresholdInMinutes": 10,
        "recoveryPointHistory": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 60,
        "multiVmSyncStatus": "Enable",
    }
    enable = {
        "instanceType": "InMageAzureV2",
        "processServerId": server,
        "masterTargetId": server,
        "logStorageAccountId": ACCOUNT,
        "targetAzureNetworkId": NETWORK,
        "targetAzureSubnetId": "apps",
        "targetAzureV2ResourceGroupId": GROUP,
        "targetAzureVmName": "web-02",
        "enableRdpOnTargetOption": "Never",
    }
    _pair(recorder, fabric, container, settings, {"instanceType": "ReplicationProviderSpecificContainerMappingInput"})
    recorder.read(f"{container}/replicationProtectableItems")
    recorder.read(protectable)
    item = f"{container}/replicationProtectedItems/web-02"
    given = {"policyId": POLICY, "protectableItemId": protectable, "providerSpecificDetails": enable}
    recorder.run("PUT", item, {"properties": given})
    _to_azure(recorder, item, "InMageAzureV2", {}, fabric)
    _remove(recorder, container, item, {})
    return recorder.session()


def hyper_v_replica_azure(*, back: bool = False, api_version: str = "2022-08-01") -> Held:
    """Hyper-V to Azure; or ``back`` again."""
    fabric = f"{VAULT}/replicationFabrics/hyper-v-site"
    container = f"{fabric}/replicationProtectionContainers/cloud_2c5c7ac2-3174-5ded-a146-4220b3601f3f"
    protectable = f"{container}/replicationProtectableItems/b1956159-f3d3-4317-86d4-94fb027c6d95"
    disk = "9f8e7d6c-5b4a-4f3e-8d2c-1b0a9f8e7d6c"
    machine = {
        "instanceType": "HyperVVirtualMachine",
        "osDetails": {"osType": "Windows"},
        "diskDetails": [{"maxSizeMB": 40960, "vhdType": "OperatingSystem", "vhdId": disk, "vhdName": "web-03"}],
    }
    recorder = Recorder(
        {
            "id": fabric,
            "name": "hyper-v-site",
            "properties": {"friendlyName": "hyper-v-site", "customDetails": {"instanceType": "HyperVSite"}},
        },
        {"id": container, "name": container.rpartition("/")[2], "properties": {"friendlyName": "hyper-v-site"}},
        {
            "id": protectable,
            "name": protectable.rpartition("/")[2],
            "properties": {"friendlyName": "web-03", "customDetails": machine},
        },
        named=({"network": NETWORK, "account": ACCOUNT, "recoverySubnetName": "apps"},),
        api_version=api_version,
    )
    settings = {
        "instanceType": "HyperVReplicaAzure",
        "recoveryPointHistoryDuration": 2,
        "applicationConsistentSnapshotFrequencyInHours": 1,
        "replicationInterval": 300,
        "storageAccounts": [ACCOUNT],
    }
    enable = {
        "instanceType": "HyperVReplicaAzure",
        "hvHostVmId": protectable.rpartition("/")[2],
        "vmName": "web-03",
        "osType": "Windows",
        "vhdId": disk,
        "disksToInclude": [disk],
        "targetStorageAccountId": ACCOUNT,
        "targetAzureNetworkId": NETWORK,
        "targetAzureSubnetId": f"{NETWORK}/subnets/apps",
        "targetAzureVmName": "web-03",
        "targetAzureV2ResourceGroupId": GROUP,
        "enableRdpOnTargetOption": "Never",
        "useManagedDisks": "false",
    }
    _pair(recorder, fabric, container, settings, {"instanceType": "HyperVReplicaAzure"})
    recorder.read(protectable)
    item = f"{container}/replicationProtectedItems/web-03"
    given = {"policyId": POLICY, "protectableItemId": protectable, "providerSpecificDetails": enable}
    recorder.run("PUT", item, {"properties": given})
    _to_azure(recorder, item, "HyperVReplicaAzure", {}, fabric)
    if back:
        options = {"dataSyncOption": "ForSynchronization", "recoveryVmCreationOption": "NoAction"}
        specific = {"instanceType": "HyperVReplicaAzureFailback", **options}
        given = {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": specific}
        recorder.run("POST", f"{item}/plannedFailover", {"properties": given})
        recorder.read(item)
        return recorder.session()
    _remove(recorder, container, item, {})
    return recorder.session()


def azure_to_azure() -> Held:
    """From one region to another, everything made by the session."""
    east, west = f"{VAULT}/replicationFabrics/east", f"{VAULT}/replicationFabrics/west"
    source = f"{east}/replicationProtectionContainers/east-machines"
    target = f"{west}/replicationProtectionContainers/west-machines"
    disks = [{"diskId": DISK, "primaryStagingAzureStorageAccountId": ACCOUNT, "recoveryResourceGroupId": GROUP}]
    enable = {
        "instanceType": "A2A",
        "fabricObjectId": SOURCE,
        "recoveryContainerId": target,
        "recoveryResourceGroupId": GROUP,
        "recoveryAzureNetworkId": NETWORK,
        "recoverySubnetName": "apps",
        "vmManagedDisks": disks,
    }
    item = f"{source}/replicationProtectedItems/web-04"
    mention = {"properties": {"policyId": POLICY, "providerSpecificDetails": enable}}
    recorder = Recorder(
        {"id": VAULT, "name": "lab-vault", "location": "westeurope", "properties": {}},
        {"id": east, "name": "east", "properties": {"customDetails": {"instanceType": "Azure", "location": "eastus"}}},
        {"id": west, "name": "west", "properties": {"customDetails": {"instanceType": "Azure", "location": "westus"}}},
        {"id": source, "name": "east-machines", "properties": {"friendlyName": "east-machines"}},
        {"id": target, "name": "west-machines", "properties": {"friendlyName": "west-machines"}},
        named=({"properties": {"providerSpecificDetails": enable}},),
        below=source,
    )
    settings = {
        "instanceType": "A2A",
        "recoveryPointHistory": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 60,
        "multiVmSyncStatus": "Enable",
    }
    _pair(recorder, east, source, settings, {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"}, target)
    recorder.run("PUT", item, mention)
    _to_azure(recorder, item, "A2A", {}, east)
    _remove(recorder, source, item, {})
    return recorder.session()


def _pair(
    recorder: Recorder, fabric: str, container: str, settings: Held, mapping: Held, target: str = "Microsoft Azure"
) -> None:
    recorder.read(f"{VAULT}/replicationFabrics")
    recorder.read(fabric)
    recorder.read(f"{fabric}/replicationProtectionContainers")
    assert recorder.ask("GET", POLICY).status == 404
    recorder.run("PUT", POLICY, {"properties": {"providerSpecificInput": settings}})
    recorder.read(POLICY)
    path = f"{container}/replicationProtectionContainerMappings/wave-mapping"
    given = {"targetProtectionContainerId": target, "policyId": POLICY, "providerSpecificInput": mapping}
    recorder.run("PUT", path, {"properties": given})
    recorder.read(path)
    recorder.read(f"{container}/replicationProtectedItems")


def _reprotect(recorder: Recorder, item: str, specific: Held) -> None:
    given = {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": specific}
    recorder.run("POST", f"{item}/reProtect", {"properties": given})
    recorder.read(item)
    recorder.wait(item, "Protected")


def _to_azure(
    recorder: Recorder,
    item: str,
    provider: str,
    failover: Held,
    fabric: str,
    *,
    commits: bool = True,
) -> None:
    recorder.read(item)
    recorder.wait(item, "Protected")
    recorder.pass_s(3600)
    recorder.read(f"{item}/recoveryPoints")
    recorder.read(item)
    specific = {"instanceType": provider}
    given: Held = {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": specific}
    network = {"networkType": "VmNetworkAsInput", "networkId": NETWORK}
    recorder.run("POST", f"{item}/testFailover", {"properties": {**given, **network}})
    recorder.read(item)
    recorder.run("POST", f"{item}/testFailoverCleanup", {"properties": {"comments": "tested"}})
    recorder.read(item)
    plan = {
        "primaryFabricId": fabric,
        "recoveryFabricId": "Microsoft Azure",
        "failoverDeploymentModel": "ResourceManager",
        "groups": [
            {
                "groupType": "Boot",
                "replicationProtectedItems": [{"id": item}],
                "startGroupActions": [],
                "endGroupActions": [],
            }
        ],
    }
    if provider != "A2A":
        recorder.run("PUT", PLAN, {"properties": plan})
        recorder.read(PLAN)
        recorder.run("DELETE", PLAN)
    given = {**given, "providerSpecificDetails": {**specific, **failover}}
    recorder.run("POST", f"{item}/unplannedFailover", {"properties": given})
    recorder.read(item)
    if commits:
        recorder.run("POST", f"{item}/failoverCommit")
        recorder.read(item)
    recorder.read(f"{VAULT}/replicationJobs")


def _remove(recorder: Recorder, container: str, item: str, properties: Held) -> None:
    recorder.run("POST", f"{item}/remove", {"properties": properties})
    assert recorder.ask("GET", item).status == 404
    mapping = f"{container}/replicationProtectionContainerMappings/wave-mapping"
    recorder.run("POST", f"{mapping}/remove", {"properties": {"providerSpecificInput": {}}})
    recorder.run("DELETE", POLICY)
    recorder.read(f"{VAULT}/replicationProtectedItems")
