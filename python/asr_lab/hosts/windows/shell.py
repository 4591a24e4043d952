"""Windows PowerShell of a lab host: runs the statements that ``syntax`` parses against the host's state.

As on a real host, a text that does not parse runs not at all; an error of one statement is printed on standard error
and the next one runs; the exit code is that of ``exit``, else 1 when the last statement failed. One thing is stricter:
a command that the lab does not know ends the text with exit code 1 at once, so that it cannot be overlooked.
"""

import base64
import re
from xml.sax.saxutils import escape

from asr_lab.hosts.windows import cmd_exe, native, syntax, wmi, words
from asr_lab.hosts.windows.cursor import ParseError
from asr_lab.hosts.windows.errors import PowerShellError
from asr_lab.hosts.windows.installers import run as programs
from asr_lab.hosts.windows.language import translated
from asr_lab.hosts.windows.result import Result, failed
from asr_lab.hosts.windows.state import Host
from asr_lab.hosts.windows.tree import Assign, Command, Evaluate, Exit, If, Invoke, Piped, Statement, Try, Wmi
from asr_lab.hosts.windows.values import Values, printed

CMD_LINE_LIMIT = 8191
"""Characters of a command line that cmd.exe takes; WinRM starts every command through cmd.exe."""

_ENCODED = re.compile(r"\s*powershell(?:\.exe)?\s.*-EncodedCommand\s+(\S+)\s*$", re.IGNORECASE)
_SCRIPT = re.compile(
    r"(?:-NoProfile |-NonInteractive |-ExecutionPolicy (?:Bypass|Unrestricted|RemoteSigned) )*-File (.+)", re.IGNORECASE
)
_ANSIBLE_BOOTSTRAP = 'if ($PSVersionTable.PSVersion -lt [Version]"5.1")'


