"""The part of PowerShell that the lab's Windows hosts understand, as a parser: text in, statements out.

Statements end at a line's end or a semicolon::

    echo 'text' | echo "text with $LASTEXITCODE"            Write-Output is the same
    reg query 'HKLM\\...' /v Name [2>$null] [| Out-String]   any native command
    & 'C:\\path\\program.exe' '/Arg' 'value' [| Out-String]
    [DateTime]::UtcNow.ToString('o')                        expressions: types, members, method calls, New-Object
    $c = New-Object Net.Sockets.TcpClient                   assignments to a variable or a type's property
    try { ... } catch { ... }
    exit 3

Anything else is a ``ParseError``, as a real host refuses a text it cannot parse before it runs any of it.
"""

import re
from dataclasses import dataclass


class ParseError(Exception):
    """The text is not PowerShell, or not the part of it that the lab understands."""


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
    """``New-Object Type``."""

    type: str


@dataclass(frozen=True)
class Array:
    """``@(...)``."""

    value: "Expr"


Expr = Text | Expandable | Number | Variable | Static | Member | New | Array


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
    """``$name = value`` (``target`` a Variable) or ``[Type]::Member = value`` (``target`` a Static)."""

    target: Variable | Static
    value: Expr
    source: str


@dataclass(frozen=True)
class Try:
    """``try { body } catch { handler }``."""

    body: "tuple[Statement, ...]"
    handler: "tuple[Statement, ...]"


@dataclass(frozen=True)
class Exit:
    """``exit`` or ``exit value``."""

    value: Expr | None


Statement = Command | Evaluate | Assign | Try | Exit

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n;]|#[^\n]*)*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE = re.compile(r"\[([A-Za-z][A-Za-z0-9_.]*)\]::([A-Za-z]+)")
_VARIABLE = re.compile(r"\$((?:env:)?[A-Za-z_][A-Za-z0-9_]*)")
_REDIRECT = re.compile(r"2>(&1|\$null)")
_FILTER = re.compile(r"\|[ \t]*(Out-String|Out-Null)\b", re.IGNORECASE)


