"""Brings a protected item of the lab into a recorded state, by the verbs a client would use."""

from typing import Any

from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.contract.azure import OWN_NETWORK
from asr_lab.contract.lift import Body, Context, properties

PROTECTED_S = 4 * 3600.0
"""Long enough for any undisturbed initial replication of the lab."""
SILENT_S = 2 * 3600.0
_STEP_S = 30.0


def drive(body: Body, context: Context, item: ProtectedItem, *, silent: bool, address: str) -> None:
    """Bring an item whose enable job has ended into the state that ``body`` tells.

    ``silent`` cuts its source (at ``address``) off for long enough to be reported.
    """
    held = properties(body)
    state = str(held.get("protectionState") or "Protected")
    if state == "EnablingFailed":
        return
    if state.startswith("InitialReplication"):
        wait_for(context, item, state)
        return
    context.scene.advance(PROTECTED_S)
    if silent:
        context.hosts.cut_off.add(address)
        context.scene.advance(SILENT_S)
    tested = held.get("lastSuccessfulTestFailoverTime") or held.get("testFailoverState") == "MarkedForDeletion"
    testing = held.get("testFailoverState") not in (None, "None", "MarkedForDeletion")
    if tested or testing:
        test(context, item, clean_up=not testing)
    if "Failover" in state:
        fail_over(context, item, commit=not ("CommitPending" in state or "CommitRequired" in state))


def wait_for(context: Context, item: ProtectedItem, state: str) -> None:
    """Let time pass until the item is in a state of initial replication, for at most as long as that takes."""
    passed_s = 0.0
    while shown(context, item).get("protectionState") != state and passed_s < PROTECTED_S:
        context.scene.advance(_STEP_S)
        passed_s += _STEP_S


def shown(context: Context, item: ProtectedItem) -> Body:
    """Return ``properties`` of the item as the lab shows it now."""
    answer = context.scene.ask("GET", item.id, api_version=context.api_version).body
    return properties(answer) if isinstance(answer, dict) else {}


def test(context: Context, item: ProtectedItem, *, clean_up: bool) -> None:
    """Test the failover of the item, and clean up when asked."""
    given = {
        "failoverDirection": "PrimaryToRecovery",
        "networkType": "VmNetworkAsInput",
        "networkId": _network(context),
        "providerSpecificDetails": {"instanceType": item.provider},
    }
    context.scene.do("POST", f"{item.id}/testFailover", {"properties": given})
    if clean_up:
        context.scene.do("POST", f"{item.id}/testFailoverCleanup", {"properties": {}})


def fail_over(context: Context, item: ProtectedItem, *, commit: bool) -> None:
    """Fail the item over, and commit when asked."""
    specific: dict[str, Any] = {"instanceType": item.provider}
    if item.provider == "InMageRcm":
        specific["performShutdown"] = "false"
    given = {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": specific}
    context.scene.do("POST", f"{item.id}/unplannedFailover", {"properties": given})
    if commit:
        context.scene.do("POST", f"{item.id}/failoverCommit")


def _network(context: Context) -> str:
    group = "/".join(context.vault_id.split("/")[:5])
    return f"{group}/providers/Microsoft.Network/virtualNetworks/{OWN_NETWORK}".replace(
        "/Subscriptions/", "/subscriptions/", 1
    )
