# MIT License (see LICENSE)
"""The one place where Ansible's modules and the library meet: parameters in, a result or one clear failure out."""

from __future__ import annotations

import asyncio
import inspect
import os
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


class Context:
    """What a module's ``run`` gets besides its parameters."""

    def __init__(self, module):
        self._module = module
        self.check_mode = module.check_mode

    def session(self, params):
        """Return an async context manager with the session for ``params``; see ``asr_migrate.session``."""
        from asr_migrate.session import open_session

        return open_session(params, self.check_mode)

    def warn(self, text):
        """Show ``text`` as a warning of the task."""
        self._module.warn(text)

    def progress(self, line):
        """Append ``line`` to the file that the callback wave_progress follows, if one is named."""
        path = self._module.params.get("progress") or os.environ.get(PROGRESS_VARIABLE)
        if not path:
            return
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(line.rstrip("\n") + "\n")


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
    module.exit_json(**result)
