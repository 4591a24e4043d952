"""The lab answers recorded requests as Site Recovery did: status, headers, and the shape of the body."""

from pathlib import Path

import pytest

from . import recordings
from .exceptions import EXCEPTIONS
from .replay import Replay
from .scenery import Scenery
from .sessions import NOT_COVERED, SESSIONS

FILES = {path.name[:2]: path for path in recordings.files()}
MISSING = f"no recorded exchanges in {recordings.folder()}; set ASR_WIRE to their folder"

needs_recordings = pytest.mark.skipif(not FILES, reason=MISSING)


@needs_recordings
@pytest.mark.parametrize("number", sorted(SESSIONS))
def test_the_lab_answers_a_recorded_session_as_recorded(number, tally):
    path: Path = FILES[number]
    exchanges = recordings.read(path)
    session = SESSIONS[number]
    scenery = Scenery(exchanges)
    session.seed(scenery)
    found: list[str] = []
    replay = Replay(number, session, exchanges, scenery)
    for _exchange, findings in replay.run():
        tally.passed += not findings
        tally.failed += bool(findings)
        found += [str(finding) for finding in findings]
    tally.sessions.add(number)
    tally.used_exceptions |= replay.used
    for exchange in exchanges:
        if not session.covers(exchange):
            tally.not_covered[f"{path.stem} {exchange.label}"] = session.skipped[exchange.index]
    assert not found, "\n".join(found)


@needs_recordings
def test_every_recorded_session_is_covered_or_named_with_a_reason(tally):
    tally.not_covered.update({FILES[number].stem: reason for number, reason in NOT_COVERED.items() if number in FILES})
    assert set(FILES) == set(SESSIONS) | set(NOT_COVERED)


@needs_recordings
@pytest.mark.parametrize("number", sorted(SESSIONS))
def test_the_lab_accepts_the_api_versions_of_a_recorded_session(number):
    exchanges = recordings.read(FILES[number])
    scenery = Scenery(exchanges)
    scenery.make_vault()
    versions = {exchange.api_version for exchange in exchanges if "/replication" in exchange.path}
    answers = {version: scenery.ask("GET", f"{scenery.vault}/replicationFabrics", api=version) for version in versions}
    assert {version: answer.status for version, answer in answers.items()} == dict.fromkeys(versions, 200)


@needs_recordings
def test_every_exception_is_still_needed(tally):
    if tally.sessions != set(SESSIONS):
        pytest.skip("only some of the recorded sessions were replayed in this run")
    assert set(EXCEPTIONS) - tally.used_exceptions == set()
