"""Callback that writes when a play began and ended, and how long each of its tasks took, for ``make bench-hosts``."""

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: hosts_times
type: aggregate
short_description: Times of a play, as JSON
description:
  - Writes to the file named by the environment variable E(HOSTS_TIMES) when the run ends.
"""


class CallbackModule(CallbackBase):
    """Keeps wall clock times in seconds since 1970; the play begins when its first task may."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "hosts_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._seen = {"began": 0.0, "tasks": []}
        self._started = 0.0

    def v2_playbook_on_play_start(self, play):
        self._seen["began"] = time.time()

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._started = time.time()

    def v2_playbook_on_handler_task_start(self, task):
        self._started = time.time()

    def v2_runner_on_ok(self, result):
        self._keep(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._keep(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self._keep(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self._keep(result, "unreachable")

    def v2_playbook_on_stats(self, stats):
        self._seen["ended"] = time.time()
        with open(os.environ["HOSTS_TIMES"], "w", encoding="utf-8") as file:
            json.dump(self._seen, file)

    def _keep(self, result, status):
        said = result._result
        self._seen["tasks"].append(
            {
                "name": result._task.get_name(),
                "action": result._task.action,
                "status": status,
                "changed": bool(said.get("changed")),
                "seconds": time.time() - self._started,
                "round_trips": said.get("round_trips"),
                "message": str(said.get("msg", "")) if status in ("failed", "unreachable") else "",
            }
        )
