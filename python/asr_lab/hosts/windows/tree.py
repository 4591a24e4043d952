"""What a PowerShell text of a lab host consists of: statements, and the expressions in them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A text without variables."""

    value: str


@dataclass(frozen=True)
class Expandable:
    """A double-quoted text or a bare word with ``$name`` or ``$env:name`` in it."""

    value: str


@dataclass(frozen=True)
class Number:
    """A whole number."""

    value: int


@dataclass(frozen=True)
class Variable:
    """``$name``, lower case, without the dollar sign."""

    name: str


@dataclass(frozen=True)
class Static:
    """``[Type]::Member`` or, with arguments, a call of it."""

    type: str
    member: str
    arguments: "tuple[Expr, ...] | None"


@dataclass(frozen=True)
class Member:
    """``target.Name`` or, with arguments, a call of it."""

    target: "Expr"
    name: str
    arguments: "tuple[Expr, ...] | None"


@dataclass(frozen=True)
class New:
    """``New-Object Type`` or ``New-Object Type(arguments)``."""

    type: str
    arguments: "tuple[Expr, ...]" = ()


@dataclass(frozen=True)
class Array:
    """``@(...)``."""

    value: "Expr"


@dataclass(frozen=True)
class Index:
    """``target[first]`` or ``target[first..last]``."""

    target: "Expr"
    first: "Expr"
    last: "Expr | None"


@dataclass(frozen=True)
class Operation:
    """``left -operator right``; the operators are those of ``OPERATORS``."""

    left: "Expr"
    operator: str
    right: "Expr"


@dataclass(frozen=True)
class Several:
    """``a, b, c``."""

    values: "tuple[Expr, ...]"


Expr = Text | Expandable | Number | Variable | Static | Member | New | Array | Index | Operation | Several

OPERATORS = ("join", "contains", "eq", "ne")


@dataclass(frozen=True)
class Command:
    """A command: its name, its words, whether ``&`` stands before it, where its errors go, what its output is piped
    to.
    """

    name: Expr
    words: tuple[Expr, ...]
    called: bool
    redirect: str
    filters: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Evaluate:
    """An expression whose value is printed."""

    value: Expr
    filters: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Assign:
    """``$name = value`` (``target`` a Variable), ``[Type]::Member = value`` (a Static) or ``$name.Name = value`` (a
    Member).
    """

    target: Variable | Static | Member
    value: Expr
    source: str


@dataclass(frozen=True)
class Try:
    """``try { body } catch { handler }``."""

    body: "tuple[Statement, ...]"
    handler: "tuple[Statement, ...]"


@dataclass(frozen=True)
class If:
    """``if (condition) { body } [else { otherwise }]``."""

    condition: Expr
    body: "tuple[Statement, ...]"
    otherwise: "tuple[Statement, ...]"
    source: str


@dataclass(frozen=True)
class Piped:
    """``'text' | program`` or ``program | program``: the second one reads on its standard input."""

    value: "Expr | Command"
    command: Command
    source: str


@dataclass(frozen=True)
class Wmi:
    """``Get-WmiObject`` with what prints its objects.

    ``form`` is the text of ``ForEach-Object { 'form' -f $_.A, $_.B }``. A member is a property (``DiskIndex``) or a
    property of what a method returns (``GetConversionStatus().ConversionStatus``).
    """

    namespace: str
    name: str
    silent: bool
    form: str
    members: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Invoke:
    """``Invoke-Expression`` of a value: a text that is parsed and run where it stands."""

    value: Expr
    source: str


@dataclass(frozen=True)
class Exit:
    """``exit`` or ``exit value``."""

    value: Expr | None


Statement = Command | Evaluate | Assign | Try | If | Piped | Wmi | Invoke | Exit
