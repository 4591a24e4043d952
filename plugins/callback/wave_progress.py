"""Callback that shows the progress lines of long tasks while they run."""

DOCUMENTATION = r"""
name: wave_progress
type: aggregate
short_description: Live lines while a wave moves
version_added: 0.1.0
description:
  - The modules of asr.migrate wait for minutes or hours. Each appends what it sees to the file named by the
    environment variable E(ASR_PROGRESS_FILE); this callback names that file before the first task and prints what is
    appended.
requirements:
  - enable it with C(callbacks_enabled = asr.migrate.wave_progress) in ansible.cfg
"""

import os
import tempfile
import threading

from ansible.constants import COLOR_VERBOSE
from ansible.plugins.callback import CallbackBase

PERIOD_S = 0.5


class CallbackModule(CallbackBase):
    """Prints each line that a running module appends to the progress file."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "asr.migrate.wave_progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._path = None
        self._shown = 0
        self._done = threading.Event()
        self._thread = None

    def v2_playbook_on_start(self, playbook):
        handle, self._path = tempfile.mkstemp(prefix="asr-progress-")
        os.close(handle)
        os.environ["ASR_PROGRESS_FILE"] = self._path
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def v2_playbook_on_stats(self, stats):
        self._done.set()
        if self._thread:
            self._thread.join()
        self._show()
        if self._path and os.path.exists(self._path):
            os.unlink(self._path)

    def _follow(self):
        while not self._done.wait(PERIOD_S):
            self._show()

    def _show(self):
        """Print the whole lines that were appended since the last look."""
        try:
            with open(self._path, encoding="utf-8", errors="replace") as lines:
                lines.seek(self._shown)
                fresh = lines.read()
        except FileNotFoundError:
            return
        whole = fresh.rfind("\n") + 1
        self._shown += len(fresh[:whole].encode())
        for line in fresh[:whole].splitlines():
            self._display.display(f"  .. {line}", color=COLOR_VERBOSE)
