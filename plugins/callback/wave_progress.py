"""Callback that shows the progress lines of long tasks while they run, and tells asr-migrate what came of a run."""

DOCUMENTATION = r"""
name: wave_progress
type: aggregate
short_description: Live lines while a wave moves
version_added: 0.1.0
description:
  - The modules of asr.migrate wait for minutes or hours. Each appends what it sees, after its wave's name, to the file
    named by the environment variable E(ASR_PROGRESS_FILE); this callback names that file before the first task and
    prints what is appended, after the time of day.
  - Where the environment variable E(ASR_RUN_DIR) names a folder, as C(asr-migrate) does, it leaves there what failed,
    which hosts took part, and in check mode every task that would change something.
requirements:
  - enable it with C(callbacks_enabled = asr.migrate.wave_progress) in ansible.cfg
"""

import os
import tempfile
import threading
import time

from ansible import context
from ansible.constants import COLOR_VERBOSE
from ansible.plugins.callback import CallbackBase
from ansible_collections.asr.migrate.plugins.module_utils.boundary import leave_in_order

PERIOD_S = 0.5


class CallbackModule(CallbackBase):
    """Prints each line that a running module appends to the progress file; notes failures and planned changes."""

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

    def v2_runner_on_ok(self, result):
        """Leave what check mode would change; a module that has ``writes`` has left them by itself."""
        if context.CLIARGS.get("check") and result.is_changed() and "writes" not in result.result:
            leave_in_order("plan", {"module": "task", "goal": None, "writes": planned(result), "machines": {}})

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            leave_in_order("failed", failed(result))

    def v2_runner_on_unreachable(self, result):
        if not result.task.ignore_unreachable:
            leave_in_order("failed", failed(result))

    def v2_playbook_on_stats(self, stats):
        leave_in_order("hosts", {"hosts": sorted(stats.processed)})
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
            self._display.display(f"  .. {time.strftime('%H:%M')} {line}", color=COLOR_VERBOSE)


def planned(result):
    """Return a row for each change that a task would make on its host; one for the task when it names none."""
    host, told = result.host.get_name(), result.result
    changes = told.get("changes")
    if not isinstance(changes, list) or not all(isinstance(one, dict) and one.get("what") for one in changes):
        changes = []
    rows = [
        {
            "machine": host,
            "method": "",
            "what": f"{host}: {one['what']}",
            "why": result.task_name,
            "body": f"{'nothing' if one.get('from') is None else one['from']} -> {one.get('to')}",
        }
        for one in changes
    ]
    return rows or [{"machine": host, "method": "", "what": f"{host}: {result.task_name}", "why": "the task is due"}]


def failed(result):
    """Return ``{host, task, msg, error}`` of a task that failed; of a loop's, the message of its first failed item."""
    told = result.result
    items = [one for one in told.get("results") or () if isinstance(one, dict) and one.get("failed")]
    if items and not told.get("error"):
        told = items[0]
    error = told.get("error")
    return {
        "host": result.host.get_name(),
        "task": result.task_name,
        "msg": str(told.get("msg") or told.get("censored") or "it gave no message"),
        "error": error if isinstance(error, dict) else None,
    }
