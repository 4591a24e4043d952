"""The values of PowerShell expressions on a lab host: variables, .NET types and their members."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime

from asr_lab.hosts.windows import cmd_exe, sockets, web
from asr_lab.hosts.windows.errors import PowerShellError
from asr_lab.hosts.windows.sockets import Attempt, Stream, TcpClient
from asr_lab.hosts.windows.state import Host
from asr_lab.hosts.windows.tree import (
    Array,
    Expandable,
    Expr,
    Index,
    Member,
    New,
    Number,
    Operation,
    Several,
    Static,
    Text,
    Variable,
)
from asr_lab.hosts.windows.web import Credential, WebClient, WebProxy

_TLS_1_2 = 3072
_EXPANSION = re.compile(r"\$(?:global:)?((?:env:)?[A-Za-z_][A-Za-z0-9_]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Protocols:
    """A Net.SecurityProtocolType that was made of a number, whether the enumeration knows it or not."""

    number: int


@dataclass(frozen=True)
class Encoding:
    """[Text.Encoding]::ASCII or ::UTF8; ``name`` is Python's."""

    name: str


@dataclass(frozen=True)
class RegexMatch:
    """What [regex]::Match gives; ``value`` is empty where nothing matched."""

    value: str


Value = (
    str
    | int
    | bool
    | bytearray
    | datetime
    | list[str]
    | TcpClient
    | Attempt
    | Stream
    | Protocols
    | WebClient
    | WebProxy
    | Credential
    | RegexMatch
    | Encoding
    | None
)


