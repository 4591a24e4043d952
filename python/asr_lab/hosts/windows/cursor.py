"""Where a parser of the lab's PowerShell stands in its text, and how it goes on from there."""

import re


class ParseError(Exception):
    """The text is not PowerShell, or not the part of it that the lab understands."""


class Cursor:
    """A text and a place in it; each method that finds what it looks for goes behind it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

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
