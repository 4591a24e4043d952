"""The journal survives a cut at any byte, older lines, and tells which writes nobody saw answered."""

import json
import resource
import stat
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from asr_migrate.azure.journal import ANSWERED, NO_ANSWER, SENDING, Journal, RunResult, read, touched
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.lifecycle import Fault, Goal, Stage
from asr_migrate.domain.wave import MachineResult

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ITEM = "/subscriptions/s/resourceGroups/g/providers/M/vaults/v/replicationFabrics/f/replicationProtectionContainers/c"


def write(path, *, answered=True, request="r1", item="web-1", verb="unplannedFailover"):
    journal = Journal(path, actor="ops@controller")
    told = {
        "method": "POST",
        "path": f"{ITEM}/replicationProtectedItems/{item}/{verb}",
        "client_request_id": request,
    }
    journal.append(NOW, SENDING, **told)
    if answered:
        journal.append(NOW, ANSWERED, **told, status=202, request_id="job", correlation_id="c1")


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "journal" / "wave.jsonl"
    write(path)
    before, after = read(path).entries
    assert (before.event, before.method, before.actor) == (SENDING, "POST", "ops@controller")
    assert (after.status, after.request_id, after.correlation_id) == (202, "job", "c1")
    assert before.run == after.run != ""


def test_the_file_belongs_to_its_owner_only(tmp_path):
    path = tmp_path / "wave.jsonl"
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_journal_that_is_not_there_says_nothing(tmp_path):
    assert read(tmp_path / "none.jsonl").entries == ()


def test_a_cut_at_any_byte_loses_at_most_the_line_it_falls_into(tmp_path):
    path = tmp_path / "wave.jsonl"
    write(path)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        write(path, request="later")
        seen = read(path)
        kept = sum(length >= end for end in (first - 1, len(whole) - 1))
        assert [entry.client_request_id for entry in seen.entries] == ["r1"] * kept + ["later"] * 2, length
        assert len(seen.damaged) <= 1


