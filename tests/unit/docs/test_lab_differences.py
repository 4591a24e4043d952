"""The page on what the lab does differently names everything that the contract lets pass."""

from importlib import resources
from pathlib import Path

import pytest
import yaml

PAGE = Path(__file__).resolve().parents[3] / "docs" / "lab-differences.md"
EXCEPTIONS = yaml.safe_load(resources.files("asr_lab.contract").joinpath("exceptions.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("reason", sorted({row["reason"] for row in EXCEPTIONS}))
def test_every_exception_of_the_contract_is_on_the_page_with_its_reason(reason):
    assert reason in PAGE.read_text(encoding="utf-8")
