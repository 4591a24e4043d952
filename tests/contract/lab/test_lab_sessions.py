"""Whole migrations that the lab has recorded itself are answered the same when they are replayed, also when mutated."""

from functools import cache
from pathlib import Path

import pytest

from asr_lab.contract import recording
from asr_lab.contract.replay import Replay

from . import migrations
from .lab_session import beginning_with, other_guids, other_names, without_first

MIGRATIONS = {
    "InMageRcm": migrations.in_mage_rcm,
    "InMageAzureV2": migrations.in_mage_azure_v2,
    "HyperVReplicaAzure": migrations.hyper_v_replica_azure,
    "A2A": migrations.azure_to_azure,
}
MUTATIONS = {
    "as recorded": lambda session: session,
    "with other GUIDs": other_guids,
    "with other names": other_names("lab-vault", "wave-policy", "wave-mapping", "migration", "target-network"),
    "without its first exchanges": without_first(6),
    "from the enable request on": beginning_with("GET", "/replicationProtectedItems"),
    "from the test failover on": beginning_with("POST", "/testFailover"),
    "from the failover on": beginning_with("POST", "/unplannedFailover"),
    "from the commit on": beginning_with("POST", "/failoverCommit"),
    "from the removal on": beginning_with("POST", "/remove"),
}


@cache
def recorded(provider):
    return MIGRATIONS[provider]()


def deviations(session):
    report = Replay(recording.parse(Path("session.json"), session)).run()
    return [
        *(f"note: {note}" for note in report.notes),
        *(
            f"[{result.exchange.index}] {result.exchange.asks}: {deviation}"
            for result in report.results
            for deviation in result.deviations
            if deviation.allowed is None
        ),
    ]


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("provider", MIGRATIONS)
def test_a_migration_recorded_from_the_lab_is_answered_as_recorded(provider, mutation):
    if provider == "A2A" and mutation == "from the test failover on":
        pytest.skip("this migration tests no failover")
    session = MUTATIONS[mutation](recorded(provider))
    assert deviations(session) == []
