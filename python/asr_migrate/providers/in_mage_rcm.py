"""InMageRcm: the modernized architecture, with a replication appliance.

Bodies and states as recorded from the service (api versions 2021 to 2023) and Microsoft's scripts of 2025.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Observation, Stage, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Call, Json, Site, Sweep
from asr_migrate.providers import base
from asr_migrate.providers.actions import action, named_in_group

INSTANCE_TYPE = "InMageRcm"


def _source_names(server: Json) -> Iterable[str]:
    """Return the addresses and names of a server of the appliance's site, none of one that was deleted."""
    properties = base.readable(server)
    if not properties:
        return [base.last_segment(str(server.get("id") or ""))]
    if properties.get("isDeleted"):
        return []
    addresses = [
        str(address)
        for adapter in properties.get("networkAdapters") or ()
        for address in adapter.get("ipAddressList") or ()
    ]
    return [*addresses, *(str(properties.get(key) or "") for key in ("displayName", "fqdn"))]


def _item_names(item: Json) -> Iterable[str]:
    details = base.readable(base.readable(item), "providerSpecificDetails")
    machine_id, address = details.get("fabricDiscoveryMachineId"), details.get("primaryNicIpAddress")
    return [str(item.get("name") or ""), str(machine_id or ""), str(address or "")]


@dataclass(frozen=True)
class InMageRcm:
    """The words of the domain as requests of this provider, and its answers as observations."""

    zone: LandingZone
    instance_type: str = INSTANCE_TYPE

    def source(self, machine: Machine, sweep: Sweep) -> Json | None:
        """Return the server of the appliance's site that is this machine, by address, else by name."""
        return next(iter(base.found_by(sweep.indexed("sources", _source_names), machine)), None)

    def item(self, machine: Machine, sweep: Sweep) -> Json | None:
        """Return the machine's protected item: by name, by the server it protects, or by its address."""
        return base.item_of(machine, self.source(machine, sweep), sweep.indexed("items", _item_names))

    def observe(self, machine: Machine, sweep: Sweep) -> Observation:
        """Return where ``machine`` stands.

        Raises WireError when its protected item belongs to another provider.
        """
        own, test, named = base.machine_vms(machine, self.zone, sweep)
        item = self.item(machine, sweep)
        if item is None:
            seen = base.without_item(machine, sweep, own, test, named)
            return self._with_source(seen, machine, sweep)
        return self.read(item, machine, sweep, own or named, test)

    def read(self, item: Json, machine: Machine | None, sweep: Sweep, vm: Any = None, test: Any = None) -> Observation:
        """Return what a protected item says, from a list's row or from a single read."""
        details = base.details_of(item, INSTANCE_TYPE)
        return base.with_progress(
            base.observed(item, sweep, vm, test),
            details.get("initialReplicationProgressPercentage"),
            details.get("lastRpoInSeconds"),
            details.get("initialReplicationProgressHealth") == "NoProgress",
            last_point=base.moment(details.get("lastRecoveryPointReceived")),
            drift=self._drift(details, machine) if machine else (),
        )

    def _with_source(self, seen: Observation, machine: Machine, sweep: Sweep) -> Observation:
        if seen.stage is not Stage.ABSENT or self.source(machine, sweep) is not None:
            return seen
        address = machine.addresses[0] if machine.addresses else machine.name
        why = f"the appliance does not know it: add server {address} on {self.zone.appliance.name}"
        return replace(seen, unknown_source=why)

    def _drift(self, details: Json, machine: Machine) -> tuple[str, ...]:
        target = machine.target
        nic = next((nic for nic in details.get("vmNics") or () if nic.get("isPrimaryNic") == "true"), None)
        return base.differing(
            {
                "vm_name": (target.vm_name, details.get("targetVmName")),
                "vm_size": (target.vm_size, details.get("targetVmSize")),
                "license_type": (target.license_type, details.get("licenseType")),
                "private_ip": (target.private_ip if nic else None, nic.get("targetIPAddress") if nic else None),
            }
        )

    def enable(self, machine: Machine, site: Site, sweep: Sweep) -> Call:
        source = self.source(machine, sweep) or {}
        target, zone = machine.target, self.zone
        account = base.properties_of(source).get("runAsAccountId") if source else None
        details = {
            "instanceType": INSTANCE_TYPE,
            "fabricDiscoveryMachineId": source.get("id"),
            "processServerId": site.process_server_id,
            "runAsAccountId": account,
            "disksDefault": {"diskType": target.disk_type, "logStorageAccountId": zone.cache_storage_account_id},
            "targetResourceGroupId": zone.resource_group_id(target.resource_group),
            "targetNetworkId": zone.network_id(target.network),
            "targetSubnetName": target.subnet or zone.subnet,
            "testNetworkId": zone.network_id(target.test_network or zone.test_network),
            "testSubnetName": target.test_subnet or zone.test_subnet,
            "targetVmName": target.vm_name,
            "targetVmSize": target.vm_size,
            "licenseType": target.license_type,
            "targetAvailabilitySetId": named_in_group(zone, target, "availabilitySets", target.availability_set),
            "targetVmTags": [{"tagName": k, "tagValue": v} for k, v in sorted(machine.target_tags.items())],
        }
        body = {"properties": {"policyId": zone.policy_id, "providerSpecificDetails": base.filled(details)}}
        return Call("create", machine.name, body)

    def update(self, machine: Machine, item: Json) -> Call:
        details = base.details_of(item, INSTANCE_TYPE)
        target, zone = machine.target, self.zone
        size = target.vm_size or details.get("targetVmSize")
        network = zone.network_id(target.network)
        licence = target.license_type or details.get("licenseType")
        nics = [
            {
                "nicId": nic["nicId"],
                "isPrimaryNic": nic.get("isPrimaryNic", "false"),
                "isSelectedForFailover": nic.get("isSelectedForFailover", "true"),
                "targetSubnetName": target.subnet or zone.subnet,
                "targetStaticIPAddress": (target.private_ip or "") if nic.get("isPrimaryNic") == "true" else "",
                "testSubnetName": target.test_subnet or zone.test_subnet,
            }
            for nic in details.get("vmNics") or ()
        ]
        body = {
            "recoveryAzureVMName": target.vm_name,
            "recoveryAzureVMSize": size,
            "selectedRecoveryAzureNetworkId": network,
            "licenseType": licence,
            "providerSpecificDetails": {
                "instanceType": INSTANCE_TYPE,
                "targetVmName": target.vm_name,
                "targetVmSize": size,
                "targetResourceGroupId": zone.resource_group_id(target.resource_group),
                "targetNetworkId": network,
                "testNetworkId": zone.network_id(target.test_network or zone.test_network),
                "vmNics": nics,
            },
        }
        return Call("update", str(item["name"]), {"properties": base.filled(body)}, item.get("id"))

    def discover(self, machine: Machine) -> Call:
        """Raise SetupError: servers are added on the appliance's own screen, there is no request for it."""
        raise SetupError(
            f"{machine.name} is not known to {self.zone.appliance.name}", remedy="Add the server on the appliance."
        )

    def act(self, verb: Verb, machine: Machine, item: Json) -> Call:
        """Return the request of an item's action."""
        network = self.zone.network_id(machine.target.test_network or self.zone.test_network)
        return action(
            verb,
            item,
            test_network_id=network,
            test_details={"instanceType": INSTANCE_TYPE, "networkId": network},
            failover_details={"instanceType": INSTANCE_TYPE, "performShutdown": "false"},
            disable_details={"instanceType": INSTANCE_TYPE, "replicaVmDeletionStatus": "Retain"},
        )
