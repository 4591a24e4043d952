"""The callback that shows progress lines while a long task runs."""

import importlib.util
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("wave_progress", ROOT / "plugins" / "callback" / "wave_progress.py")
plugin = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(plugin)


class Shown:
    """A display that remembers."""

    def __init__(self):
        self.lines = []

    def display(self, line, color=None):
        self.lines.append(line.strip(" ."))


def callback():
    made = plugin.CallbackModule()
    made._display = Shown()
    return made


def test_whole_lines_are_shown_once_and_the_file_is_removed_at_the_end():
    made = callback()
    made.v2_playbook_on_start(None)
    path = Path(os.environ["ASR_PROGRESS_FILE"])
    path.write_text("app-2012 34 %\napp-20")
    made._show()
    with path.open("a") as more:
        more.write("08 Gänge 35 %\n")
    made.v2_playbook_on_stats(None)
    assert made._display.lines == ["app-2012 34 %", "app-2008 Gänge 35 %"]
    assert not path.exists()
