"""What a recorded session takes for granted around the vault: subscriptions, groups, networks, accounts, machines.

Other Azure services are not what is replayed. Their resources are made whole and healthy from nothing but their ids.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from asr_lab.arm.providers.azure_fabric import canonical, region
from asr_lab.arm.resources.compute import VmDisk, VmNic, create_vm
from asr_lab.arm.resources.network import add_virtual_network
from asr_lab.arm.resources.off_azure import add_run_as_account, add_site
from asr_lab.arm.resources.resource_groups import add_resource_group
from asr_lab.arm.resources.storage import add_storage_account
from asr_lab.arm.resources.subscriptions import LOCATIONS, add_subscription
from asr_lab.arm.wire import last_segment
from asr_lab.contract import paths
from asr_lab.contract.facts import Body, Facts, properties, rows_of
from asr_lab.contract.recording import Exchange, walk
from asr_lab.contract.scene import Scene

TENANT = "11111111-1111-1111-1111-111111111111"
OWN_NETWORK = "own-network"
OWN_ACCOUNT = "ownstorage"
DEFAULT_LOCATION = "westeurope"
_GIB = 1024**3
_SUBNETS = ("targetsubnetname", "testsubnetname", "targetazuresubnetid", "recoveryvmsubnetname", "recoverysubnetname")
_SUBSCRIPTION = re.compile(r"^/subscriptions/([^/]+)(?:/resourceGroups/([^/]+))?", re.IGNORECASE)
_NETWORK = re.compile(r"^(/subscriptions/[^/]+/resourceGroups/[^/]+/.*/virtualNetworks/[^/]+)", re.IGNORECASE)
_SITE = re.compile(
    r"^(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.OffAzure/[^/]+/[^/]+)", re.IGNORECASE
)
_PLAIN = frozenset(
    {
        "availabilitysets",
        "diskencryptionsets",
        "disks",
        "networkinterfaces",
        "networksecuritygroups",
        "proximityplacementgroups",
        "publicipaddresses",
    }
)
_MADE_ELSEWHERE = frozenset({"virtualmachines", "disks", "networkinterfaces", "networksecuritygroups"})
"""What a failover makes too: only what is replicated is there from the beginning."""
_MADE_BY_SITE_RECOVERY = frozenset({"Microsoft.RecoveryServices".casefold()})


class Surroundings:
    """Makes the Azure resources of a session; ``places`` says which region a resource is in, by its id's key."""

    def __init__(self, facts: Facts, scene: Scene) -> None:
        self.facts = facts
        self.scene = scene
        self.location = lab_location(_first(facts, "location") or DEFAULT_LOCATION)
        self.places: dict[str, str] = {}
        self._fabrics: dict[str, str] = {}

    def make(self) -> None:
        """Put everything that the session names, and does not make itself, into the world."""
        self._groups()
        self._regions()
        network_ids = {match[1] for text in self.facts.ids.values() if (match := _NETWORK.match(text))}
        for network in sorted(network_ids):
            self.network(network)
        for resource_id in list(self.facts.ids.values()):
            if self._given(resource_id) and paths.collection_of(resource_id).casefold() not in _MADE_ELSEWHERE:
                self.ensure(resource_id)
        for machine, disks in self._machines().items():
            self.machine(machine, disks)

    def ensure(self, resource_id: str) -> None:
        """Put one resource into the world unless it is there."""
        resources = self.scene.world.resources
        collection = paths.collection_of(resource_id).casefold()
        if resource_id in resources:
            return
        if collection == "storageaccounts":
            self.account(resource_id)
        elif collection == "virtualnetworks":
            self.network(resource_id)
        elif collection in ("vmwaresites", "serversites"):
            self.site(resource_id)
        elif collection == "runasaccounts":
            self.run_as_account(resource_id)
        elif collection == "virtualmachines":
            self.machine(resource_id, [])
        elif collection in _PLAIN:
            self.plain(resource_id)

    def group(self, subscription: str, group: str) -> None:
        """Put a subscription and a group into the world unless they are there."""
        world = self.scene.world
        if f"/subscriptions/{subscription}" not in world.resources:
            add_subscription(world, subscription, tenant_id=TENANT)
        if group and f"/subscriptions/{subscription}/resourceGroups/{group}" not in world.resources:
            add_resource_group(world, subscription, group, location=self.location)

    def network(self, resource_id: str) -> None:
        """Put a virtual network with every subnet the session names into the world."""
        subscription, group = _scope(resource_id)
        self.group(subscription, group)
        subnets = self._subnets(resource_id)
        add_virtual_network(
            self.scene.world,
            subscription,
            group,
            last_segment(resource_id),
            location=self.place(resource_id),
            address_prefixes=["10.0.0.0/8"],
            subnets={name: f"10.{number}.0.0/16" for number, name in enumerate(subnets, start=1)},
        )

    def account(self, resource_id: str) -> None:
        """Put a storage account into the world."""
        subscription, group = _scope(resource_id)
        self.group(subscription, group)
        add_storage_account(
            self.scene.world,
            subscription,
            group,
            last_segment(resource_id),
            location=self.place(resource_id),
            now=self.scene.now,
        )

    def site(self, resource_id: str) -> str:
        """Put a discovery site into the world unless it is there, and return its id."""
        subscription, group = _scope(resource_id)
        self.group(subscription, group)
        if resource_id not in self.scene.world.resources:
            kind = paths.collection_of(resource_id).casefold()
            add_site(
                self.scene.world,
                subscription_id=subscription,
                resource_group=group,
                name=last_segment(resource_id),
                location=self.location,
                now=self.scene.now,
                kind="ServerSites" if kind == "serversites" else "VMwareSites",
            )
        return resource_id

    def run_as_account(self, resource_id: str) -> None:
        """Put an account of a discovery site into the world, as recorded where it was."""
        match = _SITE.match(resource_id)
        told = self.facts.told(resource_id).get("properties") or {}
        if match:
            add_run_as_account(
                self.scene.world,
                self.site(match[1]),
                last_segment(resource_id),
                display_name=str(told.get("displayName") or "admin"),
                credential_type=str(told.get("credentialType") or "WindowsGuest"),
                now=self.scene.now,
            )

    def plain(self, resource_id: str) -> None:
        """Put a resource into the world of which nobody asks more than whether it is there."""
        subscription, group = _scope(resource_id)
        self.group(subscription, group)
        segments = resource_id.split("/")
        self.scene.world.resources.put(
            resource_id,
            {
                "id": resource_id,
                "name": segments[-1],
                "type": f"{segments[-3]}/{segments[-2]}",
                "location": self.place(resource_id),
                "properties": {"provisioningState": "Succeeded"},
            },
        )

    def machine(self, resource_id: str, disks: list[str]) -> None:
        """Put a virtual machine with its disks (ids) into the world unless it is there."""
        if resource_id in self.scene.world.resources:
            return
        subscription, group = _scope(resource_id)
        self.group(subscription, group)
        base = f"/subscriptions/{subscription}/resourceGroups/{group}"
        place = self.place(resource_id)
        network = self._source_network(base, place)
        self.places.setdefault(paths.key(network), place)
        if network not in self.scene.world.resources:
            self.network(network)
        create_vm(
            self.scene.world,
            self.scene.now,
            resource_group=base,
            name=last_segment(resource_id),
            size="Standard_D2s_v5",
            location=place,
            nics=[VmNic(f"{network}/subnets/{self._subnets(network)[0]}", security_group_id=self._security_group())],
            disks=[VmDisk(last_segment(disk), 32 * _GIB, boot=number == 0) for number, disk in enumerate(disks)]
            or [VmDisk(f"{last_segment(resource_id)}_OsDisk", 32 * _GIB, boot=True)],
            tags=self._tags(resource_id),
        )

    def _source_network(self, group_id: str, place: str) -> str:
        """Return the network of a replicated machine: that which is mapped from its region, else one of its own."""
        for text in self.facts.said.get("primarynetworkid", {}):
            if _NETWORK.match(text) and self.place(text) == place:
                return text
        return f"{group_id}/providers/Microsoft.Network/virtualNetworks/{OWN_NETWORK}-{place}"

    def remove(self, resource_id: str) -> None:
        """Take a resource away, as another service did."""
        self.scene.world.resources.delete_tree(resource_id)

    def place(self, resource_id: str) -> str:
        """Return the region of a resource."""
        return self.places.get(paths.key(resource_id), self.location)

    def fabric_region(self, fabric_id: str) -> str:
        """Return the region of an Azure fabric: the recorded one, else one of its own."""
        found = self._fabrics.get(paths.key(fabric_id))
        if found is None:
            free = [name for name in LOCATIONS if name not in self._fabrics.values()]
            found = self._fabrics[paths.key(fabric_id)] = free[0] if free else self.location
        return found

    def _security_group(self) -> str | None:
        """Return a network security group that the session tells of machines, None when it tells of none."""
        return next((text for text in self.facts.said.get("recoverynetworksecuritygroupid", {}) if text), None)

    def _tags(self, machine_id: str) -> dict[str, str]:
        """Return the tags that a protected item tells of its machine."""
        wanted = paths.key(machine_id)
        for exchange in self.facts.session.exchanges:
            for _place, _key, held in walk(exchange.answer):
                if isinstance(held, Mapping) and paths.key(str(held.get("fabricObjectId") or "")) == wanted:
                    synced = held.get("vmSyncedConfigDetails")
                    tags = synced.get("tags") if isinstance(synced, Mapping) else None
                    if isinstance(tags, Mapping) and tags:
                        return {str(name): str(text) for name, text in tags.items()}
        return {}

    def _given(self, resource_id: str) -> bool:
        """Return whether a resource of another service is there before the session."""
        if paths.provider_of(resource_id).casefold() in _MADE_BY_SITE_RECOVERY:
            return False
        signs = self.facts.signs.get(paths.key(resource_id))
        return signs is None or signs.made is None or (signs.first_sign is not None and signs.first_sign < signs.made)

    def _groups(self) -> None:
        for exchange in self.facts.session.exchanges:
            if match := _SUBSCRIPTION.match(exchange.path):
                self.group(match[1], match[2] or "")
        for resource_id in self.facts.ids.values():
            if match := _SUBSCRIPTION.match(resource_id):
                self.group(match[1], match[2] or "")
        for texts in self.facts.said.values():
            for text in texts:
                if (match := _SUBSCRIPTION.match(text)) and text.count("/") == 4:
                    self.group(match[1], match[2] or "")
        for subscription, group in sorted(self._vault_groups()):
            base = f"/subscriptions/{subscription}/resourceGroups/{group}/providers"
            self.network(f"{base}/Microsoft.Network/virtualNetworks/{OWN_NETWORK}")
            self.account(f"{base}/Microsoft.Storage/storageAccounts/{OWN_ACCOUNT}")

    def _vault_groups(self) -> set[tuple[str, str]]:
        found = {paths.vault_of(exchange.path) for exchange in self.facts.session.exchanges}
        return {_scope(vault) for vault in found if vault}

    def _subnets(self, network_id: str) -> list[str]:
        found = {"default": None}
        for key in _SUBNETS:
            for text in self.facts.said.get(key, {}):
                if text and "/" not in text:
                    found.setdefault(text)
        start = paths.key(network_id) + "/subnets/"
        for key, text in self.facts.ids.items():
            if key.startswith(start):
                found.setdefault(text.rpartition("/")[2])
        return list(found)

    def _regions(self) -> None:
        """Find out which region each resource of a replication between regions is in."""
        for fabric, location in _fabric_locations(self.facts):
            self._fabrics.setdefault(paths.key(fabric), location)
        for exchange in self.facts.session.exchanges:
            fabric_name = exchange.name("replicationFabrics")
            if not fabric_name:
                continue
            fabric = f"{paths.vault_of(exchange.path)}/replicationFabrics/{fabric_name}"
            if exchange.path.casefold().endswith("/switchprotection"):
                fabric = self._moved_to(exchange, fabric)
            for body in (exchange.body, exchange.answer):
                if _speaks_of_regions(body):
                    self._place_all(body, fabric)

    def _moved_to(self, exchange: Exchange, fabric: str) -> str:
        """Return the fabric that an item stands in when its protection was switched: the other of its two."""
        name = str(properties(exchange.body).get("replicationProtectedItemName") or "")
        ending = f"/replicationprotecteditems/{name}".casefold()
        for key, resource_id in self.facts.ids.items():
            if key.endswith(ending) and not paths.same_start(resource_id, fabric):
                return "/".join(resource_id.split("/")[:11])
        others = [one.id for one in self.facts.signs.values() if paths.collection_of(one.id) == "replicationFabrics"]
        return next((one for one in others if paths.key(one) != paths.key(fabric)), fabric)

    def _place_all(self, body: Any, fabric: str) -> None:
        other = next((text for text in _values(body, "recoveryContainerId", "recoveryFabricId") if text), "")
        target = "/".join(other.split("/")[:11]) if "/replicationFabrics/" in other else ""
        for _place, key, text in walk(body):
            if isinstance(text, str) and paths.RESOURCE_ID.match(text):
                to = target if key.casefold().startswith("recovery") else fabric
                if to:
                    self.places.setdefault(paths.key(text), self.fabric_region(to))

    def _machines(self) -> dict[str, list[str]]:
        """Return the Azure machines that are replicated, with the ids of their disks.

        What an item of the session itself reads back may name a machine that a failover has made; it is not there yet.
        """
        found: dict[str, list[str]] = {}
        for exchange in self.facts.session.exchanges:
            rows = [body for body, _full in rows_of(exchange) if self.facts.made_at(str(body["id"])) is None]
            for body in (exchange.body, *rows):
                for _place, _key, held in walk(body):
                    if isinstance(held, Mapping) and "/virtualmachines/" in str(held.get("fabricObjectId")).casefold():
                        disks = found.setdefault(str(held["fabricObjectId"]), [])
                        disks += [text for text in _disk_ids(held) if text not in disks]
        return found


