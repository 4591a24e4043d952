"""The log of exchanges: bounded, without secrets, exportable as a recorded session."""

import json

from asr_lab.arm.exchange_log import ExchangeLog, as_session, entry
from asr_lab.arm.wire import Request, Response


def exchanges(clock, count, keep_answer=False):
    for number in range(count):
        yield entry(
            Request("GET", f"/{number}"), Response(200, {}, {"n": number}), clock.now(), keep_answer=keep_answer
        )


def test_only_the_last_exchanges_are_kept_and_the_others_counted(clock):
    log = ExchangeLog(kept=3)
    for logged in exchanges(clock, 5):
        log.append(logged)
    assert [logged.path for logged in log] == ["/2", "/3", "/4"]
    assert (len(log), log.seen, dict(log.dropped)) == (3, 5, {"GET 200": 2})
    assert (log[-1].path, [logged.path for logged in log[:2]]) == ("/4", ["/2", "/3"])


def test_a_log_that_was_emptied_goes_on_counting(clock):
    log = ExchangeLog()
    for logged in exchanges(clock, 2):
        log.append(logged)
    log.clear()
    assert (list(log), log.seen) == ([], 2)


def test_answers_are_kept_only_when_told(world, ask):
    ask("GET", ask.group)
    world.keep_answers = True
    ask("GET", ask.group)
    assert [logged.answer is not None for logged in world.log] == [False, True]


def test_an_answer_is_kept_as_it_was_then(world, ask):
    world.keep_answers = True
    ask("GET", ask.group)
    ask("PUT", ask.group, {"location": "westeurope", "tags": {"owner": "team"}})
    assert world.log[0].answer.body.get("tags", {}) == {}


def test_a_session_has_the_format_of_recordings(world, ask):
    world.keep_answers = True
    ask.make_vault()
    session = as_session(world.log, "a test")
    assert session["source"] == "a test"
    (exchange,) = session["exchanges"]
    assert set(exchange) == {"index", "request", "response"}
    assert exchange["request"] == {
        "method": "PUT",
        "url": f"https://management.azure.com{ask.vault}?api-version=2026-11-01",
        "body": ask.vault_body,
    }
    assert (exchange["index"], exchange["response"]["status"]) == (0, 201)
    assert exchange["response"]["body"]["name"] == "vault-legacy"
    assert {"Content-Type", "Date", "Azure-AsyncOperation", "Server"} <= set(exchange["response"]["headers"])
    assert json.loads(json.dumps(session)) == session


def test_a_session_holds_no_secrets_of_requests_or_answers(world, ask):
    world.keep_answers = True
    ask.make_vault()
    key = f"{ask.vault}/extendedInformation/vaultExtendedInfo"
    ask("PUT", key, {"properties": {"integrityKey": "very private"}}, version="2026-11-01")
    ask("GET", key, version="2026-11-01")
    told = json.dumps(as_session(world.log))
    assert "very private" not in told
    assert told.count('"integrityKey": "***"') >= 2


def test_broken_connections_and_answers_that_were_not_kept_are_left_out(world, ask):
    ask("GET", ask.group)
    world.keep_answers = True
    world.faults.add({"match": {"method": "GET"}, "reset": True, "times": 1})
    ask("GET", ask.group)
    ask("GET", ask.group)
    assert [exchange["index"] for exchange in as_session(world.log)["exchanges"]] == [2]
