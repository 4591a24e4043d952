"""The journal survives a cut at any byte, older lines, and tells which writes nobody saw answered."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from asr_migrate.azure.journal import ANSWERED, NO_ANSWER, SENDING, Journal, read, touched
from asr_migrate.domain.errors import SetupError

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
