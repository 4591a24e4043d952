"""The machines and plans of the recovery plan tests; jobs are looked at on them."""

import pytest
from tests.unit.lab_plans.conftest import NAMES, Lab, Wave, lab, protected, wave

__all__ = ["NAMES", "empty", "lab", "protected", "started", "wave"]


@pytest.fixture
def started(wave: Wave) -> str:
    """The id of the job that enables protection for web-1; it has just begun."""
    response = wave.ask("PUT", wave.item("web-1"), wave.enable_body("web-1"))
    assert response.status == 202
    return response.headers["x-ms-request-id"]


@pytest.fixture
def empty(lab: Lab) -> str:
    """The id of a vault with nothing in it."""
    return lab.make_vault("vault-empty")
