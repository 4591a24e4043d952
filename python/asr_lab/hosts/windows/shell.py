"""Windows PowerShell of a lab host: runs the statements that ``syntax`` parses against the host's state.

As on a real host, a text that does not parse runs not at all; an error of one statement is printed on standard error
and the next one runs; the exit code is that of ``exit``, else 1 when the last statement failed. One thing is stricter:
a command that the lab does not know ends the text with exit code 1 at once, so that it cannot be overlooked.
"""

import base64
import re
from datetime import datetime
from xml.sax.saxutils import escape

from asr_lab.hosts.windows import cmd_exe, native, syntax, words
from asr_lab.hosts.windows.installers import run as programs
from asr_lab.hosts.windows.result import Result
from asr_lab.hosts.windows.state import Host
from asr_lab.hosts.windows.syntax import (
    Array,
    Assign,
    Command,
    Evaluate,
    Exit,
    Expandable,
    Expr,
    Member,
    New,
    Number,
    Statement,
    Static,
    Text,
    Try,
    Variable,
)

CMD_LINE_LIMIT = 8191
"""Characters of a command line that cmd.exe takes; WinRM starts every command through cmd.exe."""

_ENCODED = re.compile(r"\s*powershell(?:\.exe)?\s.*-EncodedCommand\s+(\S+)\s*$", re.IGNORECASE)
_ANSIBLE_BOOTSTRAP = 'if ($PSVersionTable.PSVersion -lt [Version]"5.1")'
_TLS_1_2 = 3072
_EXPANSION = re.compile(r"\$((?:env:)?[A-Za-z_][A-Za-z0-9_]*)")


class PowerShellError(Exception):
    """A statement failed; the script goes on with the next one. ``kind`` is the error's id."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class _StopError(Exception):
    """``exit``, or a command the lab does not know."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class TcpClient:
    """A Net.Sockets.TcpClient."""


class WebClient:
    """A Net.WebClient."""


