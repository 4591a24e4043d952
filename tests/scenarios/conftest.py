"""Fixtures of the stories."""

from collections.abc import Iterator

import pytest

from .harness import LabProcess, fresh_lab


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    """A fresh lab, stopped and removed afterwards."""
    with fresh_lab("127.21") as running:
        yield running