class _StopError(Exception):
    """``exit``, or a command the lab does not know."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run_line(host: Host, line: str, stdin: bytes) -> Result:
    """Run a command line as WinRM starts it: ``PowerShell ... -EncodedCommand ...`` or a line of cmd.exe."""
    if len(line) > CMD_LINE_LIMIT:
        return Result(err="The command line is too long.\r\n", code=1)
    encoded = _ENCODED.match(line)
    if encoded is None:
        return cmd_exe.run(host, line)
    try:
        text = base64.b64decode(encoded.group(1), validate=True).decode("utf-16-le")
    except ValueError:
        return Result(
            err="Cannot process the command because the value specified with -EncodedCommand is not valid.\r\n",
            code=-196608,
        )
    return run_text(host, text, stdin)


def run_text(host: Host, text: str, stdin: bytes = b"") -> Result:
    """Run a PowerShell text with its standard input."""
    if _ANSIBLE_BOOTSTRAP in text and float(host.flavour.powershell) < 5.1:
        return Result(out='{"failed":true,"msg":"Ansible requires PowerShell v5.1"}\r\n', code=1)
    try:
        statements = syntax.parse(text)
    except ParseError as wrong:
        return Result(err=_clixml(_record(str(wrong), text.split("\n", 1)[0], "ParserError")), code=1)
    return _Session(host, stdin).run(statements)


def _record(message: str, source: str, kind: str) -> str:
    where = "\r\n".join(["At line:1 char:1", f"+ {source}", "+ " + "~" * min(len(source), 60)])
    tail = [
        "    + CategoryInfo          : NotSpecified: (:) [], " + kind,
        "    + FullyQualifiedErrorId : " + kind,
        " ",
        "",
    ]
    return "\r\n".join([message, where, *tail])


def _clixml(text: str) -> str:
    """Return errors as PowerShell writes them when it was started with an encoded command."""
    rows = "".join(f'<S S="Error">{escape(row)}_x000D__x000A_</S>' for row in text.split("\r\n")[:-1])
    return f'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">{rows}</Objs>'


class _Session:
    """One run of a text: variables, the last exit code, what was printed."""

    def __init__(self, host: Host, stdin: bytes) -> None:
        self._host = host
        self._values = Values(host, stdin)
        self._ok = True
        self._out: list[str] = []
        self._err: list[str] = []
        self._records: list[str] = []

    def run(self, statements: tuple[Statement, ...]) -> Result:
        """Run the statements and return what the process gives back."""
        try:
            self._block(statements, caught=False)
            code = 0 if self._ok else 1
        except _StopError as stop:
            code = stop.code
        errors = "".join(self._err) + (_clixml("".join(self._records)) if self._records else "")
        return Result("".join(self._out), errors, code)

    def _block(self, statements: tuple[Statement, ...], *, caught: bool) -> None:
        for statement in statements:
            try:
                self._statement(statement, caught=caught)
            except PowerShellError as error:
                if caught:
                    raise
                self._ok = False
                source = "" if isinstance(statement, Try | Exit) else statement.source
                self._records.append(_record(str(error), source, error.kind))

    def _statement(self, statement: Statement, *, caught: bool) -> None:
        if isinstance(statement, Command):
            self._command(statement)
        elif isinstance(statement, Exit):
            value = self._values.value(statement.value) if statement.value else 0
            raise _StopError(value if isinstance(value, int) else 0)
        elif isinstance(statement, Try):
            try:
                self._block(statement.body, caught=True)
            except PowerShellError:
                self._block(statement.handler, caught=False)
        elif isinstance(statement, Assign):
            self._values.assign(statement.target, self._values.value(statement.value))
            self._ok = True
        elif isinstance(statement, Invoke):
            self._invoke(statement, caught=caught)
        elif isinstance(statement, If):
            holds = bool(self._values.value(statement.condition))
            self._block(statement.body if holds else statement.otherwise, caught=caught)
        elif isinstance(statement, Piped):
            self._piped(statement)
        elif isinstance(statement, Wmi):
            self._wmi(statement)
        else:
            self._evaluate(statement)

    # statements

    def _invoke(self, statement: Invoke, *, caught: bool) -> None:
        text = self._values.text(statement.value)
        if not text:
            raise PowerShellError(
                "Cannot bind argument to parameter 'Command' because it is an empty string.",
                "ParameterArgumentValidationErrorEmptyStringNotAllowed",
            )
        try:
            inner = syntax.parse(text)
        except ParseError as wrong:
            raise PowerShellError(str(wrong), "ParserError") from None
        self._ok = True
        self._block(inner, caught=caught)

    def _evaluate(self, statement: Evaluate) -> None:
        value = self._values.value(statement.value)
        self._ok = True
        if value not in (None, []) and "out-null" not in statement.filters:
            self._out.append(printed(value) + "\r\n")

    def _piped(self, statement: Piped) -> None:
        if not isinstance(statement.value, Command):
            self._command(statement.command, self._values.text(statement.value))
            return
        kept, self._out = self._out, []
        self._command(statement.value)
        given, self._out = "".join(self._out), kept
        self._command(statement.command, given)

    def _wmi(self, asked: Wmi) -> None:
        try:
            rows = wmi.objects(self._host, asked.namespace, asked.name)
        except wmi.UnknownClassError as unknown:
            raise _StopError(self._unknown(str(unknown), "the lab does not know this class")) from None
        except PowerShellError:
            self._ok = False
            if not asked.silent:
                raise
            return
        self._ok = True
        for row in rows:
            shown = [printed(row.get(member.lower())) for member in asked.members]
            self._out.append(asked.form.format(*shown) + "\r\n")

    def _command(self, command: Command, stdin: str = "") -> None:
        name = self._values.text(command.name)
        arguments = [self._values.text(word) for word in command.words]
        if name.lower() in ("echo", "write-output", "write-host") and not command.called:
            self._out.extend(f"{argument}\r\n" for argument in arguments)
            self._ok = True
            return
        if name.lower() in ("set-location", "cd"):
            self._set_location("".join(arguments))
            return
        reader = native.READERS.get(native.short(name))
        if reader is not None:
            result = reader(self._host, words.split(words.join(arguments)), stdin)
        else:
            result = self._native(name, arguments, called=command.called)
        result = translated(self._host.language, result)
        self._values.last_exit = result.code
        self._ok = result.code == 0
        if "out-null" not in command.filters:
            self._out.append(result.out)
        if command.redirect == "&1" and result.err:
            self._out.append(_record(f"{name} : {result.err.splitlines()[0]}", command.source, "NativeCommandError"))
        elif not command.redirect:
            self._err.append(result.err)

    def _set_location(self, folder: str) -> None:
        if not folder or not self._host.files.is_folder(folder):
            raise PowerShellError(f"Cannot find path '{folder}' because it does not exist.", "PathNotFound")
        self._ok = True

    def _script(self, arguments: list[str]) -> Result:
        """Run ``PowerShell [-NoProfile] [-NonInteractive] [-ExecutionPolicy NAME] -File SCRIPT``."""
        given = _SCRIPT.fullmatch(" ".join(arguments))
        path = given.group(1) if given else ""
        if not path or not self._host.files.exists(path):
            return failed(-196608, f"The argument '{path}' to the -File parameter does not exist.")
        try:
            result = programs.run(self._host, path, [])
        except PowerShellError as thrown:
            return failed(1, str(thrown))
        return result or failed(1, _not_recognized(path))

    def _native(self, name: str, arguments: list[str], *, called: bool) -> Result:
        line = words.join(arguments)
        if native.short(name) == "powershell":
            return self._script(arguments)
        if name.lower().removesuffix(".exe") in ("cmd", "c:\\windows\\system32\\cmd"):
            switch, _, rest = line.partition(" ")
            if switch.lower() != "/c":
                raise _StopError(self._unknown(f"cmd {switch}", "the lab's hosts take cmd /c only"))
            return cmd_exe.run(self._host, cmd_exe.stripped(rest))
        # sc is an alias of Set-Content in Windows PowerShell: only sc.exe is the service control program.
        program = native.find(self._host, name) if name.lower() != "sc" else None
        if program is not None:
            return program(self._host, words.split(line))
        if "\\" not in name:
            raise _StopError(self._unknown(name, ""))
        return self._file(name, arguments, line, called=called)

    def _file(self, path: str, arguments: list[str], line: str, *, called: bool) -> Result:
        if not self._host.files.exists(path):
            raise PowerShellError(_not_recognized(path), "CommandNotFoundException")
        if not called and " " in path:
            raise PowerShellError(_not_recognized(path.split(" ")[0]), "CommandNotFoundException")
        # A script gets its arguments as they are, a program a command line that it takes apart.
        taken = arguments if path.lower().endswith(".ps1") else words.split(line)
        result = programs.run(self._host, path, taken)
        if result is None:
            raise PowerShellError(
                f"Program '{path}' failed to run: the executable is not a valid application for this OS platform.",
                "NativeCommandFailed",
            )
        return result

    def _unknown(self, name: str, why: str) -> int:
        message = _not_recognized(name) + (f" ({why})" if why else "")
        self._records.append(_record(message, name, "CommandNotFoundException"))
        return 1


def _not_recognized(name: str) -> str:
    return (
        f"{name} : The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
        "program. Check the spelling of the name, or if a path was included, verify that the path is correct and try "
        "again."
    )
