"""Callback that kills ansible-playbook and everything it started, once in each task of a role.

ASR_KILL_FILE names the tasks that were killed, a line each. The first task that starts, is not among them and is wanted
is written down; then SIGKILL comes ASR_KILL_AFTER_S seconds later, or when the task ends before that.
ASR_KILL_ROLE is the role whose tasks count; ASR_KILL_TASKS, if set, limits them to names divided by semicolons.
"""

import os
import signal
import threading
from pathlib import Path

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Watches tasks start and end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kill_in_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._file = Path(os.environ["ASR_KILL_FILE"])
        self._role = os.environ["ASR_KILL_ROLE"]
        self._wanted = {name for name in os.environ.get("ASR_KILL_TASKS", "").split(";") if name}
        self._after_s = float(os.environ["ASR_KILL_AFTER_S"])
        self._chosen = None

    def v2_runner_on_start(self, host, task):
        key = f"{Path(task.get_path()).name}\t{task.name}"
        if self._chosen or not self._counts(task) or key in self._killed():
            return
        self._chosen = task._uuid
        with self._file.open("a", encoding="utf-8") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        threading.Timer(self._after_s, kill_all).start()

    def _counts(self, task):
        return f"/{self._role}/tasks/" in task.get_path() and (not self._wanted or task.name in self._wanted)

    def _killed(self):
        return self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []

    def _ended(self, result):
        if self._chosen == result._task._uuid:
            kill_all()

    v2_runner_on_ok = v2_runner_on_skipped = v2_runner_on_unreachable = _ended

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._ended(result)


def kill_all():
    """Kill the descendants of this process, whatever session they are in, and then this process."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(rest[1]), []).append(pid)
    doomed, found = [os.getpid()], []
    while doomed:
        found += (below := children.get(doomed.pop(), []))
        doomed += below
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os.kill(os.getpid(), signal.SIGKILL)
