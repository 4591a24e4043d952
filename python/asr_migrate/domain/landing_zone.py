"""The landing zone: everything in Azure that must be there before a wave can replicate."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Architecture(StrEnum):
    """How machines replicate: with a configuration server, or with the replication appliance."""

    CLASSIC = "classic"
    MODERNIZED = "modernized"

    @property
    def provider(self) -> str:
        """The Site Recovery provider's instance type."""
        return "InMageAzureV2" if self is Architecture.CLASSIC else "InMageRcm"


class PolicySettings(BaseModel):
    """A replication policy. All durations are minutes; 0 switches a kind of recovery point off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    recovery_point_retention_min: int = Field(default=1440, ge=0, le=21600)
    app_consistent_min: int = Field(default=0, ge=0, le=720)
    crash_consistent_min: int = Field(default=5, ge=0, le=60)
    rpo_threshold_min: int = Field(default=60, ge=1)
    multi_vm_sync: bool = False


class Appliance(BaseModel):
    """The configuration server (classic) or the replication appliance (modernized), by name and address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    address: str
    fqdn: str | None = None


class LandingZone(BaseModel):
    """Names only, no ids: ids are looked up or composed where they are needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subscription_id: str
    tenant_id: str
    location: str
    resource_group: str
    vault: str
    network: str
    subnet: str
    test_network: str
    test_subnet: str
    cache_storage_account: str
    policy: PolicySettings
    appliance: Appliance
    architecture: Architecture = Architecture.MODERNIZED
    classic_acknowledged: bool = False

    def resource_group_id(self, name: str | None = None) -> str:
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{name or self.resource_group}"

    @property
    def vault_id(self) -> str:
        return f"{self.resource_group_id()}/providers/Microsoft.RecoveryServices/vaults/{self.vault}"

    def network_id(self, name: str | None = None) -> str:
        """Return the id of a virtual network; a name may be ``network`` or ``resource-group/network``."""
        group, _, network = (name or self.network).rpartition("/")
        return f"{self.resource_group_id(group or None)}/providers/Microsoft.Network/virtualNetworks/{network}"

    @property
    def cache_storage_account_id(self) -> str:
        return f"{self.resource_group_id()}/providers/Microsoft.Storage/storageAccounts/{self.cache_storage_account}"

    @property
    def policy_id(self) -> str:
        return f"{self.vault_id}/replicationPolicies/{self.policy.name}"
