"""The callback that shows progress lines while a long task runs."""

import importlib
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "ansible_collections.asr.migrate.plugins.callback.wave_progress"


class Stats:
    """What Ansible tells at the end: the hosts that took part."""

    def __init__(self):
        self.processed = {"app-2012": 1}


class Shown:
    """A display that remembers."""

    def __init__(self):
        self.lines = []

    def display(self, line, color=None):
        self.lines.append(line.strip(" ."))


@pytest.fixture
def callback(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "collections")
    made = importlib.import_module(PLUGIN).CallbackModule()
    made._display = Shown()
    return made


def test_whole_lines_are_shown_once_after_the_time_of_day_and_the_file_is_removed_at_the_end(callback):
    made = callback
    made.v2_playbook_on_start(None)
    path = Path(os.environ["ASR_PROGRESS_FILE"])
    path.write_text("legacy: app-2012 34 %\nlegacy: app-20")
    made._show()
    with path.open("a") as more:
        more.write("08 Gänge 35 %\n")
    made.v2_playbook_on_stats(Stats())
    times, shown = zip(*(line.split(" ", 1) for line in made._display.lines), strict=True)
    assert shown == ("legacy: app-2012 34 %", "legacy: app-2008 Gänge 35 %")
    assert all(re.fullmatch(r"\d\d:\d\d", time) for time in times)
    assert not path.exists()
