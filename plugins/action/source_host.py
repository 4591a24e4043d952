"""Action plugin: prepares a host over its own connection, with nothing on the host but a shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.action import ActionBase

PACKAGES = Path(__file__).resolve().parents[2] / "python"
if str(PACKAGES) not in sys.path:
    sys.path.insert(0, str(PACKAGES))

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.plan import Answer
from asr_migrate.hosts.prepare import ConnectionLostError, HostNotReadyError, prepare

OPTIONS = {
    "profile": {"type": "str", "default": "source", "choices": list(profiles.NAMES)},
    "state": {"type": "str", "default": "present", "choices": ["present", "probed"]},
    "family": {"type": "str", "choices": [family.value for family in Os]},
    "want": {"type": "dict", "default": {}, "no_log": True},
    "use_sudo": {"type": "bool"},
    "refuse": {"type": "bool", "default": True},
    "passphrase_path": {"type": "path"},
    "wait_scale": {"type": "float", "default": 1.0},
}
SECRET_MODE = 0o600


class ActionModule(ActionBase):
    """Sends what ``asr_migrate.hosts`` decides over the connection that Ansible has to the host."""

    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _, options = self.validate_argument_spec(argument_spec=OPTIONS)
        family = Os(options["family"] or self._family())
        sudo = self._wants_sudo(options["use_sudo"], family, task_vars)
        clock = Clock(options["wait_scale"])
        host = task_vars.get("inventory_hostname", "the host")
        try:
            profile = profiles.make(options["profile"], family, host, options["want"])
            result = prepare(
                profile,
                self._sender(clock, sudo),
                clock,
                change=options["state"] == "present" and not self._task.check_mode,
                refuse=options["state"] == "present" and options["refuse"],
            )
        except HostNotReadyError as error:
            return self._failure(host, error) | {"findings": list(error.findings)}
        except AsrMigrateError as error:
            return self._failure(host, error)
        except ConnectionLostError as error:
            raise error.__cause__ from None
        return self._result(options, result)

    def _failure(self, host, error):
        """Return the result of a task that failed, with what happened, why, and what to do."""
        about = "" if host in error.message else f"{host}: "
        told = [f"{about}{error.message.rstrip('.')}."]
        if error.cause and error.cause != error.message:
            told.append(f"Cause: {error.cause}")
        if error.remedy:
            told.append(f"Remedy: {error.remedy}")
        return {"failed": True, "changed": False, "msg": " ".join(told), "error": error.as_dict()}

    def _result(self, options, result):
        """Return the task's result.

        A passphrase goes to the file that was named, or else stands under ``passphrase``.
        """
        private = result.pop("private")
        diff = result.pop("diff")
        if options["state"] == "probed":
            result["changed"] = False
        if self._task.diff and result["changes"]:
            result["diff"] = diff
        passphrase = private.get("passphrase")
        if passphrase and options["passphrase_path"]:
            result["changed"] |= self._keep(options["passphrase_path"], passphrase)
        elif passphrase:
            result["passphrase"] = passphrase
        return result

    def _keep(self, path, secret):
        """Write ``secret`` to a file on the controller that only its owner may read.

        Return whether it was another before.
        """
        path = os.path.expanduser(path)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                if file.read().strip() == secret:
                    os.chmod(path, SECRET_MODE)
                    return False
        if self._task.check_mode:
            return True
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
        os.chmod(path, SECRET_MODE)
        return True

    def _family(self):
        """Return the family that the connection's shell speaks for."""
        return "windows" if getattr(self._connection._shell, "_IS_WINDOWS", False) else "linux"

    def _wants_sudo(self, given, family, task_vars):
        """Return whether commands go through sudo: as the option says, else on Linux when the user is not root."""
        if family is not Os.LINUX:
            return False
        if given is not None:
            return given
        user = self._connection.get_option("remote_user") or self._play_context.remote_user
        return (self._templar.template(task_vars.get("ansible_user")) or user or "root") != "root"

    def _sender(self, clock, sudo):
        """Return the function that sends an exchange.

        It raises ConnectionLostError when the host cannot be reached or, as a restarting host does, breaks off.
        What the connection plugin's own library raises then is none of Ansible's errors.
        """

        def send(exchange):
            command = f"sudo -n {exchange.command}" if sudo else exchange.command
            stdin = exchange.stdin
            if exchange.stdin_file:
                try:
                    stdin = Path(exchange.stdin_file).expanduser().read_bytes()
                except OSError as error:
                    raise AnsibleActionFail(
                        f"{exchange.stdin_file} cannot be read on the controller: {error.strerror}. "
                        "Put the installer there, or give its url."
                    ) from None
            sent = clock.now()
            try:
                code, out, err = self._connection.exec_command(command, in_data=to_bytes(stdin), sudoable=False)
            except AnsibleConnectionFailure as error:
                self._connection.close()
                raise ConnectionLostError(str(error)) from error
            except AnsibleError:
                raise
            except Exception as error:
                self._connection.close()
                broke = AnsibleConnectionFailure(f"the connection broke during '{exchange.name}': {error}")
                raise ConnectionLostError(str(error)) from broke
            return Answer(to_text(out, errors="replace"), to_text(err, errors="replace"), code, sent, clock.now())

        return send
