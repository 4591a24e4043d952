"""Differences of shape the contract allows: sessions, path (``*`` for anything), and why."""

_AGENT_UPGRADES = "the lab's Mobility agents are never upgraded, so there is no upgrade to tell of"
_CUT_OUT = "the recording's reader could not read this part of the answer back; the service returns it"
_HEALTHY = "the recorded servers were ill (old provider version); the lab's are not"
_PHYSICAL = "the lab's sources are physical servers: no vCenter, hence no datastores and no VMware validation"
_SEPTEMBER_2017 = (
    "the same api-version answered without it in September 2017 and with it in October 2017; the lab does the later"
)

EXCEPTIONS: tuple[tuple[str, str, str], ...] = (
    ("01", "properties.bcdrState", _CUT_OUT),
    ("01", "properties.encryptionDetails", _CUT_OUT),
    ("01", "properties.rolloverEncryptionDetails", _CUT_OUT),
    ("01", "properties.customDetails.controlPlaneUri", _CUT_OUT),
    ("01", "properties.customDetails.dataPlaneUri", _CUT_OUT),
    ("01", "properties.customDetails.physicalSiteId", _CUT_OUT),
    ("01", "properties.customDetails.serviceContainerId", _CUT_OUT),
    ("01", "properties.customDetails.serviceEndpoint", _CUT_OUT),
    ("01", "properties.customDetails.serviceResourceId", _CUT_OUT),
    ("03 07 08", "*providerSpecificDetails.agentUpgradeAttemptToVersion", _AGENT_UPGRADES),
    ("03 07 08", "*providerSpecificDetails.agentUpgradeJobId", _AGENT_UPGRADES),
    ("03 07 08", "*providerSpecificDetails.lastAgentUpgradeType", _AGENT_UPGRADES),
    ("07 08", "*providerSpecificDetails.agentUpgradeBlockingErrorDetails", _AGENT_UPGRADES),
    ("14", "*customDetails.masterTargetServers[].dataStores", _PHYSICAL),
    ("14", "*customDetails.masterTargetServers[].validationErrors", _HEALTHY),
    ("14 26", "*properties.healthErrorDetails", _HEALTHY),
    ("17", "value[].properties.customDetails.validationErrors", _PHYSICAL),
    ("20 25", "*properties.primaryFabricProvider", _SEPTEMBER_2017),
    ("25", "properties.replicationHealthErrors[].childErrors", "replaced by innerHealthErrors in October 2017"),
    ("25", "properties.replicationHealthErrors[].innerHealthErrors", _SEPTEMBER_2017),
    ("25", "properties.replicationHealthErrors[].summaryMessage", _SEPTEMBER_2017),
    ("40", "value[].sku.tier", "vaults made by the portal have it, those made by request with the name alone do not"),
    ("25", "*.recoveryAvailabilitySetId", "null or an empty string was recorded for no set; the lab writes the latter"),
)
