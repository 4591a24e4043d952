"""The part of PowerShell that the lab's Windows hosts understand, as a parser: text in, statements out.

Statements end at a line's end or a semicolon::

    echo 'text' | echo "text with $LASTEXITCODE"            Write-Output is the same
    reg query 'HKLM\\...' /v Name [2>$null] [| Out-String]   any native command
    & 'C:\\path\\program.exe' '/Arg' 'value' [| Out-String]
    [DateTime]::UtcNow.ToString('o')                        expressions: types, members, method calls, New-Object
    $c = New-Object Net.WebProxy('http://...')              assignments to a variable, a type's or an object's property
    try { ... } catch { ... }                               if (...) { ... } else { ... }
    Invoke-Expression ($lines[1..9] -join "`n")             a text as a script of the same session
    'list disk' | diskpart; certutil ... | findstr ...      a text, or a program's output, for standard input
    Get-WmiObject -Class X | ForEach-Object { '{0}' -f $_.A }
    exit 3

Anything else is a ``ParseError``, as a real host refuses a text it cannot parse before it runs any of it.
"""

import re
from dataclasses import replace

from asr_lab.hosts.windows.cursor import Cursor, ParseError
from asr_lab.hosts.windows.tree import (
    OPERATORS,
    Array,
    Assign,
    Command,
    Evaluate,
    Exit,
    Expandable,
    Expr,
    If,
    Index,
    Invoke,
    Member,
    New,
    Number,
    Operation,
    Piped,
    Several,
    Statement,
    Static,
    Text,
    Try,
    Variable,
    Wmi,
)

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n;]|#[^\n]*)*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE = re.compile(r"\[([A-Za-z][A-Za-z0-9_.]*)\]::([A-Za-z][A-Za-z0-9]*)")
_TYPE_NAME = re.compile(r"\[([A-Za-z][A-Za-z0-9_.]*)\](?!::)")
_VARIABLE = re.compile(r"\$(?:global:)?((?:env:)?[A-Za-z_][A-Za-z0-9_]*)", re.IGNORECASE)
_REDIRECT = re.compile(r"2>(&1|\$null)")
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_DOUBLE = re.compile(r'"((?:`.|[^"`]|"")*)"', re.DOTALL)
_ESCAPE = re.compile(r"`(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ELSE = re.compile(r"[ \t\r\n]*else\b", re.IGNORECASE)
_PIPE = re.compile(r"\|[ \t]*")
_FILTERED = re.compile(r"(?=\|[ \t]*Out-(?:String|Null)\b)", re.IGNORECASE)
_SWITCH = re.compile(r"-([A-Za-z]+)[ \t]+")
_MEMBER = r"[A-Za-z_]\w*(?:\(\)\.[A-Za-z_]\w*)?"
_EACH = re.compile(
    r"\|[ \t]*ForEach-Object[ \t]*\{[ \t]*'(?P<form>(?:[^']|'')*)'[ \t]+-f[ \t]+"
    rf"(?P<members>\$_\.{_MEMBER}(?:[ \t]*,[ \t]*\$_\.{_MEMBER})*)[ \t]*\}}",
    re.IGNORECASE,
)
_OPERATOR = re.compile(rf"-({'|'.join(OPERATORS)})\b", re.IGNORECASE)
_FILTER = re.compile(r"\|[ \t]*(Out-String|Out-Null)\b", re.IGNORECASE)


def parse(text: str) -> tuple[Statement, ...]:
    """Return the statements of a script. Raises ParseError."""
    parser = _Parser(text.replace("\r\n", "\n"))
    found = parser.statements("")
    return tuple(found)


def _plain(word: Expr) -> str:
    if not isinstance(word, Text):
        raise ParseError("The lab wants plain words behind the switches of Get-WmiObject.")
    return word.value


class _Parser(Cursor):
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
        if self._word("if"):
            return self._if(start)
        if self._word("Get-WmiObject"):
            return self._wmi(start)
        if self._word("exit"):
            self._match(_BLANK)
            return Exit(None if self._ends() else self._expression())
        if self._word("Invoke-Expression"):
            return self._invoke(start)
        head = self._peek()
        if head in "$[('\"" or head.isdigit():
            target = self._expression()
            self._match(_BLANK)
            if isinstance(target, Variable | Static | Member) and self._take("="):
                self._match(_BLANK)
                value = self._expression()
                self._end(start)
                return Assign(target, value, self._source(start))
            piped = None if self._match(_FILTERED) else self._match(_PIPE)
            if piped:
                return Piped(target, self._simple_command(), self._source(start))
            filters = self._filters()
            self._end(start)
            return Evaluate(target, filters, self._source(start))
        return self._command(start)

    def _invoke(self, start: int) -> Invoke:
        self._match(_BLANK)
        if self._ends():
            raise ParseError("Invoke-Expression asks for its Command, which nobody can answer here.")
        value = self._primary()
        self._end(start)
        return Invoke(value, self._source(start))

    def _if(self, start: int) -> If:
        self._match(_BLANK)
        if not self._take("("):
            raise ParseError("Missing '(' after 'if' in if statement.")
        condition = self._closed(self._inner())
        body = self._block()
        otherwise = self._block() if self._match(_ELSE) else ()
        return If(condition, body, otherwise, self._source(start))

    def _wmi(self, start: int) -> Wmi:
        namespace, name, silent = "root\\CIMV2", "", False
        while self._match(_BLANK) and not self._ends() and self._peek() != "|":
            switch = self._match(_SWITCH)
            value = "".join(map(_plain, self._argument()))
            if switch is None or switch.group(1).lower() == "class":
                name = value
            elif switch.group(1).lower() == "namespace":
                namespace = value
            elif switch.group(1).lower() == "erroraction" and value.lower() in ("silentlycontinue", "continue", "0"):
                silent = value.lower() != "continue"
            else:
                raise ParseError(f"The lab does not understand -{switch.group(1)} {value} of Get-WmiObject.")
        shown = self._match(_EACH)
        if not name or shown is None:
            raise ParseError(f"The lab does not understand this use of Get-WmiObject: {self._source(start)}")
        self._end(start)
        form = shown.group("form").replace("''", "'")
        members = tuple(word.strip().removeprefix("$_.") for word in shown.group("members").split(","))
        return Wmi(namespace, name, silent, form, members, self._source(start))

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

    def _command(self, start: int) -> Command | Piped:
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
        made = Command(words[0], tuple(words[1:]), called, redirect, (), self._source(start))
        if not self._match(_FILTERED) and self._match(_PIPE):
            return Piped(made, self._simple_command(), self._source(start))
        filters = self._filters()
        self._end(start)
        return replace(made, filters=filters, source=self._source(start))

    def _simple_command(self) -> Command:
        command = self._command(self._at)
        if not isinstance(command, Command):
            raise ParseError(f"The lab does not understand a pipeline of three programs: {command.source}")
        return command

    def _argument(self) -> list[Expr]:
        """Return one word of a command, or several where commas outside quotes make an array of it."""
        parts: list[Expr] = []
        word, expands, quoted = "", False, False
        while not self._ends() and self._peek() not in " \t|":
            char = self._peek()
            if char == "(" and not word and not quoted:
                self._at += 1
                return [*parts, self._closed(self._inner())]
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
        while True:
            if self._take("["):
                value = self._index(value)
                continue
            if self._peek() != "." or not _NAME.match(self._text, self._at + 1):
                return value
            self._at += 1
            name = self._match(_NAME)
            assert name is not None
            value = Member(value, name.group(), self._arguments())

    def _index(self, target: Expr) -> Index:
        self._match(_BLANK)
        first = self._expression()
        self._match(_BLANK)
        last = None
        if self._take(".."):
            self._match(_BLANK)
            last = self._expression()
            self._match(_BLANK)
        if not self._take("]"):
            raise ParseError(f"Missing ']' after array index expression: {self._rest()}")
        return Index(target, first, last)

    def _primary(self) -> Expr:
        char = self._peek()
        if char in ("'", '"'):
            return self._quoted()
        if char == "[":
            static = self._match(_TYPE)
            if static is None and (literal := self._match(_TYPE_NAME)):
                return Text(literal.group(1))
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
        number = self._match(re.compile(r"-?\d+"))
        if number:
            return Number(int(number.group()))
        raise ParseError(f"You must provide a value expression: {self._rest()}")

    def _inner(self) -> Expr:
        """Return what stands in parentheses: an expression, several with commas, or operators between them."""
        value = self._several()
        while found := self._match(_OPERATOR):
            value = Operation(value, found.group(1).lower(), self._several())
        return value

    def _several(self) -> Expr:
        self._match(_BLANK)
        found = [self._expression()]
        self._match(_BLANK)
        while self._take(","):
            self._match(_BLANK)
            found.append(self._expression())
            self._match(_BLANK)
        return Several(tuple(found)) if len(found) > 1 else found[0]

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
        return New(name.group(), self._arguments() or ())

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
        found = (_SINGLE if mark == "'" else _DOUBLE).match(self._text, self._at)
        if found is None:
            raise ParseError(f"The string is missing the terminator: {mark}.")
        self._at = found.end()
        value = found.group(1).replace(mark * 2, mark)
        if mark == '"' and "$(" in value:
            raise ParseError(f"The lab does not understand $( ) in a text: {value[:80]}")
        if mark == '"' and "`" in value:
            if "$" in value:
                raise ParseError("The lab does not understand backquotes beside variables; use a single-quoted text.")
            return Text(_ESCAPE.sub(lambda one: _ESCAPES.get(one.group(1), one.group(1)), value))
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
