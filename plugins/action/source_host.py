"""Action plugin: prepares a host over its own connection, with nothing on the host but a shell."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

PACKAGES = Path(__file__).resolve().parents[2] / "python"
if str(PACKAGES) not in sys.path:
    sys.path.insert(0, str(PACKAGES))

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, InputError, SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import linux_command, profiles
from asr_migrate.hosts.identity import any_machine
from asr_migrate.hosts.plan import Answer, Restorable
from asr_migrate.hosts.prepare import ConnectionLostError, HostNotReadyError, prepare, restore
from asr_migrate.keeping.files import FileStore
from asr_migrate.keeping.record import Record

OPTIONS = {
    "profile": {"type": "str", "default": "source", "choices": list(profiles.NAMES)},
    "state": {"type": "str", "default": "present", "choices": ["present", "probed", "restored"]},
    "family": {"type": "str", "choices": [family.value for family in Os]},
    "want": {"type": "dict", "default": {}, "no_log": True},
    "use_sudo": {"type": "bool"},
    "refuse": {"type": "bool", "default": True},
    "force": {"type": "bool", "default": False},
    "scope": {"type": "str", "default": "all", "choices": ["all", "push"]},
    "prior_dir": {"type": "path", "default": "~/.asr/prior"},
    "passphrase_path": {"type": "path"},
    "agent_config_input_path": {"type": "path"},
    "wait_scale": {"type": "float", "default": 1.0},
}
SECRET_MODE = 0o600
#: From which verbosity on connection plugins print what a host says.
TELLING_VERBOSITY = 3
CENSORED = "censored due to no log"
#: Variables that may hold the password which sudo asks for; the first one that does counts.
SUDO_PASSWORDS = ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass")


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
        host = task_vars.get("inventory_hostname", "the host")
        record = Record(host, FileStore(Path(options["prior_dir"]).expanduser(), host))
        try:
            profile, send, clock = self._parties(options, host, task_vars)
            bring = self._restored if options["state"] == "restored" else self._prepared
            result = bring(options, profile, record, send, clock)
        except HostNotReadyError as error:
            return self._failure(host, error) | {"findings": list(error.findings)}
        except AsrMigrateError as error:
            return self._failure(host, error)
        except ConnectionLostError as error:
            raise error.__cause__ from None
        return result

    def _parties(self, options, host, task_vars):
        """Return the host's profile, the sender of its exchanges and the clock."""
        family = Os(options["family"] or self._family())
        clock = Clock(options["wait_scale"])
        profile = profiles.make(options["profile"], family, host, options["want"])
        return profile, self._sender(clock, self._rooted(options["use_sudo"], family, task_vars)), clock

    def _prepared(self, options, profile, record, send, clock):
        """Return the result of the states present and probed."""
        present = options["state"] == "present"
        result = prepare(
            profile,
            send,
            clock,
            keep=record.add,
            check=record.check if present else any_machine,
            change=present and not self._task.check_mode,
            refuse=present and options["refuse"],
        )
        if not present:
            result["changed"] = False
        return self._result(options, result)

    def _restored(self, options, profile, record, send, clock):
        """Return the result of the state restored; a host without a record is looked at all the same."""
        if not isinstance(profile, Restorable):
            remedy = "Only sources are put back; leave the others out, or remove what was installed on them."
            raise InputError("profile", options["profile"], "has nothing to put back", remedy=remedy)
        priors = record.load()
        try:
            result = restore(
                profile,
                priors,
                send,
                clock,
                leave=record.leave,
                check=record.check,
                force=options["force"],
                only_push=options["scope"] == "push",
                change=not self._task.check_mode,
                refuse=options["refuse"],
            )
        except ConnectionLostError as error:
            return self._out_of_reach(record, priors, error)
        result["on_record"] = [prior.thing for prior in record.load()]
        return self._result(options, result)

    def _out_of_reach(self, record, priors, error):
        """Return the result for a host that cannot be put back now, with what waits for it."""
        left = [prior.thing for prior in priors]
        waits = (
            f"{len(left)} things are still to be put back ({', '.join(left)}; {record.place})"
            if left
            else (f"nothing of it is on record in {record.place}")
        )
        said = str(error.__cause__ or error).rstrip(".")
        remedy = "Start it, or let the controller reach it, and run the playbook again; the record stays until then."
        return {
            "unreachable": True,
            "changed": False,
            "on_record": left,
            "msg": f"{said}. Of this host {waits}. {remedy}",
        }

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

        What was read privately goes to the file that was named for it; a passphrase without one stands in the result.
        """
        private = result.pop("private")
        diff = result.pop("diff")
        if self._task.diff and result["changes"]:
            result["diff"] = diff
        for name in ("passphrase", "agent_config_input"):
            if private.get(name) and options[f"{name}_path"]:
                result["changed"] |= self._keep(options[f"{name}_path"], private[name])
        if private.get("passphrase") and not options["passphrase_path"]:
            result["passphrase"] = private["passphrase"]
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

    def _rooted(self, use_sudo, family, task_vars):
        """Return the function that gives a command's line as root, and the bytes before its standard input."""
        if family is not Os.LINUX:
            return lambda command: (command, b"")
        password = self._sudo_password(task_vars)
        return lambda command: linux_command.as_root(command, sudo=use_sudo, password=password)

    def _sudo_password(self, task_vars):
        """Return the password for sudo that Ansible was given, by a variable or ``--ask-become-pass``."""
        for name in SUDO_PASSWORDS:
            if task_vars.get(name):
                return str(self._templar.template(task_vars[name]))
        return getattr(self._play_context, "become_pass", None) or ""

    def _sender(self, clock, rooted):
        """Return the function that sends an exchange.

        It raises ConnectionLostError when the host cannot be reached or, as a restarting host does, breaks off.
        What the connection plugin's own library raises then is none of Ansible's errors.
        """

        def send(exchange):
            command, first = rooted(exchange.command)
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
                with self._unheard():
                    code, out, err = self._execute(command, first + to_bytes(stdin or b""))
            except AnsibleConnectionFailure as error:
                self._hang_up()
                raise ConnectionLostError(str(error)) from self._in_words(error)
            except (AnsibleError, AsrMigrateError):
                raise
            except Exception as error:
                self._hang_up()
                broke = AnsibleConnectionFailure(f"the connection broke during '{exchange.name}': {error}")
                raise ConnectionLostError(str(error)) from broke
            return Answer(to_text(out, errors="replace"), to_text(err, errors="replace"), code, sent, clock.now())

        return send

    def _execute(self, command, stdin):
        """Run a command on the host with ``stdin``; return its exit code and what it printed."""
        if self._connection.has_pipelining or not stdin:
            return self._connection.exec_command(command, in_data=stdin, sudoable=False)
        return self._execute_on_file(command, stdin)

    def _execute_on_file(self, command, stdin):
        """Run a command with ``stdin`` over a connection that sends files only, as paramiko's does.

        The file lies in a directory for its owner only and is gone before the command starts; one that a broken
        connection leaves goes with the next command.
        """
        code, out, err = self._connection.exec_command(linux_command.make_inbox(), sudoable=False)
        inbox = to_text(out, errors="replace").strip()
        if code or not inbox:
            said = to_text(err, errors="replace").strip() or "it said nothing"
            raise SetupError(
                f"the host lets no directory be made in the user's home: {said[:300]}",
                code="HostInboxRefused",
                cause="The connection plugin cannot send standard input, so it goes through a file there.",
                remedy="Give the user who connects a home directory with room, or use the connection plugin ssh.",
            )
        path = f"{inbox.splitlines()[-1]}/{secrets.token_hex(8)}"
        with tempfile.NamedTemporaryFile() as file:
            file.write(stdin)
            file.flush()
            try:
                self._connection.put_file(file.name, path)
            except AnsibleConnectionFailure:
                raise
            except AnsibleError:
                self._connection.exec_command(linux_command.clear_inbox(), sudoable=False)
                raise
        return self._connection.exec_command(linux_command.from_inbox(command, path), sudoable=False)

    def _hang_up(self):
        """Close the connection; a plugin that never had one may stumble over that, which tells nothing new."""
        with suppress(Exception):
            self._connection.close()

    @contextmanager
    def _unheard(self):
        """Keep the connection plugin from printing what the host says: a probe reads secrets.

        At lower verbosity it prints nothing, and its own words about a lost connection are wanted.
        """
        display, told = Display(), self._connection._play_context
        before = told.no_log
        told.no_log = before or max(display.verbosity, display.log_verbosity) >= TELLING_VERBOSITY
        try:
            yield
        finally:
            told.no_log = before

    @staticmethod
    def _in_words(error):
        """Return the error of a lost connection; one that says nothing because of us says how to hear more."""
        if CENSORED not in str(error):
            return error
        return AnsibleConnectionFailure(
            "The host does not answer. With at most -vv the connection's own error is shown."
        )
