"""The error tree and its catalogue."""

import pytest

from asr_migrate.domain.errors import InputError, ServiceError, catalogue, job_error, lookup


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
