"""What is concluded from a recording about the world it was made in."""

from pathlib import Path

import pytest

from asr_lab.contract import recording
from asr_lab.contract.facts import Facts
from asr_lab.contract.names import Names
from asr_lab.contract.pace import pace_of
from asr_lab.contract.replay import Replay
from asr_lab.contract.services import treatment
from asr_lab.contract.versions import true_version

VAULT = (
    "/subscriptions/5f6f1f4e-8d4c-4a0b-9b39-52a5a7c1b001/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
)
POLICY = f"{VAULT}/replicationPolicies/p"
HOST = "https://management.azure.com"
JOB = "274d6130-eb83-485f-af85-06392e77185c"
OTHER = "b96f1a52-0f0a-4f3b-9d6b-0a3a6d5b1c11"


def row(method, path, status=200, answer=None, body=None, *, version="2022-08-01", at="", **headers):
    date = {"Date": f"Wed, 02 Aug 2023 12:{at} GMT"} if at else {}
    return {
        "request": {"method": method, "url": f"{HOST}{path}?api-version={version}", "body": body},
        "response": {"status": status, "headers": {**date, **headers}, "body": answer},
    }


def session(*rows):
    return recording.parse(Path("session.json"), {"exchanges": list(rows)})


def facts(*rows):
    return Facts(session(*rows))


def begun(at=""):
    link = f"{HOST}{POLICY}/operationresults/{JOB}?api-version=2022-08-01"
    return row("PUT", POLICY, 202, body={}, at=at, Location=link)


def polled(status, at="", **told):
    return row("GET", f"{VAULT}/replicationOperationStatus/{JOB}", 200, {"status": status, **told}, at=at)


def test_what_is_read_before_it_is_made_was_there():
    assert facts(row("GET", POLICY, 200, {"id": POLICY}), begun()).existed(POLICY)


def test_what_is_made_before_it_is_read_was_not_there():
    assert not facts(begun(), row("GET", POLICY, 200, {"id": POLICY})).existed(POLICY)


def test_what_is_missing_at_first_was_not_there():
    assert not facts(row("GET", POLICY, 404), begun()).existed(POLICY)


def test_what_a_request_names_was_there():
    body = {"properties": {"policyId": POLICY}}
    item = f"{VAULT}/replicationFabrics/f/replicationProtectionContainers/c/replicationProtectedItems/i"
    found = facts(row("PUT", item, 202, body=body))
    assert found.existed(POLICY)
    assert found.existed(f"{VAULT}/replicationFabrics/f")
    assert not found.existed(item)


def test_a_policy_whose_put_fails_because_of_other_settings_was_there():
    failed = polled("Failed", error={"code": "15035", "message": "exists"})
    assert facts(begun(), failed).existed(POLICY)
    assert not facts(begun(), polled("Failed", error={"code": "15040", "message": "range"})).existed(POLICY)


def test_an_item_whose_protection_is_switched_is_made_where_it_goes():
    there = f"{VAULT}/replicationFabrics/f/replicationProtectionContainers/c"
    item = f"{VAULT}/replicationFabrics/g/replicationProtectionContainers/d/replicationProtectedItems/i"
    body = {"properties": {"replicationProtectedItemName": "i"}}
    moved = facts(row("POST", f"{there}/switchprotection", 202, body=body), row("GET", item, 200, {"id": item}))
    assert not moved.existed(item)
    assert moved.made_at(item) == 0


def test_an_operation_takes_as_long_as_its_last_poll_tells():
    times = {"startTime": "2023-08-02T12:00:01.5Z", "endTime": "2023-08-02T12:02:31.0Z"}
    found = facts(begun("00:00"), polled("InProgress", "01:00"), polled("Succeeded", "03:00", **times))
    assert pace_of(found.operations[JOB]).duration_s(1.0) == pytest.approx(149.5)


def test_an_operation_that_is_never_seen_to_end_goes_on_after_its_last_poll():
    found = facts(begun("00:00"), polled("InProgress", "10:00"))
    assert pace_of(found.operations[JOB]).duration_s(1.0) > 600


