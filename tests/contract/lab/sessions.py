"""The recorded sessions the lab answers, the state each assumes, and those it does not answer yet."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .recordings import Exchange
from .scenery import LOCATION, Scenery

RCM_2021 = "2021-06-01"
CLASSIC_2017 = "2016-08-10"
NEXT_RELEASE = "next release"


def _in_our_region(body: Any, _scenery: Scenery) -> Any:
    """Put a region of the lab where a body names one."""
    return {**body, "location": LOCATION} if isinstance(body, dict) and "location" in body else body


def _unchanged(body: Any, _scenery: Scenery) -> Any:
    return body


@dataclass(frozen=True)
class Session:
    """How one file is replayed.

    ``true_version``: the api-version the service had, where the public repository rewrote it. ``skipped``: exchanges,
    by index, that are not covered, with the reason. ``only``: instanceType of the list elements that are covered.
    """

    seed: Callable[[Scenery], None]
    true_version: str | None = None
    skipped: Mapping[int, str] = field(default_factory=dict)
    adapt: Callable[[Any, Scenery], Any] = _unchanged
    only: str | None = None

    def covers(self, exchange: Exchange) -> bool:
        return exchange.index not in self.skipped

    def covered(self, answer: Any) -> Any:
        """Return the recorded body without the list elements of providers the lab does not have."""
        if self.only is None or not isinstance(answer, dict) or "value" not in answer:
            return answer
        kept = [row for row in answer["value"] if self._type(row) in ("", self.only)]
        return {**answer, "value": kept}

    @staticmethod
    def _type(row: Any) -> str:
        properties = row["properties"]
        details = properties.get("providerSpecificDetails") or properties.get("customDetails") or {}
        return str(details.get("instanceType", ""))


def _item_session(state: str, *, cut_off: bool = False) -> Callable[[Scenery], None]:
    def seed(scenery: Scenery) -> None:
        scenery.make_vault()
        fabric = scenery.fabric()
        (name,) = scenery.named("replicationProtectedItems")
        scenery.item(fabric, name, state, cut_off=cut_off)

    return seed


def _rcm_fabric(scenery: Scenery) -> None:
    scenery.make_vault()
    scenery.fabric()


def _rcm_policy(scenery: Scenery) -> None:
    _rcm_fabric(scenery)
    for name in scenery.named("replicationPolicies"):
        scenery.policy(name, "InMageRcm")


def _four_items(scenery: Scenery) -> None:
    scenery.make_vault()
    fabric = scenery.fabric()
    for name in scenery.named("replicationPolicies"):
        scenery.policy(name, "InMageRcm")
    scenery.item(fabric, "one", "failed over")
    scenery.item(fabric, "two", "protected", cut_off=True)
    scenery.item(fabric, "three", "tested")
    scenery.item(fabric, "four", "enabling failed", refuse=True)


def _rcm_enable(scenery: Scenery) -> None:
    scenery.make_vault()
    fabric = scenery.fabric()
    (policy,) = scenery.named("replicationPolicies")
    scenery.pair(scenery.container(fabric), scenery.policy(policy, "InMageRcm"), "mapping")
    (machine,) = scenery.named("machines")
    scenery.machine(machine)
    provider = f"{fabric.id}/replicationRecoveryServicesProviders/{fabric.servers[0].server_id}"
    scenery.do("POST", f"{provider}/refreshProvider")


def _classic_enable(scenery: Scenery) -> None:
    scenery.make_vault()
    container = scenery.container(scenery.fabric())
    (policy,) = scenery.named("replicationPolicies")
    scenery.pair(container, scenery.policy(policy, "InMageAzureV2"), "mapping")
    (name,) = scenery.named("replicationProtectableItems")
    scenery.protectable(container, name)


def _classic_vault(scenery: Scenery) -> None:
    scenery.make_vault()
    container = scenery.container(scenery.fabric())
    for name in scenery.named("replicationPolicies"):
        back = name.endswith("-failback")
        policy = scenery.policy(name, "InMage" if back else "InMageAzureV2")
        target = container.id if back else "Microsoft Azure"
        scenery.pair(container, policy, f"mapping-of-{name}", target=target)


def _classic_mapping(scenery: Scenery) -> None:
    scenery.make_vault()
    scenery.fabric()
    for name in scenery.named("replicationPolicies"):
        scenery.policy(name, "InMageAzureV2")


def _many_machines(scenery: Scenery) -> None:
    scenery.make_vault()
    container = scenery.container(scenery.fabric())
    for name in scenery.named("replicationProtectableItems"):
        scenery.protectable(container, name)
    for number in range(150):
        scenery.protectable(container, known=number % 2 == 0 and number < 99)


def _known_address(scenery: Scenery) -> None:
    scenery.make_vault()
    (address,) = scenery.said("ipAddress")
    scenery.protectable(scenery.container(scenery.fabric()), address=address)


def _silent_with_address(scenery: Scenery) -> None:
    _item_session("protected", cut_off=True)(scenery)
    (name,) = scenery.named("replicationProtectedItems")
    item = scenery.held_item(name)
    item.nics[0].target_address = "10.1.0.9"


def _recovery_point(scenery: Scenery) -> None:
    _item_session("protected")(scenery)
    (name,) = scenery.named("replicationProtectedItems")
    (point,) = scenery.named("recoveryPoints")
    scenery.point(name, point)


def _provider(scenery: Scenery) -> None:
    scenery.make_vault()
    fabric = scenery.fabric()
    (fabric.internal_id,) = scenery.named("replicationRecoveryServicesProviders")


def _nothing(_scenery: Scenery) -> None:
    """The session begins in a subscription without a vault."""


def _vault_only(scenery: Scenery) -> None:
    scenery.make_vault()


def _with_certificate(body: Any, scenery: Scenery) -> Any:
    """Put a fresh certificate where the recording's was redacted, and a region of the lab where one is named."""
    if not isinstance(body, dict) or "certificate" not in body.get("properties", {}):
        return _in_our_region(body, scenery)
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Windows Azure Tools")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(scenery.now - timedelta(minutes=10))
        .not_valid_after(scenery.now + timedelta(hours=48))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate = base64.b64encode(built.public_bytes(Encoding.DER)).decode()
    return {"properties": {**body["properties"], "certificate": certificate}}