def parse(text: str) -> tuple[Statement, ...]:
    """Return the statements of a script. Raises ParseError."""
    parser = _Parser(text.replace("\r\n", "\n"))
    found = parser.statements("")
    return tuple(found)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def statements(self, end: str) -> list[Statement]:
        found: list[Statement] = []
        while True:
            self._match(_GAP)
            if self._at >= len(self._text):
                if end:
                    raise ParseError(f"Missing closing '{end}' in statement block.")
                return found
            if end and self._take(end):
                return found
            found.append(self._statement())

    def _statement(self) -> Statement:
        start = self._at
        if self._word("try"):
            return self._try()
        if self._word("exit"):
            self._match(_BLANK)
            return Exit(None if self._ends() else self._expression())
        head = self._peek()
        if head in "$[('\"" or head.isdigit():
            target = self._expression()
            self._match(_BLANK)
            if isinstance(target, Variable | Static) and self._take("="):
                self._match(_BLANK)
                value = self._expression()
                self._end(start)
                return Assign(target, value, self._source(start))
            filters = self._filters()
            self._end(start)
            return Evaluate(target, filters, self._source(start))
        return self._command(start)

    def _try(self) -> Try:
        body = self._block()
        self._match(_GAP)
        if not self._word("catch"):
            raise ParseError("The Try statement is missing its Catch or Finally block.")
        return Try(body, self._block())

    def _block(self) -> tuple[Statement, ...]:
        self._match(_GAP)
        if not self._take("{"):
            raise ParseError("Missing opening '{' in statement block.")
        return tuple(self.statements("}"))

    def _command(self, start: int) -> Command:
        called = self._take("&")
        words: list[Expr] = []
        redirect = ""
        while True:
            self._match(_BLANK)
            if self._ends() or self._peek() == "|":
                break
            found = self._match(_REDIRECT)
            if found:
                redirect = found.group(1)
                continue
            words += self._argument()
        if not words:
            raise ParseError(f"Unexpected token '{self._peek()}' in expression or statement.")
        filters = self._filters()
        self._end(start)
        return Command(words[0], tuple(words[1:]), called, redirect, filters, self._source(start))

    def _argument(self) -> list[Expr]:
        """Return one word of a command, or several where commas outside quotes make an array of it."""
        parts: list[Expr] = []
        word, expands, quoted = "", False, False
        while not self._ends() and self._peek() not in " \t|":
            char = self._peek()
            if char in "'\"":
                piece = self._quoted()
                expands = expands or isinstance(piece, Expandable)
                word += piece.value
                quoted = True
            elif char == ",":
                self._at += 1
                parts.append(Expandable(word) if expands else Text(word))
                word, expands, quoted = "", False, False
            elif char in "(<>{&@" and not (char == "@" and word):
                raise ParseError(f"The lab does not understand '{char}' in an argument: {self._rest()}")
            else:
                expands = expands or char == "$"
                word += char
                self._at += 1
        if word or quoted or not parts:
            parts.append(Expandable(word) if expands else Text(word))
        return parts

    def _expression(self) -> Expr:
        value = self._primary()
        while self._peek() == "." and _NAME.match(self._text, self._at + 1):
            self._at += 1
            name = self._match(_NAME)
            assert name is not None
            value = Member(value, name.group(), self._arguments())
        return value

    def _primary(self) -> Expr:
        char = self._peek()
        if char in ("'", '"'):
            return self._quoted()
        if char == "[":
            static = self._match(_TYPE)
            if static is None:
                raise ParseError(f"Unexpected token '[' in expression or statement: {self._rest()}")
            return Static(static.group(1), static.group(2), self._arguments())
        if char == "$":
            variable = self._match(_VARIABLE)
            if variable is None:
                raise ParseError(f"The lab does not understand this variable: {self._rest()}")
            return Variable(variable.group(1).lower())
        if char == "(":
            self._at += 1
            return self._closed(self._inner())
        if self._text.startswith("@(", self._at):
            self._at += 2
            return Array(self._closed(self._inner()))
        if self._word("New-Object"):
            return self._new()
        number = self._match(re.compile(r"\d+"))
        if number:
            return Number(int(number.group()))
        raise ParseError(f"You must provide a value expression: {self._rest()}")

    def _inner(self) -> Expr:
        self._match(_BLANK)
        return self._expression()

    def _closed(self, value: Expr) -> Expr:
        self._match(_BLANK)
        if not self._take(")"):
            raise ParseError(f"Missing closing ')' in expression: {self._rest()}")
        return value

    def _new(self) -> New:
        self._match(_BLANK)
        name = self._match(re.compile(r"[A-Za-z][A-Za-z0-9_.]*"))
        if name is None:
            raise ParseError("New-Object: a type name is missing")
        return New(name.group())

    def _arguments(self) -> tuple[Expr, ...] | None:
        if not self._take("("):
            return None
        found: list[Expr] = []
        self._match(_BLANK)
        while not self._take(")"):
            if found and not self._take(","):
                raise ParseError(f"Missing ')' in method call: {self._rest()}")
            self._match(_BLANK)
            found.append(self._expression())
            self._match(_BLANK)
        return tuple(found)

    def _quoted(self) -> Text | Expandable:
        mark = self._peek()
        found = re.compile(f"{mark}((?:[^{mark}]|{mark}{mark})*){mark}").match(self._text, self._at)
        if found is None:
            raise ParseError(f"The string is missing the terminator: {mark}.")
        self._at = found.end()
        value = found.group(1).replace(mark * 2, mark)
        if mark == '"' and "`" in value:
            raise ParseError("The lab does not understand backquotes in a text; use a single-quoted one.")
        return Expandable(value) if mark == '"' and "$" in value else Text(value)

    def _filters(self) -> tuple[str, ...]:
        found: list[str] = []
        self._match(_BLANK)
        while self._peek() == "|":
            piped = self._match(_FILTER)
            if piped is None:
                raise ParseError(f"The lab does not understand this pipeline: {self._rest()}")
            found.append(piped.group(1).lower())
            self._match(_BLANK)
        return tuple(found)

    def _end(self, start: int) -> None:
        self._match(_BLANK)
        if not self._ends():
            raise ParseError(f"Unexpected token in expression or statement: {self._source(start)}>>>{self._rest()}")

    def _ends(self) -> bool:
        return self._at >= len(self._text) or self._text[self._at] in "\n;})"

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else "\n"

    def _take(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _word(self, name: str) -> bool:
        found = re.compile(rf"{re.escape(name)}(?![A-Za-z0-9_.\-])", re.IGNORECASE).match(self._text, self._at)
        if found:
            self._at = found.end()
        return found is not None

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _source(self, start: int) -> str:
        return self._text[start : self._at].strip()

    def _rest(self) -> str:
        return self._text[self._at :].split("\n", 1)[0][:80]