class Values:
    """Variables and settings of one session, and what expressions give in it.

    Standard input can be read once, as ``$input`` is an enumerator that stands at its end afterwards.
    """

    def __init__(self, host: Host, stdin: bytes) -> None:
        self._host = host
        self._stdin = stdin.decode("utf-8-sig", errors="replace").splitlines()
        self._variables: dict[str, Value] = {}
        self._tls12 = host.flavour.tls12
        self.last_exit: int | None = None

    def assign(self, target: Variable | Static | Member, value: Value) -> None:
        """Set a variable, a type's or an object's property. Raises PowerShellError."""
        if isinstance(target, Variable) and target.name == "lastexitcode":
            self.last_exit = value if isinstance(value, int) else None
        elif isinstance(target, Variable):
            self._variables[target.name] = value
        elif isinstance(target, Member):
            self._set_member(target, value)
        elif (target.type.lower().removeprefix("system."), target.member.lower()) == (
            "net.servicepointmanager",
            "securityprotocol",
        ):
            self._tls12 = self._protocols(value)
        else:
            raise PowerShellError(f"Unable to find type [{target.type}].", "TypeNotFound")

    def _set_member(self, target: Member, value: Value) -> None:
        owner, name = self.value(target.target), target.name.lower()
        if isinstance(owner, WebClient) and name == "proxy" and isinstance(value, WebProxy):
            owner.proxy = value
        elif isinstance(owner, WebProxy) and name == "credentials" and isinstance(value, Credential):
            owner.credentials = value
        else:
            raise PowerShellError(
                f"The lab does not know how to set the property '{target.name}' to this.", "PropertyNotFound"
            )

    def _protocols(self, value: Value) -> bool:
        """Return whether the value, set as SecurityProtocol, allows TLS 1.2."""
        knows = self._host.flavour.knows_tls12
        if isinstance(value, Protocols):
            return bool(value.number & _TLS_1_2)
        named = isinstance(value, str) and "tls12" in value.lower().replace(" ", "").split(",")
        wanted = named or (isinstance(value, int) and bool(value & _TLS_1_2))
        if wanted and not knows:
            raise PowerShellError(
                f'Exception setting "SecurityProtocol": "Cannot convert value "{printed(value)}" to type '
                '"System.Net.SecurityProtocolType" due to invalid enumeration values. Specify one of the following '
                'enumeration values and try again. The possible enumeration values are "Ssl3, Tls"."',
                "PropertyAssignmentException",
            )
        return wanted

    def text(self, expression: Expr) -> str:
        """Return what an expression gives, as a text. Raises PowerShellError."""
        return printed(self.value(expression))

    def value(self, expression: Expr) -> Value:
        """Return what an expression gives. Raises PowerShellError."""
        if isinstance(expression, Text | Number):
            return expression.value
        if isinstance(expression, Expandable):
            return _EXPANSION.sub(lambda found: printed(self._variable(found.group(1).lower())), expression.value)
        if isinstance(expression, Variable):
            return self._variable(expression.name)
        if isinstance(expression, New):
            return self._new(expression)
        if isinstance(expression, Array):
            value = self.value(expression.value)
            return value if isinstance(value, list) else [printed(value)]
        if isinstance(expression, Several):
            return [self.text(one) for one in expression.values]
        if isinstance(expression, Operation):
            return self._operation(expression)
        if isinstance(expression, Index):
            return self._index(expression)
        if isinstance(expression, Static):
            return self._static(expression)
        return self._member(expression)

    def _variable(self, name: str) -> Value:
        if name == "lastexitcode":
            return self.last_exit
        if name == "input":
            rows, self._stdin = self._stdin, []
            return rows
        if name.startswith("env:"):
            if name[4:] == "computername":
                return self._host.spec.description.host_name.upper()
            return cmd_exe.ENVIRONMENT.get(name[4:])
        if name in ("true", "false"):
            return name == "true"
        return self._variables.get(name)

    def _operation(self, expression: Operation) -> Value:
        """Return what an operator gives; texts and numbers are compared as texts, without regard to case."""
        left, right = self.value(expression.left), self.text(expression.right)
        if expression.operator == "join":
            return right.join(left) if isinstance(left, list) else printed(left)
        if expression.operator == "contains":
            return right.lower() in [row.lower() for row in (left if isinstance(left, list) else [printed(left)])]
        if isinstance(left, list):
            raise PowerShellError(f"The lab compares no list by -{expression.operator}.", "InvalidOperation")
        return (printed(left).lower() == right.lower()) is (expression.operator == "eq")

    def _index(self, expression: Index) -> Value:
        """Return one element, or with ``..`` those from first to last, which may run backwards; outside is nothing."""
        rows = self.value(expression.target)
        items = rows if isinstance(rows, list) else [printed(rows)] if rows is not None else []
        first = self._number(expression.first)
        if expression.last is None:
            return items[first] if -len(items) <= first < len(items) else None
        last = self._number(expression.last)
        places = range(first, last + 1) if first <= last else range(first, last - 1, -1)
        return [items[place] for place in places if -len(items) <= place < len(items)]

    def _number(self, expression: Expr) -> int:
        value = self.value(expression)
        try:
            return int(printed(value)) if value is not None else 0
        except ValueError:
            raise PowerShellError(
                f'Cannot convert value "{printed(value)}" to type "System.Int32".', "InvalidCastFromStringToInteger"
            ) from None

    def _new(self, made: New) -> Value:
        short = made.type.lower().removeprefix("system.")
        match short, [self.value(argument) for argument in made.arguments]:
            case "net.sockets.tcpclient", []:
                return TcpClient()
            case "net.webclient", []:
                return WebClient()
            case "net.webproxy", [str() as address]:
                return WebProxy(address)
            case "net.networkcredential", [str() as user, str() as password]:
                return Credential(user, password)
        raise PowerShellError(
            f"Cannot find type [{made.type}]: verify that the assembly containing this type is loaded.", "TypeNotFound"
        )

    def _static(self, expression: Static) -> Value:
        name = (expression.type.lower().removeprefix("system."), expression.member.lower())
        arguments = [self.value(argument) for argument in expression.arguments or ()]
        if name == ("datetime", "utcnow") and expression.arguments is None:
            return self._host.utc_now()
        if name == ("convert", "frombase64string") and len(arguments) == 1:
            return _decoded(printed(arguments[0]))
        if name in (("text.encoding", "ascii"), ("text.encoding", "utf8")) and expression.arguments is None:
            return Encoding(name[1])
        if name == ("io.file", "exists") and len(arguments) == 1:
            path = printed(arguments[0])
            return self._host.files.exists(path) and not self._host.files.is_folder(path)
        if name == ("io.path", "getdirectoryname") and len(arguments) == 1:
            return printed(arguments[0]).rpartition("\\")[0]
        if name == ("io.directory", "getfiles") and len(arguments) == 3 and arguments[2] == "AllDirectories":
            return self._files_below(printed(arguments[0]), printed(arguments[1]))
        if name == ("enum", "toobject") and len(arguments) == 2 and isinstance(arguments[1], int):
            return Protocols(arguments[1])
        if name == ("io.file", "readalltext") and len(arguments) == 1:
            return self._read(printed(arguments[0]))
        if name == ("regex", "match") and len(arguments) == 2:
            found = re.search(printed(arguments[1]), printed(arguments[0]))
            return RegexMatch(found.group() if found else "")
        if name == ("io.file", "writeallbytes") and len(arguments) == 2 and isinstance(arguments[1], bytearray):
            self._write(printed(arguments[0]), bytes(arguments[1]), "WriteAllBytes")
            return None
        if name == ("io.file", "writealllines") and len(arguments) == 2 and isinstance(arguments[1], list):
            self._write(printed(arguments[0]), "".join(f"{row}\r\n" for row in arguments[1]).encode(), "WriteAllLines")
            return None
        if name[0] in ("datetime", "io.file", "net.servicepointmanager", "convert", "enum", "regex"):
            raise PowerShellError(
                f"The lab does not know [{expression.type}]::{expression.member} in this form.", "MethodNotFound"
            )
        raise PowerShellError(f"Unable to find type [{expression.type}].", "TypeNotFound")

    def _files_below(self, folder: str, name: str) -> list[str]:
        """Return the files of that name in a folder and below it."""
        if not self._host.files.is_folder(folder):
            raise PowerShellError(
                f'Exception calling "GetFiles" with "3" argument(s): "Could not find a part of the path \'{folder}\'."',
                "DirectoryNotFoundException",
            )
        start, end = folder.lower().rstrip("\\") + "\\", "\\" + name.lower()
        nodes = (node for node in self._host.files if node.digest is not None)
        return sorted(
            node.path for node in nodes if node.path.lower().startswith(start) and node.path.lower().endswith(end)
        )

    def _read(self, path: str) -> str:
        found = self._host.files.text(path)
        if found is None:
            raise PowerShellError(
                f'Exception calling "ReadAllText" with "1" argument(s): "Could not find file \'{path}\'."',
                "FileNotFoundException",
            )
        return found

    def _write(self, path: str, data: bytes, method: str) -> None:
        folder = path.rpartition("\\")[0]
        if not self._host.files.is_folder(folder if len(folder) > 2 else folder + "\\"):
            raise PowerShellError(
                f'Exception calling "{method}" with "2" argument(s): "Could not find a part of {path}."',
                "DirectoryNotFoundException",
            )
        self._host.files.write(path, data)

    def _member(self, expression: Member) -> Value:
        target = self.value(expression.target)
        name = expression.name.lower()
        arguments = [self.value(argument) for argument in expression.arguments or ()]
        if isinstance(target, datetime) and name == "tostring" and arguments == ["o"]:
            return printed(target)
        if isinstance(target, TcpClient | Attempt | Stream):
            return _value(sockets.call(self._host, target, name, [*arguments]))
        if isinstance(target, bytearray) and name == "length":
            return len(target)
        if isinstance(target, Encoding) and name in ("getbytes", "getstring"):
            return _coded(target, name, arguments)
        if isinstance(target, RegexMatch) and name == "value":
            return target.value
        if isinstance(target, WebClient) and name == "downloadfile" and len(arguments) == 2:
            web.download(self._host, target, printed(arguments[0]), printed(arguments[1]), tls12=self._tls12)
            return None
        raise PowerShellError(
            f"Method invocation failed: the lab does not know a method named '{expression.name}' here.",
            "MethodNotFound",
        )


