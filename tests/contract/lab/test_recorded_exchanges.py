"""The lab answers recorded requests as Site Recovery did: status, headers, and the shape of the body."""

import json
from collections import defaultdict

import pytest

from asr_lab.contract import recording, report
from asr_lab.contract.exceptions import table
from asr_lab.contract.replay import Replay

from .conftest import recorded_files


def deviations(found):
    return [
        f"[{result.exchange.index}] {result.exchange.asks}: {deviation}"
        for result in found.results
        for deviation in result.deviations
        if deviation.allowed is None
    ]


def test_the_lab_answers_a_recorded_session_as_recorded(recorded_file, replayed):
    found = replayed.of(recorded_file)
    assert not deviations(found), "\n".join([*found.notes, *deviations(found)])


def test_nothing_that_a_session_takes_for_granted_is_left_out(recorded_file, replayed):
    assert replayed.of(recorded_file).notes == []


def test_every_exception_is_still_needed(wire, replayed):
    reports = [replayed.of(path) for path in recorded_files()]
    assert wire.is_dir()
    assert set(table()) - report.used_exceptions(reports) == set()


def whole_sessions(folder):
    """Return the recorded excerpts that come from one session, put together again, by the session's name."""
    parts = defaultdict(list)
    for path in sorted(folder.glob("*.json")):
        held = json.loads(path.read_text(encoding="utf-8"))
        parts[held["source"]["path"].rpartition("/")[2]].append(held)
    return {
        name: {
            "source": held[0]["source"],
            "exchanges": sorted((row for one in held for row in one["exchanges"]), key=lambda row: row["index"]),
        }
        for name, held in parts.items()
        if len(held) > 1
    }


@pytest.mark.parametrize(
    "name",
    [
        "TestV2ARCMFailover.json",
        "TestV2ARCMTestFailover.json",
        "TestV2ARCMCommit.json",
        "V2ACreateRPI.json",
        "V2AFailoverJob.json",
        "test_siterecovery_A2A_scenarios.yaml",
        "test_siterecovery_H2A_B2A_selfcreated_scenarios.yaml",
        "test_siterecovery_vault_scenarios.yaml",
    ],
)
def test_excerpts_of_one_session_are_answered_when_they_follow_each_other_in_one_world(wire, name):
    found = whole_sessions(wire)[name]
    assert deviations(Replay(recording.parse(wire / name, found)).run()) == []
