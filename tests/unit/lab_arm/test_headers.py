"""The headers that answers leave with, by api-version."""

from datetime import UTC, datetime
from importlib import resources

import pytest

from asr_lab.arm import headers, versions
from asr_lab.arm.providers.rules import table
from asr_lab.arm.providers.scope import OLDEST
from asr_lab.arm.throttle import Allowance
from asr_lab.arm.wire import Request, Response, bad_request

NOW = datetime(2026, 4, 1, 8, 0, 0, 123456, tzinfo=UTC)
VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
STATUS = f"/Subscriptions{VAULT[14:]}/replicationOperationStatus/1"
LEFT = Allowance("subscription", "reads", 11999, None)


def finished(version, response=None, path=VAULT, **asked):
    response = response or Response(200, {}, {})
    headers.finish(Request("GET", path, {"api-version": version}, asked), response, NOW, LEFT, "1")
    return response.headers


@pytest.mark.parametrize(
    ("version", "server", "content_type"),
    [
        ("2016-08-10", "Microsoft-IIS/8.0", "application/json"),
        ("2018-07-10", "Microsoft-IIS/10.0", "application/json"),
        ("2021-06-01", "Microsoft-IIS/10.0", "application/json"),
        ("2022-08-01", "Kestrel", "application/json; charset=utf-8"),
        ("2025-08-01", "Kestrel", "application/json; charset=utf-8"),
    ],
)
def test_the_web_server_is_the_one_that_was_recorded_for_the_version(version, server, content_type):
    told = finished(version)
    assert (told["Server"], told["Content-Type"]) == (server, content_type)


@pytest.mark.parametrize(("version", "named"), [("2016-08-10", False), ("2021-06-01", False), ("2022-08-01", True)])
def test_an_accepted_change_names_the_web_server_since_2022_and_never_a_content_type(version, named):
    told = finished(version, Response(202))
    assert ("Server" in told, "Content-Type" in told) == (named, False)


def test_an_error_of_resource_manager_itself_names_no_web_server():
    error = Response(404, {}, {"error": {"code": "ResourceNotFound", "message": ""}})
    assert "Server" not in finished("2025-08-01", error)


@pytest.mark.parametrize(
    ("asked", "answered", "signed"),
    [
        ("2016-08-10", "2016-08-10", False),
        ("2021-06-01", "2021-06-01", False),
        ("2021-11-01", "2021-06-01", False),
        ("2022-08-01", "2022-08-01", False),
        ("2024-02-01", "2021-06-01", True),
        ("2025-08-01", "2025-08-01", True),
    ],
)
def test_poll_urls_name_the_version_of_the_service_and_are_signed_since_2023(asked, answered, signed):
    told = finished(asked, Response(202, {"Azure-AsyncOperation": STATUS}))["Azure-AsyncOperation"]
    assert told.startswith(f"https://management.azure.com{STATUS}?api-version={answered}")
    names = [part.partition("=")[0] for part in told.partition("?")[2].split("&")]
    assert names == ["api-version", "t", "c", "s", "h"] if signed else names == ["api-version"]


def test_the_time_in_a_signed_url_is_in_ticks():
    told = finished("2025-08-01", Response(202, {"Location": STATUS}))["Location"]
    assert "&t=639106272001234560&" in told


def test_poll_urls_of_a_vault_itself_are_as_asked():
    told = finished("2024-02-01", Response(202, {"Location": f"{VAULT}/operationResults/1"}))["Location"]
    assert told == f"https://management.azure.com{VAULT}/operationResults/1?api-version=2024-02-01"


def test_every_answer_has_ids_of_its_own_that_do_not_depend_on_chance():
    first, again = finished("2025-08-01"), finished("2025-08-01")
    assert first["x-ms-request-id"] == again["x-ms-request-id"]
    assert first["x-ms-routing-request-id"].startswith("LAB:20260401T080000Z:")
    assert first["Date"] == "Wed, 01 Apr 2026 08:00:00 GMT"


def test_the_id_of_a_job_is_sent_twice_on_the_answer_that_accepts_it():
    accepted = Response(202, {"x-ms-request-id": f"{VAULT}/replicationJobs/1", "Retry-After": "30"})
    assert [name for name, _ in headers.sent(accepted)] == ["x-ms-request-id", "x-ms-request-id", "Retry-After"]
    assert len(list(headers.sent(Response(200, {"x-ms-request-id": "1"})))) == 1


def test_every_difference_between_versions_says_how_it_is_known():
    rows = table("versions")
    for row in (*rows["front"], *rows["poll_version"].values(), *rows["bodies"]):
        assert row["known"] in ("recorded", "documented", "specification", "chosen"), row


@pytest.mark.parametrize("row", table("versions")["bodies"], ids=lambda row: row["what"])
def test_the_module_that_is_named_for_a_difference_knows_the_version(row):
    text = resources.files("asr_lab.arm").joinpath(row["module"]).read_text(encoding="utf-8")
    version = row.get("since") or row["until"]
    assert version in text or ("OLDEST" in text and version == OLDEST) or ("STRICT_SINCE" in text)


def test_versions_that_nobody_recorded_are_among_those_the_lab_takes():
    assert set(table("versions")["unknown"]) <= set(versions.SITE_RECOVERY_VERSIONS)


def test_every_detail_of_a_refusal_by_site_recovery_has_the_ids_of_the_recorded_one():
    refused = bad_request("InvalidFailoverDirection", "No.", causes="A state.", action="Wait.").response()
    finished("2025-08-01", refused, **{"x-ms-client-request-id": "mine"})
    (detail,) = refused.body["error"]["details"]
    assert list(detail) == [
        "code",
        "message",
        "possibleCauses",
        "recommendedAction",
        "clientRequestId",
        "activityId",
    ]
    assert (detail["clientRequestId"], len(detail["activityId"])) == ("mine", 36)


def test_errors_of_other_services_are_left_as_they_are():
    other = Response(400, {}, {"error": {"code": "X", "message": "", "details": [{"code": "Y", "message": ""}]}})
    finished("2025-08-01", other, path="/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/x/y")
    assert other.body["error"]["details"] == [{"code": "Y", "message": ""}]
