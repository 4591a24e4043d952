"""Puts into a vault what a recorded session takes for granted of it: fabrics, containers, policies, mappings, items."""

from collections.abc import Callable, Mapping
from datetime import datetime

from asr_lab.arm.providers.model import Container, Fabric, Policy, ProtectableItem, ProtectedItem
from asr_lab.arm.wire import capital, last_segment
from asr_lab.contract import lift, paths
from asr_lab.contract.azure import Surroundings, lab_location
from asr_lab.contract.facts import Body, Facts, properties
from asr_lab.contract.guess import PROVIDER_OF_KIND, fabric_kind_of, item_as_begun
from asr_lab.contract.machines import put_machine
from asr_lab.contract.paging import listed, long_lists
from asr_lab.contract.pairing import Pairing, ParentMissing, held, part
from asr_lab.contract.scene import Scene

PROBLEMS = (LookupError, TypeError, ValueError, AttributeError, NotImplementedError)
"""What a lift may raise over a recording nobody foresaw; it becomes a note, and the reads of the object deviate."""


class Seeding:
    """Seeds one scene from the facts of its session; ``notes`` says what could not be put into the world, and why."""

    def __init__(
        self, facts: Facts, scene: Scene, surroundings: Surroundings, *, api_version: str, begins: datetime
    ) -> None:
        lift.load()
        self.facts = facts
        self.begins = begins
        self.scene = scene
        self.surroundings = surroundings
        self.api_version = api_version
        self.notes: list[str] = []
        self._waiting: list[tuple[str, Callable[..., object], tuple[object, ...], str]] = []
        self.told = facts.all_told()
        self.said = facts.texts()
        self.pairing = Pairing(facts, scene)

    def run(self) -> None:
        """Put everything into the world that was there before the session."""
        for vault in self._vaults():
            self.attempt(vault, self.vault, vault)
        self.everything("replicationFabrics", self.fabric)
        self.everything("replicationProtectionContainers", self.container)
        for fabric in self._fabrics():
            self.attempt(fabric.id, self._own_container, fabric)
        self._other_region()
        for policy_id in self.pairing.policy_ids():
            self.attempt(policy_id, self.pairing.policy, policy_id)
        self.everything("replicationProtectionContainerMappings", self.pairing.mapping)
        for container_id, policy_id in self.pairing.needed():
            self.attempt(container_id, self.pairing.pair_when_needed, container_id, policy_id)
        for machine_id in self._machine_ids():
            self.attempt(machine_id, put_machine, machine_id, self.context(machine_id))
        self._protectables()
        items = [signs.id for signs in self.facts.before("replicationProtectedItems")]
        young = [one for one in items if self._is_young(one)]
        for item_id in items:
            if item_id not in young:
                self.attempt(item_id, self.item, item_id)
        for collection in lift.OTHERS:
            self.everything(collection, self.other)
        self.scene.now = max(self.scene.now, self.begins)
        self.scene.world.advance(self.scene.now)
        for item_id in young:
            self.attempt(item_id, self.item, item_id)

    def other(self, resource_id: str) -> None:
        """Lift a resource of one of the other collections."""
        collection = paths.collection_of(resource_id).casefold()
        lifted = next(function for name, function in lift.OTHERS.items() if name.casefold() == collection)
        lifted(self._body(resource_id), self.context(resource_id))

    def everything(self, collection: str, put: Callable[[str], object]) -> None:
        """Seed every resource of a collection that was there before the session."""
        for signs in self.facts.before(collection):
            if signs.id not in self.scene.world.resources:
                self.attempt(signs.id, put, signs.id)

    def attempt(self, resource_id: str, put: Callable[..., object], *given: object) -> None:
        """Put something into the world; what cannot be is noted, or waits for what it lies in."""
        try:
            put(*given)
        except ParentMissing as missing:
            self._waiting.append((resource_id, put, given, str(missing)))
        except PROBLEMS as problem:
            self.notes.append(_note(resource_id, repr(problem)))

    def seed_late(self, position: int) -> None:
        """Put what the session meets now into the world when only what it lies in was missing in the beginning."""
        waiting, self._waiting = self._waiting, []
        for row in waiting:
            signs = self.facts.signs.get(paths.key(row[0]))
            if signs is not None and signs.first_sign is not None and signs.first_sign <= position:
                self.attempt(row[0], row[1], *row[2])
            else:
                self._waiting.append(row)

    @property
    def all_notes(self) -> list[str]:
        """What could not be put into the lab, and why."""
        return [*self.notes, *(_note(resource_id, why) for resource_id, _put, _given, why in self._waiting)]

    # The vault

    def _vaults(self) -> list[str]:
        found = [signs.id for signs in self.facts.before("vaults")]
        known = {paths.key(one) for one in found}
        for exchange in self.facts.session.exchanges:
            vault = paths.vault_of(exchange.path)
            if vault and paths.key(vault) not in known and self.facts.made_at(vault) is None:
                known.add(paths.key(vault))
                if exchange.status != 404 or exchange.path != vault:
                    found.append(vault)
        return found

    def vault(self, vault_id: str) -> None:
        """Make a vault as recorded: its region, its sku, its integrity key."""
        told = self.facts.told(vault_id)
        location = lab_location(str(told.get("location") or self.surroundings.location))
        self.surroundings.group(*vault_id.split("/")[2:5:2])
        body = {"location": location, "sku": told.get("sku") or {"name": "Standard"}, "properties": {}}
        body |= {name: told[name] for name in ("tags", "identity") if told.get(name)}
        made = self.scene.ask("PUT", vault_id, body, api_version="2023-02-01")
        if made.status not in (200, 201):
            raise LookupError(f"PUT {vault_id} was answered {made.status}: {made.body}")
        self.scene.advance(120)
        key = properties(self._extended_info(vault_id)).get("integrityKey")
        if key:
            body = {"properties": {"integrityKey": key, "algorithm": "None"}}
            self.scene.ask("PUT", f"{vault_id}/extendedInformation/vaultExtendedInfo", body, api_version="2023-02-01")

    def _extended_info(self, vault_id: str) -> Body:
        wanted = paths.key(f"{vault_id}/extendedInformation/vaultExtendedInfo")
        for exchange in self.facts.session.exchanges:
            if exchange.method == "GET" and exchange.status == 200 and paths.key(exchange.path) == wanted:
                return exchange.answer if isinstance(exchange.answer, Mapping) else {}
        return {}

    # Fabrics and containers

    def context(self, resource_id: str) -> lift.Context:
        """Return the context of an object with this id."""
        vault = capital(paths.vault_of(self.scene.world.resources.id_of(paths.vault_of(resource_id)) or resource_id))
        return lift.Context(
            scene=self.scene,
            vault_id=vault,
            api_version=self.api_version,
            location=self.surroundings.location,
            told=self.told,
            said=self.said,
            ids=tuple(self.facts.ids.values()),
            fabric=held(self.scene, part(resource_id, "replicationFabrics"), Fabric),
            container=held(self.scene, part(resource_id, "replicationProtectionContainers"), Container),
        )

    def fabric(self, fabric_id: str, kind: str = "") -> None:
        """Lift a fabric by its kind; one that nothing tells of is of the kind that its verbs and items have."""
        body = self._body(fabric_id)
        kind = kind or fabric_kind_of(self.facts, fabric_id, body)
        body = _with_type(body, "customDetails", kind)
        if kind not in lift.FABRICS:
            raise LookupError(f"the lab has no fabrics of kind {kind}")
        context = self.context(fabric_id)
        context.location = self.surroundings.fabric_region(fabric_id) if kind == "Azure" else context.location
        made = lift.FABRICS[kind](body, context)
        self.scene.world.resources.put(made.id, made)

    def container(self, container_id: str) -> None:
        """Put a container into its fabric."""
        fabric = held(self.scene, part(container_id, "replicationFabrics"), Fabric)
        if fabric is None:
            raise ParentMissing("its fabric is not there")
        self._put_container(fabric, container_id, self._body(container_id))

    def _put_container(self, fabric: Fabric, container_id: str, body: Body) -> None:
        name = last_segment(container_id)
        text = str(properties(body).get("friendlyName") or fabric.friendly_name)
        made_id = f"{fabric.id}/replicationProtectionContainers/{name}"
        lifted = lift.CONTAINERS.get(fabric.kind)
        if lifted is not None:
            made = lifted(body, self.context(container_id))
        else:
            made = Container(made_id, name, text, fabric.id)
        self.scene.world.resources.put(made_id, made)

    def _own_container(self, fabric: Fabric) -> None:
        """Give a fabric that registers itself the container it always has."""
        if fabric.kind != "Azure" and not self.scene.world.resources.children(
            fabric.id, "replicationProtectionContainers"
        ):
            name = f"cloud_{fabric.internal_id}"
            self._put_container(fabric, f"{fabric.id}/replicationProtectionContainers/{name}", {})

    def _other_region(self) -> None:
        """Give machines of Azure a region to be replicated to where the session names only theirs."""
        regions = [fabric for fabric in self._fabrics() if fabric.kind == "Azure"]
        if len(regions) != 1 or not self.facts.before("replicationProtectedItems"):
            return
        fabric_id = f"{regions[0].vault_id}/replicationFabrics/other-region"
        self.attempt(fabric_id, self.fabric, fabric_id, "Azure")
        self.attempt(fabric_id, self.container, f"{fabric_id}/replicationProtectionContainers/other-region")

    def _fabrics(self) -> list[Fabric]:
        resources = self.scene.world.resources
        found = [resources.get(one) for one in resources.ids()]
        return [one for one in found if isinstance(one, Fabric)]

    # Items

    def protectable(self, item_id: str, like: Body | None = None) -> None:
        """Lift a protectable item; a stand-in is made ``like`` a recorded row."""
        context = self.context(item_id)
        if context.fabric is None or context.container is None:
            raise ParentMissing("its container is not there")
        body = {**like, "id": item_id, "name": last_segment(item_id)} if like else self._body(item_id)
        kinds = {"HyperVSite": "HyperVVirtualMachine", "VMM": "HyperVVirtualMachine"}
        kind = str(lift.details(body).get("instanceType") or kinds.get(context.fabric.kind, "VMwareVirtualMachine"))
        if kind not in lift.PROTECTABLES:
            raise LookupError(f"the lab has no protectable items of kind {kind}")
        made = lift.PROTECTABLES[kind](_with_type(body, "customDetails", kind), context)
        self.scene.world.resources.put(made.id, made)

    def _protectables(self) -> None:
        """Lift the protectable items; of a list that is longer than a page of ours only what it needs."""
        for rows in long_lists(self.facts).values():
            for row in rows:
                name = self.scene.world.guid() if row.stand_in else last_segment(str(row.body["id"]))
                item_id = f"{str(row.body['id']).rpartition('/')[0]}/{name}"
                self.attempt(item_id, self.protectable, item_id, row.body if row.stand_in else None)
        many = listed(self.facts)
        for signs in self.facts.before("replicationProtectableItems"):
            if paths.key(signs.id) not in many:
                self.attempt(signs.id, self.protectable, signs.id)

    def _is_young(self, item_id: str) -> bool:
        """Return whether an item is in initial replication, which goes on while others are lifted."""
        return str(properties(self._begun(item_id)).get("protectionState")).startswith("InitialReplication")

    def _begun(self, item_id: str) -> Body:
        return item_as_begun(self.facts, self.facts.sign(item_id), self._body(item_id))

    def item(self, item_id: str) -> ProtectedItem:
        """Lift a protected item into the state that it had when the session began."""
        context = self.context(item_id)
        container = context.container
        if context.fabric is None or container is None:
            raise ParentMissing("its container is not there")
        body = self._begun(item_id)
        kind = str(lift.details(body).get("instanceType") or PROVIDER_OF_KIND.get(context.fabric.kind, ""))
        body = _with_type(body, "providerSpecificDetails", kind)
        if kind not in lift.ITEMS:
            raise LookupError(f"the lab has no items of provider {kind}")
        wanted = str(properties(body).get("policyId") or "")
        context.policy = held(self.scene, wanted, Policy) or self.pairing.any_policy(container)
        self.pairing.pair(container, context.policy)
        made = lift.ITEMS[kind](body, context)
        self.scene.world.resources.put(made.id, made)
        protectable = held(self.scene, made.protectable_item_id or "", ProtectableItem)
        if protectable is not None:
            protectable.protected_item_id = made.id
        return made

    def _machine_ids(self) -> list[str]:
        """Return the machines that appliances had discovered before the session."""
        found = [signs.id for signs in self.facts.before("machines")]
        return [one for one in found if "/microsoft.offazure/" in one.casefold()]

    # What is told of a resource

    def _body(self, resource_id: str) -> Body:
        """Return the recorded body of a resource, with at least its id and name."""
        return {"id": resource_id, "name": last_segment(resource_id), **self.facts.told(resource_id)}


def _note(resource_id: str, why: str) -> str:
    return f"{resource_id} could not be put into the lab: {why}"


def _with_type(body: Body, name: str, kind: str) -> Body:
    held = dict(properties(body))
    inside = held.get(name)
    held[name] = {"instanceType": kind, **(inside if isinstance(inside, Mapping) else {})}
    return {**body, "properties": held}
