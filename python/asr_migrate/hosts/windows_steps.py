"""Lines of Windows texts that follow one another only as long as all goes well; PowerShell 2 or newer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.quoting import cmd_path, native, powershell


@dataclass(frozen=True)
class Part:
    """Lines whose last command tells an exit code, and the codes after which the next part may follow; none: any."""

    lines: Sequence[str]
    good: Sequence[int] = field(default=(0,))


def chain(parts: Sequence[Part], otherwise: Sequence[str]) -> list[str]:
    """Return the lines of all parts, each run only when the one before it ended well; else ``otherwise``, once."""
    made: list[str] = []
    for part in reversed(parts):
        made = [*part.lines, *(_if_exit_code(part.good, made, otherwise) if part.good else made)]
    return made


def _if_exit_code(good: Sequence[int], then: Sequence[str], otherwise: Sequence[str]) -> list[str]:
    codes = ",".join(str(code) for code in good)
    return [f"if (@({codes}) -contains $LASTEXITCODE) {{", *then, "} else {", *otherwise, "}"]


def read_text(path: str) -> str:
    """Print a text file; one that is not there is an error message and no more."""
    return f"[IO.File]::ReadAllText({powershell(path)})"


def read_match(path: str, pattern: str) -> str:
    """Print the first match of a regular expression in a text file, and nothing else of it."""
    return f"[regex]::Match({read_text(path)}, {powershell(pattern)}).Value"


def remove_directory(path: str) -> str:
    """Delete a directory with all that is in it; one that is not there is no error."""
    return f"cmd /c 'rmdir /s /q {cmd_path(path)}'"


def has_sha256(path: str, digest: str) -> str:
    """End with exit code 0 when a file has this SHA-256; certutil put blanks between the bytes before Windows 10."""
    pairs = " ".join(digest[place : place + 2] for place in range(0, len(digest), 2))
    return f"{text.sha256(path)} | findstr.exe /i {native('/c:' + digest, '/c:' + pairs)}"