_ALERTS = dict.fromkeys(range(17, 22), f"alert settings: {NEXT_RELEASE}")

SESSIONS: dict[str, Session] = {
    "01": Session(_rcm_fabric, RCM_2021),
    "02": Session(_rcm_policy, RCM_2021),
    "03": Session(_four_items, RCM_2021),
    "04": Session(_rcm_enable, RCM_2021),
    "05": Session(_item_session("protected"), RCM_2021),
    "06": Session(_item_session("testing"), RCM_2021),
    "07": Session(_item_session("tested"), RCM_2021),
    "08": Session(_item_session("tested and failed over"), RCM_2021),
    "09": Session(_item_session("failed over"), RCM_2021),
    "10": Session(_item_session("protected"), RCM_2021),
    "11": Session(_vault_only),
    "13": Session(_classic_enable),
    "14": Session(_classic_vault, only="VMware"),
    "15": Session(_vault_only),
    "16": Session(_classic_mapping),
    "17": Session(_many_machines),
    "18": Session(_classic_enable),
    "19": Session(_known_address),
    "20": Session(_item_session("protected"), only="InMageAzureV2"),
    "21": Session(_item_session("protected")),
    "22": Session(_item_session("failed over")),
    "23": Session(_silent_with_address),
    "24": Session(_recovery_point, CLASSIC_2017),
    "25": Session(_item_session("protected", cut_off=True)),
    "26": Session(_provider),
    "35": Session(_nothing, adapt=_in_our_region),
    "36": Session(_nothing, adapt=_with_certificate),
    "37": Session(_vault_only),
    "40": Session(_vault_only),
    "38": Session(_vault_only, skipped=_ALERTS),
}

NOT_COVERED: dict[str, str] = {
    "12": f"recovery plans: {NEXT_RELEASE}",
    "27": f"Hyper-V to Azure: {NEXT_RELEASE}",
    "28": f"Hyper-V to Azure: {NEXT_RELEASE}",
    "29": f"Hyper-V to Azure: {NEXT_RELEASE}",
    "30": f"Hyper-V to Azure: {NEXT_RELEASE}",
    "31": f"recovery plans: {NEXT_RELEASE}",
    "32": f"Hyper-V sites: {NEXT_RELEASE}",
    "33": f"Azure to Azure: {NEXT_RELEASE}",
    "34": f"Azure to Azure: {NEXT_RELEASE}",
    "39": f"events: {NEXT_RELEASE}",
}