def test_a_recorded_failure_and_a_late_warning_are_planted():
    error = {"code": "28031", "message": "quota"}
    failed = pace_of(facts(begun(), polled("InProgress"), polled("Failed", error=error)).operations[JOB])
    assert failed.fail is not None
    assert (failed.fail.code, failed.fail.message) == ("28031", "quota")
    warned = pace_of(facts(begun(), polled("InProgress"), polled("Succeeded", error=error)).operations[JOB])
    assert warned.fail is None
    assert warned.warning is None
    assert warned.late_warning is not None


@pytest.mark.parametrize(
    ("rows", "version"),
    [
        ([row("GET", POLICY, version="2024-02-01", at="00:00")], "2023-08-01"),
        ([row("GET", POLICY, version="2022-08-01", at="00:00")], "2022-08-01"),
        (
            [
                {**row("GET", POLICY, version="2026-02-01"), "trueTimeUtc": "2021-08-26T06:51:48Z"},
                row("GET", POLICY, version="2026-02-01"),
            ],
            "2021-06-01",
        ),
        (
            [
                row(
                    "PUT",
                    POLICY,
                    202,
                    version="2018-07-10",
                    **{"Azure-AsyncOperation": f"{HOST}{VAULT}/replicationJobs/{JOB}?api-version=2018-07-10"},
                )
            ],
            "2016-08-10",
        ),
    ],
)
def test_the_true_api_version_follows_from_the_answers(rows, version):
    found = facts(*rows)
    assert true_version(found, found.session.exchanges[-1]) == version


def test_names_of_the_lab_stand_for_recorded_ones_in_later_requests():
    asks = session(row("GET", f"{VAULT}/replicationJobs/{JOB}"))
    names = Names(asks.exchanges)
    names.learn_answer({"value": [{"name": JOB}]}, {"value": [{"name": OTHER}]})
    assert names.to_ours(f"{VAULT}/replicationJobs/{JOB.upper()}") == f"{VAULT}/replicationJobs/{OTHER}"
    assert names.body_to_ours({"jobs": [JOB]}) == {"jobs": [OTHER]}


def test_page_tokens_are_followed():
    names = Names(session(row("GET", POLICY)).exchanges)
    names.learn_answer({"nextLink": f"{HOST}/x?$skipToken=theirs"}, {"nextLink": f"{HOST}/x?$skipToken=ours"})
    assert names.token_to_ours("theirs") == "ours"


@pytest.mark.parametrize(
    ("url", "extent"),
    [
        (f"{HOST}{POLICY}?api-version=2022-08-01", "full"),
        (f"{HOST}{VAULT}/backupstorageconfig/vaultstorageconfig?api-version=2016-12-01", "skip"),
        ("https://graph.windows.net/t/users?api-version=1.6", "skip"),
        (f"{HOST}/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n", "status"),
    ],
)
def test_other_services_are_compared_by_status_or_not_at_all(url, extent):
    held = {"exchanges": [{"request": {"method": "GET", "url": url}, "response": {"status": 200}}]}
    assert treatment(recording.parse(Path("session.json"), held).exchanges[0]).extent == extent


def test_what_nobody_simulates_is_a_deviation_with_a_sentence():
    strange = f"{VAULT}/replicationTelepathy/t"
    report = Replay(session(row("GET", strange, 200, {"id": strange, "properties": {}}))).run()
    (result,) = report.results
    assert result.outcome == "deviates"
    assert "is 404 instead of 200" in str(result.deviations[0])


def test_a_list_of_hundreds_of_machines_is_answered_with_as_many_pages_as_recorded():
    machines = f"{VAULT}/replicationFabrics/f/replicationProtectionContainers/cloud_{OTHER}/replicationProtectableItems"

    def page(first, count, token):
        names = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(first, first + count)]
        details = {"instanceType": "VMwareVirtualMachine"}
        rows = [{"id": f"{machines}/{name}", "name": name, "properties": {"customDetails": details}} for name in names]
        link = f"{HOST}{machines}?api-version=2022-08-01&$skipToken={token}"
        return {"value": rows, "nextLink": link if token else None}

    pages = [page(0, 859, "one"), page(859, 351, "two"), page(0, 0, "")]
    tokens = ["", "&$skipToken=one", "&$skipToken=two"]
    asked = [
        row("GET", machines, 200, answer, version=f"2022-08-01{token}")
        for answer, token in zip(pages, tokens, strict=True)
    ]
    report = Replay(session(*asked)).run()
    told = [deviation.path for result in report.results for deviation in result.deviations]
    assert "nextLink" not in told
    assert "value" not in told
