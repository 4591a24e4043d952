"""The pipeline policies over a scripted transport."""

import json
import stat

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from asr_migrate.azure.journal import Journal
from asr_migrate.azure.policies import JournalPolicy, ReadOnlyPolicy, WriteOnceRetryPolicy, WriteRefusedError

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_write_is_sent_once_whatever_error_comes_back(script, answer, send, method, status):
    transport = script(answer(status, {"Retry-After": "1"}), answer(200))
    assert send(transport, [WriteOnceRetryPolicy()], method) == status
    assert len(transport.sent) == 1


@pytest.mark.parametrize("method", WRITES)
def test_a_conflict_that_names_a_wait_is_not_retried(script, answer, send, method):
    transport = script(answer(409, {"Retry-After": "5"}), answer(200))
    assert send(transport, [WriteOnceRetryPolicy()], method) == 409
    assert len(transport.sent) == 1


@pytest.mark.parametrize("method", WRITES)
def test_a_throttled_write_is_sent_again_after_the_wait_that_azure_names(script, answer, send, method):
    transport = script(answer(429, {"Retry-After": "17"}), answer(202))
    assert send(transport, [WriteOnceRetryPolicy()], method) == 202
    assert transport.slept == [17]


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("error", [ServiceRequestError("broken"), ServiceResponseError("broken")])
def test_a_write_whose_connection_breaks_is_not_sent_again(script, answer, send, method, error):
    transport = script(error, answer(200))
    with pytest.raises(type(error)):
        send(transport, [WriteOnceRetryPolicy()], method)
    assert len(transport.sent) == 1


@pytest.mark.parametrize("first", [500, 503, ServiceRequestError("broken"), ServiceResponseError("broken")])
def test_a_read_is_tried_again(script, answer, send, first):
    transport = script(answer(first) if isinstance(first, int) else first, answer(200))
    assert send(transport, [WriteOnceRetryPolicy()], "GET") == 200
    assert len(transport.sent) == 2


@pytest.mark.parametrize("method", WRITES)
def test_check_mode_refuses_every_write_and_notes_it(script, answer, send, method):
    planned = []
    transport = script(answer(200))
    with pytest.raises(WriteRefusedError):
        send(
            transport,
            [WriteOnceRetryPolicy(), ReadOnlyPolicy(planned)],
            method,
            "https://azure/providers/N/vaults/v?a=1",
        )
    assert transport.sent == []
    assert [(write.method, write.path) for write in planned] == [(method, "vaults/v")]


def test_check_mode_lets_reads_through(script, answer, send):
    planned = []
    assert send(script(answer(200)), [ReadOnlyPolicy(planned)], "GET") == 200
    assert planned == []


def journal_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_journal_has_a_line_before_the_write_and_one_after_its_answer(script, answer, send, clock, tmp_path):
    path = tmp_path / "journal" / "wave.jsonl"
    transport = script(answer(202, {"x-ms-request-id": "job"}))
    send(
        transport,
        [JournalPolicy(Journal(path, actor="ops"), clock)],
        "POST",
        "https://azure/items/a/failover?x=1",
        json={"secret": "s"},
    )
    before, after = journal_lines(path)
    assert (before["event"], before["method"], before["path"]) == ("sending", "POST", "/items/a/failover")
    assert (after["event"], after["status"], after["request_id"]) == ("answered", 202, "job")
    assert "secret" not in path.read_text()


def test_the_journal_is_readable_by_its_owner_only(script, answer, send, clock, tmp_path):
    path = tmp_path / "wave.jsonl"
    send(script(answer(202)), [JournalPolicy(Journal(path, actor="ops"), clock)], "PUT")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_journal_says_when_no_answer_came(script, send, clock, tmp_path):
    path = tmp_path / "wave.jsonl"
    with pytest.raises(ServiceRequestError):
        send(script(ServiceRequestError("broken")), [JournalPolicy(Journal(path, actor="ops"), clock)], "PUT")
    assert [line["event"] for line in journal_lines(path)] == ["sending", "no_answer"]


def test_the_journal_leaves_reads_out(script, answer, send, clock, tmp_path):
    path = tmp_path / "wave.jsonl"
    send(script(answer(200)), [JournalPolicy(Journal(path, actor="ops"), clock)], "GET")
    assert not path.exists()
