"""The error tree and its catalogue."""

import ast
from pathlib import Path

import pytest
import yaml

import asr_migrate
from asr_migrate.domain.errors import CATALOGUES, InputError, ServiceError, catalogue, job_error, lookup

ROOT = Path(asr_migrate.__file__).parent
DOCUMENTED = yaml.safe_load(Path(__file__).with_name("documented_errors.yml").read_text())
FURTHER_CODES = """
    95222 78026 78032 78143 325091 325092 161011 310056 15035 15040 45031 559 28061 28175 28190 310024 532 539 25037
    25038 TooManyRequests ExpiredAuthenticationToken InvalidAuthenticationToken InvalidAuthenticationTokenTenant
"""


def codes_of(folder):
    """The codes that the errors of a package are raised with."""
    trees = (ast.parse(path.read_text()) for path in (ROOT / folder).glob("*.py"))
    return {
        word.value.value
        for tree in trees
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "code" and isinstance(word.value, ast.Constant) and word.value.value
    }


@pytest.mark.parametrize("code", FURTHER_CODES.split())
def test_every_code_that_was_recorded_is_in_the_catalogue(code):
    assert lookup(code)


@pytest.mark.parametrize(
    ("table", "count"),
    [
        ("push_installation", 20),
        ("replication", 13),
        ("configuration_server", 11),
        ("failover", 11),
        ("vss", 10),
        ("azure_to_azure", 9),
    ],
)
def test_every_row_of_the_documented_tables_is_in_the_catalogue(table, count):
    assert len(DOCUMENTED[table]) == count
    assert [name for row in DOCUMENTED[table] for name in row if lookup(name) is None] == []


def test_another_spelling_of_a_code_says_the_same_under_its_own_name():
    row, spelled = lookup(95103), lookup("EP0854")
    assert (spelled.code, spelled.cause, spelled.remedy) == ("EP0854", row.cause, row.remedy)


def test_a_code_with_two_meanings_tells_both():
    assert "heartbeat" in lookup(806).cause
    assert "CScript" in lookup(806).cause


@pytest.mark.parametrize("folder", ["engine", "domain", "providers", "azure"])
def test_every_code_of_our_own_is_in_the_catalogue(folder):
    assert sorted(codes_of(folder) - catalogue().keys()) == []


def test_the_files_of_the_catalogue_share_no_code():
    files = [yaml.safe_load((ROOT / "domain" / name).read_text()) for name in CATALOGUES]
    assert len({str(code) for rows in files for code in rows}) == sum(len(rows) for rows in files)


@pytest.mark.parametrize("row", catalogue().values(), ids=lambda row: row.code)
def test_every_row_of_the_catalogue_has_a_cause_and_a_remedy_that_is_a_sentence(row):
    assert row.cause
    assert row.remedy.endswith(".")


@pytest.mark.parametrize("code", ["78186", "78169", "327001"])
def test_what_stops_data_names_port_9443(code):
    assert "9443" in lookup(code).remedy


def test_the_first_known_code_is_looked_up():
    assert lookup(None, "unheard of", 95107).code == "95107"
    assert lookup("unheard of") is None


def test_the_services_own_words_win_over_the_catalogue():
    error = ServiceError.from_codes("it failed", ["95107"], cause="their cause", remedy="their remedy")
    assert (error.cause, error.remedy) == ("their cause", "their remedy")


def test_the_catalogue_speaks_where_the_service_is_silent():
    error = ServiceError.from_codes("it failed", ["95107"])
    assert "LocalAccountTokenFilterPolicy" in error.remedy


@pytest.mark.parametrize("status", [408, 500, 501, 503])
def test_a_final_code_is_transient_with_a_status_that_leaves_it_open(status):
    assert ServiceError.from_codes("it failed", ["28031"], status=status).transient


def test_a_final_code_of_a_job_is_final():
    assert ServiceError.from_codes("it failed", ["28031"]).transient is False


@pytest.mark.parametrize(("status", "transient"), [(503, True), (429, True), (400, False), (403, False)])
def test_an_unknown_code_is_transient_by_its_status(status, transient):
    assert ServiceError.from_codes("it failed", [], status=status).transient is transient


def job(*errors):
    return {"properties": {"state": "Failed", "errors": list(errors)}}


def test_a_jobs_provider_code_comes_before_its_service_code():
    entry = {
        "serviceErrorDetails": {"code": "559", "message": "outer"},
        "providerErrorDetails": {"errorCode": 95222, "errorMessage": "inner", "possibleCauses": "known already"},
    }
    error = job_error(job(entry), "discover")
    assert (error.code, error.cause) == ("95222", "known already")
    assert "inner" in error.message


def test_a_provider_code_of_zero_is_none():
    entry = {
        "serviceErrorDetails": {"code": "28031", "message": "no quota"},
        "providerErrorDetails": {"errorCode": 0, "errorMessage": None},
    }
    assert job_error(job(entry), "failover").code == "28031"


def test_a_job_that_failed_without_an_error_says_so():
    assert "gave no error" in job_error(job(), "failover").message


def test_an_error_is_told_as_message_code_cause_and_remedy():
    error = InputError("asr_landing_zone.vault", 5, "must be text", remedy="Write a name.")
    assert set(error.as_dict()) == {"message", "code", "cause", "remedy"}
    assert "asr_landing_zone.vault" in error.message
