# MIT License (see LICENSE)
"""The one place where Ansible's modules and the library meet: parameters in, a result or one clear failure out."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import signal
import tempfile
import time
import traceback
from importlib import metadata

from ansible.module_utils.basic import AnsibleModule

AZURE_OPTIONS = {
    "landing_zone": {"type": "dict", "required": True},
    "cloud": {"type": "dict", "default": {}},
    "wait_scale": {"type": "float", "default": 1.0},
    "journal": {"type": "path"},
}

REQUIRED = {
    "aiohttp": "3.10",
    "azure-core": "1.38",
    "azure-identity": "1.27",
    "azure-mgmt-compute": "39",
    "azure-mgmt-network": "33",
    "azure-mgmt-recoveryservices": "4.3",
    "azure-mgmt-recoveryservicessiterecovery": "2.0",
    "azure-mgmt-resource": "26",
    "azure-mgmt-storage": "25",
    "pydantic": "2.9",
}

PROGRESS_VARIABLE = "ASR_PROGRESS_FILE"
RUN_VARIABLE = "ASR_RUN_DIR"
STOPPING = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "SIGINT (Ctrl-C)", signal.SIGHUP: "SIGHUP"}
PARENT_LOOK_S = 1.0


class Context:
    """What a module's ``run`` gets besides its parameters."""

    def __init__(self, module):
        self._module = module
        self.check_mode = module.check_mode

    def session(self, params):
        """Return an async context manager with the session for ``params``; see ``asr_migrate.session``."""
        from asr_migrate.session import open_session

        return open_session(params, self.check_mode)

    def stoppable(self, stop, about):
        """Return an async context manager that calls ``stop(reason)`` when somebody wants the module to end.

        ``about`` names what the module works on; see ``StopRequests``.
        """
        return StopRequests(stop, about)

    def warn(self, text):
        """Show ``text`` as a warning of the task."""
        self._module.warn(text)

    def progress(self, line):
        """Append ``line``, after its waves' names, to the file that the callback wave_progress follows."""
        path = self._module.params.get("progress") or os.environ.get(PROGRESS_VARIABLE)
        if not path:
            return
        about = ", ".join(waves_of(self._module.params))
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(f"{about}{': ' if about else ''}{line.rstrip()}\n")


class StopRequests:
    """Calls ``stop(reason)``, once, when a signal arrives or when ansible-playbook is gone.

    ansible-playbook passes SIGINT and SIGTERM on to its modules and then ends without their results. A cancelled job of
    ansible-runner kills it without passing anything on; its worker leads a session of its own, so its parent changes.
    Where the environment variable ASR_RUN_DIR names a folder (``asr-migrate run`` does), the module stands there while
    it works, as ``<pid>.json``, and leaves there what ``tell`` was given if it was stopped.
    """

    def __init__(self, stop, about):
        self.reason = None
        self._stop = stop
        self._about = about
        self._told = []
        self._parent = None
        self._next_look = None
        folder = os.environ.get(RUN_VARIABLE)
        self._file = os.path.join(folder, f"{os.getpid()}.json") if folder and os.path.isdir(folder) else None

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        for number, name in STOPPING.items():
            loop.add_signal_handler(number, self._ask, f"it was asked to stop by {name}")
        self._parent = parent_of_session()
        self._look()
        self._write()
        return self

    async def __aexit__(self, *_exc):
        if self._next_look:
            self._next_look.cancel()
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        if self._file and not self.reason:
            os.unlink(self._file)
        elif self._file:
            self._write()

    def tell(self, reason, lines):
        """Note why the module's work was stopped and what goes on, for whoever started it."""
        self.reason, self._told = reason, list(lines)

    def _ask(self, reason):
        if self.reason is None:
            self.reason = reason
            self._stop(reason)

    def _look(self):
        """Look whether ansible-playbook is still there, now and every second."""
        if parent_of_session() != self._parent:
            self._ask("ansible-playbook, which started it, is gone")
        else:
            self._next_look = asyncio.get_running_loop().call_later(PARENT_LOOK_S, self._look)

    def _write(self):
        told = {"pid": os.getpid(), "about": self._about, "stopped": self.reason, "lines": self._told}
        if self._file:
            leave(self._file, told)


