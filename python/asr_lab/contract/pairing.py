"""Policies of a vault, and what containers are paired with: as recorded, and as a session takes them for granted."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from asr_lab.arm.providers.model import AZURE, Container, Fabric, Policy
from asr_lab.arm.providers.model import Mapping as ContainerMapping
from asr_lab.arm.wire import capital, last_segment
from asr_lab.contract import lift, paths
from asr_lab.contract.facts import Facts, properties
from asr_lab.contract.guess import PROVIDER_OF_KIND, policy_settings
from asr_lab.contract.recording import texts
from asr_lab.contract.scene import Scene

T = TypeVar("T")
_2023_ADDED = ("status", "associatedItemsCount", "dataSourceType")
_MAPPINGS = "replicationProtectionContainerMappings"


def held(scene: Scene, resource_id: str, kind: type[T]) -> T | None:
    """Return what the world holds under an id when it is of this kind, else None."""
    found = scene.world.resources.get(resource_id) if resource_id else None
    return found if isinstance(found, kind) else None


def part(resource_id: str, collection: str) -> str:
    """Return the part of an id up to and with the name after ``collection``, or an empty string."""
    segments = resource_id.split("/")
    lower = [segment.casefold() for segment in segments]
    if collection.casefold() not in lower:
        return ""
    return "/".join(segments[: lower.index(collection.casefold()) + 2])


class ParentMissing(LookupError):
    """What an object lies in is not in the world (yet)."""


class Pairing:
    """The policies and container mappings of one session."""

    def __init__(self, facts: Facts, scene: Scene) -> None:
        self.facts = facts
        self.scene = scene

    # Policies

    def policy_ids(self) -> list[str]:
        """Return the policies that were there: those used, and those that recorded items and mappings name."""
        found = {paths.key(signs.id): signs.id for signs in self.facts.before("replicationPolicies")}
        for signs in self.facts.signs.values():
            for key, text in texts(self.facts.told(signs.id)) if self.facts.existed(signs.id) else ():
                if key == "policyId" and text and self.facts.made_at(text) is None:
                    found.setdefault(paths.key(text), text)
        return list(found.values())

    def policy(self, policy_id: str) -> None:
        """Put a policy into the vault with its recorded settings, or those any policy of its provider has."""
        told = self.facts.told(policy_id)
        settings = policy_settings(self.facts, policy_id, lift.details(told))
        kept = {key: value for key, value in settings.items() if key not in _2023_ADDED}
        name = last_segment(policy_id)
        made_id = f"{self._vault(policy_id)}/replicationPolicies/{name}"
        self._put_policy(made_id, str(told.get("name") or name), kept)

    def any_policy(self, container: Container) -> Policy:
        """Return a policy of the vault that fits the container, made when there is none."""
        fabric = held(self.scene, container.fabric_id, Fabric)
        provider = PROVIDER_OF_KIND.get(fabric.kind if fabric else "", "InMageAzureV2")
        vault = self._vault(container.id)
        for policy in self.scene.world.resources.children(vault, "replicationPolicies"):
            if isinstance(policy, Policy) and policy.provider == provider:
                return policy
        name = f"policy-of-{provider}"
        return self._put_policy(f"{vault}/replicationPolicies/{name}", name, lift.usual_policy(provider))

    def _put_policy(self, policy_id: str, name: str, settings: dict[str, Any]) -> Policy:
        made = Policy(policy_id, name, self.scene.world.guid(), settings)
        self.scene.world.resources.put(policy_id, made)
        return made

    def _vault(self, resource_id: str) -> str:
        vault = paths.vault_of(resource_id)
        return capital(self.scene.world.resources.id_of(vault) or vault)

    # Mappings

    def mapping(self, mapping_id: str) -> None:
        """Put a recorded container mapping into its container."""
        container = held(self.scene, part(mapping_id, "replicationProtectionContainers"), Container)
        if container is None:
            raise ParentMissing("its container is not there")
        told = properties(self.facts.told(mapping_id))
        wanted = str(told.get("policyId") or self._policy_of(container))
        policy = held(self.scene, wanted, Policy) or self.any_policy(container)
        target = str(told.get("targetProtectionContainerId") or self._target_of(container))
        self._put(container, last_segment(mapping_id), policy, target, told.get("providerSpecificDetails"))

    def needed(self) -> Iterator[tuple[str, str]]:
        """Yield (container, policy) that a request of the session takes to be paired: to enable, or to turn round."""
        targets = self.facts.said.get("recoverycontainerid", {})
        for exchange in self.facts.session.exchanges:
            given = properties(exchange.body)
            named = paths.named(exchange.path)
            if exchange.method == "PUT" and named.collection == "replicationProtectedItems" and given.get("policyId"):
                yield "/".join(named.resource.split("/")[:-2]), str(given["policyId"])
            inside = lift.details(exchange.body) if isinstance(exchange.body, Mapping) else {}
            if named.tail.casefold() == "switchprotection" and inside.get("policyId"):
                for container_id in (named.resource, *targets):
                    yield container_id, str(inside["policyId"])

    def pair_when_needed(self, container_id: str, policy_id: str) -> None:
        """Pair a container with a policy unless it is, or the session does so itself."""
        container, policy = held(self.scene, container_id, Container), held(self.scene, policy_id, Policy)
        if container is not None and policy is not None and not self._pairs_itself(container, policy):
            self.pair(container, policy)

    def pair(self, container: Container, policy: Policy) -> None:
        """Pair a container with a policy unless it is; the recording knows no name for such a mapping."""
        mappings = self.scene.world.resources.children(container.id, _MAPPINGS)
        ids = [paths.key(one.policy_id) for one in mappings if isinstance(one, ContainerMapping)]
        if paths.key(policy.id) not in ids:
            details = {"instanceType": "InMageRcm"} if policy.provider == "InMageRcm" else None
            self._put(container, f"mapping-of-{policy.name}", policy, self._target_of(container), details)

    def forget_own(self) -> None:
        """Take away the mappings that the recording does not know: they stood in for what it did not tell."""
        resources = self.scene.world.resources
        for mapping_id in list(resources.ids()):
            if isinstance(resources.get(mapping_id), ContainerMapping) and paths.key(mapping_id) not in self.facts.ids:
                resources.delete(mapping_id)

    def _put(self, container: Container, name: str, policy: Policy, target: str, details: Any) -> None:
        made_id = f"{container.id}/{_MAPPINGS}/{name}"
        kept = dict(details) if isinstance(details, Mapping) else None
        self.scene.world.resources.put(made_id, ContainerMapping(made_id, name, container.id, policy.id, target, kept))

    def _pairs_itself(self, container: Container, policy: Policy) -> bool:
        """Return whether the session pairs the container with the policy by a request of its own."""
        for exchange in self.facts.session.exchanges:
            if exchange.method == "PUT" and exchange.name(_MAPPINGS) and paths.same_start(exchange.path, container.id):
                said = str(properties(exchange.body).get("policyId") or "")
                if paths.key(said) == paths.key(policy.id):
                    return True
        return False

    def _policy_of(self, container: Container) -> str:
        """Return the policy that a recorded item of the container names, or an empty string."""
        for signs in self.facts.before("replicationProtectedItems"):
            told = properties(self.facts.told(signs.id)).get("policyId")
            if told and paths.same_start(signs.id, container.id):
                return str(told)
        return ""

    def _target_of(self, container: Container) -> str:
        """Return what a container is paired with: Azure, or for A2A the container its items are replicated to."""
        if not self._in_azure(container):
            return AZURE
        resources = self.scene.world.resources
        others = [
            one
            for one in map(resources.get, resources.ids())
            if isinstance(one, Container) and one.fabric_id != container.fabric_id and self._in_azure(one)
        ]
        said = {paths.key(text) for text in self.facts.said.get("recoverycontainerid", {})}
        named = [one.id for one in others if paths.key(one.id) in said]
        return next(iter(named), next((one.id for one in others), AZURE))

    def _in_azure(self, container: Container) -> bool:
        fabric = held(self.scene, container.fabric_id, Fabric)
        return fabric is not None and fabric.kind == "Azure"
