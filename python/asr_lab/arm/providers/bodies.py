"""Bodies of requests about one protected item."""

from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.wire import Request, bad_request


def given_for(request: Request, item: ProtectedItem, verb: str, model: str) -> dict[str, Any]:
    """Return ``properties`` of a body that fits the SDK's model and the item's provider.

    Raises ArmError 400. Details without an ``instanceType`` pass: old clients leave them out (specification: optional).
    """
    given: dict[str, Any] = checked(request, model)["properties"]
    kind = (given.get("providerSpecificDetails") or {}).get("instanceType")
    if kind is not None and not provider_named(item.provider).takes(item, verb, kind):
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{kind}', which does not fit {verb} of '{item.name}', "
            f"protected with {item.provider}.",
        )
    return given