def leave(path, told):
    """Write ``told`` as JSON in one go, so that a reader never sees half of it."""
    handle, draft = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".draft-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.replace(draft, path)


def waves_of(params):
    """Return the names of the waves that the option ``machines`` is about, sorted."""
    return sorted({str(one["wave"]) for one in machines_of(params) if one.get("wave")})


def machines_of(params):
    """Return the machines of the option ``machines``, as the filter asr.migrate.machines makes them."""
    return [one for one in params.get("machines") or () if isinstance(one, dict)]


def leave_plan(module, result):
    """Leave what check mode would send where ``asr-migrate plan`` looks for it; see ``leave_in_order``.

    ``sources`` names the machine of each source, so that a write that names only the source can be told by machine.
    """
    if not (module.check_mode and "writes" in result):
        return
    told = {
        "module": module._name,
        "goal": module.params.get("goal"),
        "writes": result["writes"],
        "machines": result.get("machines") or {},
        "sources": {str(one.get("source_id")): str(one.get("name")) for one in machines_of(module.params)},
    }
    leave_in_order("plan", told)


def leave_in_order(kind, told):
    """Write ``told`` into the folder ASR_RUN_DIR, if there is one, for the command line that started the run.

    Files are ``<kind>-<nanoseconds>-<pid>.json``, so that their names sort in the order of the tasks.
    """
    folder = os.environ.get(RUN_VARIABLE)
    if folder and os.path.isdir(folder):
        leave(os.path.join(folder, f"{kind}-{time.time_ns():020}-{os.getpid()}.json"), told)


def parent_of_session():
    """Return the process id of the parent of this session's leader; 0 when the leader is gone, None when unknown."""
    if not os.path.isdir("/proc/self"):
        return None
    try:
        with open(f"/proc/{os.getsid(0)}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def numbers(version):
    """Return a version's leading numbers for comparison: ``2.0.0b1`` is ``(2, 0)``."""
    found = []
    for part in version.split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)


def unmet(required=None):
    """Return a sentence for every required package that is missing or too old."""
    problems = []
    for package, least in sorted((required or REQUIRED).items()):
        try:
            installed = metadata.version(package)
        except metadata.PackageNotFoundError:
            problems.append(f"{package} {least} or newer is missing")
            continue
        if numbers(installed) < numbers(least):
            problems.append(f"{package} is {installed}, {least} or newer is needed")
    return problems


def failure(error):
    """Return the arguments of fail_json for ``error``, whatever it is."""
    described = getattr(error, "as_dict", None)
    if described is not None:
        said = described()
        message = said["message"]
        remedy = said.get("remedy")
        text = f"{message}. {remedy}" if remedy else message
        return {"msg": text, "error": {key: said.get(key) for key in ("code", "cause", "remedy")}}
    if isinstance(error, ImportError):
        problems = unmet()
        missing = error.name or "a package"
        cause = "; ".join(problems) or f"the Python module {missing} cannot be imported: {error}"
        remedy = (
            "Install the packages of requirements.txt into the Python that runs this task, "
            "and run the playbook of this project, whose roles put its python/ folder on PYTHONPATH."
        )
        return {"msg": f"{cause}. {remedy}", "error": {"code": "MissingPackage", "cause": cause, "remedy": remedy}}
    cause = f"{type(error).__name__}: {error}"
    remedy = "This is a defect of asr-migrate: run again with -vvv and report the traceback."
    return {"msg": f"Unexpected {cause}. {remedy}", "error": {"code": "Unexpected", "cause": cause, "remedy": remedy}}


def main(run, argument_spec, supports_check_mode=True):
    """Run a module: ``run(params, context)`` returns the result's fields, at once or as a coroutine.

    Whatever it raises becomes one failure with ``msg`` and ``error {code, cause, remedy}``; a traceback is added at
    verbosity 3 and for defects only.
    """
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=supports_check_mode)
    try:
        result = run(module.params, Context(module))
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
    except Exception as error:
        told = failure(error)
        if told["error"]["code"] == "Unexpected" and module._verbosity >= 3:
            told["exception"] = traceback.format_exc()
        module.fail_json(**told)
    leave_plan(module, result)
    module.exit_json(**result)
