"""Lifts machines that are replicated from one VMM cloud to another: HyperVReplica2012R2 and HyperVReplica2012."""

from typing import Any

from asr_lab.arm.providers.hyper_v_replica import ReplicaItem
from asr_lab.arm.providers.model import Container, Policy
from asr_lab.arm.wire import last_segment
from asr_lab.contract import drive, lift
from asr_lab.contract.lift import Body, Context, details, lifts_item, properties
from asr_lab.contract.lift_hyper_v import source_of, warned

_SETTINGS = {
    "recoveryPoints": 0,
    "applicationConsistentSnapshotFrequencyInHours": 0,
    "compression": "Enabled",
    "initialReplicationMethod": "OverNetwork",
    "onlineReplicationStartTime": None,
    "offlineReplicationImportPath": None,
    "offlineReplicationExportPath": None,
    "replicationPort": 8083,
    "allowedAuthenticationType": 1,
    "replicaDeletionOption": "NotRequired",
}
lift.POLICIES["HyperVReplica2012"] = {"instanceType": "HyperVReplica2012", **_SETTINGS}
lift.POLICIES["HyperVReplica2012R2"] = {
    "instanceType": "HyperVReplica2012R2",
    "replicationFrequencyInSeconds": 300,
    **_SETTINGS,
}
_THERE, _BACK = "PrimaryToRecovery", "RecoveryToPrimary"


@lifts_item("HyperVReplica2012R2", "HyperVReplica2012")
def item(body: Body, context: Context) -> ReplicaItem:
    """Return a machine that is replicated to another cloud, in the recorded state."""
    container, policy = context.container, context.policy
    if container is None or not isinstance(policy, Policy):
        raise LookupError("a protected item needs a policy and a container")
    source = source_of(body, context)
    path = f"{container.id}/replicationProtectedItems/{last_segment(str(body['id']))}"
    asked: dict[str, Any] = {"policyId": policy.id, "protectableItemId": source.id}
    context.scene.do("PUT", path, {"properties": asked})
    made = context.world.resources.get(path)
    if not isinstance(made, ReplicaItem):
        raise LookupError(f"PUT {path} made no item of a replica provider")
    target = str(properties(body).get("recoveryContainerId") or "")
    if isinstance(context.world.resources.get(target), Container):
        made.target_container_id = target
    rows = [row for row in details(body).get("vmNics") or () if isinstance(row, dict)]
    for nic, row in zip(made.nics, rows, strict=False):
        nic.nic_id = str(row.get("nicId") or nic.nic_id)
    _drive(body, context, made)
    return made


def _drive(body: Body, context: Context, made: ReplicaItem) -> None:
    """Bring an item whose enable job has ended into the state that ``body`` tells."""
    held = properties(body)
    state = str(held.get("protectionState") or "Protected")
    if state.startswith("InitialReplication"):
        drive.wait_for(context, made, state)
        return
    context.scene.advance(drive.PROTECTED_S)
    made.untested_since = made.untested_since if warned(held) else None
    tested = held.get("testFailoverState")
    if tested not in (None, "None"):
        _ask(context, made, "testFailover", failoverDirection=_THERE, networkType="NoNetworkAttachAsInput")
        if tested == "MarkedForDeletion":
            _ask(context, made, "testFailoverCleanup")
    away = held.get("activeLocation") == "Recovery"
    if "Failover" not in state and not away:
        return
    if "Failover" in state and not away:
        _ask(context, made, "unplannedFailover", failoverDirection=_THERE)
        _ask(context, made, "reProtect", failoverDirection=_BACK)
    verb = "plannedFailover" if state.startswith("Planned") else "unplannedFailover"
    _ask(context, made, verb, failoverDirection=_THERE if away else _BACK)
    if "Failover" not in state:
        _ask(context, made, "reProtect", failoverDirection=_BACK)
    elif state.endswith("FailoverStatesBegin"):
        context.scene.do("POST", f"{made.id}/failoverCommit")


def _ask(context: Context, made: ReplicaItem, verb: str, **given: str) -> None:
    context.scene.do("POST", f"{made.id}/{verb}", {"properties": given})