def _disk_ids(details: Body) -> Iterator[str]:
    for name in ("vmManagedDisks", "protectedManagedDisks"):
        for row in details.get(name) or ():
            if isinstance(row, Mapping) and isinstance(row.get("diskId"), str):
                yield row["diskId"]


def _values(body: Any, *names: str) -> list[str]:
    return [text for _place, key, text in walk(body) if key in names and isinstance(text, str)]


def _speaks_of_regions(body: Any) -> bool:
    return any(key == "instanceType" and held in ("A2A", "AzureToAzure") for _place, key, held in walk(body))


def _fabric_locations(facts: Facts) -> Iterator[tuple[str, str]]:
    for signs in facts.signs.values():
        if paths.collection_of(signs.id).casefold() != "replicationfabrics":
            continue
        bodies = [exchange.body for exchange in signs.verbs if exchange.method == "PUT"]
        for body in [*bodies, facts.told(signs.id)]:
            for text in _values(body, "location"):
                if known := region(text):
                    yield signs.id, canonical(text) if known else text


def _first(facts: Facts, name: str) -> str:
    return next(iter(facts.said.get(name, {})), "")


def lab_location(location: str) -> str:
    """Return the region of the lab in place of a recorded one: itself where the lab has it, else always the same."""
    name = canonical(location)
    return name if name in LOCATIONS else DEFAULT_LOCATION


def _scope(resource_id: str) -> tuple[str, str]:
    """Return subscription and group of an id."""
    match = _SUBSCRIPTION.match(resource_id)
    return (match[1], match[2] or "") if match else ("", "")
