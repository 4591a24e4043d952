"""Fixtures of the stories: a fresh lab in a short path, since ssh limits control sockets to about 100 characters."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import LabProcess


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    """A fresh lab, stopped and removed afterwards."""
    state = Path(tempfile.mkdtemp(prefix="asr-"))
    try:
        with LabProcess(state, net="127.21") as running:
            yield running
    finally:
        shutil.rmtree(state, ignore_errors=True)