def test_lines_of_the_first_release_are_brought_forward(tmp_path):
    path = tmp_path / "wave.jsonl"
    told = {"at": NOW.isoformat(), "method": "PUT", "path": "/a", "client_request_id": "r"}
    lines = [{**told, "event": "sending"}, {**told, "event": "no answer", "error": "ServiceRequestError"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [(entry.event, entry.error) for entry in read(path).entries] == [
        (SENDING, None),
        (NO_ANSWER, "ServiceRequestError"),
    ]


def test_a_line_of_a_newer_release_is_refused_with_place_and_remedy(tmp_path):
    path = tmp_path / "wave.jsonl"
    path.write_text('{"schema": 9}\n')
    with pytest.raises(SetupError, match=r"wave.jsonl, line 1: schema 9") as refused:
        read(path)
    assert "move the journal aside" in str(refused.value.remedy)


def test_a_write_without_an_outcome_may_have_arrived(tmp_path):
    path = tmp_path / "wave.jsonl"
    write(path, request="seen")
    write(path, request="unseen", answered=False)
    assert [entry.client_request_id for entry in read(path).unanswered(NOW)] == ["unseen"]
    assert read(path).unanswered(NOW + timedelta(seconds=1)) == ()


def test_a_broken_connection_is_no_outcome(tmp_path):
    path = tmp_path / "wave.jsonl"
    journal = Journal(path, actor="ops")
    told = {"method": "POST", "path": "/a", "client_request_id": "r"}
    journal.append(NOW, SENDING, **told)
    journal.append(NOW, NO_ANSWER, **told, error="ServiceRequestError")
    assert [entry.client_request_id for entry in read(path).unanswered(NOW)] == ["r"]


def test_entries_of_one_machine_are_found_by_the_whole_name(tmp_path):
    path = tmp_path / "wave.jsonl"
    write(path, item="web-1")
    write(path, item="web-10")
    assert len(touched(read(path).entries, "WEB-1")) == 2


def test_a_journal_that_cannot_be_written_stops_the_write(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        write(path / "wave.jsonl")


@contextmanager
def room(path, more):
    """Let files of this process grow to the size of ``path`` and ``more`` bytes, as a disk that fills up does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size if path.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


TOLD = {"method": "POST", "path": f"{ITEM}/replicationProtectedItems/web-1/unplannedFailover"}


@pytest.mark.parametrize("more", [0, 60])
def test_a_line_that_does_not_fit_stops_its_write(tmp_path, more):
    path = tmp_path / "wave.jsonl"
    write(path)
    with room(path, more), pytest.raises(SetupError) as refused:
        Journal(path, actor="ops").append(NOW, SENDING, **TOLD, client_request_id="r2")
    assert refused.value.code == "JournalUnwritable"
    assert "POST replicationProtectedItems/web-1/unplannedFailover was not sent" in refused.value.message


def test_after_a_line_that_was_cut_the_next_one_is_whole(tmp_path):
    path = tmp_path / "wave.jsonl"
    journal = Journal(path, actor="ops")
    journal.append(NOW, SENDING, **TOLD, client_request_id="r1")
    with room(path, 60), pytest.raises(SetupError):
        journal.append(NOW, SENDING, **TOLD, client_request_id="cut")
    journal.append(NOW, SENDING, **TOLD, client_request_id="r2")
    seen = read(path)
    assert [entry.client_request_id for entry in seen.entries] == ["r1", "r2"]
    assert seen.damaged == (2,)


@pytest.mark.parametrize("outcome", [{"event": ANSWERED, "status": 202}, {"event": NO_ANSWER, "error": "Broken"}])
def test_an_outcome_that_finds_no_room_is_kept_and_stops_the_next_write(tmp_path, outcome):
    path = tmp_path / "wave.jsonl"
    journal, heard = Journal(path, actor="ops"), []
    journal.on_trouble = heard.append
    journal.append(NOW, SENDING, **TOLD, client_request_id="r1")
    with room(path, 60):
        journal.append(NOW, **outcome, **TOLD, client_request_id="r1")
        with pytest.raises(SetupError) as refused:
            journal.append(NOW, SENDING, **TOLD, client_request_id="r2")
    assert "1 sent before, its outcome not noted: POST replicationProtectedItems/web-1" in str(refused.value.cause)
    assert "nothing was sent" not in str(refused.value.remedy)
    assert len(heard) == 1
    assert heard[0].startswith(f"no further writes: the journal {path} cannot be written (File too large)")


def test_outcomes_that_found_no_room_are_written_when_there_is_some(tmp_path):
    path = tmp_path / "wave.jsonl"
    journal = Journal(path, actor="ops")
    journal.append(NOW, SENDING, **TOLD, client_request_id="r1")
    with room(path, 60):
        journal.append(NOW, ANSWERED, **TOLD, client_request_id="r1", status=202)
    journal.append(NOW, SENDING, **TOLD, client_request_id="r2")
    seen = read(path).entries
    assert [(entry.event, entry.client_request_id) for entry in seen] == [
        (SENDING, "r1"),
        (ANSWERED, "r1"),
        (SENDING, "r2"),
    ]


def test_giving_the_wave_back_needs_no_room_in_the_journal(tmp_path):
    path = tmp_path / "wave.jsonl"
    journal = Journal(path, actor="ops")
    journal.append(NOW, SENDING, **TOLD, client_request_id="r1")
    journal.let_go()
    with room(path, 60):
        journal.append(NOW, SENDING, method="PATCH", path="/v/tags/default", client_request_id="r2")
    assert [entry.client_request_id for entry in read(path).entries] == ["r1"]


@pytest.mark.parametrize(
    "line",
    [
        '{"schema": Infinity}',
        '{"schema": 2, "at": "2026-11-21T03:00:00", "event": "sending", "method": "PUT", "path": "/a", '
        '"client_request_id": "r"}',
        '{"at": "2026-11-21T03:00:00+00:00", "event": "answered", "method": "PUT", "path": "/a", '
        '"client_request_id": "r", "status": Infinity}',
        "[" * 200_000,
    ],
    ids=["endless schema", "time without a zone", "endless status", "deep"],
)
def test_a_line_that_means_nothing_is_damaged_and_not_fatal(tmp_path, line):
    path = tmp_path / "wave.jsonl"
    path.write_text(line + "\n")
    write(path)
    seen = read(path)
    assert seen.damaged == (1,)
    assert len(seen.entries) == 2
    assert seen.unanswered(NOW) == ()


def test_a_journal_that_cannot_be_read_is_named_with_a_remedy(tmp_path):
    with pytest.raises(SetupError, match=r"cannot be read \(Is a directory\)") as refused:
        read(tmp_path)
    assert refused.value.code == "JournalUnreadable"
    assert "move it aside" in str(refused.value.remedy)


NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_what_came_of_each_machine_is_noted_and_read_apart_from_the_writes(tmp_path):
    path = tmp_path / "wave.jsonl"
    journal = Journal(path, actor="ann")
    fault = Fault("web: no quota", "28031", "the quota is used up", "Raise it")
    journal.note(
        NOON, [MachineResult("web", Goal.FAILED_OVER, Stage.PROTECTED), MachineResult("db", Goal.TESTED, Stage.TESTED)]
    )
    journal.note(NOON, [MachineResult("web", Goal.FAILED_OVER, Stage.BROKEN, failed=True, error=fault)])
    reading = read(path)
    assert (reading.entries, reading.damaged) == ((), ())
    assert reading.last_results["web"] == RunResult(NOON, "web", "failed_over", "broken", fault)
    assert reading.last_results["db"].error is None
    assert {json.loads(line)["schema"] for line in path.read_text().splitlines()} == {3}


def test_results_that_find_no_place_are_told_and_do_not_end_the_run(tmp_path):
    told = []
    journal = Journal(tmp_path, actor="ann")
    journal.on_trouble = told.append
    journal.note(NOON, [MachineResult("web", Goal.TESTED, Stage.TESTED, reached=True)])
    assert "cannot be written" in told[0]
