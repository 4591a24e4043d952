"""Whole migrations that the lab has recorded itself are answered the same when they are replayed, also when mutated."""

import json
import random
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


BACK = {"InMageRcm": "/reProtect", "HyperVReplicaAzure": "/plannedFailover"}


@cache
def recorded(provider, **settings):
    return MIGRATIONS[provider](**settings)


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
    session = MUTATIONS[mutation](recorded(provider))
    assert deviations(session) == []


@pytest.mark.parametrize("begins", ["the whole", "from the way back on"])
@pytest.mark.parametrize("provider", BACK)
def test_a_migration_and_its_way_back_are_answered_as_recorded(provider, begins):
    session = recorded(provider, back=True)
    if begins != "the whole":
        session = beginning_with("POST", BACK[provider])(session)
    assert deviations(session) == []


@pytest.mark.parametrize("provider", ["InMageAzureV2", "HyperVReplicaAzure"])
def test_a_migration_of_2017_is_answered_as_recorded_also_when_its_api_version_was_rewritten(provider):
    session = recorded(provider, api_version="2016-08-10")
    assert deviations(session) == []
    rewritten = json.loads(json.dumps(session).replace("api-version=2016-08-10", "api-version=2024-04-01"))
    assert deviations(rewritten) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("provider", MIGRATIONS)
def test_a_torn_session_is_compared_to_its_end(provider, seed):
    made = random.Random(seed)
    session = recorded(provider)
    torn = {**session, "exchanges": [row for row in session["exchanges"] if made.random() > 0.4]}
    report = Replay(recording.parse(Path("session.json"), torn)).run()
    assert len(report.results) == len(torn["exchanges"])
    assert not any("could not be compared" in str(one) for result in report.results for one in result.deviations)
