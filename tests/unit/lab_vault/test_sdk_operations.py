"""Every operation of the SDK's operation groups is served, or answered with an error that names it."""

import pytest

from asr_lab.arm.resources import not_simulated
from asr_lab.sdk_operations import answer, sdk_operations

OPERATIONS = sdk_operations()
ROWS = {row.sdk: row for row in not_simulated.operations()}


def test_the_package_lists_its_operations():
    assert len(OPERATIONS) > 150
    assert {"replication_fabrics.begin_create", "replicationv_centers.list"} <= {one.sdk for one in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.sdk)
def test_an_operation_is_served_or_named_in_the_table(operation):
    row = ROWS.get(operation.sdk)
    assert answer(operation) == (row.answer if row else "served")


def test_the_table_names_no_operation_that_the_sdk_does_not_have():
    assert set(ROWS) <= {one.sdk for one in OPERATIONS}


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.answer == "refuse"], ids=lambda row: row.sdk)
def test_what_is_not_simulated_says_so_by_name_and_says_what_to_do(modern, row):
    places = {"container": modern.container.rpartition("/")[2], "fabric": modern.fabric.rpartition("/")[2]}
    parts = dict(zip(("sub", "rg", "vault"), _scope(modern.vault), strict=True))
    names = {"name": "x", "job": "y", "point": "z"}
    response = modern.lab.ask(row.method, row.template.format(**places, **parts, **names), {"properties": {}})
    error = response.body["error"]
    assert (response.status, error["code"]) == (501, "NotSimulated")
    assert error["message"].startswith(f"{row.sdk} is not simulated: ")
    assert "Instead, " in error["message"]


def _scope(vault):
    segments = vault.split("/")
    return segments[2], segments[4], segments[8]


@pytest.mark.parametrize(
    "collection", ["replicationMigrationItems", "replicationProtectionClusters", "replicationProtectionIntents"]
)
def test_a_vault_truly_has_none_of_what_cannot_be_made(modern, collection):
    assert modern.lab.names(f"{modern.vault}/{collection}") == []


def test_reading_what_cannot_be_made_is_the_404_of_what_is_not_there(modern):
    path = f"{modern.container}/replicationMigrationItems/x"
    assert modern.lab.refused("GET", path)[:2] == (404, "ArmResourceDoesNotExist")
