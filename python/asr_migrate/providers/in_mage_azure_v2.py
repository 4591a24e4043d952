"""InMageAzureV2: the classic architecture, with a configuration server.

Bodies and states as recorded from the service (api versions 2016 to 2018).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Observation, Stage, Verb
from asr_migrate.domain.machine import Machine, Os, Target
from asr_migrate.domain.site import Call, Json, Site, Sweep
from asr_migrate.providers import base
from asr_migrate.providers.actions import action, named_in_group

INSTANCE_TYPE = "InMageAzureV2"
AGENT_PATIENCE_S = 900.0


def _source_names(item: Json) -> Iterable[str]:
    properties = base.readable(item)
    if not properties:
        return [base.last_segment(str(item.get("id") or ""))]
    custom = base.readable(properties, "customDetails")
    addresses = (address.strip() for address in str(custom.get("ipAddress") or "").split(","))
    return [*addresses, str(properties.get("friendlyName") or "")]


def _item_names(item: Json) -> Iterable[str]:
    properties = base.readable(item)
    details = base.readable(properties, "providerSpecificDetails")
    return [str(item.get("name") or ""), str(properties.get("protectableItemId") or ""), details.get("ipAddress") or ""]


def _address(nic: Json) -> str | None:
    """Return the address that an adapter will have: of its IP configuration, or as answers of 2017 to 2021 say it."""
    config: Json = next(iter(nic.get("ipConfigs") or ()), {})
    address = config.get("recoveryStaticIPAddress") or nic.get("replicaNicStaticIPAddress")
    return str(address) if address else None


@dataclass(frozen=True)
class InMageAzureV2:
    """The words of the domain as requests of this provider, and its answers as observations."""

    zone: LandingZone
    instance_type: str = INSTANCE_TYPE

    def source(self, machine: Machine, sweep: Sweep) -> Json | None:
        """Return the protectable item that is this machine: by address, else by name.

        Physical servers are listed as ``VMwareVirtualMachine`` with discovery type ``Physical``. One whose agent has
        reported wins over one without.
        """
        found = base.found_by(sweep.indexed("sources", _source_names), machine)
        return next((item for item in found if self._agent_installed(item)), found[0] if found else None)

    @staticmethod
    def _agent_installed(item: Json) -> bool:
        return (base.properties_of(item).get("customDetails") or {}).get("agentInstalled") == "Installed"

    def item(self, machine: Machine, sweep: Sweep) -> Json | None:
        """Return the machine's protected item: by name, by its protectable item, or by its address."""
        return base.item_of(machine, self.source(machine, sweep), sweep.indexed("items", _item_names))

    def observe(self, machine: Machine, sweep: Sweep) -> Observation:
        """Return where ``machine`` stands.

        Raises WireError when its protected item belongs to another provider.
        """
        own, test, named = base.machine_vms(machine, self.zone, sweep)
        item = self.item(machine, sweep)
        if item is None:
            return self._with_source(base.without_item(machine, sweep, own, test, named), machine, sweep)
        return self.read(item, machine, sweep, own or named, test)

    def read(self, item: Json, machine: Machine | None, sweep: Sweep, vm: Any = None, test: Any = None) -> Observation:
        """Return what a protected item says, from a list's row or from a single read."""
        details = base.details_of(item, INSTANCE_TYPE)
        rpo_s, calculated = base.seconds(details.get("rpoInSeconds")), base.moment(details.get("lastRpoCalculatedTime"))
        return base.with_progress(
            base.observed(item, sweep, vm, test),
            details.get("resyncProgressPercentage"),
            rpo_s,
            False,
            last_point=None if calculated is None or rpo_s is None else calculated - timedelta(seconds=rpo_s),
            drift=self._drift(details, machine) if machine else (),
        )

    def _with_source(self, seen: Observation, machine: Machine, sweep: Sweep) -> Observation:
        if seen.stage is not Stage.ABSENT:
            return seen
        server = self.zone.appliance.name
        source = self.source(machine, sweep)
        if source is None:
            return replace(
                seen, unknown_source=f"the configuration server {server} does not know it", discoverable=True
            )
        if not self._agent_installed(source):
            why = f"its Mobility service has not registered with {server}: run the prepare_sources playbook"
            return replace(seen, unknown_source=why, source_patience_s=AGENT_PATIENCE_S)
        return seen

    def _drift(self, details: Json, machine: Machine) -> tuple[str, ...]:
        target = machine.target
        nic = next(iter(details.get("vmNics") or ()), None)
        return base.differing(
            {
                "vm_name": (target.vm_name, details.get("recoveryAzureVMName")),
                "vm_size": (target.vm_size, details.get("recoveryAzureVMSize")),
                "license_type": (target.license_type, details.get("licenseType")),
                "private_ip": (target.private_ip if nic else None, _address(nic) if nic else None),
            }
        )

    def _run_as_account(self, machine: Machine, site: Site) -> str | None:
        accounts = site.run_as_accounts
        if machine.run_as_account is None:
            return next(iter(accounts.values())) if len(accounts) == 1 else None
        if machine.run_as_account not in accounts:
            raise SetupError(
                f"{machine.name}: the configuration server has no account named {machine.run_as_account}",
                code="NoAccount",
                cause=f"It has: {', '.join(sorted(accounts)) or 'none'}",
                remedy="Add the account on the configuration server, or correct asr_run_as_account.",
            )
        return accounts[machine.run_as_account]

    def enable(self, machine: Machine, site: Site, sweep: Sweep) -> Call:
        source = self.source(machine, sweep) or {}
        target, zone = machine.target, self.zone
        details = {
            "instanceType": INSTANCE_TYPE,
            "masterTargetId": site.master_target_id or site.process_server_id,
            "processServerId": site.process_server_id,
            "runAsAccountId": self._run_as_account(machine, site),
            "logStorageAccountId": zone.cache_storage_account_id,
            "diskType": target.disk_type,
            "targetAzureNetworkId": zone.network_id(target.network),
            "targetAzureSubnetId": target.subnet or zone.subnet,
            "enableRdpOnTargetOption": "Never",
            "targetAzureVmName": target.vm_name,
            "targetVmSize": target.vm_size,
            "targetAzureV2ResourceGroupId": zone.resource_group_id(target.resource_group),
            "targetAvailabilitySetId": named_in_group(zone, target, "availabilitySets", target.availability_set),
            "licenseType": target.license_type,
            "targetVmTags": machine.target_tags,
        }
        properties = {
            "policyId": zone.policy_id,
            "protectableItemId": source.get("id"),
            "providerSpecificDetails": base.filled(details),
        }
        return Call("create", machine.name, {"properties": properties})

    def update(self, machine: Machine, item: Json) -> Call:
        details = base.details_of(item, INSTANCE_TYPE)
        target, zone = machine.target, self.zone
        nics = [self._nic(nic, number, target) for number, nic in enumerate(details.get("vmNics") or ())]
        body = {
            "recoveryAzureVMName": target.vm_name,
            "recoveryAzureVMSize": target.vm_size or details.get("recoveryAzureVMSize"),
            "selectedRecoveryAzureNetworkId": zone.network_id(target.network),
            "vmNics": nics,
            "licenseType": target.license_type or details.get("licenseType"),
            "recoveryAvailabilitySetId": named_in_group(zone, target, "availabilitySets", target.availability_set)
            or details.get("recoveryAvailabilitySetId"),
            "providerSpecificDetails": {
                "instanceType": INSTANCE_TYPE,
                "recoveryAzureV2ResourceGroupId": zone.resource_group_id(target.resource_group),
                "useManagedDisks": "true",
            },
        }
        return Call("update", str(item["name"]), {"properties": base.filled(body)}, item.get("id"))

    def _nic(self, nic: Json, number: int, target: Target) -> Json:
        """Return how a network adapter is to be made: the first gets the subnet and the address that were asked for.

        ``ipConfigs`` since api version 2022-08-01; ``isSeletedForFailover`` is the service's own spelling. Source:
        IPConfigInputDetails of the SDK.
        """
        config = {
            "ipConfigName": next(
                (known.get("name") for known in nic.get("ipConfigs") or () if known.get("name")), None
            ),
            "isPrimary": True,
            "isSeletedForFailover": True,
            "recoverySubnetName": target.subnet or self.zone.subnet,
            "recoveryStaticIPAddress": target.private_ip if number == 0 else None,
        }
        return {"nicId": nic["nicId"], "ipConfigs": [base.filled(config)], "selectionType": "SelectedByUser"}

    def discover(self, machine: Machine) -> Call:
        """Return the request that adds a physical server to the configuration server's list.

        Raises SetupError when the machine has no address.
        """
        if not machine.addresses:
            raise SetupError(
                f"{machine.name} has no address to be discovered by", remedy="Give asr_addresses, private one first."
            )
        os_type = "Windows" if machine.os is Os.WINDOWS else "Linux"
        body = {"friendlyName": machine.name, "ipAddress": machine.addresses[0], "osType": os_type}
        return Call("discover", machine.name, {"properties": body})

    def act(self, verb: Verb, machine: Machine, item: Json) -> Call:
        """Return the request of an item's action."""
        return action(
            verb,
            item,
            test_network_id=self.zone.network_id(machine.target.test_network or self.zone.test_network),
            test_details={"instanceType": INSTANCE_TYPE},
            failover_details={"instanceType": INSTANCE_TYPE},
            disable_details={"instanceType": INSTANCE_TYPE},
        )