def _value(given: object) -> Value:
    """Return what a connection gave as a value; it gives only such."""
    if given is None or isinstance(given, int | Attempt | Stream):
        return given
    raise TypeError(f"a connection gave {given!r}")


def _coded(encoding: Encoding, name: str, arguments: list[Value]) -> Value:
    """Encode a text, or decode bytes, whole or a part of them: (bytes, first, count)."""
    match name, arguments:
        case "getbytes", [str() as text]:
            return bytearray(text.encode(encoding.name, errors="replace"))
        case "getstring", [bytearray() as data]:
            return data.decode(encoding.name, errors="replace")
        case "getstring", [bytearray() as data, int() as first, int() as count]:
            return data[first : first + count].decode(encoding.name, errors="replace")
    raise PowerShellError(f"The lab does not know {name} in this form.", "MethodNotFound")


def _decoded(text: str) -> bytearray:
    try:
        return bytearray(base64.b64decode(text, validate=True))
    except ValueError:
        raise PowerShellError(
            'Exception calling "FromBase64String" with "1" argument(s): "The input is not a valid Base-64 string."',
            "FormatException",
        ) from None


def printed(value: Value) -> str:
    """Return a value as PowerShell writes it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond * 10:07d}Z"
    if isinstance(value, list):
        return "\r\n".join(value)
    return str(value)
