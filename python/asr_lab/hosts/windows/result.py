"""What a command of a Windows host gives back."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """Standard output and error (lines end in CR LF) and the exit code, signed as Windows prints it."""

    out: str = ""
    err: str = ""
    code: int = 0


def lines(rows: Iterable[str]) -> str:
    """Return the rows as Windows prints them, each ended by CR LF."""
    return "".join(f"{row}\r\n" for row in rows)


def ok(*rows: str) -> Result:
    """Return a success that prints ``rows``."""
    return Result(out=lines(rows))


def failed(code: int, *rows: str) -> Result:
    """Return a failure that prints ``rows`` on standard error."""
    return Result(err=lines(rows), code=code)