Value = str | int | datetime | list[str] | TcpClient | WebClient | None


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
    except syntax.ParseError as wrong:
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
        self._stdin = stdin.decode("utf-8-sig", errors="replace")
        self._variables: dict[str, Value] = {}
        self._last_exit: int | None = None
        self._ok = True
        self._tls12 = host.flavour.tls12
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
                self._statement(statement)
            except PowerShellError as error:
                if caught:
                    raise
                self._ok = False
                source = "" if isinstance(statement, Try | Exit) else statement.source
                self._records.append(_record(str(error), source, error.kind))

    def _statement(self, statement: Statement) -> None:
        if isinstance(statement, Command):
            self._command(statement)
        elif isinstance(statement, Exit):
            value = self._value(statement.value) if statement.value else 0
            raise _StopError(value if isinstance(value, int) else 0)
        elif isinstance(statement, Try):
            try:
                self._block(statement.body, caught=True)
            except PowerShellError:
                self._block(statement.handler, caught=False)
        elif isinstance(statement, Assign):
            self._assign(statement)
        else:
            self._evaluate(statement)

    # statements

    def _assign(self, statement: Assign) -> None:
        value = self._value(statement.value)
        if isinstance(statement.target, Variable):
            self._variables[statement.target.name] = value
        elif (statement.target.type.lower().removeprefix("system."), statement.target.member.lower()) == (
            "net.servicepointmanager",
            "securityprotocol",
        ):
            named = isinstance(value, str) and "tls12" in value.lower().replace(" ", "").split(",")
            self._tls12 = named or (isinstance(value, int) and bool(value & _TLS_1_2))
        else:
            raise PowerShellError(f"Unable to find type [{statement.target.type}].", "TypeNotFound")
        self._ok = True

    def _evaluate(self, statement: Evaluate) -> None:
        value = self._value(statement.value)
        self._ok = True
        if value is not None and "out-null" not in statement.filters:
            self._out.append(_printed(value) + "\r\n")

    def _command(self, command: Command) -> None:
        name = self._text(command.name)
        arguments = [self._text(word) for word in command.words]
        if name.lower() in ("echo", "write-output", "write-host") and not command.called:
            self._out.extend(f"{argument}\r\n" for argument in arguments)
            self._ok = True
            return
        result = self._native(name, arguments, called=command.called)
        self._last_exit = result.code
        self._ok = result.code == 0
        if "out-null" not in command.filters:
            self._out.append(result.out)
        if command.redirect == "&1" and result.err:
            self._out.append(_record(f"{name} : {result.err.splitlines()[0]}", command.source, "NativeCommandError"))
        elif not command.redirect:
            self._err.append(result.err)

    def _native(self, name: str, arguments: list[str], *, called: bool) -> Result:
        line = words.join(arguments)
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

    # expressions

    def _text(self, expression: Expr) -> str:
        return _printed(self._value(expression))

    def _value(self, expression: Expr) -> Value:
        if isinstance(expression, Text | Number):
            return expression.value
        if isinstance(expression, Expandable):
            return _EXPANSION.sub(lambda found: _printed(self._variable(found.group(1).lower())), expression.value)
        if isinstance(expression, Variable):
            return self._variable(expression.name)
        if isinstance(expression, New):
            return self._new(expression.type)
        if isinstance(expression, Array):
            value = self._value(expression.value)
            return value if isinstance(value, list) else [_printed(value)]
        if isinstance(expression, Static):
            return self._static(expression)
        return self._member(expression)

    def _variable(self, name: str) -> Value:
        if name == "lastexitcode":
            return self._last_exit
        if name == "input":
            return self._stdin.splitlines()
        if name.startswith("env:"):
            if name[4:] == "computername":
                return self._host.spec.description.host_name.upper()
            return cmd_exe.ENVIRONMENT.get(name[4:])
        if name in ("true", "false"):
            return "True" if name == "true" else "False"
        return self._variables.get(name)

    def _new(self, name: str) -> Value:
        short = name.lower().removeprefix("system.")
        if short == "net.sockets.tcpclient":
            return TcpClient()
        if short == "net.webclient":
            return WebClient()
        raise PowerShellError(
            f"Cannot find type [{name}]: verify that the assembly containing this type is loaded.", "TypeNotFound"
        )

    def _static(self, expression: Static) -> Value:
        name = (expression.type.lower().removeprefix("system."), expression.member.lower())
        arguments = [self._value(argument) for argument in expression.arguments or ()]
        if name == ("datetime", "utcnow") and expression.arguments is None:
            return self._host.utc_now()
        if name == ("io.file", "writealllines") and len(arguments) == 2 and isinstance(arguments[1], list):
            self._write(_printed(arguments[0]), "".join(f"{row}\r\n" for row in arguments[1]))
            return None
        if name[0] in ("datetime", "io.file", "net.servicepointmanager"):
            raise PowerShellError(
                f"The lab does not know [{expression.type}]::{expression.member} in this form.", "MethodNotFound"
            )
        raise PowerShellError(f"Unable to find type [{expression.type}].", "TypeNotFound")

    def _write(self, path: str, text: str) -> None:
        folder = path.rpartition("\\")[0]
        if not self._host.files.is_folder(folder if len(folder) > 2 else folder + "\\"):
            raise PowerShellError(
                f'Exception calling "WriteAllLines" with "2" argument(s): "Could not find a part of {path}."',
                "DirectoryNotFoundException",
            )
        self._host.files.write(path, text.encode())

    def _member(self, expression: Member) -> Value:
        target = self._value(expression.target)
        name = expression.name.lower()
        arguments = [self._value(argument) for argument in expression.arguments or ()]
        if isinstance(target, datetime) and name == "tostring" and arguments == ["o"]:
            return _printed(target)
        if (
            isinstance(target, TcpClient)
            and name == "connect"
            and len(arguments) == 2
            and isinstance(arguments[1], int)
        ):
            self._connect(_printed(arguments[0]), arguments[1])
            return None
        if isinstance(target, TcpClient) and name == "close" and not arguments:
            return None
        if isinstance(target, WebClient) and name == "downloadfile" and len(arguments) == 2:
            self._download(_printed(arguments[0]), _printed(arguments[1]))
            return None
        raise PowerShellError(
            f"Method invocation failed: the lab does not know a method named '{expression.name}' here.",
            "MethodNotFound",
        )

    def _connect(self, target: str, port: int) -> None:
        host = self._host
        local = target in ("127.0.0.1", "localhost", *host.spec.description.addresses)
        reached = port in host.condition.listening if local else host.uplink.connects(host.spec.address, target, port)
        if not reached:
            raise PowerShellError(
                'Exception calling "Connect" with "2" argument(s): "No connection could be made because the target '
                f'machine actively refused it {target}:{port}"',
                "SocketException",
            )

    def _download(self, url: str, path: str) -> None:
        called = 'Exception calling "DownloadFile" with "2" argument(s): '
        if url.startswith("https:") and not self._tls12:
            text = "The request was aborted: Could not create SSL/TLS secure channel."
            raise PowerShellError(f'{called}"{text}"', "WebException")
        data = self._host.uplink.download(url)
        if data is None:
            name = url.partition("://")[2].partition("/")[0]
            raise PowerShellError(f"{called}\"The remote name could not be resolved: '{name}'\"", "WebException")
        free = self._host.free_bytes(path[:2])
        if free is None or free < len(data) or not self._host.files.is_folder(path.rpartition("\\")[0]):
            raise PowerShellError(f'{called}"An exception occurred during a WebClient request."', "WebException")
        self._host.files.write(path, data)


def _not_recognized(name: str) -> str:
    return (
        f"{name} : The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
        "program. Check the spelling of the name, or if a path was included, verify that the path is correct and try "
        "again."
    )


def _printed(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond * 10:07d}Z"
    if isinstance(value, list):
        return "\r\n".join(value)
    return str(value)
